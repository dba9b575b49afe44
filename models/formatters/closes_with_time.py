"""closes_with_time: the original project's leak, kept to show it."""

from __future__ import annotations

from models.features import TIME
from models.formatters import DataFormatter
from models.formatters.closes import FORMATTER as CLOSES_FORMATTER
from models.operations import VOCABULARY, Feature, Kind

FORMATTER = DataFormatter(
    name="closes_with_time",
    description=(
        "The same as closes, with the day itself as a category: the original project's leak, kept to show it. Under a "
        "shuffled split the day tells how the market moved; under a split by date every day of the test is new, and it "
        "tells nothing."
    ),
    features=(*CLOSES_FORMATTER.features, Feature("day", TIME, VOCABULARY, Kind.CATEGORY)),
    warning="the day is a leak under any split that is not by date; use window_returns",
    order=30,
)
