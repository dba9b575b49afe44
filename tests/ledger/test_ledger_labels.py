"""Predictions of a return above the day's median: what they were asked, what they had to exceed, and what came."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest
from live_records import CHALLENGER, CHAMPION, NEW_YORK, Live, bars, moment, rows_of

from components.feature_example_gen.day_levels import levels_of
from components.feature_example_gen.examples import label_rows
from components.feature_example_gen.splits import SplitSettings, plan_splits
from components.feature_store import FeatureStore, PriceBars, Spell
from components.ledger import levels as levels_module
from components.ledger.contents import count
from components.ledger.days import LiveDay, answered, day_summaries, live_days, live_series
from components.ledger.errors import LedgerError
from components.ledger.export import export_predictions
from components.ledger.file import Ledger
from components.ledger.labels import LABEL, LEVEL, Labels, Level, keep_label, side_of
from components.ledger.outcomes import Settled, settle
from components.ledger.predictions import write_predictions
from components.ledger.setting_up import LiveModel, declare, install, note
from components.ledger.verifying import verify
from components.missing_sessions.finding import find_missing
from components.records import from_json
from models.features import forward_return_key, label_key
from models.labels import LABELS

pytest.importorskip("adbc_driver_sqlite")

SHARES = ("AAA", "BBB", "CCC", "DDD", "EEE")


def begin(live: Live, model: LiveModel = CHAMPION, label: str = "outperform") -> None:
    with live.ledger() as ledger:
        declare(ledger, model.horizon, {"label": label})
        keep_label(ledger, model.digest, label)
        install(ledger, model, "champion")


def living(folder: Path, until: int = 30) -> Live:
    live = Live(folder, SHARES)
    live.now = moment(f"{NEW_YORK[until]} 12:00")
    begin(live)
    return live


def evening(live: Live, at: int, *, without: dict[str, int] | None = None) -> Settled:
    """Stores the bars of an evening, without the last ones of some shares, predicts and settles."""
    live.now = moment(f"{NEW_YORK[at]} 23:00")
    whole = dict(live.prices)
    for share, less in (without or {}).items():
        end = int(np.searchsorted(whole[share].time, NEW_YORK[at], side="right")) - less
        known = whole[share]
        live.prices[share] = PriceBars(known.time[:end], known.close[:end], known.factor[:end])
    live.store(str(NEW_YORK[at]))
    live.prices = whole
    with live.ledger() as ledger, FeatureStore.open(live.database) as store:
        return settle(ledger, store)


def noted(live: Live) -> list[Level]:
    with Ledger.open(live.path) as ledger:
        texts = ledger.select("SELECT text FROM NOTE WHERE kind = ? ORDER BY seq", LEVEL)
        held = Labels(ledger)
        assert all(held.level("outperform", 1, one.session) is not None for one in map(_level, texts))
    return [_level(text) for text in texts]


def _level(row: tuple) -> Level:
    return from_json(Level, row[0])


def median_of(live: Live, at: int, horizon: int = 1, but: tuple[str, ...] = ()) -> float:
    returns = [
        known.adjusted_close[at + horizon] / known.adjusted_close[at] - 1
        for share, known in live.prices.items()
        if share not in but
    ]
    return float(np.median(np.array(returns, np.float32)))


def counted(live: Live, label: str = "outperform") -> list[LiveDay]:
    with Ledger.open(live.path) as ledger:
        return [day for series in live_series(ledger) for day in live_days(ledger, series, label)]


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


def test_a_ledger_of_both_labels_judges_each_by_its_own(tmp_path: Path) -> None:
    live = Live(tmp_path, SHARES)
    live.now = moment(f"{NEW_YORK[30]} 12:00")
    begin(live, CHAMPION, "up")
    for at in range(30, 34):
        evening(live, at)
        live.predict(NEW_YORK[at])
    other = dataclasses.replace(CHALLENGER, name="linear")
    live.now = moment(f"{NEW_YORK[34]} 12:00")
    begin(live, other)
    for at in range(34, 38):
        evening(live, at)
        live.predict(NEW_YORK[at], other)
        live.predict(NEW_YORK[at])  # the old one goes on speaking, and no longer counts
    evening(live, 38)
    with Ledger.open(live.path) as ledger:
        first, second = live_series(ledger)
        ups, above = list(live_days(ledger, first, "up")), list(live_days(ledger, second, "outperform"))
        assert list(live_days(ledger, second, "up")) == []
        summaries = day_summaries(ledger, 20)
    for days, begins in ((ups, 30), (above, 34)):
        assert [day.session for day in days] == [str(day) for day in NEW_YORK[begins : begins + 4]]
        for at, day in enumerate(days, begins):
            ahead = [
                live.prices[share].adjusted_close[at + 1] / live.prices[share].adjusted_close[at] - 1
                for share in SHARES
            ]
            needed = 0.0 if days is ups else median_of(live, at)
            np.testing.assert_allclose(day.ahead, ahead, atol=1e-12)
            assert [str(up) for up in day.up] == [
                "nan" if abs(one - needed) < 1e-8 else str(float(one > needed)) for one in ahead
            ]
    assert [one.session for one in noted(live)] == [day.session for day in above]
    assert sum(one.moved for one in summaries if one.model.endswith(other.digest[:8])) == 4 * 4
    assert verify(live.path, now=live.now).sound
    exported = tmp_path / "rows.csv"
    with Ledger.open(live.path) as ledger:
        export_predictions(ledger, exported)
    lines = [line.split(",") for line in exported.read_text().replace('"', "").splitlines()]
    at = {name: lines[0].index(name) for name in ("session", "model", "label", "needed", "came", "direction")}
    for line in lines[1:]:
        mine = line[at["model"]] == other.digest
        assert line[at["label"]] == ("outperform" if mine else "up")
        assert mine or (line[at["came"]] == line[at["direction"]] and float(line[at["needed"]]) == 0)
    assert {line[at["came"]] for line in lines[1:] if line[at["model"]] == other.digest} == {"up", "down", "unchanged"}


def test_a_label_cannot_be_chosen_afterwards(tmp_path: Path) -> None:
    live = Live(tmp_path, SHARES)
    live.now = moment(f"{NEW_YORK[30]} 12:00")
    begin(live, CHAMPION, "up")
    with live.ledger() as ledger:
        with pytest.raises(LedgerError, match="stands there with the label up, and outperform is another one"):
            keep_label(ledger, CHAMPION.digest, "outperform")
        assert not keep_label(ledger, CHAMPION.digest, "up")
        assert keep_label(ledger, CHALLENGER.digest, "outperform")
        assert not keep_label(ledger, CHALLENGER.digest, "outperform")
        assert (Labels(ledger).of(CHAMPION.digest), Labels(ledger).of(CHALLENGER.digest)) == ("up", "outperform")
    assert verify(live.path, now=live.now).sound
    with live.ledger() as ledger:
        note(ledger, LABEL, f'{{"model": "{CHAMPION.digest}", "label": "outperform"}}')
        assert Labels(ledger).of(CHAMPION.digest) == "up"
    [fault] = verify(live.path, now=live.now).faults
    assert "the label of the model aaaaaaaa was written after the model" in str(fault)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"label": "outperform", "horizon": 1, "session": "2024-03-01", "level": 0.01, "end": "2024-03-01"}',
        '{"label": "outperform", "horizon": 1, "session": "2024-03-01", "level": null, "end": "2024-03-04"}',
        '{"label":"outperform","horizon":1,"session":"2024-03-01","level":0.01,"end":"2024-03-04"}',
    ],
)
def test_what_is_no_level_is_a_fault(tmp_path: Path, text: str) -> None:
    live = living(tmp_path)
    with live.ledger() as ledger:
        note(ledger, LEVEL, text)
    [fault] = verify(live.path, now=live.now).faults
    assert "it is no level of a session as a writer writes it" in str(fault)


def test_a_ledger_of_a_higher_close_has_no_row_more(tmp_path: Path) -> None:
    live = Live(tmp_path, SHARES)
    live.now = moment(f"{NEW_YORK[30]} 12:00")
    begin(live, CHAMPION, "up")
    evening(live, 30)
    live.predict(NEW_YORK[30])
    evening(live, 31)
    assert [row["kind"] for row in rows_of(live.path) if row.table == "NOTE"] == ["calendars"]


def test_sides() -> None:
    assert [side_of(0.01, level) for level in (0.009, 0.011, 0.01, math.nan)] == [
        "up",
        "down",
        "unchanged",
        "unchanged",
    ]
    # The median itself, once as it was made in single precision and once by other arithmetic.
    assert side_of(0.0123456789, float(np.float32(0.0123456789))) == "unchanged"
