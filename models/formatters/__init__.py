"""DataFormatters: what a model sees of a row, declared once, each in a file of this folder that names it FORMATTER.

Transform (preprocessing.py), the serving signatures, `awesome formatters` and the docs read these declarations. How a
feature is made says its operation: one of operations.py, or one that the formatter's file declares. Importing them
needs no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from models.day_wide.columns import COLUMNS, columns_of, reach_of, single_columns_of
from models.features import SHARE_ID
from models.operations import VOCABULARY, Feature, Kind, Operation
from models.plugins import GROUPS, LAST, Registry

if TYPE_CHECKING:
    from numpy.typing import NDArray


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
        """The day-wide columns that it reads (models/day_wide), each by itself, as predictions are made of them."""
        return tuple(dict.fromkeys(single_columns_of(self.sources)))

    @property
    def example_columns(self) -> tuple[str, ...]:
        """The same as examples carry them: several in one, where a feature has parts."""
        return columns_of(self.sources)

    def carried(self, day: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The values of `day_columns`, [n] or [n, width], by the names of `example_columns`."""
        import numpy as np

        return {
            name: np.stack([np.reshape(day[part.name], -1) for part in parts], axis=1)
            if (parts := COLUMNS[name].parts)
            else day[name]
            for name in self.example_columns
        }

    @property
    def reach(self) -> int:
        """Sessions of its share before a row's own that its features are made of: those of a window at least."""
        return reach_of(self.sources)

    def of_kind(self, kind: Kind) -> tuple[Feature, ...]:
        """Its features of one kind."""
        return tuple(feature for feature in self.features if feature.kind is kind)

    @property
    def parted(self) -> tuple[Feature, ...]:
        """Its features as people look at them: of one that has parts each part, under its own name."""
        return tuple(
            one
            for feature in self.features
            for one in ([replace(feature, name=part, steps=1, parts=()) for part in feature.parts] or [feature])
        )

    def by_part(self, features: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """The values of features, [rows, steps], by the names of `parted`; a part is [rows, 1]."""
        found: dict[str, NDArray[Any]] = {}
        for feature in self.features:
            values = features[feature.name]
            found |= {part: values[:, at : at + 1] for at, part in enumerate(feature.parts)} or {feature.name: values}
        return found

    def together(self, parts: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """What `by_part` took apart."""
        import numpy as np

        return {
            feature.name: np.concatenate([parts[part] for part in feature.parts], axis=1)
            if feature.parts
            else parts[feature.name]
            for feature in self.features
        }


SHARE = Feature("share", SHARE_ID, VOCABULARY, Kind.CATEGORY)
"""What every formatter tells a model of the share."""


def day_values(column: str, operation: Operation) -> Feature:
    """A column of several values of the day, each of which a model sees as a number of its own."""
    parts = tuple(part.name for part in COLUMNS[column].parts)
    return Feature("day_values", column, operation, Kind.SCALAR, len(parts), known_on_the_day=True, parts=parts)


FORMATTERS = Registry(GROUPS["awesome.formatters"], DataFormatter)


def get_formatter(name: str) -> DataFormatter:
    """The formatter of that name.

    Raises:
        UnknownNameError: there is none.
    """
    return FORMATTERS.named(name)
