"""`awesome extract` and `awesome sources` as a user types them, against a replay server.

The commands look at the clock, so the market reaches up to today, and what is expected is counted from its sessions.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import os
import pty
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from components.extractor.replay import Fault, Listing, Market, ReplayServer, make_listing, sessions
from components.extractor.sources.registry import SOURCES

Awesome = Callable[..., Any]

ROOT = Path(__file__).parents[2]
COMMAND = str(Path(sys.executable).with_name("awesome"))
SHARES = ("sh600000", "sh600519", "sz000001", "sz000002", "sz000333", "sh601318", "sh600036", "sz300750")
SECRET = "a-very-secret-key"
SHANGHAI = ZoneInfo("Asia/Shanghai")
DAYS = 500
TABLES = ("PRICE", "FEATURE", "EXTRACTION")
NEEDLESS = ("tensorflow", "tfx", "tfx_bsl", "apache_beam", "keras", "ml_metadata", "adbc_driver_manager", "matplotlib")


# --- the market, and what the database must hold of it


@functools.cache
def today() -> dt.date:
    return dt.datetime.now(SHANGHAI).date()


def first() -> dt.date:
    return today() - dt.timedelta(days=DAYS)


@functools.cache
def days() -> list[dt.date]:
    """The sessions of the market, the last of which may still be open."""
    return sessions("XSHG", first(), today()).tolist()


def until() -> dt.date:
    """A session long closed."""
    return days()[-16]


def last_closed() -> dt.date:
    now = dt.datetime.now(SHANGHAI)
    # Shanghai closes at 15:00, and a bar is final half an hour later.
    closes = [dt.datetime.combine(day, dt.time(15, 30), SHANGHAI) for day in days()]
    return [day for day, close in zip(days(), closes, strict=True) if close <= now][-1]


def listing(share: str, **events: Any) -> Listing:
    return make_listing(share, "XSHG", first(), today(), **events)


@pytest.fixture(scope="module")
def market() -> Market:
    listings = {share: listing(share, dividends={days()[100]: 0.5}, splits={days()[200]: 2.0}) for share in SHARES}
    return Market(listings, today())


class Gate:
    """Holds answers back, so that a process is known to be at work when something happens to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.hold_after(0)
        self.open()

    def hold_after(self, answers: int) -> None:
        """Lets so many answers pass; the others wait for `open`."""
        self._left, self._opened = answers, threading.Event()

    def open(self) -> None:
        self._left = sys.maxsize
        self._opened.set()

    def __call__(self, line: str) -> None:
        """What a replay server calls before it answers."""
        with self._lock:
            self._left -= 1
            held = self._left < 0
        if held:
            self._opened.wait()


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def server(market: Market, gate: Gate, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReplayServer]:
    monkeypatch.delenv("TIINGO_API_KEY", raising=False)
    monkeypatch.setenv("AWESOME_SOURCES_RATE", "1000")
    monkeypatch.setenv("AWESOME_SOURCES_BACKOFF", "0.01")
    monkeypatch.setenv("AWESOME_SOURCES_ATTEMPTS", "2")
    with ReplayServer(market, log=gate) as server:
        monkeypatch.setenv("AWESOME_SOURCES_URL", server.url)
        yield server
        gate.open()


def command(*shares: str, db: str | None = None, last: dt.date | None = None) -> tuple[str, ...]:
    """The arguments of an extraction of some shares; all of them if none is named."""
    arguments = ["extract", "--source", "tencent", "--shares", ",".join(shares or SHARES), "--since", str(first())]
    return (*arguments, *(("--db", db) if db else ()), *(("--until", str(last)) if last else ()))


