"""Markets without drift, what can happen to them, and other measures of drift, for benchmarks.drift."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from components.synthetic_market import WINDOW_RETURNS, get_scenario

Array: TypeAlias = NDArray[np.float64]

FAULT_SHARES = 0.5
"""Part of the shares that some faults reach."""


def fat_tails(shares: int, sessions: int, rng: np.random.Generator) -> Array:
    """Returns whose common and own parts are Student's with three degrees of freedom, of variance 1."""
    return _common(*(rng.standard_t(3, size) / math.sqrt(3) for size in ((sessions, 1), (sessions, shares))))


def clustered(shares: int, sessions: int, rng: np.random.Generator) -> Array:
    """Returns whose volatility all shares have in common: its log is an autoregression of half-life 34 sessions."""
    stay, deviation = 0.98, 0.35
    log = np.empty(sessions)
    log[0] = deviation * rng.standard_normal()
    shocks = deviation * math.sqrt(1 - stay**2) * rng.standard_normal(sessions)
    for t in range(1, sessions):
        log[t] = stay * log[t - 1] + shocks[t]
    return np.exp(log)[:, None] * _common(*(rng.standard_normal(size) for size in ((sessions, 1), (sessions, shares))))


def _common(common: Array, own: Array) -> Array:
    return math.sqrt(0.3) * common + math.sqrt(0.7) * own


Market = Callable[[int, int, np.random.Generator], Array]

MARKETS: Mapping[str, Market] = {
    "null": lambda shares, sessions, rng: get_scenario("null").simulate(shares, sessions, rng),
    "market_factor": lambda shares, sessions, rng: get_scenario("market_factor").simulate(shares, sessions, rng),
    "fat tails": fat_tails,
    "volatility in clusters": clustered,
}
"""By name: what draws returns of about variance 1, [sessions, shares], of shares, sessions and a generator."""


def window_features(returns: Array) -> dict[str, NDArray[Any]]:
    """Features of every session that has a window, by name, [sessions, shares, steps]: those of `window_returns`.

    Args:
        returns: log returns, [sessions + WINDOW_RETURNS - 1, shares].
    """
    windows = np.lib.stride_tricks.sliding_window_view(returns, WINDOW_RETURNS, axis=0)
    volatility = np.sqrt((windows**2).mean(axis=2, keepdims=True))
    scaled = np.divide(windows, volatility, out=np.zeros_like(windows), where=volatility > 0)
    shares = np.broadcast_to(np.arange(returns.shape[1])[:, None], (*volatility.shape[:2], 1))
    return {"returns": scaled, "log_volatility": np.log(np.maximum(volatility, 1e-6)), "share": shares}


@dataclass(frozen=True)
class Case:
    """What happens to the live sessions of a market.

    Attributes:
        name: in tables.
        returns: changes live returns, [sessions, shares], of deviation 1.
        features: changes a live session's features, [shares, steps] by name.
    """

    name: str
    returns: Callable[[Array, np.random.Generator], Array] | None = None
    features: Callable[[dict[str, NDArray[Any]]], dict[str, NDArray[Any]]] | None = None


def _times_hundred(part: float) -> Callable[[Array, np.random.Generator], Array]:
    def changed(returns: Array, rng: np.random.Generator) -> Array:
        del rng
        # Prices in another unit from the sixth live session on; a return of deviation 1 is 2 % a day.
        returns[5, : int(part * returns.shape[1])] += math.log(100) / 0.02
        return returns

    return changed


def _filled(name: str, value: float) -> Callable[[dict[str, NDArray[Any]]], dict[str, NDArray[Any]]]:
    return lambda features: {**features, name: np.full_like(features[name], value)}


