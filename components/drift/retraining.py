"""Whether a model is to be trained again, and why: a decision in words, and nothing is done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from components.drift.features import FeatureDrift
from components.drift.losses import LossDrift

RETRAIN_AFTER = 250
"""Sessions after which a model is trained again in any case. On four panels of real prices models two years old had a
rank IC that was lower by 0.006 to 0.010, models one week old none that was."""


class Cause(Enum):
    """Why a model is to be trained again."""

    AGE = "age"
    FEATURES = "features"
    LOSS = "loss"


@dataclass(frozen=True)
class Reason:
    """One reason to train again."""

    cause: Cause
    words: str


@dataclass(frozen=True)
class Retraining:
    """What is due.

    Attributes:
        reasons: to train again; none where nothing is due.
        held: what looks broken in the data; training now would learn it.
    """

    reasons: tuple[Reason, ...]
    held: tuple[str, ...]

    @property
    def due(self) -> bool:
        """Whether to train now."""
        return bool(self.reasons) and not self.held


def due(
    sessions: int,
    *,
    retrain_after: int = RETRAIN_AFTER,
    features: FeatureDrift | None = None,
    losses: Sequence[LossDrift] = (),
) -> Retraining:
    """Decides whether the champion is trained again.

    Args:
        sessions: since the last one that the champion was trained on.
        retrain_after: sessions after which it is trained again in any case; 0 for never.
        features: what it sees now; None if that is not known.
        losses: its live losses, each measure that is watched.

    Raises:
        ValueError: a number of sessions is out of its range.
    """
    if sessions < 0 or retrain_after < 0:
        raise ValueError("need sessions >= 0 and retrain_after >= 0")
    reasons = []
    if 0 < retrain_after <= sessions:
        words = f"{sessions:,} sessions since the last one that it was trained on, {retrain_after:,} are allowed"
        reasons.append(Reason(Cause.AGE, words))
    if features is not None:
        reasons += [Reason(Cause.FEATURES, alarm.words) for alarm in features.drifted]
    reasons += [Reason(Cause.LOSS, loss.words) for loss in losses if loss.rings]
    held = () if features is None else tuple(alarm.words for alarm in features.faults)
    return Retraining(tuple(reasons), held)
