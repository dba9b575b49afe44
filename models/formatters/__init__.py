"""DataFormatters: what a model sees of a row, declared once, each in a file of this folder that names it FORMATTER.

Transform (preprocessing.py), the serving signatures, `awesome formatters` and the docs read these declarations; no
other place knows how a feature is made. Importing them needs no TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from models.errors import UnknownNameError
from models.features import SHARE_ID
from models.plugins import LAST, Registry


class Operation(Enum):
    """How a feature is made of its source; preprocessing.py holds one TFT function for each."""

    VOLATILITY_SCALED_RETURNS = "log returns of the window, oldest first, over their root mean square"
    Z_SCORED_LOG_VOLATILITY = "log of the root mean square of the window's log returns, z-scored over the train split"
    Z_SCORE = "z-scored over the train split, each position of the window by itself"
    VOCABULARY = "index in the vocabulary of the train split, one more index for what it does not hold"


class Kind(Enum):
    """How a model may use a feature."""

    SEQUENCE = "sequence"  # float [steps], oldest first
    SCALAR = "scalar"  # float [1]
    CATEGORY = "category"  # int index [1]


@dataclass(frozen=True)
class Feature:
    """One feature a model sees.

    Attributes:
        name: its name behind Transform.
        source: the raw feature it is made of.
        operation: how.
        kind: what a model may do with it.
        steps: length of a sequence, 1 otherwise.
    """

    name: str
    source: str
    operation: Operation
    kind: Kind
    steps: int = 1


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

    def of_kind(self, kind: Kind) -> tuple[Feature, ...]:
        """Its features of one kind."""
        return tuple(feature for feature in self.features if feature.kind is kind)


SHARE = Feature("share", SHARE_ID, Operation.VOCABULARY, Kind.CATEGORY)
"""What every formatter tells a model of the share."""

FORMATTERS = Registry("models.formatters", "FORMATTER", DataFormatter, "awesome.formatters")


def get_formatter(name: str) -> DataFormatter:
    """The formatter of that name.

    Args:
        name: as in `FORMATTERS`.

    Raises:
        UnknownNameError: there is none.
    """
    try:
        return FORMATTERS[name]
    except KeyError:
        raise UnknownNameError(f"formatter {name!r} does not exist; there are {', '.join(FORMATTERS)}") from None