def _half(features: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    return {name: values[: len(values) // 2] for name, values in features.items()}


CASES = (
    Case("volatility x 2", lambda returns, rng: 2 * returns),
    Case("volatility x 1.25", lambda returns, rng: 1.25 * returns),
    Case("returns + 0.3 deviations", lambda returns, rng: returns + 0.3),
    Case("tails become fat", lambda returns, rng: fat_tails(returns.shape[1], len(returns), rng)),
    Case("prices x 100, all shares", _times_hundred(1)),
    Case("prices x 100, half of them", _times_hundred(FAULT_SHARES)),
    Case("a feature is NaN", features=_filled("log_volatility", np.nan)),
    Case("a feature is constant", features=_filled("log_volatility", -0.1)),
    Case("half of the shares", features=_half),
)


@dataclass(frozen=True)
class Measure:
    """Another way to say how far apart two distributions are, by how many values fall into which bin.

    Attributes:
        edges: of the bins, [columns, edges], by training's values, [values, columns].
        distance: of two sets of parts, [..., bins].
    """

    edges: Callable[[Array], Array]
    distance: Callable[[Array, Array], Array]

    def parts(self, values: Array, edges: Array) -> Array:
        """Part of the shares in each bin, [sessions, columns, bins], of values, [sessions, shares, columns]."""
        sessions, _, columns = values.shape
        bins = edges.shape[1] + 1
        found = np.zeros((sessions, columns, bins))
        for column in range(columns):
            known = np.isfinite(values[:, :, column])
            session = np.broadcast_to(np.arange(sessions)[:, None], known.shape)[known]
            place = session * bins + np.searchsorted(edges[column], values[:, :, column][known], side="right")
            counts = np.bincount(place, minlength=sessions * bins).reshape(sessions, bins).astype(np.float64)
            total = counts.sum(axis=1, keepdims=True)
            found[:, column] = np.divide(counts, total, out=np.full_like(counts, np.nan), where=total > 0)
        return found


def _quantile_edges(levels: Array) -> Callable[[Array], Array]:
    return lambda values: np.quantile(values, levels, axis=0).T


def _equal_edges(values: Array) -> Array:
    return np.linspace(values.min(axis=0), values.max(axis=0), 11).T


def psi(live: Array, training: Array) -> Array:
    """Population stability index; a part of 0 counts as a ten thousandth."""
    least = 1e-4
    found: Array = ((live - training) * np.log((live + least) / (training + least))).sum(axis=-1)
    return found


def kolmogorov_smirnov(live: Array, training: Array) -> Array:
    """The largest difference of the distribution functions at the edges."""
    found: Array = np.abs(np.cumsum(live - training, axis=-1)).max(axis=-1)
    return found


def anderson_darling(live: Array, training: Array) -> Array:
    """Mean square of that difference over training, over its variance."""
    below, live_below = (np.cumsum(parts, axis=-1)[..., :-1] for parts in (training, live))
    weight = (training[..., :-1] + training[..., 1:]) / 2 / np.maximum(below * (1 - below), 1e-4)
    found: Array = ((below - live_below) ** 2 * weight).sum(axis=-1)
    return found


def jensen_shannon(live: Array, training: Array) -> Array:
    """Jensen-Shannon divergence with logarithms to base 2, as TFDV has it."""
    middle = (live + training) / 2
    found: Array = (_entropy(middle) - (_entropy(live) + _entropy(training)) / 2) / math.log(2)
    return np.maximum(found, 0)


def _entropy(parts: Array) -> Array:
    found: Array = -(parts * np.log(np.where(parts > 0, parts, 1))).sum(axis=-1)
    return found


def infinity_norm(live: Array, training: Array) -> Array:
    """The largest difference of any bin's parts."""
    found: Array = np.abs(live - training).max(axis=-1)
    return found


_FINE = np.array([0.001, 0.01, 0.05, *np.arange(1, 10) / 10, 0.95, 0.99, 0.999])

MEASURES: Mapping[str, Measure] = {
    "PSI": Measure(_quantile_edges(np.arange(1, 10) / 10), psi),
    "KS": Measure(_quantile_edges(_FINE), kolmogorov_smirnov),
    "AD": Measure(_quantile_edges(_FINE), anderson_darling),
    "JS": Measure(_equal_edges, jensen_shannon),
    "L-inf": Measure(_equal_edges, infinity_norm),
}
"""By name; JS and L-inf on ten bins of equal width, as TFDV has them, the others on training's quantiles."""
