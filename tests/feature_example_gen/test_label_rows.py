"""label_rows against a loop over rows that knows the share's prices, and the promise that no split sees another."""

from __future__ import annotations

import calendar
import datetime as dt

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from row_by_row import WINDOW, Prices, feature_table, naive, sessions_of, weekdays

from components.feature_example_gen import examples
from components.feature_example_gen.examples import LabelledRows, SplitCounts, label_rows
from components.feature_example_gen.splits import SPLITS, SplitSettings, plan_splits


def batch_rows(labelled: LabelledRows, split: str) -> list[dict[str, list[object]]]:
    """The examples of a split as Python lists, in the order they are written."""
    return [row for batch in labelled.batches(split) for row in batch.to_pylist()]


def random_market(seed: int, sessions: int = 420) -> dict[str, Prices]:
    """Five shares: whole, listed late, gone early, suspended around both borders, and one that hardly moves."""
    rng = np.random.default_rng(seed)
    days = weekdays(sessions)
    closes = {name: 100 * np.exp(np.cumsum(rng.normal(0, 0.02, sessions))) for name in "ABCDE"}
    closes["E"] = np.round(closes["E"] / 20) * 20  # mostly unchanged
    present = {name: np.ones(sessions, dtype=bool) for name in "ABCDE"}
    present["B"][:270] = False
    present["C"][255:] = False
    present["D"][rng.choice(sessions, 120, replace=False)] = False
    present["D"][195:245] = False
    return {
        name: Prices(
            [day for day, here in zip(days, present[name], strict=True) if here],
            closes[name][present[name]].tolist(),
        )
        for name in "ABCDE"
    }


SHORT = SplitSettings(fractions=(0.55, 0.2, 0.25))


@pytest.mark.parametrize(
    "chosen",
    [
        SHORT,
        SplitSettings(fractions=(0.55, 0.2, 0.25), horizon=20),
        SplitSettings(fractions=(0.5, 0.3, 0.2), embargo=0, horizons=(3, 1, 7), horizon=3),
        SplitSettings(fractions=(0.5, 0.25, 0.25), embargo=5, horizons=(1,)),
        SplitSettings(dates=("2000-12-25", "2001-04-01"), embargo=30, horizons=(1, 5), horizon=5),
        SplitSettings(fractions=(0.5, 0.2, 0.3), start="2000-02-21", horizon=20),
        SplitSettings(fractions=(0.5, 0.25, 0.25), end="2001-05-01", horizons=(1, 5)),
        SplitSettings(dates=("2000-09-20", "2001-01-01"), start="2000-03-01", end="2001-06-03", horizons=(2, 1)),
    ],
)
@pytest.mark.parametrize("seed", [1, 2])
def test_rows_are_those_of_the_loop(chosen: SplitSettings, seed: int) -> None:
    market = random_market(seed)
    table = feature_table(market)
    plan = plan_splits(sessions_of(table), chosen)
    rows, counts = naive(market, plan, chosen.embargo)
    # The case is worth something only where every fate occurs.
    assert all(counts[split].rows > 30 for split in SPLITS)
    assert counts["train"].purged > 0
    assert counts["eval"].purged > 0
    assert all(counts[split].unlabelled > 0 for split in SPLITS)
    labelled = label_rows(table, plan)
    assert dict(labelled.counts) == counts
    assert {split: batch_rows(labelled, split) for split in SPLITS} == rows


def test_shards_of_shares_add_up_to_the_whole() -> None:
    market = random_market(3)
    plan = plan_splits(sessions_of(feature_table(market)), SHORT)
    whole = label_rows(feature_table(market), plan)
    parts = [label_rows(feature_table({share: market[share]}), plan) for share in market]
    for split in SPLITS:
        total = SplitCounts()
        for part in parts:
            total = total.plus(part.counts[split])
        assert total == whole.counts[split]
        written = [row for part in parts for row in batch_rows(part, split)]
        assert sorted(written, key=lambda row: (row["time"], row["share_id"])) == batch_rows(whole, split)


def test_counts_of_nothing_change_nothing() -> None:
    counts = SplitCounts(rows=3, purged=1, unlabelled=2, first=20000103, last=20000105)
    assert SplitCounts().plus(counts) == counts.plus(SplitCounts()) == counts
    assert counts.plus(SplitCounts(rows=1, first=19991231, last=20000104)) == SplitCounts(
        rows=4, purged=1, unlabelled=2, first=19991231, last=20000105
    )


