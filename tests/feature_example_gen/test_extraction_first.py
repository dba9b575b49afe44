"""FeatureExampleGen with an extraction: the database is brought up to date first, and the cache sees what that changed.

Days are fixed by the plan's last one. What comes later is on the market later, as a replay server shows it.
"""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import COMMAND, clean_environment
from example_runs import Run

from components.errors import ExtractionError, StoreError
from components.extractor import ExtractionPlan, HttpSettings
from components.extractor.replay import Fault, Listing, Market, ReplayServer, from_synthetic, make_listing
from components.feature_example_gen.config import ExampleGenConfig, Extraction
from components.feature_example_gen.splits import SPLITS, SplitSettings
from components.feature_store import FeatureStore
from components.plausibility import SUSPECTS_FILE

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]

FIRST, UNTIL = dt.date(2022, 1, 4), dt.date(2023, 12, 29)
SHARES = ("sh600519", "sz000001", "sz000002")
SPLIT_SETTINGS = SplitSettings(fractions=(0.5, 0.25, 0.25))
SECRET = "a-very-secret-key"


def listing(share: str, **events: Any) -> Listing:
    exchange = "XSHG" if share.startswith(("sh", "sz")) else "XNYS"
    return make_listing(share, exchange, FIRST, dt.date(2024, 3, 29), **events)


def session_before(days: int) -> dt.date:
    """The session so many sessions before the plan's last day."""
    listed = listing(SHARES[0])
    return listed.time[listed.index(UNTIL) - days].item()


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer(Market({share: listing(share) for share in (*SHARES, "IBM")}, UNTIL)) as server:
        yield server


@pytest.fixture
def config(server: ReplayServer, tmp_path: Path) -> ExampleGenConfig:
    """Examples of the three shares, from a database that is not there yet, nor is its folder."""
    http = HttpSettings(server.url, rate=2000, timeout=60, attempts=2, backoff=0.001, failures=99)
    extraction = Extraction(ExtractionPlan("tencent", SHARES, FIRST, UNTIL), http)
    return ExampleGenConfig(str(tmp_path / "data" / "a.db"), SHARES, SPLIT_SETTINGS, extraction=extraction)


