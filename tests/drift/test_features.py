"""What rings and what does not when a model's features are compared with training."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from made_sessions import SHARES, STEPS, Features, made_features, made_sessions

from components.drift.features import Kind, feature_drift
from components.drift.reference import LEAST_SESSIONS, Reference, make_reference
from components.drift.sessions import Session, summarise
from components.records import from_json, to_json

TRAINING = 500


@pytest.fixture(scope="module")
def training() -> list[Session]:
    return made_sessions(TRAINING, np.random.default_rng(7))


@pytest.fixture(scope="module")
def reference(training: list[Session]) -> Reference:
    return make_reference(iter(training))


@pytest.fixture
def latest() -> list[Session]:
    return made_sessions(19, np.random.default_rng(8), "2003-01-01")


def today(change: Callable[[Features], Features], latest: list[Session]) -> list[Session]:
    return [*latest, summarise("2003-02-03", change(made_features(np.random.default_rng(9))))]


def test_the_same_market_rings_nothing(reference: Reference, latest: list[Session]) -> None:
    found = feature_drift(reference, today(lambda features: features, latest))
    assert found.alarms == ()
    assert found.day == "2003-02-03"
    assert [(one.feature, one.stretch) for one in found.distances] == [
        ("returns", 1),
        ("returns", 20),
        ("log_volatility", 1),
        ("log_volatility", 20),
    ]


def ranks(count: int, rng: np.random.Generator) -> Features:
    return {"rank": (rng.permutation(count) + 0.5) / count - 0.5}


def test_a_share_less_is_no_drift_of_ranks_within_the_day() -> None:
    """They are the same numbers every day, dealt out otherwise: nothing of training is far from the rest of it."""
    rng = np.random.default_rng(3)
    days = np.busday_offset("2000-01-03", np.arange(TRAINING + 20)).astype(str)
    made = [summarise(day, ranks(12, rng)) for day in days]
    reference = make_reference(made[:TRAINING])
    for count in (11, 9, 7):
        lacking = [*made[TRAINING:-1], summarise(days[-1], ranks(count, rng))]
        assert [one for one in feature_drift(reference, lacking).alarms if one.kind is Kind.DISTANCE] == []
    moved = [*made[TRAINING:-1], summarise(days[-1], {"rank": ranks(12, rng)["rank"] + 0.1})]
    assert Kind.DISTANCE in {one.kind for one in feature_drift(reference, moved).alarms}


@pytest.mark.parametrize("feature", ["returns", "log_volatility"])
@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        (np.nan, {Kind.MISSING}),
        (np.inf, {Kind.MISSING}),
        (0.0, {Kind.CONSTANT}),
        (99.0, {Kind.CONSTANT, Kind.OUTSIDE, Kind.DISTANCE}),
    ],
)
def test_a_feature_of_one_value_rings_always(
    feature: str, value: float, kinds: set[Kind], reference: Reference, latest: list[Session]
) -> None:
    sessions = today(lambda features: {**features, feature: np.full_like(features[feature], value)}, latest)
    found = feature_drift(reference, sessions)
    assert {alarm.feature for alarm in found.alarms} == {feature}
    assert {alarm.kind for alarm in found.alarms} >= kinds
    assert {alarm.kind for alarm in found.faults} == kinds - {Kind.OUTSIDE, Kind.DISTANCE}


def test_one_step_of_a_sequence_is_enough(reference: Reference, latest: list[Session]) -> None:
    def spoil(features: Features) -> Features:
        features["returns"][:, 2] = np.nan
        return features

    [alarm] = feature_drift(reference, today(spoil, latest)).alarms
    assert alarm.words == (
        f"returns (1 of {STEPS} steps): 100 % of its values are missing or infinite, in training 0 % at the most"
    )


def test_a_feature_that_is_not_there_rings(reference: Reference, latest: list[Session]) -> None:
    sessions = today(lambda features: {"returns": features["returns"]}, latest)
    found = feature_drift(reference, sessions)
    assert [(one.kind, one.feature) for one in found.faults] == [
        (Kind.ABSENT, "log_volatility"),
        (Kind.ABSENT, "share"),
    ]


def test_half_of_the_shares_ring(reference: Reference, latest: list[Session]) -> None:
    half = SHARES // 2
    sessions = today(lambda features: {name: values[:half] for name, values in features.items()}, latest)
    found = feature_drift(reference, sessions)
    assert Kind.FEW_ROWS in {alarm.kind for alarm in found.faults}
    assert found.faults[0].words == f"{half} shares have a window, where {SHARES} had before"
    alone = feature_drift(reference, sessions[-1:])
    assert Kind.FEW_ROWS in {alarm.kind for alarm in alone.faults}


def test_shares_that_training_did_not_have_ring(reference: Reference, latest: list[Session]) -> None:
    sessions = today(lambda features: {**features, "share": features["share"] + SHARES // 2}, latest)
    [alarm] = feature_drift(reference, sessions).alarms
    assert (alarm.kind, alarm.words) == (Kind.UNKNOWN, "share: training had none like 50 % of its values")


def test_a_category_that_is_new_every_session_rings_nothing(training: list[Session], latest: list[Session]) -> None:
    def with_day(sessions: list[Session], first: int) -> list[Session]:
        day = summarise("2003-01-01", {"day": np.zeros(SHARES, np.int64)}).categories[0]
        return [
            replace(one, categories=(*one.categories, replace(day, values=(first + at,))))
            for at, one in enumerate(sessions)
        ]

    reference = make_reference(with_day(training, 0))
    assert feature_drift(reference, with_day(latest, 5000)).alarms == ()


@pytest.mark.parametrize(("stretch", "shift", "sessions"), [(1, 3.0, 1), (20, 0.8, 20)])
def test_a_shift_rings_in_the_stretch_that_sees_it(
    stretch: int, shift: float, sessions: int, reference: Reference
) -> None:
    rng = np.random.default_rng(10)
    latest = []
    for at, day in enumerate(np.busday_offset("2003-01-01", np.arange(20))):
        features = made_features(rng)
        features["log_volatility"] += shift * (at >= 20 - sessions)
        latest.append(summarise(day, features))
    found = feature_drift(reference, latest)
    assert (stretch, "log_volatility") in {(one.stretch, one.feature) for one in found.distances if one.rings}
    assert not found.faults
    assert all("quartile ranges from training, " in alarm.words for alarm in found.drifted)


def test_longer_stretches_wait_for_their_sessions(reference: Reference, latest: list[Session]) -> None:
    assert {one.stretch for one in feature_drift(reference, latest).distances} == {1}


def test_what_was_missing_and_constant_in_training_rings_nothing(latest: list[Session]) -> None:
    def spoiled(features: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        features["returns"][:10] = np.nan
        features["log_volatility"][:] = 2.0
        return features

    rng = np.random.default_rng(11)
    days = np.busday_offset("2001-01-01", np.arange(260))
    reference = make_reference([summarise(day, spoiled(made_features(rng))) for day in days])
    found = feature_drift(reference, [summarise("2003-01-02", spoiled(made_features(rng)))])
    assert found.alarms == ()
    assert np.isnan([one.distance for one in found.distances if one.feature == "log_volatility"]).all()
    [alarm] = feature_drift(
        reference, [summarise("2003-01-02", spoiled(made_features(rng)) | {"log_volatility": np.full(30, 2.5)})]
    ).alarms
    assert (alarm.kind, alarm.feature) == (Kind.OUTSIDE, "log_volatility")


def test_a_reference_is_read_back_as_it_was_written(reference: Reference) -> None:
    assert from_json(Reference, to_json(reference, indent=None)) == reference


def test_training_that_is_too_short_or_not_in_order_is_refused(training: list[Session]) -> None:
    with pytest.raises(ValueError, match=f"need {LEAST_SESSIONS}"):
        make_reference(training[: LEAST_SESSIONS - 1])
    with pytest.raises(ValueError, match="in order"):
        make_reference(training[:3] + training[:1])
    with pytest.raises(ValueError, match="stands where returns was"):
        make_reference([*training[:3], summarise("2020-01-02", {"log_volatility": np.ones(3), "returns": np.ones(3)})])


def test_no_session_and_other_steps_are_refused(reference: Reference) -> None:
    with pytest.raises(ValueError, match="one at least"):
        feature_drift(reference, [])
    with pytest.raises(ValueError, match="other steps"):
        feature_drift(reference, [summarise("2020-01-02", {"returns": np.ones((3, 2))})])
