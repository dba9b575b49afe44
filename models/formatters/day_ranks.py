"""day_ranks: where a share stood among the others on each day of its window."""

from __future__ import annotations

from models.day_wide.columns import RETURNS
from models.formatters import SHARE, DataFormatter, day_values
from models.operations import RANK_SCALED, Feature, Kind

RANKS = Feature("ranks", "day_ranks", RANK_SCALED, Kind.SEQUENCE, RETURNS, known_on_the_day=True)
"""A share's window among the others'."""

FORMATTER = DataFormatter(
    name="day_ranks",
    description=(
        "The ranks of the 20 returns of the window, each within its own day; the ranks within the day of the returns "
        "over 5 and 20 sessions and of the volatility beside the market; and the share. A wild day counts as much as a "
        "calm one, and no share for more than another."
    ),
    features=(RANKS, day_values("day_ranks_values", RANK_SCALED), SHARE),
    order=15,
)
