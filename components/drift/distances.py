"""How far stretches of sessions are from training, and how far those of training are from the rest of it.

A stretch is compared by its profile, the quantiles over shares of each column, averaged over its sessions. The
distance of two profiles is the mean distance of their quantiles in units of training's quartiles: Wasserstein's
distance, but for the ends. It grows with the size of a shift, where measures that count how many values fall into
which bin (PSI, Kolmogorov and Smirnov's, Jensen and Shannon's) cannot tell a crash from a price in other units.

Shares of a day move together, and days do by volatility, so no textbook says how large a distance is by chance. The
yardstick is training itself: its own stretches of the same length, each against the rest of training. Logarithms of
their distances over all features are scored together, and of each BLOCK sessions the largest score is kept. Where
distances fall off as a power or faster, those follow Gumbel's law; the limit is what the largest score of a year's
blocks exceeds with a probability of CAUTION times FALSE_ALARMS, fitted by L-moments (Hosking, Journal of the Royal
Statistical Society B 52, 1990), and never below the largest of training.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

FOLDS = 10
"""Parts of training; a stretch is compared with the sessions of the other parts, as a new one will be with all."""

BLOCK = 25
"""Sessions whose largest score is one: longer than a stretch, so that neighbours have little in common."""

YEAR = 250
"""Sessions that a rate of false alarms is stated for."""

FALSE_ALARMS = 0.05
"""Probability that anything is beyond its limit within YEAR sessions of the market that was trained on."""

CAUTION = 0.5
"""Part of the stated rate that limits are made for: one is estimated from a single training or backtest, and what lasts
longer than its blocks, such as volatility, comes on top. Measured by benchmarks.drift; with 1 it was 8 % for 5 %."""

_DRAWN = 20_000
_MOST_BLOCKS = 400
"""From there on a fit is exact enough."""
_LEAST_SCALE = 0.05
"""Of the logarithm of distances; only what hardly moves has less."""
_NO_DISTANCE = 1e-12

Array: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Yardstick:
    """What makes distances of several features and stretches comparable, and the limit of all.

    Attributes:
        typical: median distance of training's own stretches, [groups].
        scale: of the logarithm of distances, from their median to the 95th of 100, [groups].
        limit: of the scores of all groups.
    """

    typical: Array
    scale: Array
    limit: float

    @property
    def limits(self) -> Array:
        """The distance at which each group's score is the limit, [groups]."""
        return self.typical * np.exp(self.limit * self.scale)


def stretch_means(profiles: Array, length: int) -> Array:
    """Mean profiles of the stretches of so many sessions, [sessions - length + 1, columns, levels].

    Args:
        profiles: [sessions, columns, levels]; nan where a session has none, which is left out.
        length: sessions of a stretch.
    """
    known = ~np.isnan(profiles)
    sums, counts = (_moving_sums(one, length) for one in (np.where(known, profiles, 0.0), known.astype(np.float64)))
    means: Array = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0.5)
    return means


def _moving_sums(values: Array, length: int) -> Array:
    total = np.cumsum(np.concatenate([np.zeros_like(values[:1]), values]), axis=0)
    sums: Array = total[length:] - total[:-length]
    return sums


def distances(means: Array, reference: Array, spread: Array) -> Array:
    """Mean distance of quantiles, [..., columns], in units of the spread.

    Args:
        means: profiles, [..., columns, levels].
        reference: another one, [columns, levels].
        spread: of each column, [columns]; nan for one that is not compared.
    """
    found: Array = np.abs(means - reference).mean(axis=-1) / spread
    return found


