"""The level that an extraction keeps of adjusted closes goes with the prices, and tells outages of adjustments."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from replayed_market import DIVIDENDS, FIRST, LAST, SHARES, TODAY, Run, contents, levels, listing, table

from components.extractor import ExtractionReport, ShareOutcome, Status
from components.extractor.replay import Fault, Listing, ReplayServer, make_listing
from components.feature_store import FeatureStore, PriceBars, read_decisions

SHARE = "sh600519"
BEFORE, EX_DATE, BACK = dt.date(2023, 11, 1), dt.date(2023, 11, 8), dt.date(2023, 12, 27)
"""The last day before an outage; a day in it on which a dividend is paid; and the first after it, weeks later."""
EARLIER = dt.date(2021, 11, 1)


def shown(server: ReplayServer, told: bool = True, share: str = SHARE, **events: Any) -> Listing:
    """Lets the server show the share with these events."""
    exchange = "XSHG" if share == SHARE else "XNYS"
    made = replace(make_listing(share, exchange, FIRST, LAST, **events), told=told)
    server.market = server.market.with_listings(made)
    return made


def extracted(run: Run, day: dt.date, source: str = "tencent", share: str = SHARE, **options: Any) -> ShareOutcome:
    since = options.pop("since", FIRST)
    report: ExtractionReport = run(source, day, plan_options={"shares": (share,), "since": since}, **options)
    return report.shares[0]


def assert_as_one_fetch(run: Run, database: Path, day: dt.date, source: str = "tencent", **options: Any) -> None:
    clean = database.with_name("clean.db")
    extracted(run, day, source, db=clean, **options)
    assert contents(database) == contents(clean)
    assert levels(database) == levels(clean)


# --- what is replaced keeps its level


def test_refetch_keeps_the_level_so_that_the_next_run_is_an_increment(
    run: Run, server: ReplayServer, database: Path
) -> None:
    shown(server, dividends=DIVIDENDS)
    extracted(run, TODAY)
    kept = levels(database)
    assert len(kept) == 1
    assert extracted(run, TODAY, refetch=True).status is Status.READJUSTED
    assert levels(database) == kept
    server.forget()
    assert extracted(run, TODAY).status is Status.UNCHANGED
    assert len(server.requests) == 2


def test_a_bar_of_a_day_off_that_goes_leaves_the_level(run: Run, server: ReplayServer, database: Path) -> None:
    whole = shown(server, dividends=DIVIDENDS)
    extracted(run, TODAY)
    kept = levels(database)
    with FeatureStore.create(database) as store:
        bars = store.bars(SHARE)
        assert bars is not None
        day = np.datetime64("2024-03-23", "D")  # a Saturday, as an earlier version stored it
        at = int(np.searchsorted(bars.time, day))
        repeated = {name: np.insert(values, at, values[at - 1]) for name, values in vars(bars).items()}
        store.upsert(SHARE, PriceBars(**repeated | {"time": np.insert(bars.time, at, day)}), "tencent")
    assert "a bar of a day off is stored" in extracted(run, TODAY).reason
    assert levels(database) == kept
    server.forget()
    assert extracted(run, TODAY).status is Status.UNCHANGED
    assert len(server.requests) == 2
    assert len(table(database, "PRICE")) == whole.index(TODAY) + 1


def test_a_share_of_another_source_gets_its_level_with_its_prices(
    run: Run, server: ReplayServer, database: Path
) -> None:
    shown(server, dividends=DIVIDENDS)
    extracted(run, TODAY)
    kept = levels(database)
    extracted(run, TODAY, "sina")
    assert levels(database) == []
    assert "the source was 'sina' before" in extracted(run, TODAY).reason
    assert levels(database) == kept
    server.forget()
    assert extracted(run, TODAY).status is Status.UNCHANGED
    assert len(server.requests) == 2


# --- outages of adjustments


@pytest.mark.parametrize("before", [{}, {dt.date(2022, 6, 1): 0.6}], ids=["no event before", "one before"])
def test_a_dividend_that_nobody_names_in_an_outage_is_found_after_it(
    run: Run, server: ReplayServer, database: Path, before: dict[dt.date, float]
) -> None:
    """Of a stored stretch without events nothing but the level tells that adjusted closes came before."""
    shown(server, told=False, dividends={**before, EX_DATE: 0.9})
    since = {"since": dt.date(2022, 9, 1)}
    extracted(run, BEFORE, **since)
    server.faults.add(Fault("unadjusted"))
    during = extracted(run, BACK - dt.timedelta(days=1), **since)
    if before:  # adjusted closes came before
        assert during.status is Status.FAILED
        for words in (SHARE, "without adjustments, and adjusted ones came before", f"--accept {SHARE}", "--refetch"):
            assert words in during.reason
        assert during.last == str(BEFORE)
    server.faults.clear()
    assert extracted(run, BACK, **since).status is Status.READJUSTED
    assert_as_one_fetch(run, database, BACK, **since)
    server.forget()
    assert extracted(run, BACK, **since).status is Status.UNCHANGED
    assert len(server.requests) == 2


def test_a_first_fetch_in_an_outage_is_mended_by_the_next(run: Run, server: ReplayServer, database: Path) -> None:
    shown(server, told=False, dividends={EX_DATE: 0.9})
    server.faults.add(Fault("unadjusted"))
    assert extracted(run, BACK).status is Status.NEW
    server.faults.clear()
    outcome = extracted(run, BACK)
    assert outcome.status is Status.READJUSTED
    assert "adjusted closes come now" in outcome.reason
    assert_as_one_fetch(run, database, BACK)


@pytest.mark.parametrize("how", ["earlier", "refetch", "accept"])
def test_a_whole_history_without_adjustments_replaces_no_level_unasked(
    run: Run, server: ReplayServer, database: Path, how: str
) -> None:
    """And what a person takes in an outage is adjusted again after it."""
    shown(server, told=False, dividends={dt.date(2022, 6, 1): 0.6, EX_DATE: 0.9})
    extracted(run, BEFORE, since=dt.date(2022, 9, 1))
    before = contents(database)
    server.faults.add(Fault("unadjusted"))
    options: dict[str, Any] = {"since": dt.date(2022, 8, 1) if how == "earlier" else dt.date(2022, 9, 1)}
    if how == "accept":
        with FeatureStore.create(database) as store:
            store.decide(read_decisions([SHARE]))
    during = extracted(run, BACK, **options, refetch=how == "refetch")
    if how == "earlier":
        assert during.status is Status.FAILED
        assert "without adjustments, and adjusted ones came before" in during.reason
        assert contents(database) == before
    else:
        assert during.last == str(BACK)
        assert levels(database) == []
        assert "without adjustments, and adjusted ones came before" in during.reason
    server.faults.clear()
    assert extracted(run, BACK, **options).status is Status.READJUSTED
    assert_as_one_fetch(run, database, BACK, **options)


@pytest.mark.parametrize("kind", ["no-factors", "unadjusted"])
def test_an_outage_of_factors_is_refused_or_found_after_it(
    run: Run, server: ReplayServer, database: Path, kind: str
) -> None:
    """Sina's list of factors is a request of its own."""
    shown(server, dividends={EX_DATE: 0.9})
    extracted(run, BEFORE, "sina")
    server.faults.add(Fault(kind))
    during = extracted(run, BACK - dt.timedelta(days=1), "sina")
    if kind == "no-factors":
        assert during.status is Status.FAILED
        assert during.last == str(BEFORE)
    server.faults.clear()
    extracted(run, BACK, "sina")
    assert_as_one_fetch(run, database, BACK, "sina")


