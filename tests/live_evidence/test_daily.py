from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from components.live_evidence import Parameters, daily_gains, daily_rank_ics

_PARAMETERS = Parameters(base_rate=0.52, base_rate_days=10)


def test_rank_ics_stand_at_their_sessions() -> None:
    rng = np.random.default_rng(0)
    sessions = rng.permutation(np.repeat([0, 2, 3], 5))
    scores, forward = rng.integers(0, 3, 15) / 3, rng.standard_normal(15)
    found = daily_rank_ics(scores, forward, sessions, 5)
    for session in (0, 2, 3):
        rows = sessions == session
        assert found[session] == pytest.approx(stats.spearmanr(scores[rows], forward[rows])[0])
    assert np.isnan(found[[1, 4]]).all()


def test_a_day_of_equal_predictions_has_no_bet() -> None:
    found = daily_rank_ics(np.full(6, 0.5), np.arange(6.0), np.repeat([0, 1], 3), 2)
    assert np.isnan(found).all()
    gains = daily_gains(np.ones(3), np.full(3, 0.52), np.zeros(3, int), 2, _PARAMETERS)
    assert np.isnan(gains).all()


@pytest.mark.parametrize("horizon", [1, 4])
def test_a_gain_is_the_log_loss_saved_as_a_part_of_the_most(horizon: int) -> None:
    rng = np.random.default_rng(1)
    parameters = replace(_PARAMETERS, horizon=horizon)
    sessions = np.repeat(np.arange(30), rng.integers(1, 5, 30))
    labels = rng.integers(0, 2, len(sessions)).astype(float)
    labels[rng.random(len(sessions)) < 0.1] = np.nan
    stated = rng.random(len(sessions))
    found = daily_gains(labels, stated, sessions, 30, parameters)
    for session in range(30):
        before = [labels[(sessions == s) & ~np.isnan(labels)] for s in range(session - horizon + 1)]
        rises = [ups.mean() for ups in before if len(ups)]
        base = (10 * 0.52 + sum(rises)) / (10 + len(rises))
        won = most = 0.0
        for label, chance in zip(labels[sessions == session], stated[sessions == session], strict=True):
            chance = min(max(chance, 0.01), 0.99)
            up, down = math.log(chance / base), math.log((1 - chance) / (1 - base))
            won += 0.0 if math.isnan(label) else up if label else down
            most += max(abs(up), abs(down))
        assert found[session] == pytest.approx(won / most, abs=1e-12)


def test_the_base_rate_knows_no_outcome_that_is_not_due() -> None:
    parameters = replace(_PARAMETERS, horizon=3)
    sessions, stated = np.repeat(np.arange(12), 2), np.linspace(0.3, 0.7, 24)
    labels = np.tile([1.0, 1.0, 0.0], 8)
    other = labels.copy()
    other[10] = 1 - other[10]
    found, changed = (daily_gains(one, stated, sessions, 12, parameters) for one in (labels, other))
    assert list(np.flatnonzero(found != changed)) == [5, 8, 9, 10, 11]


def test_the_surest_answer_is_not_infinitely_wrong() -> None:
    gains = daily_gains(np.array([0.0, 1.0]), np.array([1.0, 1.0]), np.array([0, 1]), 2, _PARAMETERS)
    assert gains[0] == -1
    assert 0 < gains[1] < 1


def test_a_record_without_rows_has_sessions() -> None:
    none = np.array([])
    assert np.isnan(daily_gains(none, none, none.astype(int), 3, _PARAMETERS)).all()
    assert np.isnan(daily_rank_ics(none, none, none.astype(int), 3)).all()


@pytest.mark.parametrize(
    ("labels", "stated", "sessions", "message"),
    [
        ([2.0], [0.5], [0], "labels"),
        ([1.0], [1.5], [0], "within"),
        ([1.0], [np.nan], [0], "nan"),
        ([1.0, 0.0], [0.5], [0], "each row"),
        ([1.0], [0.5], [3], "session 3"),
        ([1.0], [0.5], [-1], "whole number"),
        ([1.0], [0.5], [0.5], "whole number"),
    ],
)
def test_rows_that_make_no_sense_are_refused(
    labels: list[float], stated: list[float], sessions: list[float], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        daily_gains(np.array(labels), np.array(stated), np.array(sessions), 3, _PARAMETERS)
