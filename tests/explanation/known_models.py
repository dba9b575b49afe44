"""Models whose importances are known, on rows without a pipeline."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from components.evidence.resampling import DayBlocks
from components.explanation.importance import Judged
from components.synthetic_market import get_scenario
from models.formatters.window_returns import FORMATTER

STEPS = 20


def judged(positive: np.ndarray[Any, Any], days: np.ndarray[Any, Any]) -> Judged:
    return Judged(positive.astype(bool), DayBlocks(days))


def seen_of(
    market: str, shares: int, sessions: int, seed: int
) -> tuple[dict[str, np.ndarray[Any, Any]], np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Windows of a scenario as window_returns shows them, whether the next return rose, and their days, in order."""
    returns = 0.01 * get_scenario(market).simulate(shares, sessions, np.random.default_rng(seed))
    closes = np.vstack([np.full((1, shares), 50.0), 50 * np.exp(np.cumsum(returns, axis=0))])
    last = np.arange(STEPS, sessions)
    windows = closes[last[:, None] - np.arange(STEPS + 1)]  # [days, 21, shares], the latest first
    windows = windows.transpose(0, 2, 1).reshape(-1, STEPS + 1)
    seen = {}
    for feature in FORMATTER.features[:2]:
        assert feature.operation.values is not None
        seen[feature.name] = feature.operation.values(np, windows, feature)
    seen["share"] = np.tile(np.arange(shares), len(last)).reshape(-1, 1)
    return seen, (returns[last] > 0).ravel(), np.repeat(last, shares)


def parted(
    seen: Mapping[str, np.ndarray[Any, Any]], positive: np.ndarray[Any, Any], days: np.ndarray[Any, Any], share: float
) -> tuple[tuple[Any, Any, Any], tuple[Any, Any, Any]]:
    """The rows up to a share of the days, and those behind it."""
    early = days <= np.quantile(np.unique(days), share)
    return tuple(
        ({name: one[rows] for name, one in seen.items()}, positive[rows], days[rows]) for rows in (early, ~early)
    )


def table(seen: Mapping[str, np.ndarray[Any, Any]]) -> np.ndarray[Any, Any]:
    """All features side by side, [rows, 22]."""
    return np.concatenate([seen[feature.name] for feature in FORMATTER.features], axis=1)


def linear_fit(
    seen: Mapping[str, np.ndarray[Any, Any]], positive: np.ndarray[Any, Any]
) -> Callable[[Mapping[str, np.ndarray[Any, Any]]], np.ndarray[Any, Any]]:
    """Least squares on the returns and the volatility."""
    weights, *_ = np.linalg.lstsq(table(seen)[:, :-1], positive - positive.mean(), rcond=None)
    return lambda some: table(some)[:, :-1] @ weights
