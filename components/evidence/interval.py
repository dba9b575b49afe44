"""A number with its uncertainty. Nothing heavier than the standard library is imported here."""

from __future__ import annotations

from dataclasses import dataclass

from components.records import Number

NORMAL_95 = 1.959964
"""Standard errors from a normally distributed estimate to either end of its 95 % interval."""


@dataclass(frozen=True)
class Interval:
    """A number with its uncertainty, all four in the number's own units.

    Attributes:
        value: the statistic on the rows as they are; nan where it is undefined.
        low: lower end of the interval; nan where there are too few days to tell.
        high: upper end of the interval; nan where there are too few days to tell.
        standard_error: standard deviation of the statistic over resampled blocks of days, corrected for the
            number and the length of the blocks; nan where there are too few days to tell.
    """

    value: Number
    low: Number
    high: Number
    standard_error: Number


def normal_interval(value: float, error: float) -> Interval:
    """The 95 % interval of a normally distributed estimate with that standard error."""
    return Interval(value, value - NORMAL_95 * error, value + NORMAL_95 * error, error)


def error_of_ends(low: float, high: float) -> float:
    """The standard error that the 95 % interval of a normally distributed estimate tells."""
    return (high - low) / (2 * NORMAL_95)


UNKNOWN = Interval(*[float("nan")] * 4)
"""What stands for a figure that cannot be had."""
