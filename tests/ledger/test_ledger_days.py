"""What counts as evidence, day by day; what people are shown; and past predictions computed once more."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from live_records import CHALLENGER, CHAMPION, NEW_YORK, PARAMETERS, Live, lived, moment, says

from components.feature_store import PriceBars
from components.ledger.days import LiveDay, day_summaries, live_days, live_series
from components.ledger.file import Ledger
from components.ledger.recomputing import recompute
from components.ledger.setting_up import declare, install


def days_of(live: Live, series: int = 0) -> list[LiveDay]:
    with Ledger.open(live.path) as ledger:
        return list(live_days(ledger, live_series(ledger)[series]))


def begun(folder: Path) -> Live:
    live = Live(folder)
    live.now = moment(f"{NEW_YORK[30]} 12:00")
    live.begin()
    return live


def test_a_day_has_the_predictions_and_what_came_of_them(tmp_path: Path) -> None:
    live = lived(tmp_path, 4)
    days = days_of(live)
    assert [day.session for day in days] == NEW_YORK[20:24].astype(str).tolist()
    assert [(day.share_ids, day.pending) for day in days] == [(("AAA", "BBB", "CCC"), 0)] * 3 + [((), 3)]
    day = days[1]
    closes = np.array([live.prices[share].close for share in day.share_ids])
    windows = closes[:, 1:22][:, ::-1].astype(np.float32)
    np.testing.assert_array_equal(day.probability, says(day.share_ids, windows))
    np.testing.assert_allclose(day.ahead, closes[:, 22] / closes[:, 21] - 1, rtol=1e-15, atol=1e-15)
    np.testing.assert_array_equal(day.up, closes[:, 22] > closes[:, 21])


def test_late_predictions_do_not_count(tmp_path: Path) -> None:
    live = begun(tmp_path)
    live.evenings(NEW_YORK[30:32])
    live.now = moment(f"{NEW_YORK[34]} 12:00")
    live.predict(NEW_YORK[32])  # two sessions too late
    live.evenings(NEW_YORK[34:36])
    assert [day.session for day in days_of(live)] == NEW_YORK[[30, 31, 34, 35]].astype(str).tolist()
    with Ledger.open(live.path) as ledger:
        [late] = [day for day in day_summaries(ledger, 9) if day.late]
    assert (late.session, late.predicted, late.late, late.due) == (str(NEW_YORK[32]), 3, 3, 3)


def test_the_first_prediction_on_time_counts_and_the_latest_outcome(tmp_path: Path) -> None:
    live = begun(tmp_path)
    live.evenings(NEW_YORK[30:31])
    first = live.forecasts(NEW_YORK[30]).probability
    whole = live.prices["AAA"]
    close = whole.close.copy()
    close[25], close[31] = 1.0, 2 * close[30]
    live.prices["AAA"] = PriceBars(whole.time, close, whole.factor)
    live.predict(NEW_YORK[30])
    live.evenings(NEW_YORK[31:32])
    [day, _] = days_of(live)
    np.testing.assert_array_equal(day.probability, first)
    assert day.ahead[0] == 1.0
    close[31] = 3 * close[30]
    live.prices["AAA"] = PriceBars(whole.time, close, whole.factor)
    live.evenings(NEW_YORK[32:33])
    assert days_of(live)[0].ahead[0] == 2.0


def test_only_the_reigning_champion_counts(tmp_path: Path) -> None:
    live = begun(tmp_path)
    with live.ledger() as ledger:
        install(ledger, CHALLENGER, "challenger")
    for place in (30, 31):
        live.evenings(NEW_YORK[place : place + 1])
        live.predict(NEW_YORK[place], CHALLENGER)
    champion = [live.forecasts(NEW_YORK[place]).probability for place in (30, 31)]
    with live.ledger() as ledger:
        install(ledger, CHALLENGER)
    live.predict(NEW_YORK[31], dataclasses.replace(CHAMPION))  # known already, and no longer what counts
    live.evenings(NEW_YORK[32:35], CHALLENGER)
    days = days_of(live)
    assert [len(day.share_ids) for day in days] == [3, 3, 3, 3, 0]
    for day, probability in zip(days, champion, strict=False):
        np.testing.assert_array_equal(day.probability, probability)
    with Ledger.open(live.path) as ledger:
        roles = {(day.model, day.role) for day in day_summaries(ledger, 9)}
    assert roles == {("linear aaaaaaaa", "replaced"), ("rnn bbbbbbbb", "champion")}


def test_other_parameters_begin_another_series(tmp_path: Path) -> None:
    live = lived(tmp_path, 3)
    with live.ledger() as ledger:
        declare(ledger, 1, {**PARAMETERS, "alpha": 0.01})
        declare(ledger, 20, PARAMETERS)  # of another horizon
    live.evenings(NEW_YORK[23:26])
    with Ledger.open(live.path) as ledger:
        series = live_series(ledger)
    assert [(one.horizon, one.end is None) for one in series] == [(1, False), (1, True), (20, True)]
    assert '"alpha":0.01' in series[1].parameters
    assert [day.session for day in days_of(live, 0)] == NEW_YORK[20:23].astype(str).tolist()
    assert [day.session for day in days_of(live, 1)] == NEW_YORK[23:26].astype(str).tolist()
    assert days_of(live, 2) == []


def test_an_unchanged_close_is_neither_up_nor_down(tmp_path: Path) -> None:
    live = begun(tmp_path)
    whole = live.prices["BBB"]
    close = whole.close.copy()
    close[31] = close[30]
    live.prices["BBB"] = PriceBars(whole.time, close, whole.factor)
    live.evenings(NEW_YORK[30:32])
    day = days_of(live)[0]
    assert np.isnan(day.up).tolist() == [False, True, False]
    assert day.ahead[1] == 0
    with Ledger.open(live.path) as ledger:
        assert [(one.due, one.moved) for one in day_summaries(ledger, 9)] == [(0, 0), (3, 2)]


def test_summaries_count_what_was_right(tmp_path: Path) -> None:
    live = lived(tmp_path, 6)
    with Ledger.open(live.path) as ledger:
        summaries = day_summaries(ledger, 3)
    assert [one.session for one in summaries] == NEW_YORK[[25, 24, 23]].astype(str).tolist()
    for summary, day in zip(summaries, reversed(days_of(live)[3:]), strict=True):
        assert (summary.predicted, summary.due) == (3, len(day.share_ids))
        assert summary.right == np.count_nonzero((day.probability > 0.5) == (day.up == 1))


def test_every_prediction_is_computed_again_to_the_bit(tmp_path: Path) -> None:
    live = lived(tmp_path, 5)
    with Ledger.open(live.path) as ledger:
        again = recompute(ledger, CHAMPION.digest, says)
        assert (again.predictions, again.different) == (15, ())

        def by_a_bit(names: list[str], closes: np.ndarray) -> np.ndarray:
            answer = says(names, closes)
            answer[7] = np.nextafter(answer[7], 1)
            return answer[:, None]

        [wrong] = recompute(ledger, CHAMPION.digest, by_a_bit).different
        assert (wrong.share_id, wrong.session) == ("BBB", str(NEW_YORK[22]))
        assert wrong.computed == pytest.approx(wrong.written)
        assert recompute(ledger, CHALLENGER.digest, says).predictions == 0
