"""closes: the level of prices, as the original project had it."""

from __future__ import annotations

from models.features import CLOSES, WINDOW
from models.formatters import SHARE, DataFormatter
from models.operations import Z_SCORE, Feature, Kind

FORMATTER = DataFormatter(
    name="closes",
    description="The share and the 21 closes as the original project had them, each z-scored over the train split.",
    features=(Feature("scaled_closes", CLOSES, Z_SCORE, Kind.SEQUENCE, WINDOW), SHARE),
    warning=(
        "the level of a price tells its date, and the level of a price adjusted from the last day back tells its "
        "future; use window_returns"
    ),
    order=20,
)
