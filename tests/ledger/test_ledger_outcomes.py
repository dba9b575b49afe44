"""What came of predictions, by the prices that the store holds, whenever they come."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from live_records import CHAMPION, NEW_YORK, Live, bars, lived, moment
from needed import needed

from components.feature_example_gen.examples import label_rows
from components.feature_example_gen.splits import SplitSettings, plan_splits
from components.feature_store import FeatureStore, PriceBars, Spell
from components.ledger import outcomes as outcomes_module
from components.ledger.file import Ledger
from components.ledger.outcomes import ACROSS, NO_PRICE, NO_SESSION, find_due, simple_return
from components.ledger.verifying import verify
from components.missing_sessions.finding import find_missing
from models.features import TIME, forward_return_key, label_key

needed("adbc_driver_sqlite")


def outcomes(path: Path) -> list[tuple]:
    with Ledger.open(path) as ledger:
        return ledger.select(
            "SELECT p.share_id, p.session, o.due, o.close, o.close_due, o.factor, o.direction FROM OUTCOME o "
            "JOIN PREDICTION p ON p.seq = o.prediction ORDER BY o.seq"
        )


def restated(live: Live, share: str, **change: np.ndarray) -> None:
    known = live.prices[share]
    live.prices[share] = PriceBars(
        known.time, *(change.get(name, getattr(known, name)) for name in ("close", "factor"))
    )


def test_an_outcome_is_written_when_its_session_has_closed(tmp_path: Path) -> None:
    live = Live(tmp_path)
    live.now = moment(f"{NEW_YORK[30]} 22:00")
    live.begin()
    live.predict(NEW_YORK[30])
    live.store(str(NEW_YORK[30]))
    settled = live.settle()
    assert (settled.new, settled.pending, settled.overdue) == (0, 3, ())
    live.store(str(NEW_YORK[31]))  # a price of a session that is still open is none
    live.now = moment(f"{NEW_YORK[31]} 18:00")
    assert (live.settle().new, live.settle().pending) == (0, 3)
    live.now = moment(f"{NEW_YORK[31]} 21:00")
    settled = live.settle()
    assert (settled.new, settled.pending, settled.overdue) == (3, 0, ())
    assert live.settle().due == ()
    close = live.prices["AAA"].close
    [row] = [one for one in outcomes(live.path) if one[0] == "AAA"]
    direction = "up" if close[31] > close[30] else "down"
    assert row == ("AAA", str(NEW_YORK[30]), str(NEW_YORK[31]), close[30], close[31], 1.0, direction)


@pytest.mark.parametrize("horizon", [1, 5])
def test_outcomes_are_the_labels_of_the_examples(tmp_path: Path, horizon: int) -> None:
    """With splits, unchanged closes, missing sessions and late listings among the prices."""
    generator = np.random.default_rng(3)
    live = Live(tmp_path)
    model = dataclasses.replace(CHAMPION, horizon=horizon)
    for seed, share in enumerate(live.shares):
        days = NEW_YORK[:120]
        days = days[np.sort(generator.choice(120, 112, replace=False))] if share == "BBB" else days[seed:]
        factor = np.cumprod(np.where(generator.random(len(days)) < 0.1, 2.0, 1.0))
        known = bars(days, seed)
        close = known.close / factor
        close[75] = close[75 - horizon] * factor[75 - horizon] / factor[75]
        live.prices[share] = PriceBars(days, close, factor)
    live.now = moment(f"{NEW_YORK[30]} 12:00")
    live.begin((model, "champion"))
    live.evenings(NEW_YORK[60:120], model)
    with FeatureStore.open(live.database) as store:
        features = store.read_features(live.shares)
        settings = SplitSettings(fractions=(0.34, 0.33, 0.33), embargo=0, horizons=(1, horizon), horizon=horizon)
        plan = plan_splits(store.sessions(), settings)
        rows = label_rows(features, plan, find_missing(store, live.now).shares)
    days = features.column("time").to_pylist()
    shares = features.column("share_id").to_pylist()
    assert rows.columns[TIME][0] == int(days[0].replace("-", ""))
    expected = {}
    for at, key in enumerate(zip(shares, days, strict=True)):
        if key[1] < str(NEW_YORK[60]) or rows.missing[forward_return_key(horizon)][at]:
            continue
        unchanged = rows.missing[label_key(horizon)][at]
        up = "unchanged" if unchanged else "up" if rows.columns[label_key(horizon)][at] else "down"
        expected[key] = (up, pytest.approx(rows.columns[forward_return_key(horizon)][at], abs=1e-7))
    with Ledger.open(live.path) as ledger:
        found = ledger.select(
            "SELECT p.share_id, p.session, o.direction, o.close_due * o.factor / o.close - 1 FROM PREDICTION p "
            "JOIN OUTCOME o ON o.prediction = p.seq"
        )
    assert {(share, session): (up, ahead) for share, session, up, ahead in found} == expected
    assert {up for _, _, up, _ in found} == {"up", "down", "unchanged"}
    assert verify(live.path, now=live.now).sound


def test_a_split_is_no_return(tmp_path: Path) -> None:
    live = Live(tmp_path)
    known = bars(NEW_YORK[:80])
    after = np.arange(80) >= 31
    close = np.where(after, 25.5, 50.0)
    live.prices["AAA"] = PriceBars(known.time, close, np.where(after, 2.0, 1.0))
    live.now = moment(f"{NEW_YORK[30]} 12:00")
    live.begin()
    live.evenings(NEW_YORK[30:32])
    [row] = [one for one in outcomes(live.path) if one[0] == "AAA"]
    assert row[3:] == (50.0, 25.5, 2.0, "up")


def test_restated_prices_make_a_row_beside_the_old_one(tmp_path: Path) -> None:
    live = lived(tmp_path)
    before = outcomes(live.path)
    close = live.prices["BBB"].close.copy()
    close[25] = 99.0
    restated(live, "BBB", close=close)
    live.store(str(NEW_YORK[31]))
    settled = live.settle()
    assert (settled.new, settled.restated) == (0, 2)  # the session is the end of one prediction, the start of the next
    after = outcomes(live.path)
    assert after[: len(before)] == before
    assert {(row[1], row[6]) for row in after[len(before) :]} == {
        (str(NEW_YORK[24]), "up"),
        (str(NEW_YORK[25]), "down"),
    }
    assert live.settle().due == ()
    assert verify(live.path, now=live.now).sound


def test_factors_that_begin_elsewhere_restate_nothing(tmp_path: Path) -> None:
    live = Live(tmp_path)
    generator = np.random.default_rng(0)
    factor = np.cumprod(1 + generator.random(80) / 30)
    restated(live, "AAA", factor=factor)
    live.now = moment(f"{NEW_YORK[20]} 12:00")
    live.begin()
    live.evenings(NEW_YORK[20:40])
    restated(live, "AAA", factor=factor * 1.37)
    live.store(str(NEW_YORK[39]))
    assert live.settle().due == ()


def test_a_late_bar_brings_the_outcome_late_and_the_right_one(tmp_path: Path) -> None:
    live = Live(tmp_path)
    live.now = moment(f"{NEW_YORK[30]} 12:00")
    live.begin()
    live.evenings(NEW_YORK[30:31])
    whole = live.prices["CCC"]
    kept = np.arange(80) != 31
    live.prices["CCC"] = PriceBars(whole.time[kept], whole.close[kept], whole.factor[kept])
    live.evenings(NEW_YORK[31:32])
    assert [one[0] for one in outcomes(live.path)] == ["AAA", "BBB"]
    with FeatureStore.open(live.database) as store, live.ledger() as ledger:
        [missing] = find_due(ledger, store).overdue
    assert (missing.share_id, missing.session, missing.reason) == ("CCC", str(NEW_YORK[30]), NO_PRICE)
    live.evenings(NEW_YORK[32:33])
    with FeatureStore.open(live.database) as store, live.ledger() as ledger:
        [missing] = find_due(ledger, store).overdue  # the next price that CCC has is not of the next session
    assert missing.reason == ACROSS
    live.prices["CCC"] = whole
    live.evenings(NEW_YORK[33:34])
    [row] = [one for one in outcomes(live.path) if one[:2] == ("CCC", str(NEW_YORK[30]))]
    assert row[2:5] == (str(NEW_YORK[31]), whole.close[30], whole.close[31])


def test_a_share_that_trades_no_more_is_named(tmp_path: Path) -> None:
    live = Live(tmp_path)
    live.prices["BBB"] = bars(NEW_YORK[:35], 1)
    live.now = moment(f"{NEW_YORK[30]} 12:00")
    live.begin()
    live.evenings(NEW_YORK[30:40])
    with FeatureStore.open(live.database) as store, live.ledger() as ledger:
        settled = find_due(ledger, store)
    assert {(one.share_id, one.session, one.reason) for one in settled.overdue} == {
        ("BBB", str(NEW_YORK[34]), NO_PRICE)
    }
    assert settled.pending == 2  # AAA and CCC, of the last evening


def test_a_session_that_the_prices_no_longer_have_is_named(tmp_path: Path) -> None:
    live = Live(tmp_path)
    live.now = moment(f"{NEW_YORK[30]} 12:00")
    live.begin()
    live.evenings(NEW_YORK[30:31])
    whole = live.prices["AAA"]
    with FeatureStore.create(live.database) as store:
        kept = np.arange(29)
        store.replace("AAA", PriceBars(whole.time[kept], whole.close[kept], whole.factor[kept]), "file")
    live.now = moment(f"{NEW_YORK[31]} 22:00")
    [missing] = [one for one in live.settle().overdue if one.share_id == "AAA"]
    assert missing.reason == NO_SESSION


def test_two_horizons_come_due_each_in_its_time(tmp_path: Path) -> None:
    live = Live(tmp_path)
    far = dataclasses.replace(CHAMPION, digest="c" * 64, horizon=20)
    live.now = moment(f"{NEW_YORK[30]} 12:00")
    live.begin((CHAMPION, "champion"), (far, "champion"))
    live.evenings(NEW_YORK[30:31])
    live.predict(NEW_YORK[30], far)
    live.evenings(NEW_YORK[31:50])
    assert {one[2] for one in outcomes(live.path) if one[1] == str(NEW_YORK[30])} == {str(NEW_YORK[31])}
    live.evenings(NEW_YORK[50:51])
    assert {one[2] for one in outcomes(live.path) if one[1] == str(NEW_YORK[30])} == {
        str(NEW_YORK[31]),
        str(NEW_YORK[50]),
    }


@given(seed=st.integers(0, 10**6), horizon=st.sampled_from([1, 3]), hour=st.integers(0, 300))
@settings(max_examples=25, deadline=None)
def test_outcomes_that_are_passed_over_at_once_are_those_that_a_look_at_each_leaves(
    seed: int, horizon: int, hour: int
) -> None:
    """After prices were restated, taken out or split, and by a clock that may stand before some were due."""
    generator = np.random.default_rng(seed)
    with TemporaryDirectory() as folder:
        live = Live(Path(folder))
        model = dataclasses.replace(CHAMPION, horizon=horizon)
        live.now = moment(f"{NEW_YORK[20]} 12:00")
        live.begin((model, "champion"))
        live.evenings(NEW_YORK[20:30], model)
        for share, known in live.prices.items():
            days = np.flatnonzero(generator.random(80) < 0.97)
            close = np.where(generator.random(80) < 0.1, known.close + 1, known.close)[days]
            # Beside real splits, differences in the last digits that are none.
            factor = np.cumprod(1 + generator.choice([0, 1e-14, 1e-9, 1], 80, p=[0.9, 0.04, 0.03, 0.03]))[days]
            live.prices[share] = PriceBars(known.time[days], close, factor)
        live.database.unlink()
        live.store(str(NEW_YORK[30]))
        live.now = moment(f"{NEW_YORK[20]} 12:00") + dt.timedelta(hours=hour)
        with Ledger.create(live.path, lambda: live.now) as ledger, FeatureStore.open(live.database) as store:
            at_once = find_due(ledger, store)
            with pytest.MonkeyPatch.context() as patches:
                patches.setattr(outcomes_module._Prices, "_settled", lambda self, rows, deadlines: [False] * len(rows))
                assert find_due(ledger, store) == at_once


@pytest.mark.parametrize(("worth", "left"), [(-0.3, 0.7), (-1.0, 1e-200)])
def test_what_a_delisted_share_was_worth_settles_its_last_predictions(
    tmp_path: Path, worth: float, left: float
) -> None:
    """As in the examples: its return is that of the next session, and what is left is cash until the fifth."""
    live = Live(tmp_path)
    live.prices["AAA"] = bars(NEW_YORK[:31], 0)
    live.now = moment(f"{NEW_YORK[28]} 12:00")
    live.begin((dataclasses.replace(CHAMPION, horizon=5), "champion"))
    assert live.evenings(NEW_YORK[28:31], dataclasses.replace(CHAMPION, horizon=5)).pending == 9
    live.store(str(NEW_YORK[36]))
    live.now = moment(f"{NEW_YORK[34]} 23:00")
    assert [(one.share_id, one.reason) for one in live.settle().overdue] == 2 * [("AAA", NO_PRICE)]

    first = NEW_YORK[0].item()
    spells = [*(Spell(share, first) for share in live.shares[1:]), Spell("AAA", first, NEW_YORK[30].item(), worth)]
    with FeatureStore.create(live.database) as store:
        store.listings.put_members(spells)
    settled = live.settle()
    assert ([one.due for one in settled.due], settled.overdue) == ([str(day) for day in NEW_YORK[33:35]], ())
    assert settled.pending == 3  # the last evening's come due on the next session
    live.now = moment(f"{NEW_YORK[35]} 23:00")
    assert live.settle().new == 3
    close = live.prices["AAA"].close
    found = [row for row in outcomes(live.path) if row[0] == "AAA"]
    assert found == [
        ("AAA", str(NEW_YORK[at]), str(NEW_YORK[at + 5]), close[at], close[30], left, "down") for at in (28, 29, 30)
    ]
    ahead = [simple_return(*row[3:6]) for row in found]
    assert ahead == ([-1.0] * 3 if worth == -1 else pytest.approx([0.7 * row[4] / row[3] - 1 for row in found]))
    assert live.settle().due == ()
    assert verify(live.path, now=live.now).sound
