"""Tencent's affine prices end in the true returns: events of every kind, increments, Hong Kong, and outages."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from replayed_market import FIRST, LAST, TODAY, Run, assert_holds, contents, table

from components.extractor import ExtractionReport, ShareOutcome, Status
from components.extractor.replay import Fault, Listing, ReplayServer, RightsIssue, make_listing
from components.feature_store import FeatureStore, read_decisions

SHARE = "sh600519"
EVENTS: dict[str, dict[str, Any]] = {
    "cash": {"dividends": {dt.date(2022, 6, 1): 0.6, dt.date(2023, 6, 1): 0.9}},
    "bonus": {"splits": {dt.date(2022, 6, 1): 1.8, dt.date(2023, 6, 1): 2.0}},
    "both on a day": {"dividends": {dt.date(2023, 3, 1): 0.25}, "splits": {dt.date(2023, 3, 1): 1.5}},
    "rights": {"rights": {dt.date(2023, 3, 1): RightsIssue(0.3, 12.5)}},
    "all on a day": {
        "dividends": {dt.date(2023, 3, 1): 0.3},
        "splits": {dt.date(2023, 3, 1): 1.2},
        "rights": {dt.date(2023, 3, 1): RightsIssue(0.2, 8.0)},
    },
    "merger": {"splits": {dt.date(2022, 6, 1): 0.1, dt.date(2023, 6, 1): 2.0}},
    "two in a row": {"dividends": {dt.date(2023, 3, 1): 0.6}, "splits": {dt.date(2023, 3, 2): 2.0}},
    "none": {},
}


def shown(server: ReplayServer, share: str = SHARE, exchange: str = "XSHG", **events: Any) -> Listing:
    """Lets the server show a share with these events, and nothing else of the name."""
    listing = make_listing(share, exchange, FIRST, LAST, **events)
    server.market = server.market.with_listings(listing)
    return listing


def extracted(run: Run, day: dt.date = TODAY, share: str = SHARE, **options: Any) -> ShareOutcome:
    report: ExtractionReport = run("tencent", day, plan_options={"shares": (share,)}, **options)
    return report.shares[0]


def factors(database: Path) -> list[float]:
    return [row[7] for row in table(database, "PRICE")]


@pytest.mark.parametrize("kind", EVENTS)
def test_factors_step_on_ex_dates_alone(run: Run, server: ReplayServer, database: Path, kind: str) -> None:
    listing = shown(server, **EVENTS[kind])
    assert extracted(run).status is Status.NEW
    assert_holds(database, "tencent", server.market, TODAY, (SHARE,))
    steps = np.flatnonzero(np.diff(factors(database))) + 1
    assert steps.tolist() == list(listing.events)


@pytest.mark.parametrize("kind", ["both on a day", "rights", "two in a row"])
def test_day_by_day_ends_as_one_fetch_with_two_requests_a_day(
    run: Run, server: ReplayServer, database: Path, tmp_path: Path, kind: str
) -> None:
    listing = shown(server, **EVENTS[kind])
    days = [day for day in listing.time.tolist() if dt.date(2023, 2, 27) <= day <= dt.date(2023, 3, 22)]
    extracted(run, days[0])
    for day in days[1:]:
        server.forget()
        outcome = extracted(run, day)
        event = listing.index(day) in listing.events
        assert outcome.status is (Status.READJUSTED if event else Status.NEW)
        assert event or len(server.requests) == 2
    clean = tmp_path / "clean.db"
    extracted(run, days[-1], db=clean)
    assert contents(database) == contents(clean)


def test_prices_below_0_are_ordinary(run: Run, server: ReplayServer, database: Path) -> None:
    """Of many new shares that were paid for: a small fall of each is more than an old one was worth."""
    listing = shown(server, rights={dt.date(2022, 6, 1): RightsIssue(20.0, 200.0)})
    slope, offset = listing.level
    assert (slope * listing.close + offset).min() < 0
    assert extracted(run).status is Status.NEW
    assert_holds(database, "tencent", server.market, TODAY, (SHARE,))


# --- events that the rows leave out


def test_an_event_that_no_row_names_waits_until_the_closes_tell_it(
    run: Run, server: ReplayServer, database: Path, tmp_path: Path
) -> None:
    listing = replace(shown(server, splits={dt.date(2023, 3, 1): 2.0}), told=False)
    server.market = server.market.with_listings(listing)
    at = listing.index(dt.date(2023, 3, 1))
    days = listing.time.tolist()
    extracted(run, days[at - 1])
    first = extracted(run, days[at])
    assert (first.status, first.last) == (Status.BEHIND, str(days[at - 1]))
    assert f"1 session not taken yet: no row says what changed the prices of {days[at]}" in first.reason
    for day in days[at + 1 : at + 10]:
        extracted(run, day)
    server.forget()
    assert extracted(run, days[at + 10]).status is Status.NEW
    assert len(server.requests) == 2
    assert_holds(database, "tencent", server.market, days[at + 10], (SHARE,))
    extracted(run, days[at + 10], db=tmp_path / "clean.db")
    assert contents(database) == contents(tmp_path / "clean.db")


# --- prices without adjustments


def test_an_outage_leaves_what_is_stored(run: Run, server: ReplayServer, database: Path) -> None:
    listing = shown(server, splits={dt.date(2023, 3, 1): 2.0})
    days = listing.time.tolist()
    at = listing.index(dt.date(2023, 3, 1))
    extracted(run, days[at + 30])
    before = contents(database)
    server.faults.add(Fault("unadjusted"))
    outcome = extracted(run, days[at + 40])
    assert outcome.status is Status.FAILED
    for words in ("without adjustments, but a row names an event of 2023-03-01", "--accept sh600519", "--source sina"):
        assert words in outcome.reason
    assert contents(database) == before
    server.faults.clear()
    assert extracted(run, days[at + 40]).status is Status.NEW
    assert_holds(database, "tencent", server.market, days[at + 40], (SHARE,))


def test_hong_kong_with_an_event_is_refused_and_says_who_adjusts_it(
    run: Run, server: ReplayServer, database: Path
) -> None:
    share = "hk00700"
    listing = shown(server, share, "XHKG", splits={dt.date(2023, 3, 1): 5.0})
    outcome = extracted(run, share=share)
    assert outcome.status is Status.FAILED
    assert "a row names an event of 2023-03-01" in outcome.reason
    assert "--source yahoo --best-effort --shares 0700.HK" in outcome.reason
    assert table(database, "PRICE") == []
    with FeatureStore.create(database) as store:
        store.decide(read_decisions([share]))
    assert extracted(run, share=share).status is Status.NEW
    assert set(factors(database)) == {1.0}
    assert len(factors(database)) == listing.index(TODAY) + 1


def test_hong_kong_without_an_event_is_taken(run: Run, server: ReplayServer, database: Path) -> None:
    shown(server, "hk00005", "XHKG")
    assert extracted(run, share="hk00005").status is Status.NEW
    assert_holds(database, "tencent", server.market, TODAY, ("hk00005",))


def test_a_close_that_follows_no_law_is_refused_by_its_day(
    run: Run, server: ReplayServer, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    listing = shown(server, dividends={dt.date(2022, 6, 1): 0.6})
    slope, offset = listing.level
    offset[200] += 0.07
    listing.cache["level"] = (slope, offset)
    outcome = extracted(run)
    assert outcome.status is Status.FAILED
    assert f"the adjusted close of {listing.days[200]}, " in outcome.reason
    assert "ask later or another source" in outcome.reason
    assert table(database, "PRICE") == []


def test_a_dividend_of_the_past_that_is_revised_is_seen_by_an_increment(
    run: Run, server: ReplayServer, database: Path, tmp_path: Path
) -> None:
    day = dt.date(2022, 6, 1)
    listing = shown(server, dividends={day: 0.6})
    extracted(run, TODAY)
    # The same prices: only what is said of the dividend is another amount now.
    server.market = server.market.with_listings(replace(listing, dividends={day: 0.5}, cache={}))
    outcome = extracted(run, TODAY + dt.timedelta(days=1))
    assert outcome.status is Status.READJUSTED
    assert f"the adjusted close of {TODAY} was" in outcome.reason
    extracted(run, TODAY + dt.timedelta(days=1), db=tmp_path / "clean.db")
    assert contents(database) == contents(tmp_path / "clean.db")
    server.forget()
    assert extracted(run, TODAY + dt.timedelta(days=1)).status is Status.UNCHANGED
    assert len(server.requests) == 2


def test_factors_of_an_older_version_are_found_anew(run: Run, server: ReplayServer, database: Path) -> None:
    listing = shown(server, **EVENTS["cash"])
    extracted(run, TODAY - dt.timedelta(days=7))
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        # Version 0.2.0 took adjusted close over raw close for the factor, and kept nothing else.
        paid = "0.6 * (time >= '2022-06-01') + 0.9 * (time >= '2023-06-01')"
        connection.execute(f"UPDATE PRICE SET factor = 1 + ({paid}) / close")
        connection.execute("DELETE FROM LOOK_BACK")
    outcome = extracted(run)
    assert outcome.status is Status.READJUSTED, outcome.reason
    assert "as if adjusted closes were proportional" in outcome.reason
    assert_holds(database, "tencent", server.market, TODAY, (SHARE,))
    assert len(set(factors(database))) == 1 + len(listing.events)
    assert extracted(run).status is Status.UNCHANGED


def test_a_first_event_is_a_corporate_action(run: Run, server: ReplayServer, database: Path) -> None:
    shown(server, splits={dt.date(2024, 3, 27): 2.0})
    extracted(run, dt.date(2024, 3, 26))
    assert "corporate action on 2024-03-27" in extracted(run).reason