def test_a_hand_made_window_of_labels() -> None:
    # 120 sessions that rise by 1 a day, but the sixth row of FEATURE closes as the fifth did.
    closes = [100.0 + i for i in range(120)]
    closes[25] = closes[24]
    market = {"ONE": Prices(weekdays(120), closes)}
    table = feature_table(market)
    plan = plan_splits(sessions_of(table), SplitSettings(fractions=(0.4, 0.3, 0.3), embargo=0, horizons=(1, 2)))
    labelled = label_rows(table, plan)
    assert plan.ranges[0].owned == (0, 40)
    train = batch_rows(labelled, "train")
    # Of 40 rows one is unlabelled, and the last two reach session 40.
    assert labelled.counts["train"] == SplitCounts(
        rows=37, purged=2, unlabelled=1, first=int(f"{market['ONE'].days[20]:%Y%m%d}"), last=train[-1]["time"][0]
    )
    assert train[0]["closes"] == [120.0 - lag for lag in range(21)]
    assert train[0]["label_1"] == [1]
    assert train[0]["forward_return_1"] == pytest.approx([1 / 120])
    assert train[0]["forward_return_2"] == pytest.approx([2 / 120])
    assert [row["closes"][0] for row in train[3:5]] == [123.0, 124.0]  # row 4, where the close stays, is missing
    assert train[4]["closes"][1] == 124.0
    # Two sessions ahead of row 3 the close is the same as one ahead.
    assert train[3]["forward_return_2"] == train[3]["forward_return_1"] == pytest.approx([1 / 123])
    # The last row knows no label at all, the one before it only the nearest.
    test = batch_rows(labelled, "test")
    assert test[-1]["label_1"] == [1]
    assert test[-1]["label_2"] == test[-1]["forward_return_2"] == []
    assert labelled.counts["test"].unlabelled == 1


def test_a_share_that_ends_just_behind_a_border_is_purged_by_the_label_it_has() -> None:
    # C's horizon of 20 finds no price, but its next day does: in eval.
    sessions = 200
    days = weekdays(sessions)
    rng = np.random.default_rng(0)
    closes = (100 + rng.normal(0, 1, sessions)).tolist()
    whole = Prices(days, closes)
    plan = plan_splits(sessions_of(feature_table({"W": whole})), SplitSettings(fractions=(0.4, 0.3, 0.3), embargo=0))
    border = plan.ranges[1].owned[0] + WINDOW - 1  # as an index of prices
    # (closes C has in eval, rows purged from train): with one, the row just before the border has its next day there,
    # and the row 20 before the border its 20th day; those between know only a next day that lies in train.
    for behind, purged in ((0, 0), (1, 2), (2, 3), (19, 20), (25, 20)):
        share = Prices(days[: border + behind], closes[: border + behind])
        counts = label_rows(feature_table({"C": share}), plan).counts
        assert counts["train"].purged == purged, behind


def test_dates_are_numbers_through_leap_days_and_year_ends() -> None:
    # Every day of 1896 to 1905 (1900 is no leap year) and of 1999 to 2005 (2000 is one).
    days = [dt.date(1896, 1, 1) + dt.timedelta(i) for i in range(3653)]
    days += [dt.date(1999, 1, 1) + dt.timedelta(i) for i in range(2557)]
    assert sum(calendar.isleap(year) for year in {day.year for day in days}) == 4
    rng = np.random.default_rng(0)
    market = {"A": Prices(days, (50 + rng.random(len(days))).tolist())}
    table = feature_table(market)
    labelled = label_rows(table, plan_splits(sessions_of(table), SplitSettings()))
    assert labelled.columns["time"].tolist() == [int(day.strftime("%Y%m%d")) for day in days[20:]]
    assert labelled.columns["year"].tolist() == [day.year for day in days[20:]]
    assert 20000229 in labelled.columns["time"]
    assert 19000301 in labelled.columns["time"]


def test_batches_are_cut_without_losing_rows_or_order(monkeypatch: pytest.MonkeyPatch) -> None:
    market = random_market(5)
    table = feature_table(market)
    labelled = label_rows(table, plan_splits(sessions_of(table), SHORT))
    [whole] = labelled.batches("train")
    monkeypatch.setattr(examples, "BATCH_ROWS", 64)
    parts = list(labelled.batches("train"))
    assert [part.num_rows for part in parts[:-1]] == [64] * (len(parts) - 1)
    assert 0 < parts[-1].num_rows <= 64
    assert pa.Table.from_batches(parts).to_pylist() == whole.to_pylist()
    days = [row["time"][0] for row in whole.to_pylist()]
    assert days == sorted(days)
    assert labelled.counts["train"].rows == len(days)


