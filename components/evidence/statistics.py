"""Statistics of scores against what happened, with intervals that respect days (resampling.py).

Throughout, ``labels`` is an array [rows] of 0 and 1 (1: the close was higher after the horizon), ``scores`` an array
[rows] that is larger where "up" is thought likelier, ``probabilities`` such scores within [0, 1], and ``days`` an array
[rows] of anything that sorts in time (datetime64, ISO strings, integers). Rows may come in any order. Lengths that
differ, labels other than 0 and 1, and scores that are not numbers raise ``ValueError``: they are defects of the caller,
not of the user.

What no interval mends: a score that wanders over the whole of the test split, such as a price's level, has an AUC at
long horizons that is itself biased against chance (on a market without signal of 20 shares and 580 days its mean was
0.455 at horizon 20). Scores should be relative to their window.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from components.evidence.interval import Interval
from components.evidence.resampling import DayBlocks

_NAN = float("nan")


@dataclass(frozen=True, eq=False)
class RocCurve:
    """A receiver operating characteristic, from (0, 0) to (1, 1).

    Attributes:
        false_positive_rate: array [points], ascending; nan if there is no negative label.
        true_positive_rate: array [points], ascending; nan if there is no positive label.
        threshold: array [points], descending; a row counts as "up" when its score is at least this. The first is inf.
        positives: rows labelled 1.
        negatives: rows labelled 0.
    """

    false_positive_rate: NDArray[Any]
    true_positive_rate: NDArray[Any]
    threshold: NDArray[Any]
    positives: int
    negatives: int


@dataclass(frozen=True, eq=False)
class CalibrationCurve:
    """What was predicted against what happened, in bins of (nearly) equal size, ascending.

    Attributes:
        predicted: array [bins], mean probability of the bin's rows.
        observed: array [bins], share of the bin's rows labelled 1.
        count: array [bins] of int, rows in the bin.
    """

    predicted: NDArray[Any]
    observed: NDArray[Any]
    count: NDArray[Any]


class GroupAuc(NamedTuple):
    """The AUC of one group of rows; unpacks as ``group, auc, rows``."""

    group: Any
    auc: float
    rows: int


def auc(labels: NDArray[Any], scores: NDArray[Any], weights: NDArray[Any] | None = None) -> float:
    """Area under the ROC curve: the chance that a random "up" row scores above a random "down" row, ties counting half.

    Exact (no thresholds), in O(rows log rows).

    Args:
        labels: array [rows] of 0 and 1.
        scores: array [rows].
        weights: array [rows] of finite weights >= 0; all 1 if None.

    Returns:
        The AUC within [0, 1]; nan if one of the two classes has no row or no weight.

    Raises:
        ValueError: lengths differ, or a value is out of its range.
    """
    positive, ranked = checked(labels, scores)
    weight = np.ones(len(ranked)) if weights is None else np.asarray(weights, dtype=np.float64)
    if weight.shape != ranked.shape or not np.all(np.isfinite(weight)) or np.any(weight < 0):
        raise ValueError("weights must be finite, not negative, and as many as there are scores")
    pairs = Pairs(positive, ranked, weight)
    return pairs.auc(weight)


def auc_interval(
    labels: NDArray[Any],
    scores: NDArray[Any],
    days: NDArray[Any],
    *,
    horizon: int = 1,
    block: int | None = None,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """AUC with an interval from a circular bootstrap over blocks of whole days.

    All rows of a day are drawn together, which keeps what shares have in common on a day; blocks of consecutive days
    keep what labels have in common that overlap in time (see `default_block` for the length). The ends are
    those of `DayBlocks.summarise`, cut to [0, 1].

    Args:
        labels: array [rows] of 0 and 1.
        scores: array [rows].
        days: array [rows], the session each row was scored on.
        horizon: sessions ahead that the label looks.
        block: days in a block; `default_block` if None.
        resamples: bootstrap samples.
        seed: of the resampling; the same seed gives the same interval.
        level: coverage of the interval, within (0, 1).

    Returns:
        The AUC and its interval; all nan if one class has no row, the interval nan with fewer than 2 blocks of days.

    Raises:
        ValueError: lengths differ, or a value is out of its range.
    """
    positive, ranked = checked(labels, scores)
    _days(days, len(ranked))
    blocks = DayBlocks(days, horizon=horizon, block=block, resamples=resamples, seed=seed)
    pairs = Pairs(positive, ranked)
    return blocks.interval(lambda weight: pairs.auc(weight[blocks.index]), pairs.auc(None), level, bounds=(0.0, 1.0))


def rank_ic(
    scores: NDArray[Any],
    forward_returns: NDArray[Any],
    days: NDArray[Any],
    *,
    horizon: int = 1,
    block: int | None = None,
    resamples: int = 1000,
    seed: int = 0,
    level: float = 0.95,
) -> Interval:
    """Rank information coefficient: the mean over days of Spearman's correlation between scores and forward returns.

    Ties get their middle rank. A day with fewer than 3 shares, or on which the scores or the returns are all equal,
    has no correlation and is left out.

    Args:
        scores: array [rows].
        forward_returns: array [rows], the return over the horizon that followed.
        days: array [rows], the session each row was scored on.
        horizon: sessions ahead that the returns look.
        block: days in a block; `default_block` if None.
        resamples: bootstrap samples.
        seed: of the resampling.
        level: coverage of the interval, within (0, 1).

    Returns:
        The mean within [-1, 1] with an interval as in `auc_interval`; all nan if no day counts.

    Raises:
        ValueError: lengths differ, or a value is out of its range.
    """
    unique, daily = daily_rank_ic(scores, forward_returns, days)
    counts = ~np.isnan(daily)
    if not np.any(counts):
        return Interval(_NAN, _NAN, _NAN, _NAN)
    daily = daily[counts]
    blocks = DayBlocks(unique[counts], horizon=horizon, block=block, resamples=resamples, seed=seed)
    return blocks.interval(
        lambda weight: float(weight @ daily) / len(daily), float(daily.mean()), level, bounds=(-1.0, 1.0)
    )


def daily_ic(
    scores: NDArray[Any], forward_returns: NDArray[Any], days: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Information coefficient of each day: Pearson's correlation over shares between scores and forward returns.

    Args:
        scores: array [rows].
        forward_returns: array [rows], the return over the horizon that followed.
        days: array [rows], the session each row was scored on.

    Returns:
        The distinct days, ascending, [days], and their correlations, [days]; nan for a day with fewer than 3 shares, or
        on which the scores or the returns are all equal.

    Raises:
        ValueError: lengths differ, or a value is out of its range.
    """
    score, forward, unique, day = _by_day(scores, forward_returns, days)
    return unique, _daily_correlation(day, score, forward, len(unique))


