"""window_returns: what tells neither the level of a price nor its date."""

from __future__ import annotations

from models.features import CLOSES, WINDOW
from models.formatters import SHARE, DataFormatter
from models.operations import VOLATILITY_SCALED_RETURNS, Z_SCORED_LOG_VOLATILITY, Feature, Kind

FORMATTER = DataFormatter(
    name="window_returns",
    description=(
        "The 20 log returns of the window divided by their own volatility, that volatility, and the share. Everything "
        "is relative to its window, so neither the level of a price nor its date can be recognised."
    ),
    features=(
        Feature("returns", CLOSES, VOLATILITY_SCALED_RETURNS, Kind.SEQUENCE, WINDOW - 1),
        Feature("log_volatility", CLOSES, Z_SCORED_LOG_VOLATILITY, Kind.SCALAR),
        SHARE,
    ),
    order=10,
)
