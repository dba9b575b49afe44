"""market_relative: what a share did besides the market, and where it stands among the shares of its day."""

from __future__ import annotations

from models.day_wide.columns import RETURNS
from models.features import CLOSES
from models.formatters import SHARE, DataFormatter, day_values
from models.operations import VOLATILITY_SCALED, Z_SCORE_EACH, Z_SCORED_LOG_VOLATILITY, Feature, Kind

WINDOW = (
    Feature(
        "relative_returns", "market_relative_returns", VOLATILITY_SCALED, Kind.SEQUENCE, RETURNS, known_on_the_day=True
    ),
    Feature("log_volatility", CLOSES, Z_SCORED_LOG_VOLATILITY, Kind.SCALAR),
)
"""What it tells of a share's window beside the others'."""

FORMATTER = DataFormatter(
    name="market_relative",
    description=(
        "The 20 log returns of the window less the market's (the mean of all shares of the run that trade on the day), "
        "divided by their own volatility; the ranks within the day of the returns over 1, 5 and 20 sessions and of "
        "that volatility; the volatility of the share itself; and the share. What moves all shares alike is taken off, "
        "so what a share did besides can be seen."
    ),
    features=(*WINDOW, day_values("market_relative_values", Z_SCORE_EACH), SHARE),
    order=12,
)
