"""market_activity: what a share did besides the market, on what volume, within which range, and where it opened."""

from __future__ import annotations

from models.formatters import SHARE, DataFormatter, day_values
from models.formatters.market_relative import WINDOW
from models.operations import Z_SCORE_EACH

FORMATTER = DataFormatter(
    name="market_activity",
    description=(
        "All that market_relative sees, and what more a day's bar tells, each beside the market's: the volume over "
        "that of the 20 and of the 60 sessions before, its rank, and the day's return times it (returns on high volume "
        "revert: Campbell, Grossman and Wang 1993, Trading Volume and Serial Correlation in Stock Returns); the range "
        "of high and low as Parkinson's volatility (1980), its rank, and the day's range over its usual one; and the "
        "day's return in two parts, to the open and from it. The database has to hold opens, highs, lows and volumes; "
        "what is missing on a day is taken as the market's. A share needs 61 sessions before its first row."
    ),
    features=(*WINDOW, day_values("market_activity_values", Z_SCORE_EACH), SHARE),
    order=13,
)