def daily_rank_ic(
    scores: NDArray[Any], forward_returns: NDArray[Any], days: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """Rank information coefficient of each day: Spearman's correlation; ties get their middle rank.

    Args:
        scores: array [rows].
        forward_returns: array [rows], the return over the horizon that followed.
        days: array [rows], the session each row was scored on.

    Returns:
        As `daily_ic` does.

    Raises:
        ValueError: lengths differ, or a value is out of its range.
    """
    score, forward, unique, day = _by_day(scores, forward_returns, days)
    return unique, _daily_correlation(day, _ranks_within(day, score), _ranks_within(day, forward), len(unique))


def accuracy(labels: NDArray[Any], probabilities: NDArray[Any]) -> float:
    """Share of rows whose direction was called; "up" is called where the probability is above 0.5.

    Args:
        labels: array [rows] of 0 and 1.
        probabilities: array [rows].

    Returns:
        The accuracy within [0, 1]; nan without rows.

    Raises:
        ValueError: lengths differ, or a value is out of its range.
    """
    positive, probability = checked(labels, probabilities)
    return float(np.mean((probability > 0.5) == positive)) if len(positive) else _NAN


def majority(labels: NDArray[Any]) -> float:
    """Accuracy of always calling the commoner direction, the baseline that `accuracy` stands beside.

    Args:
        labels: array [rows] of 0 and 1.

    Returns:
        Within [0.5, 1]; nan without rows.

    Raises:
        ValueError: a label is neither 0 nor 1.
    """
    positive = _booleans(labels)
    if len(positive) == 0:
        return _NAN
    up = float(np.mean(positive))
    return max(up, 1.0 - up)


def roc_curve(labels: NDArray[Any], scores: NDArray[Any], points: int = 200) -> RocCurve:
    """The ROC curve, thinned to at most ``points`` points, evenly spread over the rows in order of score.

    Every point lies on the exact curve, and both ends are kept; tied scores are one step.

    Args:
        labels: array [rows] of 0 and 1.
        scores: array [rows].
        points: most points to return, at least 2.

    Returns:
        The curve; only its point (0, 0) without rows.

    Raises:
        ValueError: lengths differ, a value is out of its range, or ``points`` is below 2.
    """
    if points < 2:
        raise ValueError(f"a curve needs at least 2 points, not {points}")
    positive, ranked = checked(labels, scores)
    order = np.argsort(-ranked, kind="stable")
    positive, ranked = positive[order], ranked[order]
    # The curve has a corner after the last row of each distinct score.
    corner = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True)) if len(ranked) else np.array([], dtype=np.int64)
    if len(corner) + 1 > points:
        wanted = np.linspace(0, len(ranked), points)[1:] - 1
        corner = np.unique(corner[np.searchsorted(corner, wanted.round().astype(np.int64))])
    true_positives = np.append(0, np.cumsum(positive)[corner])
    false_positives = np.append(0, corner + 1 - true_positives[1:])
    positives = int(positive.sum())
    negatives = len(positive) - positives
    nothing = np.full(len(corner) + 1, _NAN)
    return RocCurve(
        false_positive_rate=false_positives / negatives if negatives else nothing,
        true_positive_rate=true_positives / positives if positives else nothing,
        threshold=np.append(np.inf, ranked[corner]),
        positives=positives,
        negatives=negatives,
    )


