"""What a source says without adjustments, of another share or of events that its prices do not show is not stored."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from replayed_market import DIVIDENDS, NEXT, SHARES, SPLITS, TODAY, Run, assert_holds, contents, listing, table

from components.extractor import ExtractionReport, ShareOutcome, Status
from components.extractor.replay import Fault, ReplayServer
from components.extractor.sources.events import contradicted_events
from components.feature_store import FeatureStore, read_decisions

SPLIT = next(iter(SPLITS))
"""2 for 1."""
WITH_STEPS = ("sina", "tiingo", "yahoo")


def decide(db: Path, *texts: str) -> None:
    with FeatureStore.create(db) as store:
        store.decide(read_decisions(texts))


def refused(report: ExtractionReport, *words: str) -> ShareOutcome:
    """The first share, which failed for a reason that holds the words."""
    outcome = report.shares[0]
    assert outcome.status is Status.FAILED, outcome
    for word in (outcome.share_id, report.source, *words):
        assert word in outcome.reason, outcome.reason
    return outcome


def factors(db: Path, share: str) -> list[float]:
    return [row[7] for row in table(db, "PRICE") if row[0] == share]


# --- no adjustment came


def test_an_empty_list_of_factors_is_no_answer_for_a_share(run: Run, server: ReplayServer, database: Path) -> None:
    server.faults.add(Fault("no-factors", share="sh600519"))
    report = run("sina")
    refused(report, "the list of factors is empty", "--accept sh600519")
    assert report.shares[1].status is Status.NEW
    server.faults.clear()
    assert run("sina").exit_code == 0
    assert_holds(database, "sina", server.market, TODAY)


def test_an_index_needs_no_factors(run: Run, server: ReplayServer, database: Path) -> None:
    server.market = server.market.with_listings(listing("sh000001", splits={}, dividends={}))
    for _ in range(2):
        assert run("sina", plan_options={"shares": ("sh000001",)}).exit_code == 0
    assert set(factors(database, "sh000001")) == {1.0}


@pytest.mark.parametrize(
    ("source", "kind"),
    [("sina", "no-factors"), ("sina", "unadjusted"), ("tiingo", "unadjusted"), ("yahoo", "unadjusted")],
)
def test_stored_factors_never_fall_back_to_1(
    run: Run, server: ReplayServer, database: Path, source: str, kind: str
) -> None:
    run(source)
    before = contents(database)
    share = SHARES[source][0]
    server.faults.add(Fault(kind, share=share))
    # Fetched from the start again, since the first day is an earlier one.
    refused(run(source, plan_options={"since": dt.date(2021, 12, 1)}), "--accept")
    assert contents(database)["PRICE"] == before["PRICE"]
    server.faults.clear()
    assert run(source).exit_code == 0
    assert_holds(database, source, server.market, TODAY)


@pytest.mark.parametrize("kind", ["no-factors", "unadjusted"])
def test_a_person_accepts_prices_without_adjustments(run: Run, server: ReplayServer, database: Path, kind: str) -> None:
    run("sina")
    server.faults.add(Fault(kind, share="sh600519"))
    refused(run("sina"))
    decide(database, "sh600519")
    report = run("sina")
    assert report.shares[0].status is Status.READJUSTED
    assert set(factors(database, "sh600519")) == {1.0}


@pytest.mark.parametrize("kind", ["no-factors", "unadjusted"])
def test_refetch_replaces_factors_and_says_so(run: Run, server: ReplayServer, database: Path, kind: str) -> None:
    run("sina")
    server.faults.add(Fault(kind, share="sh600519"))
    report = run("sina", refetch=True)
    assert report.shares[0].status is Status.READJUSTED
    assert "all factors are 1 now" in report.shares[0].reason
    assert set(factors(database, "sh600519")) == {1.0}


def _without(days: list[dt.date], **changes: Any) -> dict[str, Any]:
    return {
        "splits": {day: ratio for day, ratio in SPLITS.items() if day not in days},
        "dividends": {day: cash for day, cash in DIVIDENDS.items() if day not in days} | changes,
    }


@pytest.mark.parametrize("lost", [[min(DIVIDENDS)], [max(DIVIDENDS)], [SPLIT]])
def test_a_shorter_list_of_events_is_refused(
    run: Run, server: ReplayServer, database: Path, lost: list[dt.date]
) -> None:
    """The market is as before; the source has forgotten an event."""
    run("sina")
    before = contents(database)
    whole = server.market.listings["sh600519"]
    events = _without(lost)
    server.market = server.market.with_listings(replace(whole, **events, cache={}))
    refused(run("sina", NEXT), "1 of 3 events are gone", str(lost[0]), "--refetch")
    assert [row for row in contents(database)["PRICE"] if row[0] == "sh600519"] == [
        row for row in before["PRICE"] if row[0] == "sh600519"
    ]


def test_a_corrected_dividend_is_taken(run: Run, server: ReplayServer, database: Path) -> None:
    run("sina")
    server.market = server.market.with_listings(
        listing("sh600519", dividends={min(DIVIDENDS): 0.9, dt.date(2023, 6, 5): 0.3})
    )
    report = run("sina", NEXT, refetch=True)  # raw prices of a made market follow its dividends
    assert report.shares[0].status is Status.READJUSTED
    assert "gone" not in report.shares[0].reason


def test_factors_that_do_not_reach_back_are_refused(run: Run, server: ReplayServer, database: Path) -> None:
    from components.extractor.sources.base import Reply
    from components.extractor.sources.registry import get_source

    klines = b'[{"day":"2024-01-15","open":"1","high":"1","low":"1","close":"1","volume":"1"}]'
    file = b'var sh600519hfq={"total":1,"data":[{"d":"2024-02-01","f":"8"}]}'
    replies = [Reply("", 200, "", body) for body in (klines, file)]
    history = get_source("sina").parse("sh600519", dt.date(2024, 1, 1), dt.date(2024, 3, 1), replies)
    assert [doubt.text for doubt in history.doubts] == [
        "the factors begin with 2024-02-01, and that of 2024-01-15 is not among them"
    ]


# --- events that the closes do not show


@pytest.mark.parametrize("source", WITH_STEPS)
def test_a_split_that_is_named_and_not_applied_is_refused(
    run: Run, server: ReplayServer, database: Path, source: str
) -> None:
    share = SHARES[source][0]
    server.market = server.market.with_listings(listing(share, dividends={}))
    server.faults.add(Fault("split-not-applied", share=share))
    report = run(source)
    refused(report, str(SPLIT), f"--accept {share}:{SPLIT}")
    assert report.shares[1].status is Status.NEW
    assert share not in {row[0] for row in table(database, "PRICE")}


@pytest.mark.parametrize("ratio", [1.2, 1.5, 2.0, 10.0, 0.1])
def test_a_factor_that_is_upside_down_is_in_doubt(ratio: float) -> None:
    """As where a list of factors holds what prices are divided by."""
    random = np.random.default_rng(5)
    days = np.arange("2024-01-01", "2024-07-01", dtype="datetime64[D]")
    factor = np.where(np.arange(len(days)) < 90, 1.0, ratio)
    close = 20 * np.exp(np.cumsum(random.normal(0, 0.015, len(days)))) / factor
    assert contradicted_events(days, close, factor) == ()
    (doubt,) = contradicted_events(days, close, 1 / factor)
    assert doubt.day == days[90].item()


@pytest.mark.parametrize("source", WITH_STEPS)
def test_a_new_split_that_is_not_applied_leaves_what_is_stored(
    run: Run, server: ReplayServer, database: Path, tmp_path: Path, source: str
) -> None:
    """And the next run, once it is applied, ends as a clean one."""
    share = SHARES[source][0]
    run(source)
    before = contents(database)
    server.market = server.market.with_listings(listing(share, splits={**SPLITS, dt.date(2024, 4, 3): 0.1}))
    fault = Fault("split-not-applied", share=share)
    server.faults.add(fault)
    refused(run(source, NEXT))
    assert [row for row in contents(database)["PRICE"] if row[0] == share] == [
        row for row in before["PRICE"] if row[0] == share
    ]
    server.faults.clear()
    assert run(source, NEXT).exit_code == 0
    run(source, NEXT, tmp_path / "clean.db")
    assert contents(database) == contents(tmp_path / "clean.db")


def test_a_move_that_a_person_accepts_is_stored(run: Run, server: ReplayServer, database: Path) -> None:
    server.market = server.market.with_listings(listing("IBM", dividends={}))
    server.faults.add(Fault("split-not-applied", share="IBM"))
    refused(run("tiingo"))
    decide(database, f"IBM:{SPLIT}")
    assert run("tiingo").exit_code == 0


# --- a jump that nobody explains


def halved(share: str, ratio: float = 2.0, **events: Any) -> Any:
    """A share whose price is cut on a day without an event; `events` are its others, none if they are left out."""
    events = {"splits": {}, "dividends": {}} | events
    whole = listing(share, **events | {"splits": events["splits"] | {dt.date(2024, 4, 3): ratio}})
    return replace(whole, splits=events["splits"], cache={})


@pytest.mark.parametrize("source", ["tencent", *WITH_STEPS])
@pytest.mark.parametrize("ratio", [2.0, 0.1, 10.0])
@pytest.mark.parametrize("others", [{}, {"splits": SPLITS, "dividends": DIVIDENDS}], ids=["first", "not first"])
def test_a_jump_by_a_simple_ratio_without_an_event_is_refused(
    run: Run, server: ReplayServer, database: Path, source: str, ratio: float, others: dict[str, Any]
) -> None:
    share = SHARES[source][0]
    server.market = server.market.with_listings(halved(share, ratio, **others))
    options = {"plan_options": {"shares": (share,)}}
    run(source, **options)
    before = contents(database)
    for db in (database, database.with_name("whole.db")):  # an increment, and a whole history
        refused(run(source, NEXT, db, **options), f"--accept {share}:2024-04-03")
    assert contents(database) == before
    decide(database, f"{share}:2024-04-03")
    assert run(source, NEXT, **options).exit_code == 0
    assert_holds(database, source, server.market, NEXT, (share,))
    # And then nobody asks again.
    assert run(source, NEXT, **options).exit_code == 0


def test_a_split_that_the_source_names_late_is_waited_for(run: Run, server: ReplayServer, database: Path) -> None:
    server.market = server.market.with_listings(halved("IBM"))
    options = {"plan_options": {"shares": ("IBM",)}}
    run("tiingo", **options)
    refused(run("tiingo", NEXT, **options))
    server.market = server.market.with_listings(listing("IBM", splits={dt.date(2024, 4, 3): 2.0}, dividends={}))
    assert run("tiingo", NEXT, **options).exit_code == 0
    assert_holds(database, "tiingo", server.market, NEXT, ("IBM",))


# --- another share's reply


@pytest.mark.parametrize("source", WITH_STEPS)
def test_another_shares_history_does_not_replace_a_known_one(
    run: Run, server: ReplayServer, database: Path, source: str
) -> None:
    run(source)
    before = contents(database)
    server.faults.add(Fault("other-share", share=SHARES[source][0]))
    refused(run(source, NEXT), "closes are not those that are stored", "another share", "--refetch")
    assert [row for row in contents(database)["PRICE"] if row[0] == SHARES[source][0]] == [
        row for row in before["PRICE"] if row[0] == SHARES[source][0]
    ]
    report = run(source, NEXT, refetch=True)
    assert report.shares[0].status is Status.READJUSTED
    assert "another share's" in report.shares[0].reason


def test_another_source_that_gives_another_share_is_named(run: Run, server: ReplayServer, database: Path) -> None:
    run("tiingo")
    server.faults.add(Fault("other-share", share="IBM"))
    report = run("yahoo")
    assert report.exit_code == 0
    assert "the source was 'tiingo' before; 538 of 561 closes are not those" in report.shares[0].reason
    assert report.shares[1].reason == "fetched from the start: the source was 'tiingo' before"


def test_a_share_that_is_a_day_old_is_known_too(run: Run, server: ReplayServer, database: Path) -> None:
    days = server.market.listings["IBM"].days
    begin = dt.date.fromisoformat(days[days.index(str(TODAY)) - 1])
    run("tiingo", plan_options={"since": begin})
    server.faults.add(Fault("other-share", share="IBM"))
    refused(run("tiingo", plan_options={"since": begin}), "2 of 2 closes are not those that are stored")


def test_closes_that_are_all_off_by_one_ratio_say_so(run: Run, server: ReplayServer, database: Path) -> None:
    run("tiingo")
    whole = server.market.listings["IBM"]
    pence = {name: getattr(whole, name) * 100 for name in ("open", "high", "low", "close")}
    server.market = server.market.with_listings(
        replace(whole, dividends={day: 100 * cash for day, cash in whole.dividends.items()}, cache={}, **pence)
    )
    refused(run("tiingo", NEXT), "all of them times 100: a split that is not named, or another unit")


def test_some_corrected_closes_are_taken(run: Run, server: ReplayServer, database: Path) -> None:
    run("tiingo")
    whole = server.market.listings["IBM"]
    close = whole.close.copy()
    at = whole.index(TODAY)
    close[at - 8 : at] = np.round(close[at - 8 : at] * 1.01, 2)
    server.market = server.market.with_listings(replace(whole, close=close, high=whole.high * 1.05, cache={}))
    assert run("tiingo", NEXT).shares[0].status is Status.READJUSTED
