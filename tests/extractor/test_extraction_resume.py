"""An extraction that is stopped, killed or disturbed, and what a later one makes of it."""

from __future__ import annotations

import datetime as dt
import os
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from replayed_market import FIRST, LAST, NEXT, SHARES, TODAY, Run, assert_holds, contents, listing, plan_for
from triggers import triggers

from components.errors import ExtractionError, StoreError
from components.extractor import ShareOutcome, Status
from components.extractor.progress import ExtractionListener
from components.extractor.replay import Fault, Market, ReplayServer
from components.feature_store import FeatureStore

# --- stopping, and going on


class StopsAfter(ExtractionListener):
    """Stops the extraction after some shares: politely through the event, or as a kill would."""

    def __init__(self, shares: int, stop: threading.Event | None = None) -> None:
        self._left = shares
        self._stop = stop

    def ended_share(self, outcome: ShareOutcome, done: int, shares: int) -> None:
        self._left -= 1
        if self._left == 0:
            if self._stop is None:
                raise KeyboardInterrupt
            self._stop.set()


MANY = tuple(f"sh6000{number:02d}" for number in range(12))


@pytest.fixture
def many(server: ReplayServer) -> Market:
    server.market = replace(server.market, listings={share: listing(share) for share in MANY})
    return server.market


def test_a_stopped_extraction_finishes_what_is_in_hand_and_goes_on_later(
    run: Run, server: ReplayServer, many: Market, database: Path
) -> None:
    stop = threading.Event()
    report = run("tencent", plan_options={"shares": MANY}, stop=stop, listener=StopsAfter(3, stop))
    assert report.exit_code == 3
    done = [outcome.share_id for outcome in report.shares if outcome.status is Status.NEW]
    assert 3 <= len(done) <= 5
    assert {outcome.reason for outcome in report.shares if outcome.share_id not in done} == {
        "not reached: the extraction was stopped; --resume goes on"
    }
    assert_holds(database, "tencent", many, TODAY, tuple(done))
    server.forget()
    report = run("tencent", plan=plan_for("tencent", shares=()), resume=True)
    assert report.exit_code == 0
    assert report.resumed == len(done)
    assert {request.share for request in server.requests} == set(MANY) - set(done)
    assert_holds(database, "tencent", many, TODAY, MANY)
    assert [path.name for path in database.parent.iterdir()] == ["awesome.db"]


