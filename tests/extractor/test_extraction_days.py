"""Days on which an exchange was closed, whatever its calendar says, and bars of days off."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from replayed_market import NEXT, SHARES, SOURCES, TODAY, Run, assert_holds, contents, listing, table

from components.extractor import Status
from components.extractor.progress import ExtractionListener
from components.extractor.replay import Fault, Listing, Market, ReplayServer

SATURDAY = dt.date(2024, 3, 23)


def without(whole: Listing, *days: str) -> Listing:
    """A listing that lacks some sessions."""
    kept = [day not in days for day in whole.days]
    arrays = {name: getattr(whole, name)[kept] for name in ("time", "open", "high", "low", "close", "volume")}
    return replace(whole, **arrays, cache={})


def with_day(whole: Listing, day: dt.date, volume: int = 1000, move: float = 1.0) -> Listing:
    """A listing that has a bar of a day off, too."""
    at = whole.index(day)
    close = np.round(whole.close[at - 1] * move, 2)
    columns = {name: np.insert(getattr(whole, name), at, close) for name in ("open", "high", "low", "close")}
    columns |= {"time": np.insert(whole.time, at, np.datetime64(day)), "volume": np.insert(whole.volume, at, volume)}
    return replace(whole, **columns, cache={})


def keep(server: ReplayServer, *listings: Listing) -> None:
    server.market = server.market.with_listings(*listings)


class Told(ExtractionListener):
    def __init__(self) -> None:
        self.warnings: list[str] = []
        self.statuses: dict[str, Status] = {}

    def warned(self, text: str) -> None:
        self.warnings.append(text)

    def ended_share(self, outcome, done: int, shares: int) -> None:
        assert outcome.share_id not in self.statuses
        self.statuses[outcome.share_id] = outcome.status


# --- an exchange that was closed


@pytest.mark.parametrize("source", SOURCES)
def test_no_share_is_behind_for_a_session_that_none_has(
    run: Run, server: ReplayServer, database: Path, source: str
) -> None:
    names = SHARES[source]
    whole = [server.market.listings[share] for share in names]
    last = whole[0].days[whole[0].index(TODAY)]
    keep(server, *(without(one, last) for one in whole))
    told = Told()
    report = run(source, listener=told)
    assert report.exit_code == 0
    assert {outcome.status for outcome in report.shares} == {Status.NEW}
    assert set(told.statuses.values()) == {Status.NEW}
    exchange = "XSHG" if source in ("tencent", "sina") else "XNYS"
    assert report.warnings == (f"{exchange} may have been closed on {last}: none of 2 shares has a bar",)
    assert told.warnings == list(report.warnings)
    assert all(f"{exchange} may have been closed on {last}" in outcome.reason for outcome in report.shares)
    assert [path.name for path in database.parent.iterdir()] == ["awesome.db"]
    # And if it comes late, it is taken.
    keep(server, *whole)
    assert run(source).exit_code == 0
    assert_holds(database, source, server.market, TODAY)


def test_a_share_that_lacks_more_than_the_others_is_behind(run: Run, server: ReplayServer) -> None:
    ibm, ge = (server.market.listings[share] for share in SHARES["tiingo"])
    days = ibm.days[: ibm.index(TODAY) + 1]
    keep(server, without(ibm, days[-1]), without(ge, *days[-3:]))
    told = Told()
    report = run("tiingo", listener=told)
    assert [outcome.status for outcome in report.shares] == [Status.NEW, Status.BEHIND]
    assert "the source ends 2 sessions before" in report.shares[1].reason
    assert told.statuses == {"IBM": Status.NEW, "GE": Status.BEHIND}
    assert report.exit_code == 3


def test_weeks_that_no_share_has_are_no_day_off(run: Run, server: ReplayServer) -> None:
    listings = [server.market.listings[share] for share in SHARES["tiingo"]]
    days = listings[0].days[: listings[0].index(TODAY) + 1]
    keep(server, *(without(one, *days[-8:]) for one in listings))
    report = run("tiingo")
    assert {outcome.status for outcome in report.shares} == {Status.BEHIND}
    assert report.exit_code == 3


def test_one_share_alone_proves_nothing(run: Run, server: ReplayServer) -> None:
    ibm = server.market.listings["IBM"]
    keep(server, without(ibm, str(TODAY)))
    report = run("tiingo", plan_options={"shares": ("IBM",)})
    assert (report.exit_code, report.shares[0].status) == (3, Status.BEHIND)
    assert "(or XNYS was closed: no other share of it was had)" in report.shares[0].reason
    assert report.warnings == ()


def test_days_in_between_that_no_share_has_are_no_gaps(run: Run, server: ReplayServer) -> None:
    ibm, ge = (server.market.listings[share] for share in SHARES["tiingo"])
    keep(server, without(ibm, "2023-08-10"), without(ge, "2023-08-10", "2023-11-15"))
    report = run("tiingo")
    assert report.exit_code == 0
    assert [(outcome.gaps, outcome.first_gaps) for outcome in report.shares] == [(0, ()), (1, ("2023-11-15",))]
    assert report.warnings == ("XNYS may have been closed on 2023-08-10: none of 2 shares has a bar",)


def test_a_resumed_extraction_knows_what_was_had_before(run: Run, server: ReplayServer) -> None:
    ibm, ge = (server.market.listings[share] for share in SHARES["tiingo"])
    keep(server, ibm, without(ge, str(TODAY)))
    assert [outcome.status for outcome in run("tiingo").shares] == [Status.NEW, Status.BEHIND]
    report = run("tiingo", resume=True)
    assert report.shares[1].status is Status.BEHIND
    assert "was closed" not in report.shares[1].reason


# --- bars of days off


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("volume", [0, 12_300])
def test_a_bar_of_a_saturday_is_named_and_left_out(
    run: Run, server: ReplayServer, database: Path, source: str, volume: int
) -> None:
    share = SHARES[source][0]
    whole = server.market.listings[share]
    keep(server, with_day(whole, SATURDAY, volume))
    report = run(source)
    assert report.exit_code == 0
    outcome = report.shares[0]
    assert (outcome.off_calendar, outcome.gaps) == (1, 0)
    assert outcome.reason == f"1 bar of days off left out: 2024-03-23 ({'traded' if volume else 'no volume'})"
    keep(server, whole)
    assert_holds(database, source, server.market, TODAY)
    # It is taken back, and nothing fails for that.
    report = run(source, NEXT)
    assert report.exit_code == 0
    assert {outcome.status for outcome in report.shares} == {Status.NEW}
    assert_holds(database, source, server.market, NEXT)


@pytest.mark.parametrize("source", ["tiingo", "yahoo", "sina"])
def test_an_event_after_a_bar_of_a_day_off_counts_from_the_session_before(
    run: Run, server: ReplayServer, database: Path, tmp_path: Path, source: str
) -> None:
    """A dividend is of the close that stays, however far off that of the day off is."""
    share = SHARES[source][0]
    monday = {"dividends": {dt.date(2024, 3, 25): 1.5}, "splits": {dt.date(2024, 3, 25): 1.0}}
    whole = listing(share, **monday)
    keep(server, whole)
    run(source, db=tmp_path / "clean.db")
    if source == "sina":  # whose factors are given
        strange = with_day(whole, SATURDAY)
        strange.cache["factor"] = np.insert(whole.factor, whole.index(SATURDAY), 1.0)
    else:
        strange = with_day(whole, SATURDAY, move=1.02)
    keep(server, strange)
    assert run(source).exit_code == 0
    mine = [row for row in table(database, "PRICE") if row[0] == share]
    clean = [row for row in table(tmp_path / "clean.db", "PRICE") if row[0] == share]
    assert [row[:2] for row in mine] == [row[:2] for row in clean]
    np.testing.assert_allclose([row[7] for row in mine], [row[7] for row in clean], rtol=1e-5)


def test_an_event_of_a_day_off_is_one_of_the_next_session(run: Run, server: ReplayServer, database: Path) -> None:
    whole = with_day(listing("IBM", dividends={}, splits={}), SATURDAY)
    at = whole.index(SATURDAY)
    halved = {name: np.append(getattr(whole, name)[:at], getattr(whole, name)[at:] / 2) for name in ("open", "close")}
    halved |= {name: np.append(getattr(whole, name)[:at], getattr(whole, name)[at:] / 2) for name in ("high", "low")}
    keep(server, replace(whole, splits={SATURDAY: 2.0}, cache={}, **halved))
    assert run("tiingo", plan_options={"shares": ("IBM",)}).exit_code == 0
    factor = {row[1]: row[7] for row in table(database, "PRICE")}
    assert (factor["2024-03-22"], factor["2024-03-25"]) == (1.0, 2.0)


def test_bars_of_days_off_that_an_older_version_stored_go(
    run: Run, server: ReplayServer, database: Path, tmp_path: Path
) -> None:
    run("tiingo", db=tmp_path / "clean.db", plan_options={"shares": ("IBM",)})
    run("tiingo", plan_options={"shares": ("IBM",)})
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "INSERT INTO PRICE SELECT share_id, '2024-03-23', open, high, low, close, 0, factor, source FROM PRICE "
            "WHERE time = '2024-03-22'"
        )
    report = run("tiingo", plan_options={"shares": ("IBM",)})
    assert (report.exit_code, report.shares[0].status) == (0, Status.READJUSTED)
    assert "a bar of a day off is stored, 2024-03-23" in report.shares[0].reason
    assert contents(database) == contents(tmp_path / "clean.db")


def test_what_a_source_does_not_give_any_more_stays_when_a_bar_of_a_day_off_goes(
    run: Run, server: ReplayServer, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run("sina", plan_options={"shares": ("sh600519",)})
    whole = contents(database)
    monkeypatch.setattr("components.extractor.replay.sina._MOST_ROWS", 300)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute(
            "INSERT INTO PRICE SELECT share_id, '2024-03-23', open, high, low, close, 0, factor, source FROM PRICE "
            "WHERE time = '2024-03-22'"
        )
    assert run("sina", plan_options={"shares": ("sh600519",)}).exit_code == 0
    assert contents(database) == whole


def test_a_day_off_on_which_most_shares_trade_speaks_against_the_calendar(
    run: Run, server: ReplayServer, database: Path
) -> None:
    keep(server, *(with_day(server.market.listings[share], SATURDAY, 500) for share in SHARES["tiingo"]))
    report = run("tiingo")
    assert report.exit_code == 0
    assert report.warnings == (
        "most of 2 shares of XNYS have traded on days that its calendar calls off, 2024-03-23 (2 shares); the bars "
        "were left out: the calendar may lack special sessions, upgrade exchange-calendars",
    )
    assert str(SATURDAY) not in {row[1] for row in table(database, "PRICE")}


def test_a_fault_of_the_server_shows_a_saturday(run: Run, server: ReplayServer, market: Market) -> None:
    server.faults.add(Fault("day-off", share="IBM", value=7))
    assert run("tiingo").shares[0].reason.endswith("2024-03-23 (traded)")