def calibration_curve(labels: NDArray[Any], probabilities: NDArray[Any], bins: int = 10) -> CalibrationCurve:
    """Mean prediction against the observed share of "up", in bins that hold equally many rows.

    Equal predictions are never torn apart, so with ties bins differ in size, and those left empty are dropped.

    Args:
        labels: array [rows] of 0 and 1.
        probabilities: array [rows].
        bins: most bins to return, at least 1.

    Returns:
        The curve, with no bin without rows.

    Raises:
        ValueError: lengths differ, a value is out of its range, or ``bins`` is below 1.
    """
    if bins < 1:
        raise ValueError(f"a calibration curve needs at least 1 bin, not {bins}")
    positive, probability = checked(labels, probabilities)
    chosen = calibration_bins(probability, bins)
    count = np.bincount(chosen, minlength=bins)
    filled = count > 0
    return CalibrationCurve(
        predicted=np.bincount(chosen, probability, minlength=bins)[filled] / count[filled],
        observed=np.bincount(chosen, positive, minlength=bins)[filled] / count[filled],
        count=count[filled],
    )


def calibration_bins(probabilities: NDArray[Any], bins: int) -> NDArray[Any]:
    """The bin of each row, from 0, lowest probabilities first; equally many rows in each, but for ties.

    Args:
        probabilities: array [rows].
        bins: how many; those that ties leave empty are no row's.

    Returns:
        int array [rows]; rows of equal probability share one.
    """
    # A row's bin follows from its middle rank, which ties share.
    middle = _ranks_within(np.zeros(len(probabilities), dtype=np.int64), probabilities)
    chosen = ((middle - 0.5) * bins / max(len(probabilities), 1)).astype(np.int64)
    return np.minimum(chosen, bins - 1)


def auc_by_group(labels: NDArray[Any], scores: NDArray[Any], groups: NDArray[Any]) -> tuple[GroupAuc, ...]:
    """AUC within each group of rows, such as each year or each share.

    Args:
        labels: array [rows] of 0 and 1.
        scores: array [rows].
        groups: array [rows] of anything that sorts.

    Returns:
        One entry a group, in the groups' order; the AUC is nan where a group has only one class.

    Raises:
        ValueError: lengths differ, or a value is out of its range.
    """
    positive, ranked = checked(labels, scores)
    names, member = _days(groups, len(ranked), what="groups")
    order = np.argsort(member, kind="stable")
    counts = np.bincount(member, minlength=len(names))
    parts = (order[end - count : end] for end, count in zip(np.cumsum(counts), counts, strict=True))
    return tuple(
        GroupAuc(name, auc(positive[rows], ranked[rows]), len(rows))
        for name, rows in zip(names.tolist(), parts, strict=True)
    )


def skill(auc: float, best: float) -> float:
    """How much of what can be known a model knows: 0 for a coin, 1 for the limit.

    Args:
        auc: the model's AUC.
        best: the best possible AUC on the same market.

    Returns:
        ``(auc - 1/2) / (best - 1/2)``; nan where nothing can be known (best = 1/2).
    """
    return (auc - 0.5) / (best - 0.5) if best != 0.5 else _NAN


class Pairs:
    """Rows sorted by score once, so that the AUC under many sets of weights costs no further sorting."""

    def __init__(self, positive: NDArray[Any], scores: NDArray[Any], weight: NDArray[Any] | None = None) -> None:
        """Sorts.

        Args:
            positive: bool array [rows], True for "up".
            scores: float array [rows].
            weight: array [rows]; rows without weight are left out for good.
        """
        # Sorted positives make the look-ups below run through memory in order.
        rows = np.arange(len(scores)) if weight is None else np.flatnonzero(weight)
        up, down = rows[positive[rows]], rows[~positive[rows]]
        self._up = up[np.argsort(scores[up], kind="stable")]
        self._down = down[np.argsort(scores[down], kind="stable")]
        below = scores[self._down]
        self._low = np.searchsorted(below, scores[self._up], side="left")
        self._high = np.searchsorted(below, scores[self._up], side="right")
        self._tied = bool(np.any(self._low != self._high))

    def auc(self, weight: NDArray[Any] | None) -> float:
        """AUC with a weight for each row in the rows' own order; nan if a class has no weight."""
        up = np.ones(len(self._up)) if weight is None else weight[self._up]
        down = np.ones(len(self._down)) if weight is None else weight[self._down]
        # beaten[i]: weight of the i lowest negatives.
        beaten = np.zeros(len(down) + 1)
        np.cumsum(down, out=beaten[1:])
        pairs = float(up.sum()) * float(beaten[-1])
        if pairs == 0:
            return _NAN
        won = up @ beaten[self._low]
        if self._tied:
            won = (won + up @ beaten[self._high]) / 2
        return float(won) / pairs


