"""window_shape: the scaled returns of the window, and where its last close lies between the lowest and the highest."""

from __future__ import annotations

from typing import Any

from models.features import CLOSES, WINDOW
from models.formatters import SHARE, DataFormatter
from models.operations import VOLATILITY_SCALED_RETURNS, Feature, Kind, written_once


def _place(xp: Any, closes: Any, feature: Feature) -> Any:
    """Where the latest close lies within the window, [batch, 1] from 0 to 1; 1/2 where nothing moved.

    `xp` is NumPy, or TensorFlow's NumPy in Transform: the arithmetic is written once and so is the same in training, in
    serving and in `awesome predict`, which needs no TensorFlow.
    """
    del feature
    closes = xp.asarray(closes, dtype=xp.float64)
    lowest, highest = xp.min(closes, axis=1, keepdims=True), xp.max(closes, axis=1, keepdims=True)
    width = highest - lowest
    moved = width > 0
    return xp.where(moved, (closes[:, :1] - lowest) / xp.where(moved, width, xp.ones_like(width)), 0.5)


PLACE = written_once("PLACE", "the latest close between the window's lowest (0) and highest (1)", _place)

FORMATTER = DataFormatter(
    name="window_shape",
    description="The 20 log returns of the window divided by their volatility, and where the latest close lies in it.",
    features=(
        Feature("returns", CLOSES, VOLATILITY_SCALED_RETURNS, Kind.SEQUENCE, WINDOW - 1),
        Feature("place", CLOSES, PLACE, Kind.SCALAR),
        SHARE,
    ),
)
