"""Where the folds of a walk lie: consecutive test stretches of one length that end with the data.

    expanding   |---------- train ----------| eval |e| test 1 |
                |--------------- train --------------| eval |e| test 2 |
    rolling     |---------- train ----------| eval |e| test 1 |
                         |---------- train ----------| eval |e| test 2 |

Each fold is one `SplitSettings`, so purge and embargo are those of every run. The border between eval and test lies an
embargo (e) before the first tested session: the embargo is taken off the days before the test stretch and not off the
stretch itself, so that the stretches follow each other without a gap. Plain NumPy, no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from components.errors import SplitError
from components.feature_example_gen.splits import (
    Dates,
    SplitPlan,
    SplitSettings,
    describe_plan,
    fractions_words,
    plan_splits,
)

_DAY = np.timedelta64(1, "D")
_MOST_SESSIONS = 1_000_000
"""More sessions than any market has had; what does not fit into them never does."""


@dataclass(frozen=True)
class WalkSettings:
    """What the user asks of a walk.

    Attributes:
        folds: how often the pipeline is refit.
        rolling: whether train keeps its length and moves; else it grows from the first session on.
        first_test: no session before this one is tested, ISO; it replaces the fraction.
        test_fraction: the part of the sessions that is tested, at the most.
    """

    folds: int = 5
    rolling: bool = False
    first_test: str | None = None
    test_fraction: float = 0.5

    def __post_init__(self) -> None:
        """Checks the settings.

        Raises:
            SplitError: a setting makes no sense; the message names it.
        """
        if self.folds < 1:
            raise SplitError(f"folds {self.folds}: a walk needs at least one")
        if not 0 < self.test_fraction < 1:
            raise SplitError(f"test fraction {self.test_fraction} must lie between 0 and 1")


@dataclass(frozen=True)
class Stretch:
    """The sessions of a split whose rows are used, the embargo taken off and the purge not; ISO dates."""

    first: str
    last: str
    sessions: int


@dataclass(frozen=True)
class Fold:
    """One fold of a walk.

    Attributes:
        number: from 1, in order of time.
        splits: its bounds and borders; the horizon that is trained is the walk's own matter.
        train: what is learned from.
        evaluation: what decides when learning stops.
        test: what is reported.
    """

    number: int
    splits: SplitSettings
    train: Stretch
    evaluation: Stretch
    test: Stretch


def plan_folds(sessions: Dates, walk: WalkSettings, splits: SplitSettings) -> tuple[Fold, ...]:
    """Lays out the folds and checks every one of them.

    Args:
        sessions: every session of the data, ascending and distinct, shape [sessions].
        walk: what was asked for.
        splits: embargo and horizons, which are taken over, and fractions: train and eval keep their proportion. Its
            dates and bounds are not looked at.

    Returns:
        The folds in order of time. Their test stretches are equally long, follow each other without a gap and end with
        the data; what does not divide by the number of folds is left to the first train.

    Raises:
        SplitError: the data is too short for so many folds; the message names the sessions that would do.
    """
    earliest = None if walk.first_test is None else _first_tested(sessions, walk.first_test)
    try:
        return _folds(sessions, walk, splits, earliest)
    except SplitError as error:
        raise SplitError(_too_short(sessions, walk, splits, earliest)) from error


def _first_tested(sessions: Dates, text: str) -> int:
    # The date is checked where all dates of splits are.
    try:
        SplitSettings(start=text)
    except SplitError:
        raise SplitError(f"first test {text!r} is not a date such as 2019-06-03") from None
    first = int(np.searchsorted(sessions, np.datetime64(text, "D")))
    if first in (0, len(sessions)):
        raise SplitError(
            f"first test {text} lies outside the data, which has {len(sessions)} sessions from {sessions[0]} to "
            f"{sessions[-1]}"
        )
    return first


def _folds(sessions: Dates, walk: WalkSettings, splits: SplitSettings, earliest: int | None) -> tuple[Fold, ...]:
    """The folds, or the SplitError of the first that is too short."""
    count = len(sessions)
    tested = count - earliest if earliest is not None else int(count * walk.test_fraction)
    length = tested // walk.folds
    if not length:
        raise SplitError("a test stretch has no session")
    first = count - length * walk.folds
    train, evaluation, _ = splits.fractions
    # The borders of the first fold; a rolling walk moves all of them, an expanding one lets train and eval grow.
    before = first - splits.embargo
    folds = []
    for number in range(1, walk.folds + 1):
        moved = (number - 1) * length
        start = moved if walk.rolling else 0
        test = before + moved
        eval_ = test - round((test - start) * evaluation / (train + evaluation))
        end = first + moved + length
        if not start < eval_ < test:
            raise SplitError("train or eval has no session")
        fold = replace(
            splits,
            start=str(sessions[start]),
            dates=(str(sessions[eval_]), str(sessions[test])),
            # The last one ends with a date too: what is stored later is none of its business.
            end=str(sessions[end] if end < count else sessions[-1] + _DAY),
        )
        folds.append(_fold(number, fold, plan_splits(sessions, fold)))
    return tuple(folds)


def _fold(number: int, splits: SplitSettings, plan: SplitPlan) -> Fold:
    train, evaluation, test = (Stretch(first, last, count) for _, first, last, count in describe_plan(plan))
    return Fold(number, splits, train, evaluation, test)


def _too_short(sessions: Dates, walk: WalkSettings, splits: SplitSettings, earliest: int | None) -> str:
    """Why there is no plan, and what would do: sessions, folds or a later first test."""

    def fits(count: int, folds: int) -> bool:
        # Only how many sessions there are matters, not which.
        days = np.datetime64("1700-01-01") + np.arange(count)
        try:
            _folds(days, replace(walk, folds=folds), splits, earliest)
        except SplitError:
            return False
        return True

    count = len(sessions)
    many = f"{walk.folds} fold{'' if walk.folds == 1 else 's'}"
    text = f"the data is too short for {many}: it has {count} sessions"
    if earliest is not None:
        text += f", {count - earliest} of them from {walk.first_test} on"
    needed = _least(count, lambda size: fits(size, walk.folds))
    text += f", and {needed} would do" if needed else ", and train needs more of them before the first test"
    fewer = next((folds for folds in range(walk.folds - 1, 0, -1) if fits(count, folds)), 0)
    split = None if earliest is not None and not needed else _other_fractions(sessions, walk, splits, earliest)
    if split is not None:
        text += f"; of these, {fractions_words(split)}"
    if fewer:
        text += f"{'; of these' if split is None else ' or'}, --folds {fewer}"
    elif earliest is not None and not needed:
        text += "; name a later --first-test"
    return text


def _other_fractions(
    sessions: Dates, walk: WalkSettings, splits: SplitSettings, earliest: int | None
) -> tuple[float, float, float] | None:
    """The fractions nearest to those that were asked for with which the folds fit; None where there are none."""
    train, evaluation, _ = splits.fractions
    parts = round(20 * (train + evaluation))
    for other in sorted(range(1, parts), key=lambda part: abs(part / 20 - evaluation)):
        fractions = (round((parts - other) / 20, 2), round(other / 20, 2), round(1 - parts / 20, 2))
        try:
            _folds(sessions, walk, replace(splits, fractions=fractions), earliest)
        except SplitError:
            continue
        return fractions
    return None


def _least(low: int, fits: Callable[[int], bool]) -> int:
    """The least number above `low` that fits; 0 where none does."""
    high = 2 * max(low, 1)
    while not fits(high):
        high *= 2
        if high > _MOST_SESSIONS:
            return 0
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if fits(middle) else (middle, high)
    return high


def describe_fold(fold: Fold) -> Sequence[tuple[str, Stretch]]:
    """The stretches of a fold by the name of their split, in order of time."""
    return (("train", fold.train), ("eval", fold.evaluation), ("test", fold.test))
