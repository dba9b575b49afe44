"""Rows of a universe, against pandas: who is no member is no example, and what the delisted were worth is a label."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from row_by_row import WINDOW, Prices, feature_table, sessions_of, weekdays

from components.feature_example_gen.day_levels import make_levels
from components.feature_example_gen.examples import LabelledRows, label_rows
from components.feature_example_gen.splits import SPLITS, SplitPlan, SplitSettings, plan_splits
from components.universe.universe import EVERYBODY, Delisting, Universe
from models.features import excess_return_key, forward_return_key, label_key
from models.labels import get_label

SETTINGS = SplitSettings(fractions=(0.55, 0.2, 0.25), embargo=0, horizons=(1, 5, 20), horizon=5)
OUTPERFORM = get_label("outperform")
COUNT = 420
DAYS = np.array(weekdays(COUNT), "datetime64[D]")
ENDS = {"D": (235, -0.6), "E": (330, -1.0), "F": (380, 0.25)}
"""By share, its last session and its delisting return; that of D lies just before eval, which begins at 240."""
SPELLS = {"A": [(0, 419)], "B": [(100, 180), (230, 419)], "D": [(0, 235)], "E": [(50, 330)], "F": [(0, 380)]}
"""By share, sessions; C is in none."""


def market(seed: int = 0) -> dict[str, Prices]:
    rng = np.random.default_rng(seed)
    made = {}
    for name in "ABCDEF":
        closes = 50 * np.exp(np.cumsum(rng.normal(0, 0.02, COUNT)))
        last = ENDS.get(name, (COUNT - 1, 0))[0]
        made[name] = Prices(DAYS[: last + 1].astype(object).tolist(), closes[: last + 1].tolist())
    return made


def universe(known: bool = True) -> Universe:
    spells = {share: np.array([[DAYS[at] for at in one] for one in some]) for share, some in SPELLS.items()}
    ends = {share: Delisting(DAYS[last], DAYS[last + 1], value) for share, (last, value) in ENDS.items()}
    return Universe(True, spells, ends if known else {})


def plan_of(made: dict[str, Prices]) -> SplitPlan:
    return plan_splits(sessions_of(feature_table(made)), SETTINGS)


def labelled(made: dict[str, Prices], there: Universe, compared: bool) -> LabelledRows:
    table, plan = feature_table(made), plan_of(made)
    levels = make_levels([table], plan.sessions, plan.horizons, OUTPERFORM, universe=there) if compared else None
    return label_rows(table, plan, levels=levels, universe=there)


def by_pandas(made: dict[str, Prices], horizon: int, known: bool = True) -> pd.DataFrame:
    """A row a day of a member whose return is known: the return, when it was known, and its day's median."""
    parts = []
    for share, prices in made.items():
        table = pd.DataFrame({"share": share, "day": pd.to_datetime(prices.days), "close": prices.closes})
        later, end = table["close"].shift(-horizon), table["day"].shift(-horizon)
        if known and share in ENDS:
            last, value = ENDS[share]
            later, end = later.fillna(prices.closes[-1] * (1 + value)), end.fillna(pd.Timestamp(DAYS[last + 1]))
        table["change"], table["end"] = later / table["close"] - 1, end
        inside = pd.Series(False, index=table.index)
        for first, last in SPELLS.get(share, ()):
            inside |= table["day"].isin(pd.to_datetime(DAYS[first : last + 1]))
        parts.append(table.iloc[WINDOW - 1 :][inside.iloc[WINDOW - 1 :]].dropna())
    found = pd.concat(parts)
    found["median"] = found.groupby("day")["change"].transform("median")
    found["last"] = found.groupby("day")["end"].transform("max")
    found["alone"] = found.groupby("day")["change"].transform("size") < 2
    return found.set_index(["share", "day"])


def rows_of(labelled: LabelledRows) -> dict[tuple[str, pd.Timestamp], tuple[str, dict]]:
    return {
        (row["share_id"][0].decode(), pd.Timestamp(str(row["time"][0]))): (split, row)
        for split in SPLITS
        for batch in labelled.batches(split)
        for row in batch.to_pylist()
    }


