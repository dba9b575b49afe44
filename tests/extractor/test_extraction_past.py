"""What an increment asks of the past, and what it costs."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from replayed_market import DIVIDENDS, FIRST, NEXT, SPLITS, TODAY, Run, assert_holds, contents, listing, table

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
        assert len(server.requests) == (2 if source == "tencent" else 1)


# --- events that are revised


@pytest.mark.parametrize("source", ["tiingo", "yahoo"])
@pytest.mark.parametrize("day", list(DIVIDENDS))
def test_a_dividend_of_the_past_that_is_revised_is_noticed_within_as_many_runs_as_there_are_events(
    run: Run, server: ReplayServer, database: Path, tmp_path: Path, source: str, day: dt.date
) -> None:
    run(source)
    whole = server.market.listings["IBM"]
    # The prices stay; the source has found that it was less.
    revised = replace(whole, dividends={**whole.dividends, day: 0.25}, cache={})
    server.market = server.market.with_listings(revised)
    reasons = []
    for today in days_from(server, TODAY, 1 + len(DIVIDENDS) + len(SPLITS))[1:]:
        server.forget()
        outcome = run(source, today).shares[0]
        assert outcome.status in (Status.NEW, Status.READJUSTED)
        reasons += [outcome.reason] if outcome.status is Status.READJUSTED else []
        if not reasons:
            assert len([request for request in server.requests if request.share == "IBM"]) == 2
    assert reasons == [f"fetched from the start: the event of {day} was revised"]
    run(source, today, tmp_path / "clean.db")
    assert contents(database) == contents(tmp_path / "clean.db")


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
