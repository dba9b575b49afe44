"""What an increment asks of the past, and what it costs."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from replayed_market import DIVIDENDS, FIRST, NEXT, TODAY, Run, assert_holds, contents, listing, table

from components.extractor import Status
from components.extractor.replay import Fault, ReplayServer

EARLY = dt.date(2021, 1, 4)
"""Before the first session of the market."""


def days_from(server: ReplayServer, day: dt.date, count: int) -> list[dt.date]:
    whole = server.market.listings["IBM"]
    at = whole.index(day)
    return [dt.date.fromisoformat(text) for text in whole.days[at : at + count]]


# --- years that a first reply lacks


@pytest.mark.parametrize("source", ["tencent", "tiingo", "yahoo", "sina"])
def test_years_that_a_first_reply_lacks_are_completed(
    run: Run, server: ReplayServer, database: Path, tmp_path: Path, source: str
) -> None:
    server.faults.add(Fault("late-start", value=200))
    report = run(source)
    assert report.exit_code == 0
    if source != "sina":  # which has no range of days, so that nothing tells whether it has more
        assert {f"the source gave nothing from {FIRST} on" in outcome.reason for outcome in report.shares} == {True}
    server.faults.clear()
    report = run(source, NEXT)
    assert {outcome.status for outcome in report.shares} == {Status.READJUSTED}
    assert all("the source has sessions before" in outcome.reason for outcome in report.shares)
    run(source, NEXT, tmp_path / "clean.db")
    assert contents(database) == contents(tmp_path / "clean.db")


@pytest.mark.parametrize(("source", "requests"), [("tiingo", 2), ("yahoo", 2), ("tencent", 4)])
def test_a_share_that_was_listed_later_is_asked_for_its_beginning_once(
    run: Run, server: ReplayServer, source: str, requests: int
) -> None:
    name = "sh600519" if source == "tencent" else "IBM"
    server.market = server.market.with_listings(listing(name, splits={}, dividends={}))
    options = {"plan_options": {"since": EARLY, "shares": (name,)}}
    report = run(source, **options)
    assert f"begins {FIRST}" in report.shares[0].reason
    server.forget()
    report = run(source, **options)
    assert f"confirms that it has nothing before {FIRST}" in report.shares[0].reason
    assert len(server.requests) == requests
    for day in (TODAY, NEXT):
        server.forget()
        report = run(source, day, **options)
        assert report.shares[0].reason == ""
        assert len(server.requests) == 2


# --- events that are revised

YEARS = 3
"""Windows of 250 sessions that the market has before its last ten sessions."""


def revise(server: ReplayServer, dividends: dict[dt.date, float]) -> None:
    """The prices stay, and the source names other dividends."""
    whole = server.market.listings["IBM"]
    server.market = server.market.with_listings(replace(whole, dividends=dividends, cache={}))


@pytest.mark.parametrize("source", ["tiingo", "yahoo"])
@pytest.mark.parametrize("change", [{min(DIVIDENDS): 0.25}, {max(DIVIDENDS): 1.0}, {dt.date(2022, 3, 1): 0.3}])
def test_a_revised_or_new_dividend_of_the_past_is_noticed_within_as_many_runs_as_years(
    run: Run, server: ReplayServer, database: Path, tmp_path: Path, source: str, change: dict[dt.date, float]
) -> None:
    run(source)
    revise(server, DIVIDENDS | change)
    reasons = []
    for today in days_from(server, TODAY, 1 + YEARS)[1:]:
        server.forget()
        outcome = run(source, today).shares[0]
        assert outcome.status in (Status.NEW, Status.READJUSTED)
        reasons += [outcome.reason] if outcome.status is Status.READJUSTED else []
        if not reasons:
            assert len([request for request in server.requests if request.share == "IBM"]) == 2
    assert reasons == [f"fetched from the start: the event of {min(change)} was revised"]
    run(source, today, tmp_path / "clean.db")
    assert contents(database) == contents(tmp_path / "clean.db")


def test_the_looks_go_through_the_whole_history_again_and_again(run: Run, server: ReplayServer) -> None:
    run("tiingo", plan_options={"shares": ("IBM",)})
    windows = []
    for _ in range(2 * YEARS):
        server.forget()
        run("tiingo", plan_options={"shares": ("IBM",)})
        windows.append(server.requests[1].target.split("startDate=")[1].split("&format")[0].split("&endDate="))
    days = server.market.listings["IBM"].days
    last = days.index(str(TODAY)) - 10
    begins = [days[at] for at in (last - 250, last - 500, 0)]
    assert windows == 2 * [list(pair) for pair in zip(begins, [days[last], *begins], strict=False)]


def test_a_dividend_that_the_source_takes_back_is_refused(run: Run, server: ReplayServer, database: Path) -> None:
    run("tiingo", plan_options={"shares": ("IBM",)})
    before = contents(database)
    revise(server, {max(DIVIDENDS): DIVIDENDS[max(DIVIDENDS)]})
    outcomes = [run("tiingo", day, plan_options={"shares": ("IBM",)}).shares[0] for day in [TODAY] * YEARS]
    assert outcomes[-1].status is Status.FAILED
    assert "1 of 3 events are gone" in outcomes[-1].reason
    assert contents(database) == before


@pytest.mark.parametrize("source", ["tencent", "sina", "tiingo", "yahoo"])
def test_an_increment_without_events_makes_two_requests_a_share_at_the_most(
    run: Run, server: ReplayServer, source: str
) -> None:
    run(source)
    for today in days_from(server, TODAY, 6):
        server.forget()
        assert run(source, today).exit_code == 0
        assert len(server.requests) <= 2 * 2


def test_a_look_that_cannot_be_read_stops_nothing(run: Run, server: ReplayServer, database: Path) -> None:
    run("tiingo", plan_options={"shares": ("IBM",)})
    server.faults.add(Fault("high-below-low", after=1))
    report = run("tiingo", NEXT, plan_options={"shares": ("IBM",)})
    assert report.shares[0].status is Status.NEW
    assert "its past was not looked at: tiingo, share IBM: the high is below the low" in report.shares[0].reason
    server.faults.clear()
    assert_holds(database, "tiingo", server.market, NEXT, ("IBM",))


def test_a_host_that_fails_at_the_look_has_failed(run: Run, server: ReplayServer, database: Path) -> None:
    run("tiingo", plan_options={"shares": ("IBM",)})
    server.faults.add(Fault("500", after=1))
    report = run("tiingo", NEXT, plan_options={"shares": ("IBM",)})
    assert report.shares[0].status is Status.FAILED
    assert max(row[1] for row in table(database, "PRICE")) == str(TODAY)


def test_refetch_begins_anew(run: Run, server: ReplayServer, database: Path) -> None:
    for _ in range(2):
        run("tiingo", plan_options={"since": EARLY})
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT share_id, begins FROM LOOK_BACK ORDER BY 1"
        assert connection.execute(query).fetchall() == [("GE", str(EARLY)), ("IBM", str(EARLY))]
        run("tiingo", refetch=True)
        assert connection.execute(query).fetchall() == []