@pytest.mark.parametrize("source", ["sina", "tiingo", "yahoo"])
def test_the_smallest_dividend_that_an_outage_left_out_is_found_after_it(
    run: Run, server: ReplayServer, database: Path, source: str
) -> None:
    """Of a dear share it moves less than prices are rounded to, and such sources give it exactly."""
    share = SHARES[source][0]
    shown(server, share=share, dividends={EX_DATE: 0.001})
    server.faults.add(Fault("unadjusted"))
    assert extracted(run, BACK, source, share).status is Status.NEW
    server.faults.clear()
    assert extracted(run, BACK, source, share).status is Status.READJUSTED
    clean = database.with_name("clean.db")
    extracted(run, BACK, source, share, db=clean)
    assert contents(database) == contents(clean)


# --- a whole fetch looks nowhere


@pytest.mark.parametrize("source", ["tencent", "sina", "tiingo", "yahoo"])
@pytest.mark.parametrize("how", ["first", "refetch", "earlier", "changed"])
def test_a_whole_fetch_asks_for_no_past_beside_it(
    run: Run, server: ReplayServer, database: Path, source: str, how: str
) -> None:
    share = SHARES[source][0]
    server.market = server.market.with_listings(listing(share))
    since = EARLIER if how == "earlier" else FIRST
    extracted(run, TODAY, source, share, db=database.with_name("one.db"), since=since)
    whole = [request.target for request in server.requests]
    server.forget()
    if how != "first":
        extracted(run, dt.date(2023, 5, 31) if how == "changed" else TODAY, source, share)
        server.forget()
    outcome = extracted(run, TODAY, source, share, since=since, refetch=how == "refetch")
    assert outcome.status is (Status.NEW if how == "first" else Status.READJUSTED)
    asked = [request.target for request in server.requests]
    if how == "changed":  # by the dividend of June: the increment and what it looked at beside it came first
        increment = 2
        asked = asked[increment:]
    assert asked == whole