def test_columns_have_the_types_that_an_example_has() -> None:
    table = feature_table(random_market(6))
    [batch] = label_rows(table, plan_splits(sessions_of(table), SHORT)).batches("eval")
    types = {field.name: field.type.value_type for field in batch.schema}
    assert types == {
        "share_id": pa.binary(),
        **dict.fromkeys(("time", "year", "session", "label_1", "label_20"), pa.int64()),
        **dict.fromkeys(("closes", "forward_return_1", "forward_return_20"), pa.float32()),
    }


def test_a_table_without_rows_gives_no_example() -> None:
    plan = plan_splits(np.array(weekdays(1000), dtype="datetime64[D]"), SplitSettings())
    labelled = label_rows(feature_table({}), plan)
    assert dict(labelled.counts) == {split: SplitCounts() for split in SPLITS}
    assert [batch_rows(labelled, split) for split in SPLITS] == [[], [], []]


# No split sees another: the property that the whole project stands on.


@st.composite
def cases(draw: st.DrawFn) -> tuple[dict[str, Prices], SplitSettings]:
    """Random sessions, settings and suspended shares."""
    # With fewer, bounds, embargo and horizon at their most leave the eval split less than it needs.
    count = draw(st.integers(345, 440))
    steps = draw(st.lists(st.sampled_from([1, 1, 1, 1, 3, 9]), min_size=10, max_size=10))
    days = [dt.date(1999, 12, 1)]
    while len(days) < count:
        days.append(days[-1] + dt.timedelta(steps[len(days) % len(steps)]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    market = {}
    for number in range(draw(st.integers(1, 4))):
        present = rng.random(count) >= draw(st.sampled_from([0.0, 0.02, 0.3, 0.7])) * (number > 0)
        for _ in range(draw(st.integers(0, 3)) if number else 0):
            begin = draw(st.integers(0, count - 1))
            present[begin : begin + draw(st.integers(1, 80))] = False
        here = np.flatnonzero(present)
        if len(here) >= WINDOW:
            closes = np.round(100 * np.exp(np.cumsum(rng.normal(0, 0.02, len(here)))), 1)
            market[f"S{number}"] = Prices([days[i] for i in here], closes.tolist())
    horizons = tuple(draw(st.lists(st.integers(1, 25), min_size=1, max_size=3, unique=True)))
    first = draw(st.floats(0.25, 0.4))
    start = draw(st.one_of(st.none(), st.integers(0, 40)))
    end = draw(st.one_of(st.none(), st.integers(count - 45, count - 1)))
    chosen = SplitSettings(
        fractions=(first, 0.3, 0.7 - first),
        start=None if start is None else days[start].isoformat(),
        end=None if end is None else days[end].isoformat(),
        embargo=draw(st.sampled_from([20, 21, 21, 25, 30])),
        horizons=horizons,
        horizon=draw(st.sampled_from(horizons)),
    )
    return market, chosen


@given(cases())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_window_and_no_label_crosses_a_border(case: tuple[dict[str, Prices], SplitSettings]) -> None:
    market, chosen = case
    table = feature_table(market)
    plan = plan_splits(sessions_of(table), chosen)
    labelled = label_rows(table, plan)
    borders = [plan.sessions[part.owned[0]].item() for part in plan.ranges]
    place = {(share, day): i for share, prices in market.items() for i, day in enumerate(prices.days)}
    seen: set[tuple[str, dt.date]] = set()
    for index, split in enumerate(SPLITS):
        for row in batch_rows(labelled, split):
            share = row["share_id"][0].decode()  # type: ignore[attr-defined]
            day = dt.datetime.strptime(str(row["time"][0]), "%Y%m%d").date()
            assert (share, day) not in seen
            seen.add((share, day))
            assert chosen.start is None or day.isoformat() >= chosen.start
            assert chosen.end is None or day.isoformat() < chosen.end
            assert row[f"label_{chosen.horizon}"]
            at = place[share, day]
            days = market[share].days
            if index > 0:
                assert days[at - WINDOW + 1] >= borders[index]
            if index + 1 < len(SPLITS):
                # Every label that it carries is made of prices of its own split; so is an unchanged close's return.
                known = [h for h in chosen.horizons if row[f"forward_return_{h}"]]
                assert days[at + max(known)] < borders[index + 1]
                for horizon in chosen.horizons:
                    assert (horizon in known) == (at + horizon < len(days))
