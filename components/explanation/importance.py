"""Permutation importance of features, of single lags and of pairs, with intervals that respect days.

A part's values are dealt out anew among all rows of the test split, over shares and days; what the model's AUC loses by
it, as the mean of several permutations, is what the part is worth to the model (Breiman 2001; Fisher, Rudin and
Dominici 2019). One permutation serves all parts of a repeat: what two parts lose one by one and together then differs
by what they have in common, and not by how they were dealt out.

Intervals resample blocks of whole days (components/evidence/resampling.py). A resample of the rows of thirty parts and
five permutations each would take a hundred times as long as asking the model, so what each day adds to an AUC
(components/trials/influence.py) is resampled in its place: the first term of its Hoeffding decomposition.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from components.evidence.blessing import level_for
from components.evidence.interval import Interval
from components.evidence.resampling import DayBlocks
from components.explanation.results import Importance, ModelExplanation, PairImportance, Part
from components.trials.influence import day_influence
from models.operations import Feature, Kind
from models.twin.arithmetic import Array

REPEATS = 5
"""Permutations that an importance is the mean of."""

_PAIRED = 4
"""Parts whose pairs are looked at, those that are worth most. A part of a pair that is worth something together is so
by itself: permuting either breaks what they say together."""

Predict = Callable[[Mapping[str, Array]], NDArray[np.floating]]
"""Probabilities [rows] of features by name, [rows, steps] each."""


@dataclass(frozen=True, eq=False)
class Judged:
    """What happened on the test split.

    Attributes:
        positive: bool array [rows], True where the label is 1.
        blocks: of the rows' days.
    """

    positive: NDArray[np.bool_]
    blocks: DayBlocks


@dataclass(frozen=True, eq=False)
class _Area:
    """An AUC, or a difference of some, and what each day adds to it beyond its share, [days]."""

    value: float
    terms: NDArray[np.float64]

    def __add__(self, other: _Area) -> _Area:
        return _Area(self.value + other.value, self.terms + other.terms)

    def __sub__(self, other: _Area) -> _Area:
        return _Area(self.value - other.value, self.terms - other.terms)

    def interval(self, blocks: DayBlocks, level: float) -> Interval:
        return blocks.summarise(self.value, self.value + blocks.sums(self.terms), level)


def parts_of(feature: Feature) -> tuple[Part, ...]:
    """The lags of a sequence, the latest first; the feature itself where it is none."""
    if feature.kind is not Kind.SEQUENCE:
        return (Part(feature.name),)
    return tuple(Part(feature.name, lag) for lag in range(1, feature.steps + 1))


def evaluations(features: Sequence[Feature], repeats: int) -> int:
    """How often `explain` asks the model at most, the rows as they are not counted."""
    parts = {part for feature in features for part in (*parts_of(feature), Part(feature.name))}
    return repeats * (len(parts) + math.comb(_PAIRED, 2))


def explain(
    predict: Predict,
    features: Sequence[Feature],
    seen: Mapping[str, Array],
    judged: Judged,
    *,
    repeats: int = REPEATS,
    seed: int = 0,
    progress: Callable[[], None] | None = None,
) -> ModelExplanation:
    """Explains a model.

    Args:
        predict: asks the model.
        features: that it sees, as declared.
        seen: what it sees of the test split, by feature, [rows, steps], the oldest step first.
        judged: what happened there; both classes are.
        repeats: permutations that an importance is the mean of.
        seed: of the permutations; the same seed gives the same explanation.
        progress: is called whenever the model was asked.

    Returns:
        The explanation.
    """
    asked = _Asked(predict, seen, judged, repeats, seed, progress)
    parts = [part for feature in features for part in parts_of(feature)]
    wholes = [Part(feature.name) for feature in features]
    lost = {part: asked.lost([part]) for part in dict.fromkeys([*wholes, *parts])}
    level, pair_level = level_for(len(lost)), level_for(math.comb(len(parts), 2))
    most = sorted((part for part in parts if lost[part].value > 0), key=lambda part: -lost[part].value)[:_PAIRED]
    pairs = []
    for first, second in itertools.combinations(most, 2):
        together = asked.lost([first, second])
        alike = lost[first] + lost[second] - together
        ends = (one.interval(judged.blocks, pair_level) for one in (together, alike))
        pairs.append(PairImportance((first, second), *ends))

    def importances(some: Sequence[Part]) -> tuple[Importance, ...]:
        found = {part: lost[part].interval(judged.blocks, level) for part in some}
        # The losses of twenty lags that say nothing would add up, were only those counted that chance made positive.
        total = max(
            math.fsum(one.value for one in found.values()),
            math.fsum(one.value for one in found.values() if one.low > 0),
        )
        return tuple(Importance(part, one, one.value / total if total > 0 else math.nan) for part, one in found.items())

    return ModelExplanation(
        auc=asked.whole.value,
        features=importances(wholes),
        parts=importances(parts),
        pairs=tuple(sorted(pairs, key=lambda pair: -pair.shared.value)),
        level=level,
        pair_level=pair_level,
        repeats=repeats,
    )


class _Asked:
    """A model that is asked again and again about the same rows, permuted."""

    def __init__(
        self,
        predict: Predict,
        seen: Mapping[str, Array],
        judged: Judged,
        repeats: int,
        seed: int,
        progress: Callable[[], None] | None,
    ) -> None:
        self._predict, self._seen, self._judged, self._progress = predict, seen, judged, progress
        blocks, rows = judged.blocks, len(judged.positive)
        self._orders = [np.random.default_rng([seed, repeat]).permutation(rows) for repeat in range(repeats)]
        classes = (judged.positive, ~judged.positive)
        days = len(blocks.unique)
        self._share_of_day = sum(np.bincount(blocks.index, one, minlength=days) / one.sum() for one in classes)
        self.whole = self._area(seen)

    def lost(self, parts: Sequence[Part]) -> _Area:
        """What the AUC loses when parts are permuted, all alike."""
        losses = []
        for order in self._orders:
            # Each less the whole, not their mean: a part that the model does not use loses 0 to the last bit.
            losses.append(self.whole - self._area(self._permuted(parts, order)))
            if self._progress is not None:
                self._progress()
        return _mean(losses)

    def _permuted(self, parts: Sequence[Part], order: NDArray[np.int64]) -> dict[str, Array]:
        made = dict(self._seen)
        for part in parts:
            values = made[part.feature]
            if part.lag is None:
                made[part.feature] = values[order]
            else:
                column = values.shape[1] - part.lag
                made[part.feature] = values.copy()
                made[part.feature][:, column] = values[order, column]
        return made

    def _area(self, seen: Mapping[str, Array]) -> _Area:
        scores, positive, blocks = self._predict(seen), self._judged.positive, self._judged.blocks
        influence = day_influence(positive, scores, blocks.index)
        above = float(influence.sum())
        # Twice the influence, less what a day of so many rows adds on average: a day that counts twice adds this.
        return _Area(0.5 + above, 2 * influence - above * self._share_of_day)


def _mean(areas: Sequence[_Area]) -> _Area:
    value = math.fsum(one.value for one in areas) / len(areas)
    return _Area(value, np.mean([one.terms for one in areas], axis=0))