def rows(db: str | Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(query).fetchall()


def contents(db: str | Path) -> dict[str, list[tuple[Any, ...]]]:
    return {name: rows(db, f"SELECT * FROM {name} ORDER BY share_id, 2") for name in TABLES}


def stored_days(db: str | Path = "awesome.db") -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for share, day in rows(db, "SELECT share_id, time FROM PRICE ORDER BY 1, 2"):
        found.setdefault(share, []).append(day)
    return found


def all_days(last: dt.date) -> list[str]:
    return [str(day) for day in days() if day <= last]


def table(text: str) -> list[list[str]]:
    """The cells of the printed table, row by row, without its head."""
    lines = text.splitlines()
    [head] = [at for at, line in enumerate(lines) if line.startswith("share ")]
    body = [re.split(r"  +", line.strip()) for line in lines[head + 1 :]]
    return [row for row in body if row[0] in SHARES]


def events(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


def files() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


@pytest.fixture(scope="module")
def clean(market: Market, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[Any, ...]]]:
    """What a single, undisturbed run up to `until` leaves."""
    from components.extractor import ExtractionPlan, HttpSettings, extract

    db = tmp_path_factory.mktemp("clean") / "clean.db"
    with ReplayServer(market) as server:
        plan = ExtractionPlan("tencent", SHARES, first(), until())
        assert extract(plan, db, http=HttpSettings(server.url, rate=1000)).exit_code == 0
    assert stored_days(db) == dict.fromkeys(sorted(SHARES), all_days(until()))
    return contents(db)


# --- what is fetched


def test_a_first_extraction_ends_with_the_last_closed_session(awesome: Awesome, server: ReplayServer) -> None:
    possible = [last_closed()]
    outcome = awesome(*command(*SHARES[:2]))
    possible.append(last_closed())
    assert outcome.code == 0
    [last] = {held[-1] for held in stored_days().values()}
    assert last in map(str, possible)
    assert stored_days() == dict.fromkeys(sorted(SHARES[:2]), all_days(dt.date.fromisoformat(last)))
    count = str(len(all_days(dt.date.fromisoformat(last))))
    assert table(outcome.out) == [[share, "new", count, "0", str(days()[0]), last, "0"] for share in SHARES[:2]]
    assert re.fullmatch(r"awesome\.db: 2 shares from tencent in \d+\.\d s: 2 new", outcome.out.splitlines()[-1]), (
        outcome.out
    )
    assert files() == ["awesome.db"]


def test_the_same_command_later_fetches_only_what_is_new(awesome: Awesome, server: ReplayServer) -> None:
    assert awesome(*command(*SHARES[:2], last=until())).code == 0
    assert stored_days() == dict.fromkeys(sorted(SHARES[:2]), all_days(until()))
    server.forget()
    possible = [last_closed()]
    outcome = awesome(*command(*SHARES[:2]))
    possible.append(last_closed())
    assert outcome.code == 0
    last = dt.date.fromisoformat(stored_days()[SHARES[0]][-1])
    assert last in possible
    new = [day for day in days() if until() < day <= last]
    assert len(new) in (14, 15)
    expected = [str(len(new)), "0", str(days()[0]), str(last), "0"]
    assert table(outcome.out) == [[share, "new", *expected] for share in SHARES[:2]]
    # From ten sessions before the last stored one.
    assert {request.target.split(",")[2] for request in server.requests} == {str(days()[-16 - 10])}
    before = contents("awesome.db")
    again = awesome("extract", "--source", "tencent")
    assert (again.code, [row[1] for row in table(again.out)]) == (0, ["unchanged"] * 2)
    assert contents("awesome.db") == before


def test_settings_come_from_the_file_and_flags_go_before_them(awesome: Awesome, server: ReplayServer) -> None:
    Path("awesome.toml").write_text(
        f'source = "tencent"\nshares = ["{SHARES[0]}", "{SHARES[1]}"]\nsince = {days()[50]}\nuntil = "{until()}"\n'
    )
    assert awesome("extract").code == 0
    held = stored_days()
    assert {share: len(found) for share, found in held.items()} == dict.fromkeys(
        sorted(SHARES[:2]), len(all_days(until())) - 50
    )
    assert held[SHARES[0]][0] == str(days()[50])
    assert awesome("extract", "--shares", SHARES[2], "--since", str(days()[60]), "--db", "other.db").code == 0
    assert list(stored_days("other.db")) == [SHARES[2]]
    assert stored_days("other.db")[SHARES[2]][0] == str(days()[60])


def test_shares_come_from_a_file(awesome: Awesome, server: ReplayServer) -> None:
    Path("mine.txt").write_text(f"# what I hold\n{SHARES[3]}\n\n  {SHARES[1]}  # much of it\n{SHARES[3]}\n")
    outcome = awesome("extract", "--source", "tencent", "--shares", "@mine.txt", "--until", str(until()))
    assert outcome.code == 0
    assert [row[0] for row in table(outcome.out)] == [SHARES[3], SHARES[1]]
    assert set(stored_days()) == {SHARES[3], SHARES[1]}


def test_refetch_replaces_what_is_stored(awesome: Awesome, server: ReplayServer) -> None:
    awesome(*command(SHARES[0], last=until()))
    before = contents("awesome.db")
    with closing(sqlite3.connect("awesome.db")) as connection:
        # Before the days that an increment looks at.
        connection.execute("UPDATE PRICE SET open = open * 2 WHERE time < ?", (str(days()[-60]),))
        connection.commit()
    assert table(awesome(*command(SHARES[0], last=until())).out)[0][1] == "unchanged"
    assert contents("awesome.db") != before
    outcome = awesome(*command(SHARES[0], last=until()), "--refetch")
    assert (outcome.code, table(outcome.out)[0][1]) == (0, "readjusted")
    assert contents("awesome.db") == before


def test_a_file_of_prices_is_a_source_too(awesome: Awesome, server: ReplayServer) -> None:
    lines = [f"2024-01-{day:02d},{share},{day}" for share in ("sh600000", "sz000001") for day in range(1, 29)]
    Path("prices.csv").write_text("\n".join(["time,share_id,close", *lines]))
    outcome = awesome("extract", "--source", "file:prices.csv", "--db", "own.db")
    assert (outcome.code, len(table(outcome.out))) == (0, 2)
    assert {share: len(found) for share, found in stored_days("own.db").items()} == {"sh600000": 28, "sz000001": 28}
    outcome = awesome("extract", "--source", "file:prices.csv", "--db", "own.db", "--shares", "sz000001,IBM")
    assert outcome.code == 3
    assert "prices.csv: it holds no such share" in outcome.out
    assert server.requests == []


# --- how it ends, and what is printed


def test_what_needs_a_look_is_printed_first_and_the_exit_code_is_3(awesome: Awesome, server: ReplayServer) -> None:
    unchanged, new, readjusted, behind, failed = SHARES[:5]
    assert awesome(*command(unchanged)).code == 0
    assert awesome(*command(readjusted, last=until())).code == 0
    server.market = server.market.with_listings(listing(readjusted, splits={days()[-5]: 3.0}))
    server.faults.add(Fault("missing", share=behind, value=6), Fault("500", share=failed))
    outcome = awesome(*command(unchanged, new, readjusted, behind, failed))
    assert outcome.code == 3
    assert [(row[0], row[1]) for row in table(outcome.out)] == [
        (failed, "failed"),
        (behind, "behind"),
        (readjusted, "readjusted"),
        (new, "new"),
        (unchanged, "unchanged"),
    ]
    told = {row[0]: row for row in table(outcome.out)}
    assert "answered 500" in told[failed][-1]
    assert "the source ends" in told[behind][-1]
    assert "fetched from the start" in told[readjusted][-1]
    assert outcome.out.splitlines()[-1].endswith("s: 1 new, 1 unchanged, 1 readjusted, 1 behind, 1 failed")
    assert "Traceback" not in outcome.out + outcome.err
    assert failed not in stored_days()


def test_gaps_are_counted_and_the_first_are_named(awesome: Awesome, server: ReplayServer) -> None:
    whole = server.market.listings[SHARES[0]]
    absent = set(range(30, 37))
    kept = [at for at in range(len(whole)) if at not in absent]
    arrays = {name: getattr(whole, name)[kept] for name in ("time", "open", "high", "low", "close", "volume")}
    server.market = server.market.with_listings(replace(whole, **arrays, cache={}))
    outcome = awesome(*command(SHARES[0], last=until()))
    assert outcome.code == 0
    assert f"7 ({', '.join(str(day) for day in days()[30:35])}, ...)" in " ".join(outcome.out.split())


def test_nothing_is_exit_code_4(awesome: Awesome, server: ReplayServer) -> None:
    server.faults.add(Fault("503"))
    outcome = awesome(*command(*SHARES[:3]))
    assert outcome.code == 4
    assert [row[1] for row in table(outcome.out)] == ["failed"] * 3
    assert outcome.out.splitlines()[-1].endswith("s: 3 failed")
    assert "Traceback" not in outcome.out + outcome.err
    assert contents("awesome.db") == {name: [] for name in TABLES}


def test_of_very_many_shares_the_first_are_printed_and_all_are_counted(awesome: Awesome, server: ReplayServer) -> None:
    names = [f"sh60{number:04d}" for number in range(70)]
    server.faults.add(Fault("unknown"))
    outcome = awesome("extract", "--source", "tencent", "--shares", ",".join(names), "--since", str(first()))
    assert outcome.code == 4
    assert sum(line.startswith("sh60") for line in outcome.out.splitlines()) == 60
    assert "... and 10 more; --json lists all" in outcome.out
    assert outcome.out.splitlines()[-1].endswith("s: 70 failed")


def test_json_is_all_that_is_printed_if_it_is_asked_for(awesome: Awesome, server: ReplayServer) -> None:
    server.faults.add(Fault("html", share=SHARES[0]))
    outcome = awesome(*command(*SHARES[:3], last=until()), "--json")
    report = json.loads(outcome.out)
    assert outcome.code == report["exit_code"] == 3
    assert [(one["share_id"], one["status"]) for one in report["shares"]] == [
        (SHARES[0], "failed"),
        (SHARES[1], "new"),
        (SHARES[2], "new"),
    ]
    assert report["counts"] == {"new": 2, "unchanged": 0, "readjusted": 0, "behind": 0, "failed": 1}
    assert (report["source"], report["database"], report["since"]) == ("tencent", "awesome.db", str(first()))
    whole = report["shares"][1]
    assert (whole["new"], whole["gaps"]) == (len(all_days(until())), 0)
    assert whole["last"] == whole["expected"] == str(until())
    assert report["shares"][0]["reason"].startswith(f"tencent, share {SHARES[0]}: ")


def test_where_there_is_no_terminal_each_share_is_a_line_of_json(awesome: Awesome, server: ReplayServer) -> None:
    server.faults.add(Fault("truncated", share=SHARES[1]))
    told = events(awesome(*command(*SHARES[:3], last=until())).err)
    assert [event["event"] for event in told] == ["started", "share", "share", "share", "ended"]
    assert (told[0]["source"], told[0]["shares"], told[0]["since"]) == ("tencent", 3, str(first()))
    shares = {event["share_id"]: event for event in told if event["event"] == "share"}
    assert {share: event["status"] for share, event in shares.items()} == {
        SHARES[0]: "new",
        SHARES[1]: "failed",
        SHARES[2]: "new",
    }
    assert [event["done"] for event in told[1:4]] == [1, 2, 3]
    assert (told[-1]["exit_code"], told[-1]["counts"]["failed"]) == (3, 1)


def test_what_failed_is_tried_again_by_resume(awesome: Awesome, server: ReplayServer, clean: Any) -> None:
    fault = Fault("reset-midway", share=SHARES[2])
    server.faults.add(fault)
    assert awesome(*command(last=until())).code == 3
    assert files() == ["awesome.db", "awesome.db.extraction.jsonl"]
    server.faults.clear()
    server.forget()
    outcome = awesome("extract", "--resume")
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1].endswith(f"{len(SHARES)} new, {len(SHARES) - 1} of them done before")
    assert {request.share for request in server.requests} == {SHARES[2]}
    assert files() == ["awesome.db"]
    assert contents("awesome.db") == clean


