"""When a model is to be trained again, and why."""

from __future__ import annotations

import pytest

from components.drift.features import Alarm, FeatureDrift, Kind
from components.drift.losses import LossDrift
from components.drift.retraining import RETRAIN_AFTER, Cause, due

FAR = Alarm(Kind.DISTANCE, "log_volatility", "log_volatility is far")
EMPTY = Alarm(Kind.MISSING, "returns", "returns are missing")
CALM = LossDrift("log loss", (0.0, 0.3), 9.0, None, 0.69, 0.69)
WORSE = LossDrift("rank IC", (5.0, 11.0), 9.0, 1, -0.02, 0.01)


def drift(*alarms: Alarm) -> FeatureDrift:
    return FeatureDrift("2020-01-02", alarms, ())


def test_a_young_model_without_drift_is_left_alone() -> None:
    found = due(RETRAIN_AFTER - 1, features=drift(), losses=[CALM])
    assert (found.due, found.reasons, found.held) == (False, (), ())
    assert due(0).reasons == ()


def test_an_old_model_is_trained_again() -> None:
    [reason] = due(RETRAIN_AFTER).reasons
    assert reason.cause is Cause.AGE
    assert reason.words == "250 sessions since the last one that it was trained on, 250 are allowed"
    assert due(RETRAIN_AFTER).due
    assert due(20, retrain_after=20).due
    assert not due(9999, retrain_after=0).due


def test_drift_and_losses_are_reasons_in_their_own_words() -> None:
    found = due(3, features=drift(FAR), losses=[CALM, WORSE])
    assert found.due
    assert [(reason.cause, reason.words) for reason in found.reasons] == [
        (Cause.FEATURES, FAR.words),
        (Cause.LOSS, WORSE.words),
    ]


def test_nothing_is_trained_on_data_that_looks_broken() -> None:
    found = due(400, features=drift(EMPTY, FAR))
    assert not found.due
    assert [reason.cause for reason in found.reasons] == [Cause.AGE, Cause.FEATURES]
    assert found.held == (EMPTY.words,)
    assert due(3, features=drift(EMPTY)).reasons == ()


@pytest.mark.parametrize(("sessions", "after"), [(-1, 250), (3, -1)])
def test_sessions_out_of_range_are_refused(sessions: int, after: int) -> None:
    with pytest.raises(ValueError, match="sessions"):
        due(sessions, retrain_after=after)
