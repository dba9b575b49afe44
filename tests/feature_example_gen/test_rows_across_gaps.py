"""Windows and labels that reach across missing sessions, against pandas on a grid of all sessions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from row_by_row import WINDOW, Prices, feature_table, sessions_of, weekdays

from components.feature_example_gen.examples import LabelledRows, label_rows
from components.feature_example_gen.splits import SPLITS, SplitPlan, SplitSettings, plan_splits
from components.missing_sessions.finding import missing_in
from components.missing_sessions.found import MissingSessions

SETTINGS = SplitSettings(fractions=(0.55, 0.2, 0.25), embargo=0, horizons=(1, 5, 20), horizon=1)


def market(seed: int = 0, count: int = 500) -> dict[str, Prices]:
    """Four shares: whole, with holes at random, suspended twice, and with a hole among its first prices."""
    rng = np.random.default_rng(seed)
    days = np.array(weekdays(count), "datetime64[D]")
    present = {name: np.ones(count, dtype=bool) for name in "ABCD"}
    present["B"][rng.choice(np.arange(1, count - 1), count // 8, replace=False)] = False
    present["C"][230:250] = present["C"][300:303] = False
    present["D"][5:9] = present["D"][30] = present["D"][470] = False
    closes = {name: 100 * np.exp(np.cumsum(rng.normal(0, 0.02, count))) for name in "ABCD"}
    return {name: Prices(days[here].tolist(), closes[name][here].tolist()) for name, here in present.items()}


def missing_of(made: dict[str, Prices]) -> MissingSessions:
    days = {share: np.array(prices.days, "datetime64[D]") for share, prices in made.items()}
    return missing_in(days.items, {})


def expected(made: dict[str, Prices], plan: SplitPlan, limit: int) -> pd.DataFrame:
    """A row a window: its share, day and returns, nan where there is none, and what becomes of it."""
    grid = pd.Index(sorted({day for prices in made.values() for day in prices.days}))
    borders = [plan.sessions[part.owned[0]].item() for part in plan.ranges[1:]]
    tables = []
    for share, prices in made.items():
        at = pd.Series(grid.get_indexer(prices.days))
        table = pd.DataFrame({"share": share, "day": prices.days, "close": prices.closes})
        across_window = at - at.shift(WINDOW - 1) - (WINDOW - 1) > limit
        reach = table["day"].copy()
        for horizon in plan.horizons:
            across = at.shift(-horizon) - at - horizon > limit * horizon // 20
            ahead = table["close"].shift(-horizon) / table["close"] - 1
            table[f"return_{horizon}"] = ahead.where(~across)
            reach = table["day"].shift(-horizon).where(table[f"return_{horizon}"].notna(), reach)
            if horizon == plan.horizon:
                across_label, open_end = across, ahead.isna()
        split = np.searchsorted(borders, table["day"], side="right")
        purged = np.searchsorted(borders, reach, side="right") > split
        fates = [purged, across_window, across_label, open_end]
        table["fate"] = np.select(fates, ["purged", "windows_across", "labels_across", "unlabelled"], "rows")
        table["split"] = [SPLITS[one] for one in split]
        tables.append(table.iloc[WINDOW - 1 :])
    return pd.concat(tables).set_index(["share", "day"]).sort_index()


def written(labelled: LabelledRows) -> dict[tuple[str, object], dict[str, list[float]]]:
    return {
        (row["share_id"][0].decode(), pd.Timestamp(str(row["time"][0])).date()): row
        for split in SPLITS
        for batch in labelled.batches(split)
        for row in batch.to_pylist()
    }


@pytest.mark.parametrize("limit", [0, 2, 5, 20])
@pytest.mark.parametrize("horizon", [1, 5, 20])
def test_rows_are_left_out_as_pandas_counts(limit: int, horizon: int) -> None:
    made = market()
    table = feature_table(made)
    settings = SplitSettings(fractions=(0.55, 0.2, 0.25), embargo=0, horizons=(1, 5, 20), horizon=horizon)
    plan = plan_splits(sessions_of(table), settings)
    labelled = label_rows(table, plan, missing_of(made).shares, limit)
    rows = expected(made, plan, limit)

    fates = rows.groupby(["split", "fate"]).size()
    for split, counts in labelled.counts.items():
        for fate in ("rows", "purged", "windows_across", "labels_across", "unlabelled"):
            assert getattr(counts, fate) == fates.get((split, fate), 0), (split, fate)
    # The case is worth something only where every fate occurs.
    assert limit == 20 or fates.unstack().sum()["windows_across"] > 20

    found, kept = written(labelled), rows[rows["fate"] == "rows"]
    assert sorted(found) == kept.index.tolist()
    for place, wanted in kept.iterrows():
        for one in plan.horizons:
            ahead = wanted[f"return_{one}"]
            assert found[place][f"forward_return_{one}"] == (
                [] if np.isnan(ahead) else [pytest.approx(ahead, abs=1e-6)]
            )
            assert found[place][f"label_{one}"] == ([] if np.isnan(ahead) else [int(ahead > 0)])


def test_what_is_left_out_is_counted_once() -> None:
    made = market(1)
    table = feature_table(made)
    plan = plan_splits(sessions_of(table), SETTINGS)
    labelled = label_rows(table, plan, missing_of(made).shares, 2)
    total = sum(c.rows + c.purged + c.unlabelled + c.windows_across + c.labels_across for c in labelled.counts.values())
    assert total == table.num_rows
    assert all(count.windows_across > 0 and count.labels_across > 0 for count in labelled.counts.values())


def test_sound_prices_are_as_they_were() -> None:
    made = {share: prices for share, prices in market().items() if share == "A"}
    made["E"] = Prices(made["A"].days[100:], made["A"].closes[100:])
    table = feature_table(made)
    plan = plan_splits(sessions_of(table), SETTINGS)
    missing = missing_of(made)
    assert not missing.shares
    with_it, without = label_rows(table, plan, missing.shares, 0), label_rows(table, plan)
    assert with_it.counts == without.counts
    assert all(pa.Table.from_batches(with_it.batches(s)) == pa.Table.from_batches(without.batches(s)) for s in SPLITS)


def test_windows_that_another_tool_wrote_lack_nothing_before_the_first() -> None:
    """Of such a share the days of its first 20 prices are not known."""
    made = market()
    table = feature_table(made)
    plan = plan_splits(sessions_of(table), SETTINGS)
    days = {share: np.array(prices.days, "datetime64[D]")[WINDOW - 1 :] for share, prices in made.items()}
    labelled = label_rows(table, plan, missing_in(days.items, {}).shares, 0)
    first = made["D"].days[WINDOW - 1]
    assert ("D", first) in written(labelled)