def training_distances(profiles: Array, length: int, distance: Callable[[Array, Array], Array]) -> Array:
    """Distances of training's stretches from the sessions of the other folds, [sessions - length + 1, columns].

    Args:
        profiles: of training's sessions, [sessions, columns, levels].
        length: sessions of a stretch; one is of the fold that it ends in.
        distance: of profiles, [stretches, columns, levels], from another one, [columns, levels]: [stretches, columns].
    """
    fold = np.arange(len(profiles)) * FOLDS // len(profiles)
    means, ends = stretch_means(profiles, length), fold[length - 1 :]
    found = np.empty(means.shape[:2])
    for number in range(FOLDS):
        others = mean_profile(profiles[fold != number])
        found[ends == number] = distance(means[ends == number], others)
    return found


def mean_profile(profiles: Array) -> Array:
    """Mean over all sessions, [columns, levels]; nan for a column that none has."""
    return stretch_means(profiles, len(profiles))[0]


def largest_by_group(values: Array, groups: NDArray[np.int64]) -> Array:
    """The largest value of each group of columns, [..., groups]; nan where none of them is known.

    Args:
        values: [..., columns].
        groups: group of each column, ascending from 0, each with one column at least.
    """
    starts = np.searchsorted(groups, np.arange(groups[-1] + 1))
    found: Array = np.fmax.reduceat(values, starts, axis=-1)
    return found


def make_yardstick(found: Array) -> Yardstick:
    """The yardstick of training's own distances.

    Args:
        found: [stretches, groups]; nan where a group has none, as at the beginning, before its first stretch is full.
    """
    known = ~np.isnan(found).all(axis=0)
    typical, high = np.full((2, found.shape[1]), np.nan)
    typical[known], high[known] = np.nanquantile(found[:, known], (0.5, 0.95), axis=0)
    logs = np.log(np.maximum(np.stack([typical, high]), _NO_DISTANCE))
    scale = np.maximum(logs[1] - logs[0], _LEAST_SCALE)
    typical = np.exp(logs[0])
    if not known.any():
        return Yardstick(typical, scale, np.inf)
    largest = np.nanmax(scores(found[:, known], typical[known], scale[known]), axis=1)
    return Yardstick(typical, scale, max(float(largest.max()), year_limit(largest)))


def year_limit(largest: Array) -> float:
    """What the largest of YEAR new sessions exceeds with a probability of CAUTION * FALSE_ALARMS.

    Args:
        largest: score of each session of training, [sessions]; those before the first full BLOCK are left out.

    Raises:
        ValueError: there are fewer than two blocks.
    """
    blocks = len(largest) // BLOCK
    if blocks < 2:
        raise ValueError(f"need {2 * BLOCK} sessions at least, not {len(largest)}")
    location, scale = _gumbel(largest[len(largest) - blocks * BLOCK :].reshape(blocks, BLOCK).max(axis=1)[None])
    return float(location[0] + scale[0] * _year_factor(min(blocks, _MOST_BLOCKS)))


def _gumbel(values: Array) -> tuple[Array, Array]:
    """Location and scale of Gumbel's law by L-moments, [samples] each, of [samples, values]."""
    ordered = np.sort(values, axis=1)
    count = ordered.shape[1]
    mean = ordered.mean(axis=1)
    scale = (2 * (ordered @ np.arange(count)) / (count * (count - 1)) - mean) / math.log(2)
    return mean - np.euler_gamma * scale, scale


@functools.cache
def _year_factor(blocks: int) -> float:
    """Fitted scales from the fitted location to a year's limit: more than Gumbel's law has, as the fit may be off."""
    rng = np.random.default_rng(0)
    location, scale = _gumbel(rng.gumbel(size=(_DRAWN, blocks)))
    year = rng.gumbel(size=_DRAWN) + math.log(YEAR / BLOCK)
    return float(np.quantile((year - location) / scale, 1 - CAUTION * FALSE_ALARMS))


def scores(found: Array, typical: Array, scale: Array) -> Array:
    """Logarithms of distances over their typical one, in units of their scale: comparable over groups."""
    score: Array = (np.log(np.maximum(found, _NO_DISTANCE)) - np.log(typical)) / scale
    return score
