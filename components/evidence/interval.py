"""A number with its uncertainty. Nothing heavier than the standard library is imported here."""

from __future__ import annotations

from dataclasses import dataclass

from components.records import Number


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