def _by_day(
    scores: NDArray[Any], forward_returns: NDArray[Any], days: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    score = _numbers(scores, "scores")
    forward = _numbers(forward_returns, "forward_returns")
    if score.shape != forward.shape:
        raise ValueError(f"{len(score)} scores but {len(forward)} forward returns")
    return (score, forward, *_days(days, len(score)))


def _daily_correlation(day: NDArray[Any], x: NDArray[Any], y: NDArray[Any], days: int) -> NDArray[Any]:
    """Pearson's correlation of x and y within each day, [days]."""
    rows = np.bincount(day, minlength=days)
    varies = np.ones(days, dtype=bool)
    centred = []
    for values in (x, y):
        # A mean of equal values is off by its last digit: a day without variance has to be seen before.
        highest, lowest = np.full(days, -np.inf), np.full(days, np.inf)
        np.maximum.at(highest, day, values)
        np.minimum.at(lowest, day, values)
        varies &= highest > lowest
        centred.append(values - (np.bincount(day, values, minlength=days) / np.maximum(rows, 1))[day])
    x, y = centred
    covariance = np.bincount(day, x * y, minlength=days)
    variance = np.bincount(day, x * x, minlength=days) * np.bincount(day, y * y, minlength=days)
    counts = (rows >= 3) & varies & (variance > 0)
    daily = np.full(days, _NAN)
    daily[counts] = covariance[counts] / np.sqrt(variance[counts])
    return daily


def _ranks_within(group: NDArray[Any], values: NDArray[Any]) -> NDArray[Any]:
    """Middle ranks (from 1) of ``values`` within each group of rows; ``group`` holds integers from 0. Float [rows]."""
    rows = len(values)
    order = np.lexsort((values, group))
    sorted_group, sorted_values = group[order], values[order]
    opens = np.ones(rows, dtype=bool)
    opens[1:] = (sorted_group[1:] != sorted_group[:-1]) | (sorted_values[1:] != sorted_values[:-1])
    first = np.flatnonzero(opens)
    size = np.diff(np.append(first, rows))
    middle = np.repeat(first + (size + 1) / 2, size)
    before = np.cumsum(np.bincount(group)) - np.bincount(group) if rows else group
    ranks = np.empty(rows)
    ranks[order] = middle - before[sorted_group]
    return ranks


def checked(labels: NDArray[Any], scores: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Labels as bool [rows] and scores as float64 [rows].

    Args:
        labels: array [rows] of 0 and 1.
        scores: array [rows].

    Raises:
        ValueError: lengths differ, or a value is out of its range.
    """
    positive, ranked = _booleans(labels), _numbers(scores, "scores")
    if positive.shape != ranked.shape:
        raise ValueError(f"{len(positive)} labels but {len(ranked)} scores")
    return positive, ranked


def _booleans(labels: NDArray[Any]) -> NDArray[Any]:
    values = np.asarray(labels)
    if values.ndim != 1:
        raise ValueError(f"labels must have one dimension, not the shape {values.shape}")
    positive = values == 1
    if not np.all(positive | (values == 0)):
        raise ValueError("labels must be 0 or 1")
    return positive


def _numbers(values: NDArray[Any], what: str) -> NDArray[Any]:
    # A float32 score keeps its value and its ties in float64.
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1:
        raise ValueError(f"{what} must have one dimension, not the shape {numbers.shape}")
    if np.any(np.isnan(numbers)):
        raise ValueError(f"{what} must be numbers, and {int(np.isnan(numbers).sum())} are not (nan)")
    return numbers


def _days(days: NDArray[Any], rows: int, what: str = "days") -> tuple[NDArray[Any], NDArray[Any]]:
    """The distinct days in order, and each row's position among them."""
    values = np.asarray(days)
    if values.shape != (rows,):
        raise ValueError(f"{what} must be one a row ({rows}), not of the shape {values.shape}")
    unique, position = np.unique(values, return_inverse=True)
    return unique, position.reshape(-1)