@pytest.mark.parametrize("compared", [False, True])
@pytest.mark.parametrize("known", [True, False])
def test_rows_and_labels_are_those_that_pandas_gives(known: bool, compared: bool) -> None:
    made = market()
    plan = plan_of(made)
    found = rows_of(labelled(made, universe(known), compared))
    borders = [pd.Timestamp(plan.sessions[part.owned[0]]) for part in plan.ranges[1:]]
    expected = {horizon: by_pandas(made, horizon, known) for horizon in SETTINGS.horizons}
    wanted = {}
    of_the_day = [table[~table["alone"]].groupby("day")["last"].max() for table in expected.values()]
    for place, row in expected[SETTINGS.horizon].iterrows():
        ends = [table.loc[place, "end"] for table in expected.values() if place in table.index]
        ends += [table[place[1]] for table in of_the_day if compared and place[1] in table.index]
        split = int(np.searchsorted(borders, place[1], side="right"))
        purged = max(ends) >= borders[split] if split < 2 else False
        excess = row["change"] - row["median"] if compared else row["change"]
        if not purged and not (compared and (row["alone"] or abs(excess) < 1e-12)):
            wanted[place] = SPLITS[split], int(excess > 0)
    assert {place: (split, row[label_key(5)][0]) for place, (split, row) in found.items()} == wanted
    assert {share for share, _ in found} == set("ABDEF")
    for place, (_, row) in found.items():
        for horizon, table in expected.items():
            ahead = [pytest.approx(table.loc[place, "change"], abs=1e-6)] if place in table.index else []
            assert row[forward_return_key(horizon)] == ahead
            if compared and ahead and not table.loc[place, "alone"]:
                beyond = table.loc[place, "change"] - table.loc[place, "median"]
                assert row[excess_return_key(horizon)] == [pytest.approx(beyond, abs=1e-6)]


def test_the_last_row_of_a_share_has_the_delisting_return_and_only_where_it_is_known() -> None:
    made = market()
    last = {share: pd.Timestamp(DAYS[at]) for share, (at, _) in ENDS.items()}
    known, unknown = (rows_of(labelled(made, universe(one), False)) for one in (True, False))
    for share in "EF":
        _, row = known[share, last[share]]
        for horizon in SETTINGS.horizons:
            assert row[forward_return_key(horizon)] == [pytest.approx(ENDS[share][1], abs=1e-6)]
            assert row[label_key(horizon)] == [int(ENDS[share][1] > 0)]
        assert (share, last[share]) not in unknown


def test_a_label_that_ends_with_a_delisting_in_the_next_split_is_purged() -> None:
    """What the last rows of D say is known on the first session of eval alone."""
    made, plan = market(), plan_of(market())
    assert plan.sessions[plan.ranges[1].owned[0]] == DAYS[240]
    ends = {"D": Delisting(DAYS[235], DAYS[240], -0.6)}
    found = rows_of(labelled(made, Universe(True, universe().spells, ends), False))
    assert max(day for share, day in found if share == "D") == pd.Timestamp(DAYS[235 - 20])
    in_time = rows_of(labelled(made, universe(), False))
    assert max(day for share, day in in_time if share == "D") == pd.Timestamp(DAYS[235])


def test_counts_say_how_many_rows_are_outside() -> None:
    made = market()
    found, everybody = labelled(made, universe(False), False).counts, labelled(made, EVERYBODY, False).counts
    for split in SPLITS:
        assert everybody[split].outside == 0
        assert found[split].outside > 40
        whole, part = everybody[split], found[split]
        assert part.rows + part.unlabelled + part.outside == whole.rows + whole.unlabelled
    both = found["train"].plus(found["eval"])
    assert both.outside == found["train"].outside + found["eval"].outside


def test_prices_that_go_on_tell_more_than_a_delisting() -> None:
    made = market()
    ends = {"A": Delisting(DAYS[300], DAYS[301], -0.9)}
    found = label_rows(feature_table(made), plan_of(made), universe=Universe(True, universe().spells, ends))
    plain = label_rows(feature_table(made), plan_of(made), universe=Universe(True, universe().spells))
    for name in (label_key(1), forward_return_key(20)):
        np.testing.assert_array_equal(found.columns[name], plain.columns[name])


def test_a_universe_of_everybody_changes_nothing() -> None:
    made = market()
    plain = label_rows(feature_table(made), plan_of(made))
    always = {share: np.array([[DAYS[0], np.datetime64("9999-12-31")]]) for share in made}
    for there in (EVERYBODY, Universe(True, always)):
        found = label_rows(feature_table(made), plan_of(made), universe=there)
        np.testing.assert_array_equal(found.split, plain.split)
        assert found.counts == plain.counts
    assert isinstance(DAYS[0].item(), dt.date)
