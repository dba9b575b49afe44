"""momentum_ranks: where a share stood among the others on each day of its window, and over a quarter and a year."""

from __future__ import annotations

from models.formatters import SHARE, DataFormatter, day_values
from models.formatters.day_ranks import RANKS
from models.operations import RANK_SCALED

FORMATTER = DataFormatter(
    name="momentum_ranks",
    description=(
        "All that day_ranks sees, and the ranks within the day of the returns over 60 sessions and over 252 less the "
        "last 21. A share needs 253 sessions before its first row, and the embargo behind each border is as long."
    ),
    features=(RANKS, day_values("momentum_ranks_values", RANK_SCALED), SHARE),
    order=16,
)
