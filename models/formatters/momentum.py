"""momentum: what a share did besides the market over a week, a month, a quarter and a year."""

from __future__ import annotations

from models.formatters import SHARE, DataFormatter, day_values
from models.formatters.market_relative import WINDOW
from models.operations import Z_SCORE_EACH

FORMATTER = DataFormatter(
    name="momentum",
    description=(
        "All that market_relative sees, and how far the share has moved beside the market over 5, 20 and 60 sessions "
        "and over 252 less the last 21 (the momentum of Jegadeesh and Titman 1993, Returns to Buying Winners and "
        "Selling Losers, of twelve months with the last one skipped, as it reverts), each in deviations; the ranks "
        "within the day of the last two; and the volatility of 60 and 252 sessions. A share needs 253 sessions before "
        "its first row, and the embargo behind each border is as long."
    ),
    features=(*WINDOW, day_values("momentum_values", Z_SCORE_EACH), SHARE),
    order=14,
)
