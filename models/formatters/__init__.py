"""DataFormatters: what a model sees of a row, declared once, each in a file of this folder that names it FORMATTER.

Transform (preprocessing.py), the serving signatures, `awesome formatters` and the docs read these declarations. How a
feature is made says its operation: one of operations.py, or one that the formatter's file declares. Importing them
needs no TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass

from models.day_wide.columns import columns_of, reach_of
from models.features import SHARE_ID
from models.operations import VOCABULARY, Feature, Kind
from models.plugins import GROUPS, LAST, Registry


@dataclass(frozen=True)
class DataFormatter:
    """A named, declared set of features and how they are scaled.

    Attributes:
        name: as in `--formatter`.
        description: one paragraph for people.
        features: what a model sees.
        warning: why it should not be used, or None.
        order: its place among the formatters.
    """

    name: str
    description: str
    features: tuple[Feature, ...]
    warning: str | None = None
    order: int = LAST

    @property
    def sources(self) -> tuple[str, ...]:
        """The raw features it reads, each once."""
        return tuple(dict.fromkeys(feature.source for feature in self.features))

    @property
    def declared_sources(self) -> tuple[str, ...]:
        """The sources that every feature made of them declares to be known on the day of the row."""
        open_ = {feature.source for feature in self.features if not feature.known_on_the_day}
        return tuple(source for source in self.sources if source not in open_)

    @property
    def day_columns(self) -> tuple[str, ...]:
        """The day-wide columns that it reads (models/day_wide)."""
        return columns_of(self.sources)

    @property
    def reach(self) -> int:
        """Sessions of its share before a row's own that its features are made of: those of a window at least."""
        return reach_of(self.sources)

    def of_kind(self, kind: Kind) -> tuple[Feature, ...]:
        """Its features of one kind."""
        return tuple(feature for feature in self.features if feature.kind is kind)


SHARE = Feature("share", SHARE_ID, VOCABULARY, Kind.CATEGORY)
"""What every formatter tells a model of the share."""

FORMATTERS = Registry(GROUPS["awesome.formatters"], DataFormatter)


def get_formatter(name: str) -> DataFormatter:
    """The formatter of that name.

    Raises:
        UnknownNameError: there is none.
    """
    return FORMATTERS.named(name)
