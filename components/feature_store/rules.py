"""What can be a price, a day's bar, or the name of a share: the one place that says so.

Whoever takes prices in asks here and refuses in words of its own: an import by row, an extraction by session,
`PriceBars` by field.
"""

from __future__ import annotations

import re

import numpy as np

from components.feature_store.arrays import Booleans, Floats

REQUIRED = ("close", "factor", "adj_close")
# Sources round a day's prices one by one, mostly to cents, so a close may stand half a cent outside [low, high].
_ROUNDING = 0.005
_RELATIVE_ROUNDING = 1e-6
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def is_usable_name(name: str) -> bool:
    """Tells whether a text can name a share or a source: not empty, no blanks around it, no control characters.

    >>> is_usable_name("sh600519"), is_usable_name(" IBM")
    (True, False)
    """
    return bool(name) and name == name.strip() and not _CONTROL.search(name)


def impossible(field: str, values: Floats) -> Booleans:
    """Tells which values a field of a bar cannot have: a volume below 0, any other at 0 or below, infinity.

    Args:
        field: open, high, low, close, volume, factor or adj_close.
        values: Its values, float64, shape (n,); NaN where unknown, which close and the adjustment must not be.

    Returns:
        Booleans, shape (n,).

    >>> impossible("volume", np.array([0.0, -1.0])), impossible("close", np.array([0.0, 1.0]))
    (array([False,  True]), array([ True, False]))
    """
    if field in REQUIRED:
        return ~((values > 0) & np.isfinite(values))
    return np.isinf(values) | ((values < 0) if field == "volume" else (values <= 0))


def outside_range(price: Floats, low: Floats, high: Floats) -> Booleans:
    """Tells which opens or closes lie outside their day's [low, high] by more than rounding.

    Args:
        price: Opens or closes, float64, shape (n,).
        low: Lows, shape (n,); NaN where unknown.
        high: Highs, shape (n,); NaN where unknown.

    Returns:
        Booleans, shape (n,); False where nothing is known.
    """
    with np.errstate(invalid="ignore"):  # an infinity less an infinity
        slack = _ROUNDING + _RELATIVE_ROUNDING * price
        return (price < low - slack) | (price > high + slack)
