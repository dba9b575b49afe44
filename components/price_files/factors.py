"""Adjustment factors: from adjusted closes, and joined to those that are stored.

A file gives either a factor or an adjusted close. Adjusted closes are rounded, mostly to cents, so the ratio
adjusted / raw jitters from day to day although nothing happened; taken as it is, every return would carry that noise,
and an unchanged raw close would look changed. What is known is an interval: the true ratio of a day lies between
(adjusted - half a unit) / raw and (adjusted + half a unit) / raw. Days in a row whose intervals have a point in common
can all be explained by one factor, and get one. A split or dividend moves the intervals apart and so starts a new run;
one too small to do so at once does as soon as it shows. Each adjusted close that results still rounds to the one that
was given.

Only ratios between days mean something (the anchor, the last day, moves with each dividend), so a factor is divided
by that of the first day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from components.feature_store.arrays import Days, Floats, Integers

# Slack for numbers that were computed in floating point rather than rounded to decimals.
_RELATIVE = 1e-9
_LEAST_DECIMALS, _MOST_DECIMALS = 2, 8


@dataclass(frozen=True)
class FactorEstimate:
    """Factors of one share as a file gives them, up to one constant for the share, in runs of equal factors.

    Attributes:
        value: The factors, float64, shape (n,).
        run: Number of the run that each day belongs to, ascending from 0, shape (n,).
        low: The smallest factor that agrees with all days of the run, shape (n,).
        high: The largest one.
        noise: The rounding of a single day, as the least of the run, in units of the factor, shape (n,).
    """

    value: Floats
    run: Integers
    low: Floats
    high: Floats
    noise: Floats


def given_factors(factor: Floats) -> FactorEstimate:
    """Takes factors above 0, float64, shape (n,), as they are."""
    run = np.append(0, np.cumsum(factor[1:] != factor[:-1]))
    return FactorEstimate(factor, run, factor, factor, factor * _RELATIVE)


def factors_from_divisors(divisor: Floats) -> Floats:
    """Returns what closes are multiplied by that a vendor divides by; 0, which divides nothing, stays and is refused.

    >>> factors_from_divisors(np.array([2.0, 0.0]))
    array([0.5, 0. ])
    """
    with np.errstate(all="ignore"):
        return np.where(divisor == 0, divisor, 1 / divisor)


def factors_from_adjusted(close: Floats, adjusted: Floats) -> FactorEstimate:
    """Finds the factors behind rounded adjusted closes (see the module's docstring).

    Args:
        close: Raw closes, float64, shape (n,), finite and above 0, in ascending dates.
        adjusted: Adjusted closes of the same days, likewise.

    >>> factors_from_adjusted(np.array([10.0, 10.0, 5.0]), np.array([5.0, 5.0, 5.0])).value
    array([0.5, 0.5, 1. ])
    """
    with np.errstate(all="ignore"):
        half = np.maximum(0.5 * 10.0 ** -_decimals(adjusted), adjusted * _RELATIVE)
        # A hair wider, so that a value on the very border is not lost to floating point.
        half *= 1 + 1e-6
        low, high = np.maximum(adjusted - half, adjusted * 1e-6) / close, (adjusted + half) / close
        starts, bounds = _runs(low.tolist(), high.tolist())
        least, most = np.transpose(bounds)
        chosen = np.clip(np.add.reduceat(adjusted, starts) / np.add.reduceat(close, starts), least, most)
        noise = np.minimum.reduceat(half / close, starts)
    run = np.repeat(np.arange(len(starts)), np.diff([*starts, len(close)]))
    return FactorEstimate(chosen[run], run, least[run], most[run], noise[run])


def join_factors(estimate: FactorEstimate, time: Days, stored_time: Days, stored_factor: Floats) -> Floats | None:
    """Expresses a file's factors on the scale of the stored ones, keeping a stored factor wherever it still fits.

    So a file that repeats what is stored changes nothing, a longer one only adds days, and one that was anchored anew
    by a later dividend does not rewrite the past.

    Args:
        estimate: The file's factors, shape (n,).
        time: Their days, datetime64[D], ascending, shape (n,).
        stored_time: The stored days, likewise, shape (m,); empty if the share is new.
        stored_factor: Their factors, float64, shape (m,).

    Returns:
        Factors, float64, shape (n,), 1 on the first day of the share, not finite where they leave float64's range; or
        None if they cannot be joined because no day is in both, or the file starts earlier than the stored days and
        does not cover all of them.
    """
    with np.errstate(all="ignore"):
        if len(stored_time) == 0:
            return estimate.value / estimate.value[0]
        _, here, there = np.intersect1d(time, stored_time, assume_unique=True, return_indices=True)
        if len(here) == 0:
            unadjusted = bool((estimate.value == 1).all() and (stored_factor == 1).all())
            return estimate.value if unadjusted else None
        kept = stored_factor[there]
        if _fits(estimate, here, kept):
            result = _extend(estimate, here, kept)
        else:  # the past has changed
            result = estimate.value / estimate.value[here[0]] * kept[0]
        if time[0] < stored_time[0] and result[0] != 1:
            if len(here) < len(stored_time):
                return None
            result = result / result[0]
    return result


def _fits(estimate: FactorEstimate, here: Integers, kept: Floats) -> bool:
    """Tells whether stored factors, times one constant, explain the file as well as its own factors do.

    A stored factor was itself found among rounded numbers, other ones if the anchor has moved since. How far off that
    left it shrinks with the number of days that it was found from.
    """
    days = np.bincount(estimate.run[here])[estimate.run[here]]
    low, high = estimate.low[here], estimate.high[here]
    slack = (high - low) + 3 * estimate.noise[here] / np.sqrt(days)
    return bool(((low - slack) / kept).max() <= ((high + slack) / kept).min())


def _extend(estimate: FactorEstimate, here: Integers, kept: Floats) -> Floats:
    """Takes the stored factors where there are some, and chains every other day to the nearest of them.

    A day in the run of a stored one takes its factor to the last bit, for nothing happened between them.
    """
    value, run = estimate.value, estimate.run
    every = np.arange(len(value))
    before = np.searchsorted(here, every, side="right") - 1
    after = np.minimum(before + 1, len(here) - 1)
    before = np.maximum(before, 0)
    nearest = np.where(run[here[before]] == run, before, np.where(run[here[after]] == run, after, before))
    same = run[here[nearest]] == run
    same[here] = True
    nearest[here] = np.arange(len(here))
    return np.where(same, kept[nearest], value / value[here[nearest]] * kept[nearest])


def _decimals(values: Floats) -> float:
    """Returns how many decimals the values are rounded to, between 2 and 8; infinity if they are not rounded."""
    for decimals in range(_LEAST_DECIMALS, _MOST_DECIMALS + 1):
        if np.allclose(values, np.round(values, decimals), rtol=1e-13, atol=0):
            return decimals
    return np.inf


def _runs(low: list[float], high: list[float]) -> tuple[list[int], list[tuple[float, float]]]:
    """Cuts intervals into runs with a point in common, each as long as it can be.

    Returns:
        The first index of each run, and the interval its members share.
    """
    starts, bounds = [0], []
    least, most = low[0], high[0]
    for index, (lower, upper) in enumerate(zip(low, high, strict=True)):
        if lower > most or upper < least:
            bounds.append((least, most))
            starts.append(index)
            least, most = lower, upper
        else:
            if lower > least:
                least = lower
            if upper < most:
                most = upper
    bounds.append((least, most))
    return starts, bounds
