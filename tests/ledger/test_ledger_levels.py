"""What the returns of a day had to exceed: the level of the examples, whenever its prices come."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from compared_shares import SHARES, begin, counted, evening, living, median_of, noted
from live_records import CHAMPION, NEW_YORK, Live, bars, moment
from needed import needed

from components.feature_example_gen.day_levels import levels_of
from components.feature_example_gen.examples import label_rows
from components.feature_example_gen.splits import SplitSettings, plan_splits
from components.feature_store import FeatureStore, PriceBars, Spell
from components.ledger import levels as levels_module
from components.ledger.contents import count
from components.ledger.days import answered, day_summaries
from components.ledger.file import Ledger
from components.ledger.labels import Labels
from components.ledger.outcomes import settle
from components.ledger.predictions import write_predictions
from components.ledger.verifying import verify
from components.missing_sessions.finding import find_missing
from models.features import forward_return_key, label_key
from models.labels import LABELS

needed("adbc_driver_sqlite")


@pytest.mark.parametrize("horizon", [1, 5])
def test_what_came_is_the_label_of_the_examples(tmp_path: Path, horizon: int) -> None:
    """With splits, missing sessions, late listings and shares that end among the prices."""
    generator = np.random.default_rng(3)
    live = Live(tmp_path, SHARES)
    model = dataclasses.replace(CHAMPION, horizon=horizon)
    for seed, share in enumerate(SHARES):
        days = NEW_YORK[seed : 90 if share == "EEE" else 125]
        if share == "BBB":
            days = days[np.sort(generator.choice(len(days), len(days) - 8, replace=False))]
        factor = np.cumprod(np.where(generator.random(len(days)) < 0.1, 2.0, 1.0))
        live.prices[share] = PriceBars(days, bars(days, seed).close / factor, factor)
    live.now = moment(f"{NEW_YORK[30]} 12:00")
    begin(live, model)
    with live.ledger() as ledger:
        for session in NEW_YORK[60:119]:
            live.now = moment(f"{session} 23:00")
            # One that has ended says nothing any more.
            said = live.forecasts(session, model)
            kept = [at for at, day in enumerate(said.sessions) if day == str(session)]
            said = dataclasses.replace(
                said,
                share_ids=[said.share_ids[at] for at in kept],
                sessions=[said.sessions[at] for at in kept],
                closes=said.closes[kept],
                probability=said.probability[kept],
            )
            write_predictions(ledger, said, dict.fromkeys(SHARES, "XNYS"))
    live.now = moment(f"{NEW_YORK[124]} 23:00")
    live.store(str(NEW_YORK[124]))
    settled = live.settle()
    with FeatureStore.open(live.database) as store:
        features = store.read_features(SHARES)
        plan = plan_splits(
            store.sessions(),
            SplitSettings(fractions=(0.34, 0.33, 0.33), embargo=0, horizons=(1, horizon), horizon=horizon),
        )
        gaps = find_missing(store, live.now).shares
        levels = levels_of(store, store.shares(), store.sessions(), (1, horizon), LABELS["outperform"], gaps)
        rows = label_rows(features, plan, gaps, levels=levels)
    expected = {}
    for at, key in enumerate(
        zip(features.column("share_id").to_pylist(), features.column("time").to_pylist(), strict=True)
    ):
        if str(NEW_YORK[60]) <= key[1] < str(NEW_YORK[119]) and not rows.missing[forward_return_key(horizon)][at]:
            none = rows.missing[label_key(horizon)][at]
            expected[key] = math.nan if none else float(rows.columns[label_key(horizon)][at])
    found = {
        (share, day.session): value
        for day in counted(live)
        for share, value in zip(day.share_ids, day.up.tolist(), strict=True)
    }
    assert found.keys() == expected.keys()
    assert {key: str(value) for key, value in found.items()} == {key: str(value) for key, value in expected.items()}
    assert {str(value) for value in found.values()} == {"1.0", "0.0", "nan"}
    assert len(settled.levels) == 59
    assert live.settle().levels == ()
    assert verify(live.path, now=live.now).sound


def test_a_level_is_written_when_the_due_session_has_closed(tmp_path: Path) -> None:
    live = living(tmp_path)
    evening(live, 30)
    live.predict(NEW_YORK[30])
    live.store(str(NEW_YORK[31]))  # a price of a session that is still open is none
    live.now = moment(f"{NEW_YORK[31]} 18:00")
    assert (live.settle().levels, live.settle().waiting) == ((), 1)
    [level] = evening(live, 31).levels
    assert (level.session, level.end) == (str(NEW_YORK[30]), str(NEW_YORK[31]))
    assert level.level == median_of(live, 30)
    assert (live.settle().levels, live.settle().waiting) == ((), 0)


def test_a_level_waits_for_a_late_bar(tmp_path: Path) -> None:
    live = living(tmp_path)
    evening(live, 30)
    live.predict(NEW_YORK[30])
    settled = evening(live, 31, without={"CCC": 1})
    # Four shares know what came of them, and not yet what they had to exceed.
    assert (settled.new, settled.levels, settled.waiting) == (4, (), 1)
    [day] = counted(live)
    assert (day.share_ids, day.pending) == ((), 5)
    with Ledger.open(live.path) as ledger:
        assert (count(ledger, 1).due, count(ledger, 1).earliest_open) == (0, str(NEW_YORK[30]))
        assert (day_summaries(ledger, 5)[0].due, day_summaries(ledger, 5)[0].moved) == (0, 0)
        assert list(answered(ledger, 1, [CHAMPION.digest])) == []
    [level] = evening(live, 32).levels
    assert level.level == median_of(live, 30)
    [day] = counted(live)
    assert (len(day.share_ids), day.pending, int(np.isnan(day.up).sum())) == (5, 0, 1)  # of five, one is the median
    with Ledger.open(live.path) as ledger:
        assert (count(ledger, 1).due, count(ledger, 1).earliest_open) == (5, "")
        [summary] = day_summaries(ledger, 5)
        sides = {one.share_id: one.yes for one in answered(ledger, 1, [CHAMPION.digest])}
    assert (summary.due, summary.moved) == (5, 4)
    assert sides == {share: up == 1 for share, up in zip(day.share_ids, day.up, strict=True) if not np.isnan(up)}
    assert summary.right == sum(
        (p > 0.5) == (up == 1) for p, up in zip(day.probability, day.up, strict=True) if up in (0, 1)
    )


def test_a_share_that_has_stopped_is_waited_for_five_sessions_and_then_left_out(tmp_path: Path) -> None:
    live = living(tmp_path)
    evening(live, 30)
    live.predict(NEW_YORK[30])
    for late in range(1, levels_module.PATIENCE):
        assert evening(live, 30 + late, without={"EEE": late}).levels == ()
    [level] = evening(live, 30 + levels_module.PATIENCE, without={"EEE": levels_module.PATIENCE}).levels
    assert level.level == median_of(live, 30, but=("EEE",))
    # Its bars come after all: another level, which counts.
    [again] = evening(live, 31 + levels_module.PATIENCE).levels
    assert again.level == median_of(live, 30)
    assert [one.level for one in noted(live)] == [level.level, again.level]
    with Ledger.open(live.path) as ledger:
        assert Labels(ledger).level("outperform", 1, str(NEW_YORK[30])) == again
    assert verify(live.path, now=live.now).sound


def test_who_settles_days_late_finds_the_levels_of_each_evening(tmp_path: Path) -> None:
    made = []
    for name, each in (("nightly", True), ("late", False)):
        (tmp_path / name).mkdir()
        live = living(tmp_path / name)
        for at in range(30, 40):
            late = {"CCC": 1} if at == 33 else {}
            if each or at == 39:
                evening(live, at, without=late)
            live.now = moment(f"{NEW_YORK[at]} 23:30")
            live.predict(NEW_YORK[at])
        made.append(noted(live))
    assert len(made[0]) == 9
    assert made[0] == made[1]


def test_a_share_that_ended_long_ago_delays_nothing(tmp_path: Path) -> None:
    live = living(tmp_path)
    live.prices["EEE"] = bars(NEW_YORK[:25], 4)
    evening(live, 30)
    live.predict(NEW_YORK[30])
    [level] = [one for one in evening(live, 31).levels if one.session == str(NEW_YORK[30])]
    assert level.level == median_of(live, 30, but=("EEE",))


def test_a_restated_price_makes_another_level(tmp_path: Path) -> None:
    live = living(tmp_path)
    evening(live, 30)
    live.predict(NEW_YORK[30])
    evening(live, 31)
    for share in SHARES:
        known = live.prices[share]
        close = known.close.copy()
        close[31] *= 1.1
        live.prices[share] = PriceBars(known.time, close, known.factor)
    settled = evening(live, 31)
    assert (settled.restated, len(settled.levels)) == (5, 1)
    assert settled.levels[0].level == pytest.approx(1.1 * (1 + noted(live)[0].level) - 1, abs=1e-6)


def test_a_holiday_is_no_session_to_wait_for(tmp_path: Path) -> None:
    live = living(tmp_path)
    at = int(np.searchsorted(NEW_YORK, np.datetime64("2024-03-28")))  # the day before Good Friday
    evening(live, at)
    live.predict(NEW_YORK[at])
    live.now = moment("2024-03-30 12:00")
    assert live.settle().waiting == 1
    [level] = evening(live, at + 1).levels
    assert (level.session, level.end) == ("2024-03-28", "2024-04-01")


def test_only_shares_of_the_universe_are_compared(tmp_path: Path) -> None:
    live = living(tmp_path)
    evening(live, 30)
    live.predict(NEW_YORK[30])
    live.now = moment(f"{NEW_YORK[31]} 23:00")
    live.store(str(NEW_YORK[31]))
    with live.ledger() as ledger, FeatureStore.open(live.database) as store:
        [level] = settle(ledger, store, compared=SHARES[:3]).levels
    assert level.level == median_of(live, 30, but=SHARES[3:])


def test_members_of_the_day_are_compared_with_what_delisted_ones_were_worth(tmp_path: Path) -> None:
    live = living(tmp_path)
    live.prices["DDD"] = bars(NEW_YORK[:30], 3)  # no bar of the session itself, and no member then
    live.prices["EEE"] = bars(NEW_YORK[:31], 4)
    evening(live, 30)
    first, last = NEW_YORK[0].item(), NEW_YORK[30].item()
    spells = [Spell("DDD", first, NEW_YORK[29].item()), Spell("EEE", first, last, -0.5)]
    with FeatureStore.create(live.database) as store:
        store.listings.put_members([*spells, *(Spell(share, first) for share in SHARES[:3])])
    live.predict(NEW_YORK[30])
    [level] = [one for one in evening(live, 31).levels if one.session == str(NEW_YORK[30])]
    closes = [live.prices[share].adjusted_close for share in SHARES[:3]]
    returns = [-0.5, *(close[31] / close[30] - 1 for close in closes)]
    assert level.level == float(np.median(np.array(returns, np.float32)))


def test_a_day_with_too_few_returns_has_no_answer(tmp_path: Path) -> None:
    live = Live(tmp_path, ("AAA",))
    live.now = moment(f"{NEW_YORK[30]} 12:00")
    begin(live)
    evening(live, 30)
    live.predict(NEW_YORK[30])
    [level] = evening(live, 31).levels
    assert (str(level.level), level.end) == ("nan", "")
    [day] = counted(live)
    assert (day.share_ids, str(day.up[0]), day.pending) == (("AAA",), "nan", 0)
    assert live.settle().levels == ()
    assert verify(live.path, now=live.now).sound
