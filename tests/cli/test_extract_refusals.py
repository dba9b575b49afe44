"""What `awesome extract` and `awesome run --source` refuse, and the keys of sources."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest
from replayed_prices import SHARES, Awesome, command, files

from components.extractor.replay import Fault, Market, ReplayServer, make_listing
from components.extractor.sources.registry import SOURCES

SECRET = "a-very-secret-key"

REFUSALS: dict[str, tuple[str, str]] = {
    "no source": ("extract", "no source is named: --source tencent; `awesome sources` lists them"),
    "unknown source": (
        "extract --source stooq --shares AAPL",
        "there is no source 'stooq'; choose one of tencent, tiingo, sina, yahoo",
    ),
    "no file": ("run --source file:none.csv", "none.csv does not exist or is no file"),
    "no path": ("run --source file:", "--source file needs the file's path"),
    "nothing to start from": ("run --source tencent", "awesome.db does not exist; name shares"),
    "bad share": ("extract --source tencent --shares sh600519,IBM", "share 'IBM' is not a name of source tencent"),
    "bad last day": ("extract --source tencent --shares sh600519 --until yesterday", "until (from --until)"),
    "no key": ("extract --source tiingo --shares IBM", "needs a key: set TIINGO_API_KEY in the environment"),
    "best effort": ("extract --source yahoo --shares IBM", "--best-effort asks it all the same"),
    "no list": ("extract --source tencent --shares @none.txt", "none.txt cannot be read"),
    "no shares": ("extract --source tencent", "awesome.db does not exist; name shares, such as --shares sh600519"),
    "nothing to resume": ("extract --resume", "awesome.db: there is no extraction to resume"),
    "no folder": ("extract --source tencent --shares sh600519 --db no/where.db", "no/where.db"),
    "a folder": ("extract --source tencent --shares sh600519 --db ..", "is a folder"),
    "run: bad share": ("run --source tencent --shares AAPL", "share 'AAPL' is not a name of source tencent"),
    "run: no key": ("run --source tiingo --shares IBM", "set TIINGO_API_KEY"),
    "run: market and source": (
        "run --source tencent --market null",
        "market (from --market): makes a database of its own; name --source or a market, not both",
    ),
}


@pytest.mark.parametrize(("line", "message"), REFUSALS.values(), ids=REFUSALS)
def test_a_mistake_is_one_line_and_nothing_is_asked_or_made(
    awesome: Awesome, server: ReplayServer, line: str, message: str
) -> None:
    outcome = awesome(*line.split())
    assert outcome.code == 1
    assert message in outcome.refusal
    assert server.requests == []
    assert [str(path) for path in Path().rglob("*") if path.is_file() and path.name != ".lock"] == []


@pytest.mark.parametrize(
    ("source", "message"),
    [("file:none.csv", "none.csv does not exist"), ("file:", "--source file needs the file's path: --source file:")],
)
def test_a_file_of_prices_that_is_none_is_named(
    awesome: Awesome, server: ReplayServer, source: str, message: str
) -> None:
    outcome = awesome("extract", "--source", source)
    assert (outcome.code, outcome.out) == (1, "")
    assert outcome.err.splitlines()[-1].startswith(f"awesome: {message}")
    assert "Traceback" not in outcome.err


def test_a_market_of_the_settings_and_a_source_exclude_each_other_in_a_run(
    awesome: Awesome, server: ReplayServer
) -> None:
    Path("awesome.toml").write_text('market = "null"\n')
    refusal = awesome("run", *command(SHARES[0])[1:]).refusal
    assert "market (from awesome.toml): makes a database of its own; name --source or" in refusal
    assert files() == ["awesome.toml"]


def test_an_address_that_is_none_is_refused(
    awesome: Awesome, server: ReplayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWESOME_SOURCES_URL", "127.0.0.1:80")
    assert "sources_url (from AWESOME_SOURCES_URL)" in awesome(*command(SHARES[0])).refusal
    assert files() == []


def test_a_database_of_something_else_is_left_alone(awesome: Awesome, server: ReplayServer) -> None:
    Path("awesome.db").write_text("a text of more than sixteen bytes")
    assert "awesome.db is not an SQLite database" in awesome(*command(SHARES[0])).refusal
    assert Path("awesome.db").read_text() == "a text of more than sixteen bytes"
    assert files() == ["awesome.db"]


# --- sources and their keys


@pytest.mark.parametrize("key", [None, "", SECRET])
def test_sources_says_whether_a_key_is_set_and_never_which(
    awesome: Awesome, server: ReplayServer, monkeypatch: pytest.MonkeyPatch, key: str | None
) -> None:
    if key is not None:
        monkeypatch.setenv("TIINGO_API_KEY", key)
    outcome = awesome("sources")
    assert (outcome.code, outcome.err) == (0, "")
    parts = dict(part.split("  ", 1) for part in outcome.out.strip().split("\n\n"))
    assert list(parts) == [*SOURCES, "file:PATH"]
    assert f"needs a key in TIINGO_API_KEY, which is {'set' if key else 'not set'};" in parts["tiingo"]
    assert "no key needed" in parts["tencent"]
    assert "the last 1,023 sessions only" in parts["sina"]
    assert "--best-effort" in parts["yahoo"]
    assert SECRET not in outcome.out
    assert server.requests == []


def test_a_key_is_used_and_reaches_no_output_and_no_file(
    awesome: Awesome, server: ReplayServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIINGO_API_KEY", SECRET)
    last = dt.date(2024, 3, 28)
    server.market = Market({"IBM": make_listing("IBM", "XNYS", dt.date(2024, 1, 2), last)}, last)
    line = ("extract", "--source", "tiingo", "--shares", "IBM", "--since", "2024-01-02", "--until", str(last))
    good = awesome(*line, "--json")
    assert (good.code, json.loads(good.out)["counts"]["new"]) == (0, 1)
    server.faults.add(Fault("denied"))
    bad = awesome(*line, "--refetch")
    assert bad.code == 4
    assert "check TIINGO_API_KEY" in bad.out
    assert SECRET not in good.out + good.err + bad.out + bad.err
    assert files() == ["awesome.db", "awesome.db.extraction.jsonl"]
    assert all(SECRET.encode() not in path.read_bytes() for path in Path().iterdir())