# --- what is refused

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
    "bad first day": ("extract --source tencent --shares sh600519 --since 2015-13-01", "since (from --since)"),
    "bad last day": ("extract --source tencent --shares sh600519 --until yesterday", "until (from --until)"),
    "days the wrong way": (
        "extract --source tencent --shares sh600519 --since 2020-01-01 --until 2019-01-01",
        "until (from --until): is before the first day, 2020-01-01",
    ),
    "no key": ("extract --source tiingo --shares IBM", "needs a key: set TIINGO_API_KEY in the environment"),
    "best effort": ("extract --source yahoo --shares IBM", "--best-effort asks it all the same"),
    "no list": ("extract --source tencent --shares @none.txt", "none.txt cannot be read"),
    "no shares": ("extract --source tencent", "awesome.db does not exist; name shares, such as --shares sh600519"),
    "nothing to resume": ("extract --resume", "awesome.db: there is no extraction to resume"),
    "no folder": ("extract --source tencent --shares sh600519 --db no/where.db", "no/where.db"),
    "a folder": ("extract --source tencent --shares sh600519 --db ..", "is a folder"),
    "run: unknown source": ("run --source stooq --shares AAPL", "there is no source 'stooq'"),
    "run: bad share": ("run --source tencent --shares AAPL", "share 'AAPL' is not a name of source tencent"),
    "run: no key": ("run --source tiingo --shares IBM", "set TIINGO_API_KEY"),
    "run: bad day": ("run --source tencent --shares sh600519 --since soon", "since (from --since)"),
    "run: market and source": (
        "run --source tencent --market null",
        "--market makes a database of its own: name --source or --market, not both",
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


def test_a_market_of_the_settings_and_a_source_exclude_each_other(awesome: Awesome, server: ReplayServer) -> None:
    Path("awesome.toml").write_text('market = "null"\n')
    assert "name --source or --market, not both" in awesome(*command(SHARES[0])).refusal
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
    assert len(list(Path().iterdir())) == 2
    assert all(SECRET.encode() not in path.read_bytes() for path in Path().iterdir())


# --- processes that are stopped, killed, or two at once


@contextmanager
def started(*arguments: str, **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process of its own, which does not outlive the block."""
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
    with subprocess.Popen([COMMAND, *arguments], text=True, stdin=subprocess.DEVNULL, **streams) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_for(server: ReplayServer, requests: int, process: subprocess.Popen[str]) -> None:
    """Waits until a server has got so many requests."""
    while len(server.requests) < requests:
        assert process.poll() is None, "the process ended before"
        time.sleep(0.005)


def test_sigterm_finishes_what_is_in_hand_and_resume_the_rest(
    awesome: Awesome, server: ReplayServer, gate: Gate, clean: Any
) -> None:
    gate.hold_after(5)
    with started(*command(last=until())) as process:
        wait_for(server, 7, process)  # two connections, both of which are held
        process.terminate()
        gate.open()
        out, err = process.communicate()
    assert process.returncode == 3
    told = {row[0]: row for row in table(out)}
    done = [share for share in SHARES if told[share][1] == "new"]
    assert 2 <= len(done) <= 5
    # The others come first, as they need a look.
    assert [row[1] for row in table(out)] == ["failed"] * (len(SHARES) - len(done)) + ["new"] * len(done)
    assert {row[-1] for row in table(out) if row[1] == "failed"} == {
        "not reached: the extraction was stopped; --resume goes on"
    }
    assert events(err)[-1]["counts"]["new"] == len(done)
    assert stored_days() == dict.fromkeys(sorted(done), all_days(until()))

    server.forget()
    outcome = awesome("extract", "--resume")
    assert outcome.code == 0
    assert outcome.out.splitlines()[-1].endswith(f", {len(done)} of them done before")
    assert {request.share for request in server.requests} == set(SHARES) - set(done)
    assert files() == ["awesome.db"]
    assert contents("awesome.db") == clean


def test_a_second_ctrl_c_stops_at_once(awesome: Awesome, server: ReplayServer, gate: Gate, clean: Any) -> None:
    gate.hold_after(0)
    with started(*command(last=until())) as process:
        wait_for(server, 1, process)
        process.send_signal(signal.SIGINT)
        time.sleep(1)  # two that come together count as one
        process.send_signal(signal.SIGINT)
        gate.open()
        out, err = process.communicate()
    assert (process.returncode, out) == (130, "")
    assert err.splitlines()[-1].startswith("awesome: stopped; the same command takes up")
    assert "Traceback" not in err
    assert awesome(*command(last=until())).code == 0
    assert files() == ["awesome.db"]
    assert contents("awesome.db") == clean


@pytest.mark.parametrize(("resume", "moments"), [(True, (1, 6)), (False, (4, 9))], ids=["resume", "same command"])
def test_a_killed_extraction_ends_in_what_a_clean_one_leaves(
    awesome: Awesome, server: ReplayServer, gate: Gate, clean: Any, resume: bool, moments: tuple[int, ...]
) -> None:
    line = command(last=until())
    for requests in moments:
        server.forget()
        gate.hold_after(requests - 1)
        with started(*line) as process:
            wait_for(server, requests, process)
            process.kill()
            process.communicate()
        gate.open()
        assert process.returncode == -signal.SIGKILL
        # Whatever is there of a share is all of it.
        if Path("awesome.db").exists():
            assert rows("awesome.db", "PRAGMA quick_check") == [("ok",)]
            assert set(map(tuple, stored_days().values())) <= {tuple(all_days(until()))}
        if resume:
            line = ("extract", "--resume")
    outcome = awesome(*line)
    assert outcome.code == 0
    assert files() == ["awesome.db"]
    assert rows("awesome.db", "PRAGMA quick_check") == [("ok",)]
    assert contents("awesome.db") == clean


def test_a_second_process_is_told_that_the_first_works_on_the_database(
    awesome: Awesome, server: ReplayServer, gate: Gate, clean: Any
) -> None:
    gate.hold_after(0)
    with started(*command(last=until())) as process:
        wait_for(server, 2, process)
        refused = awesome(*command(last=until())).refusal
        assert process.poll() is None
        assert len(server.requests) == 2
        gate.open()
        process.communicate()
    assert refused == "awesome.db: another extraction works on it; wait for its end"
    assert process.returncode == 0
    assert files() == ["awesome.db"]
    assert contents("awesome.db") == clean


def test_a_terminal_shows_a_bar_and_no_json(server: ReplayServer, folder: Path, monkeypatch: Any) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    server.faults.add(Fault("slow", value=0.1))
    master, slave = pty.openpty()
    try:
        with started(*command(*SHARES[:3], last=until()), stderr=slave) as process:
            os.close(slave)
            shown = b""
            with suppress(OSError):  # nobody holds the other end any more
                while piece := os.read(master, 65536):
                    shown += piece
            out, _ = process.communicate()
    finally:
        os.close(master)
    assert process.returncode == 0
    assert [row[:2] for row in table(out)] == [[share, "new"] for share in SHARES[:3]]
    text = shown.decode()
    assert '"event"' not in text
    assert "\x1b[" in text
    assert "tencent" in text
    assert "/3" in text
    assert f"{SHARES[2]} new" in text


# --- what need not be there


def test_it_runs_where_tensorflow_and_tfx_cannot_be_imported(server: ReplayServer, folder: Path, clean: Any) -> None:
    code = f"""
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {NEEDLESS!r}:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Absent())
import components.extractor, components.feature_store, components.extractor.replay
from pipeline.cli import main
main()
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, *command(last=until())],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert contents("awesome.db") == clean


@pytest.mark.parametrize("line", [None, "--help", "extract --help", "sources --help"])
def test_help_loads_nothing_of_what_an_extraction_needs(folder: Path, line: str | None) -> None:
    call = "" if line is None else "main()"
    code = f"""
import atexit, sys
heavy = "requests numpy pandas pyarrow exchange_calendars tenacity urllib3 rich sqlite3".split()
atexit.register(lambda: print([name for name in heavy if name in sys.modules], file=sys.stderr))
from pipeline.cli import main
{call}
"""
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code, *(line or "").split()],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stderr.strip()) == (0, "[]")
    assert ("Usage: awesome" in done.stdout) == (line is not None)