def test_a_killed_extraction_is_resumed(run: Run, server: ReplayServer, many: Market, database: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run("tencent", plan_options={"shares": MANY}, listener=StopsAfter(4))
    server.forget()
    report = run("tencent", resume=True)
    assert (report.exit_code, report.resumed) == (0, 4)
    assert len({request.share for request in server.requests}) == len(MANY) - 4
    assert_holds(database, "tencent", many, TODAY, MANY)


def test_what_failed_is_tried_again_by_resume(run: Run, server: ReplayServer, many: Market, database: Path) -> None:
    server.faults.add(Fault("truncated", share=MANY[5]))
    assert run("tencent", plan_options={"shares": MANY}).exit_code == 3
    server.faults.clear()
    server.forget()
    report = run("tencent", resume=True)
    assert report.exit_code == 0
    assert {request.share for request in server.requests} == {MANY[5]}


def test_what_was_done_yesterday_is_not_done_today(
    run: Run, server: ReplayServer, many: Market, database: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run("tencent", plan_options={"shares": MANY}, listener=StopsAfter(4))
    assert run("tencent", NEXT, resume=True).exit_code == 0
    assert_holds(database, "tencent", many, NEXT, MANY)


def test_there_is_nothing_to_resume_before_the_first_and_after_a_whole_one(run: Run, database: Path) -> None:
    with pytest.raises(ExtractionError, match="no extraction to resume"):
        run("tencent", resume=True)
    assert list(database.parent.iterdir()) == []
    run("tencent")
    with pytest.raises(ExtractionError, match="no extraction to resume"):
        run("tencent", resume=True)
    with pytest.raises(ExtractionError, match="no extraction to resume"):
        run("tencent", plan=None, resume=True)


def test_another_source_cannot_resume(run: Run, server: ReplayServer, database: Path) -> None:
    server.faults.add(Fault("500", share="sh600519"))
    run("tencent")
    before = {path.name: path.read_bytes() for path in database.parent.iterdir()}
    with pytest.raises(ExtractionError, match="is one from tencent, not sina"):
        run("sina", resume=True)
    assert {path.name: path.read_bytes() for path in database.parent.iterdir()} == before
    assert len(before) == 2  # the database and the journal


def test_two_extractions_cannot_work_on_one_database(run: Run, database: Path) -> None:
    class Another(ExtractionListener):
        def ended_share(self, outcome: ShareOutcome, done: int, shares: int) -> None:
            with pytest.raises(ExtractionError, match="another extraction works on it"):
                run("tiingo")

    assert run("tencent", listener=Another()).exit_code == 0


def test_a_database_that_belongs_to_something_else_is_left_alone(run: Run, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE SOMETHING (value TEXT)")
    before = database.read_bytes()
    with pytest.raises(StoreError, match="belongs to something else"):
        run("tencent")
    assert database.read_bytes() == before
    assert [path.name for path in database.parent.iterdir()] == ["awesome.db"]


def test_a_disk_that_is_full_loses_nothing(run: Run, database: Path) -> None:
    run("tencent", plan_options={"until": dt.date(2023, 1, 3)})
    before = contents(database)
    full = "SELECT RAISE(ABORT, 'database or disk is full')"
    when = "BEFORE INSERT ON main.FEATURE WHEN NEW.time > '2024-01-01'"
    with triggers(f"CREATE TEMP TRIGGER full {when} BEGIN {full}; END"):
        with pytest.raises(StoreError, match="disk is full"):
            run("tencent")
    assert contents(database) == before
    assert run("tencent").exit_code == 0


def test_the_store_reads_what_was_extracted(run: Run, database: Path) -> None:
    run("tencent")
    with FeatureStore.open(database) as store:
        assert [(share.share_id, share.source, share.last) for share in store.shares()] == [
            ("sh600519", "tencent", TODAY),
            ("sz000001", "tencent", TODAY),
        ]
        assert store.extracted_since("sh600519") == FIRST
    assert LAST > NEXT > TODAY


def test_a_kill_while_the_journal_is_begun_leaves_the_one_before(
    run: Run, server: ReplayServer, many: Market, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KeyboardInterrupt):
        run("tencent", plan_options={"shares": MANY}, listener=StopsAfter(4))

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", killed)
        with pytest.raises(KeyboardInterrupt):
            run("tencent", resume=True)
    assert run("tencent", resume=True).resumed == 4


def test_a_folder_is_no_database(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(StoreError, match="is a folder"):
        run("tencent", db=Path())
    assert list(tmp_path.iterdir()) == []
    assert not list(tmp_path.parent.glob("*.jsonl"))


@pytest.mark.parametrize("stopped", ["killed", "failed"])
def test_a_refetch_that_is_resumed_still_replaces(
    run: Run, server: ReplayServer, database: Path, tmp_path: Path, stopped: str
) -> None:
    """Else what is false in the past of shares that were not reached would stay: an increment does not see it."""
    first, second = SHARES["sina"]
    run("sina")
    for share in (first, second):  # the source has corrected a close of long ago
        whole = server.market.listings[share]
        close = whole.close.copy()
        close[100] = whole.high[100]
        server.market = server.market.with_listings(replace(whole, close=close, cache={}))
    if stopped == "killed":
        with pytest.raises(KeyboardInterrupt):
            run("sina", refetch=True, listener=StopsAfter(1))
    else:
        server.faults.add(Fault("500", share=second))
        assert run("sina", refetch=True).shares[1].status is Status.FAILED
        server.faults.clear()
    report = run("sina", resume=True)
    assert report.resumed == 1
    assert {outcome.status for outcome in report.shares} == {Status.READJUSTED}
    run("sina", db=tmp_path / "clean.db")
    assert contents(database) == contents(tmp_path / "clean.db")
    # And an ordinary one that is resumed after it replaces nothing.
    server.faults.add(Fault("500", share=second))
    run("sina", NEXT)
    server.faults.clear()
    assert {outcome.status for outcome in run("sina", NEXT, resume=True).shares} == {Status.NEW}