def stored(database: str) -> dict[str, tuple[int, str]]:
    """Number of prices and last session of each share."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT share_id, COUNT(*), MAX(time) FROM PRICE GROUP BY share_id").fetchall()
    return {share: (count, last) for share, count, last in rows}


def digest(database: str, *shares: str) -> str:
    with FeatureStore.open(database) as store:
        return store.digest(shares)


def live_artifacts(tmp_path: Path) -> int:
    """How many artifacts the metadata calls live."""
    from ml_metadata.metadata_store import metadata_store
    from ml_metadata.proto import metadata_store_pb2

    from pipeline.job.steps import sqlite_metadata

    store = metadata_store.MetadataStore(sqlite_metadata(str(tmp_path / "metadata.db")))
    return sum(one.state == metadata_store_pb2.Artifact.LIVE for one in store.get_artifacts())


# --- the component


def test_an_empty_folder_becomes_a_database_and_examples(
    config: ExampleGenConfig, run: Run, server: ReplayServer
) -> None:
    result = run(config)
    assert not result.cached
    sessions = listing(SHARES[0]).index(UNTIL) + 1
    assert stored(config.database) == dict.fromkeys(sorted(SHARES), (sessions, str(UNTIL)))
    assert sorted(path.name for path in Path(config.database).parent.iterdir()) == ["a.db", "a.db.trials.jsonl"]
    assert set(result.last_rows) == set(SHARES)
    assert result.number("shares") == 3
    assert result.number("sessions") == sessions - 20
    assert result.text("last_session") == str(UNTIL)
    assert result.text("input_fingerprint") == digest(config.database, *SHARES)


def test_an_unchanged_market_is_a_cache_hit_and_a_new_session_is_not(
    config: ExampleGenConfig, run: Run, server: ReplayServer
) -> None:
    # The plan stays the same throughout: only what the source has to give moves on.
    server.market = replace(server.market, today=session_before(5))
    one = run(config)
    assert (one.cached, one.text("last_session")) == (False, str(session_before(5)))
    server.forget()
    again = run(config)
    assert again.cached
    # It was asked all the same.
    assert {request.share for request in server.requests} == set(SHARES)
    assert again.text("input_fingerprint") == one.text("input_fingerprint")
    assert again.artifact.uri == one.artifact.uri

    server.market = replace(server.market, today=session_before(4))
    later = run(config)
    assert (later.cached, later.text("last_session")) == (False, str(session_before(4)))
    assert later.text("input_fingerprint") != one.text("input_fingerprint")
    assert later.text("input_fingerprint") == digest(config.database, *SHARES)
    assert run(config).cached

    # A session of a share that was not asked for changes nothing.
    with FeatureStore.create(config.database) as store:
        bars = store.bars(SHARES[0])
        assert bars is not None
        store.upsert("another", bars, source="test")
    assert run(config).cached


def test_how_the_prices_came_is_no_part_of_what_the_examples_are_made_of(
    config: ExampleGenConfig, run: Run, server: ReplayServer
) -> None:
    assert not run(config).cached
    assert config.extraction is not None
    plan, http = config.extraction.plan, config.extraction.http
    for other in (
        Extraction(plan, replace(http, timeout=61, attempts=3)),
        Extraction(replace(plan, since=None, until=UNTIL + dt.timedelta(days=1)), http),
        None,
    ):
        assert run(replace(config, extraction=other)).cached
    assert not run(replace(config, shares=SHARES[:2])).cached
    assert run(replace(config, shares=SHARES[:2], extraction=None)).cached


def test_a_dividend_that_changes_the_factors_is_seen(config: ExampleGenConfig, run: Run, server: ReplayServer) -> None:
    server.market = replace(server.market, today=session_before(5))
    one = run(config)
    event = {session_before(2): 1.5}
    server.market = replace(server.market.with_listings(listing(SHARES[0], dividends=event)), today=UNTIL)
    two = run(config)
    assert not two.cached
    assert two.text("input_fingerprint") != one.text("input_fingerprint")
    with FeatureStore.open(config.database) as store:
        bars = store.bars(SHARES[0])
    assert bars is not None
    true = server.market.listings[SHARES[0]]
    expected = np.log(true.close * true.factor)[: len(bars)]
    # Tencent's adjusted closes are rounded to cents.
    np.testing.assert_allclose(np.diff(np.log(bars.adjusted_close)), np.diff(expected), atol=2e-4)


def test_a_share_that_fails_is_left_out_until_it_comes(
    config: ExampleGenConfig, run: Run, server: ReplayServer
) -> None:
    server.faults.add(Fault("500", share=SHARES[1]))
    one = run(config)
    assert set(one.last_rows) == {SHARES[0], SHARES[2]}
    assert one.number("shares") == 2
    assert run(config).cached
    server.faults.clear()
    two = run(config)
    assert not two.cached
    assert set(two.last_rows) == set(SHARES)


def test_a_share_that_fails_is_taken_as_it_is_stored(config: ExampleGenConfig, run: Run, server: ReplayServer) -> None:
    server.market = replace(server.market, today=session_before(9))
    run(config)
    server.market = replace(server.market, today=UNTIL)
    server.faults.add(Fault("html", share=SHARES[1]))
    result = run(config)
    assert not result.cached
    assert {share: last for share, (_, last) in stored(config.database).items()} == {
        SHARES[0]: str(UNTIL),
        SHARES[1]: str(session_before(9)),
        SHARES[2]: str(UNTIL),
    }
    assert result.number("shares") == 3
    assert result.text("last_session") == str(UNTIL)
    last = result.last_rows
    assert set(last) == set(SHARES)
    assert last[SHARES[1]] < str(session_before(9)).replace("-", "") < last[SHARES[0]] == last[SHARES[2]]


@pytest.mark.parametrize("before", [False, True], ids=["nothing stored", "something stored"])
def test_if_nothing_can_be_had_there_are_no_examples(
    config: ExampleGenConfig, run: Run, server: ReplayServer, tmp_path: Path, before: bool
) -> None:
    if before:
        run(config)
    held = live_artifacts(tmp_path) if before else 0
    assert held == before
    server.faults.add(Fault("503"))
    with pytest.raises(ExtractionError, match="no share could be had from tencent, so the run ends here") as refused:
        run(config)
    assert "\n" not in str(refused.value)
    assert "answered 503" in str(refused.value)
    assert live_artifacts(tmp_path) == held
    left = [path for path in (tmp_path / "root").rglob("*") if path.is_file() and ".system" not in path.parts]
    assert len(left) == (len([*SPLITS, SUSPECTS_FILE]) if before else 0)
    server.faults.clear()
    assert run(config).cached == before


def test_a_plan_that_cannot_be_is_refused(config: ExampleGenConfig, run: Run, server: ReplayServer) -> None:
    assert config.extraction is not None
    for changes, message in (
        ({"source": "stooq"}, "there is no source 'stooq'"),
        ({"source": "tiingo"}, "share 'sh600519' is not a name of source tiingo"),
        ({"source": "yahoo"}, "--best-effort"),
        ({"shares": (*SHARES, "IBM")}, "share 'IBM' is not a name of source tencent"),
    ):
        plan = replace(config.extraction.plan, **changes)
        with pytest.raises(ExtractionError, match=message):
            run(replace(config, extraction=replace(config.extraction, plan=plan)))
    assert server.requests == []
    assert list(Path(config.database).parent.iterdir()) == []


def test_without_an_extraction_a_missing_share_is_still_refused(
    config: ExampleGenConfig, run: Run, server: ReplayServer
) -> None:
    run(config)
    server.forget()
    result = run(replace(config, extraction=None))
    assert set(result.last_rows) == set(SHARES)
    with pytest.raises(StoreError, match="has no share IBM"):
        run(replace(config, shares=("IBM", *SHARES), extraction=None))
    assert server.requests == []


def test_the_key_stands_in_no_file(
    config: ExampleGenConfig, run: Run, server: ReplayServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIINGO_API_KEY", SECRET)
    assert config.extraction is not None
    extraction = replace(config.extraction, plan=ExtractionPlan("tiingo", ("IBM",), FIRST, UNTIL))
    result = run(replace(config, shares=("IBM",), extraction=extraction))
    assert set(result.last_rows) == {"IBM"}
    assert SECRET not in repr(result.artifact)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"metadata.db", "a.db"} <= {path.name for path in files}
    assert b"IBM" in (tmp_path / "metadata.db").read_bytes()
    assert [path for path in files if SECRET.encode() in path.read_bytes()] == []


# --- the settings on their way through TFX


@pytest.mark.parametrize(
    "config",
    [
        ExampleGenConfig("some where/a.db"),
        ExampleGenConfig("a.db", shares=("B", "A"), shard_rows=7, code="0f"),
        ExampleGenConfig(
            "a.db", splits=SplitSettings((0.6, 0.15, 0.25), ("2019-01-02", "2020-06-03"), 0, (3, 250), 250)
        ),
        ExampleGenConfig("a.db", splits=SplitSettings(start="2001-01-02", end="2009-01-02")),
        ExampleGenConfig("a.db", extraction=Extraction(ExtractionPlan("tencent"), HttpSettings())),
        ExampleGenConfig(
            "a.db",
            extraction=Extraction(
                ExtractionPlan("yahoo", ("^GSPC", "BRK-B"), FIRST, UNTIL, best_effort=True),
                HttpSettings("http://127.0.0.1:1", 0.5, 7.5, 9, 0.25, 60.0, 2, 10.0),
            ),
        ),
        ExampleGenConfig(
            "a.db", extraction=Extraction(ExtractionPlan("file:a b/c.csv", since=FIRST), HttpSettings(rate=3))
        ),
    ],
)
def test_settings_come_back_from_tfx_as_they_went(config: ExampleGenConfig) -> None:
    from tfx.utils import proto_utils

    properties = {"input_base": config.database, "custom_config": proto_utils.proto_to_json(config.to_proto())}
    read = ExampleGenConfig.from_exec_properties(properties)
    assert read == config
    if read.extraction is not None:
        # Equal numbers are not enough: a count of attempts that is 9.0 fails where it is used.
        assert {type(read.extraction.http.attempts), type(read.extraction.http.failures)} == {int}


# --- the whole job


def test_run_does_it_all_and_a_second_time_from_the_cache(tmp_path: Path) -> None:
    shares = ("sh600519", "sz000001", "sz000002", "sz000333")
    first, last = dt.date(2021, 1, 4), dt.date(2023, 12, 29)
    market = from_synthetic("reversal", shares, first, last, dividends={shares[0]: {dt.date(2022, 6, 1): 0.5}})
    with ReplayServer(market) as server:
        environment = clean_environment() | {
            "AWESOME_SOURCES_URL": server.url,
            "AWESOME_SOURCES_RATE": "1000",
            "AWESOME_UNTIL": str(last),
            "COLUMNS": "160",
        }
        arguments = ["--source", "tencent", "--shares", ",".join(shares), "--since", str(first), "--models", "linear"]

        def awesome(output: str) -> tuple[Any, str]:
            done = subprocess.run(
                [COMMAND, "run", *arguments, "--output", output],
                cwd=tmp_path,
                env=environment,
                capture_output=True,
                text=True,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            return json.loads((tmp_path / output / "report.json").read_text()), done.stderr

        one, told = awesome("one")
        # No terminal: what the extraction does is told line by line.
        assert [json.loads(line)["event"] for line in told.splitlines()] == ["started", *["share"] * 4, "ended"]
        asked = len(server.requests)
        two, _ = awesome("two")
        # The second one asks for the last sessions only, once raw and once adjusted.
        assert len(server.requests) - asked == 2 * len(shares)
    data = one["data"]
    assert data["sources"] == ["tencent"]
    assert (data["shares"], data["share_ids"]) == (4, sorted(shares))
    assert (data["last"], data["behind"]) == (str(last), [])
    assert data["sessions"] == len(market.listings[shares[0]]) - 20
    assert data["digest"] == digest(str(tmp_path / "awesome.db"), *shares)
    assert (one["settings"]["source"], one["cached"]) == ("tencent", [])
    assert two["data"] == data
    assert set(two["cached"]) == set(one["seconds"]) - {"imports", "Predecessor.linear"}
    assert "FeatureExampleGen" in two["cached"]
    assert two["models"]["linear"]["auc"] == one["models"]["linear"]["auc"]
    record = "awesome.db.trials.jsonl"
    assert {path.name for path in tmp_path.iterdir()} == {"awesome.db", record, "one", "two", "runs"}
