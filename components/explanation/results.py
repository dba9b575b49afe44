"""An explanation as typed values, and the file that it lies in: explain.json. Imports nothing heavy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from components.errors import UserError
from components.evidence.interval import Interval
from components.records import Number

EXPLANATION_FILE = "explain.json"
SCHEMA_VERSION = 1
"""Of the layout of explain.json."""


class ExplanationError(UserError):
    """A run whose models cannot be explained; says which one, why, and what to do."""


@dataclass(frozen=True)
class Part:
    """What is permuted by itself: a feature, or one lag of a sequence.

    Attributes:
        feature: name of the feature, as the DataFormatter declares it.
        lag: sessions back that it tells of, 1 the latest; None for the feature as a whole.
    """

    feature: str
    lag: int | None = None

    def __str__(self) -> str:
        """The part in words.

        >>> print(Part("returns", 1))
        returns, lag 1
        """
        return self.feature if self.lag is None else f"{self.feature}, lag {self.lag}"


@dataclass(frozen=True)
class Importance:
    """What a part is worth to a model.

    Attributes:
        part: what was permuted.
        lost: the AUC that the model loses by it; the interval is one of 95 % for all of the model's features and parts
            together.
        attributed: its share of what all that stand beside it lose one by one: of the sum, in which noise cancels, or
            of those whose interval lies above 0 where these lose more. NaN where that is no loss.
    """

    part: Part
    lost: Interval
    attributed: Number


@dataclass(frozen=True)
class PairImportance:
    """What two parts are worth to a model together.

    Attributes:
        parts: the two.
        lost: the AUC that the model loses when both are permuted alike.
        shared: how much less that is than what the two lose one by one: 0 where they add up, as much as either where
            one is worth nothing without the other. The intervals are of 95 % for all pairs that there are together.
    """

    parts: tuple[Part, Part]
    lost: Interval
    shared: Interval


@dataclass(frozen=True)
class ModelExplanation:
    """What a model looks at.

    Attributes:
        auc: on the test split as it is.
        features: the features, as declared; `attributed` is their share among themselves.
        parts: each lag of the features that are sequences, the latest first, and the other features.
        pairs: of the parts that are worth most, those first that share most.
        level: of the intervals of features and parts, each by itself.
        pair_level: of those of pairs.
        repeats: permutations that an importance is the mean of; 0 where the file says it of all models.
    """

    auc: Number
    features: tuple[Importance, ...]
    parts: tuple[Importance, ...]
    pairs: tuple[PairImportance, ...] = ()
    level: float = 0.95
    pair_level: float = 0.95
    repeats: int = 0

    @property
    def helpful(self) -> tuple[Importance, ...]:
        """The parts whose interval lies above 0, the most worth first."""
        sure = [one for one in self.parts if one.lost.low > 0]
        return tuple(sorted(sure, key=lambda one: -one.lost.value))

    @property
    def harmful(self) -> tuple[Importance, ...]:
        """The parts whose interval lies below 0: the model does better without."""
        return tuple(one for one in self.parts if one.lost.high < 0)


@dataclass(frozen=True)
class Explanation:
    """What the models of a run look at, by its test split.

    Attributes:
        run: when it was made, as its report says.
        models: by name.
        rows: of the test split.
        days: of the test split.
        repeats: permutations that an importance is the mean of, of the models that were explained last.
        left_out: models that were not explained, and why.
        schema_version: of the layout.
    """

    run: str
    models: Mapping[str, ModelExplanation]
    rows: int
    days: int
    repeats: int
    left_out: Mapping[str, str] = field(default_factory=dict)
    schema_version: int = SCHEMA_VERSION

    JSON_FIRST: ClassVar = ("schema_version",)

    def beside(self, earlier: Explanation) -> Explanation:
        """This one with the models of an earlier one of the same run that are not explained here."""
        if (earlier.run, earlier.rows, earlier.days) != (self.run, self.rows, self.days):
            return self
        said = self.models.keys() | self.left_out.keys()
        kept = {
            name: replace(one, repeats=one.repeats or earlier.repeats)
            for name, one in earlier.models.items()
            if name not in said
        }
        out = {name: why for name, why in earlier.left_out.items() if name not in said}
        return replace(self, models={**kept, **self.models}, left_out={**out, **self.left_out})
