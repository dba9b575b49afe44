"""How a number and its interval are written, wherever a person reads them."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial

from components.evidence.interval import Interval


def number(value: float, signed: bool = False, decimals: int = 3) -> str:
    """Writes a figure; "n/a" for NaN and infinity.

    Args:
        value: the figure.
        signed: whether a plus sign stands before a positive one.
        decimals: digits after the point.

    >>> number(0.50761), number(0.0123, signed=True), number(-0.0004)
    ('0.508', '+0.012', '0.000')
    """
    if not math.isfinite(value):
        return "n/a"
    # What is rounded to zero is zero to the reader: no minus sign (adding 0.0 turns -0.0 into 0.0).
    rounded = round(value, decimals) + 0.0
    return f"{rounded:+.{decimals}f}" if signed and rounded else f"{rounded:.{decimals}f}"


number4 = partial(number, decimals=4)
signed = partial(number, signed=True)


def low_to_high(low: float, high: float, write: Callable[[float], str] = number) -> str:
    """Writes the ends of an interval; "n/a" where one is not known.

    >>> low_to_high(0.4771, 0.53)
    '0.477 to 0.530'
    """
    ends = write(low), write(high)
    return "n/a" if "n/a" in ends else " to ".join(ends)


def figure(estimate: Interval, write: Callable[[float], str] = number, what: str = "") -> str:
    """Writes a figure with its interval; "n/a" without a figure.

    Args:
        estimate: the figure.
        write: what writes one number.
        what: stands before the ends, such as "95 % interval ".

    >>> figure(Interval(0.504, 0.477, 0.53, 0.01)), figure(Interval(0.504, math.nan, math.nan, math.nan))
    ('0.504 (0.477 to 0.530)', '0.504 (n/a)')
    """
    value = write(estimate.value)
    return value if value == "n/a" else f"{value} ({what}{low_to_high(estimate.low, estimate.high, write)})"
