"""DataFormatters: what a model sees of a row, declared once.

Transform (preprocessing.py), the serving signatures, `awesome formatters` and the docs read these declarations; no
other place knows how a feature is made. Importing this module needs no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType

from models.errors import UnknownNameError
from models.features import CLOSES, SHARE_ID, TIME, WINDOW


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
    """

    name: str
    description: str
    features: tuple[Feature, ...]
    warning: str | None = None

    @property
    def sources(self) -> tuple[str, ...]:
        """The raw features it reads, each once."""
        return tuple(dict.fromkeys(feature.source for feature in self.features))

    def of_kind(self, kind: Kind) -> tuple[Feature, ...]:
        """Its features of one kind."""
        return tuple(feature for feature in self.features if feature.kind is kind)


_SHARE = Feature("share", SHARE_ID, Operation.VOCABULARY, Kind.CATEGORY)
_CLOSES = Feature("scaled_closes", CLOSES, Operation.Z_SCORE, Kind.SEQUENCE, WINDOW)

WINDOW_RETURNS = DataFormatter(
    name="window_returns",
    description=(
        "The 20 log returns of the window divided by their own volatility, that volatility, and the share. Everything "
        "is relative to its window, so neither the level of a price nor its date can be recognised."
    ),
    features=(
        Feature("returns", CLOSES, Operation.VOLATILITY_SCALED_RETURNS, Kind.SEQUENCE, WINDOW - 1),
        Feature("log_volatility", CLOSES, Operation.Z_SCORED_LOG_VOLATILITY, Kind.SCALAR),
        _SHARE,
    ),
)

CLOSES_FORMATTER = DataFormatter(
    name="closes",
    description="The share and the 21 closes as the original project had them, each z-scored over the train split.",
    features=(_CLOSES, _SHARE),
    warning=(
        "the level of a price tells its date, and the level of a price adjusted from the last day back tells its "
        "future; use window_returns"
    ),
)

CLOSES_WITH_TIME = DataFormatter(
    name="closes_with_time",
    description=(
        "The same as closes, with the day itself as a category: the original project's leak, kept to show it. Under a "
        "shuffled split the day tells how the market moved; under a split by date every day of the test is new, and it "
        "tells nothing."
    ),
    features=(_CLOSES, _SHARE, Feature("day", TIME, Operation.VOCABULARY, Kind.CATEGORY)),
    warning="the day is a leak under any split that is not by date; use window_returns",
)

FORMATTERS: Mapping[str, DataFormatter] = MappingProxyType(
    {formatter.name: formatter for formatter in (WINDOW_RETURNS, CLOSES_FORMATTER, CLOSES_WITH_TIME)}
)


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
