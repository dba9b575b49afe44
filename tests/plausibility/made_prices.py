"""Sound random walks of shares, and the faults that data has, put into them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from components.feature_store.series import PriceSeries
from components.plausibility import Suspect
from components.plausibility.market import NO_MARKET, Market, market_of
from components.plausibility.returns import find_suspects

DAYS = np.busday_offset("2014-01-01", np.arange(1500), roll="forward").astype("datetime64[D]")
AT = 900
"""The session on which a fault begins."""


def walk(seed: int = 0, deviation: float = 0.015, sessions: int = len(DAYS), name: str = "AAA") -> PriceSeries:
    returns = np.random.default_rng(seed).normal(0, deviation, sessions)
    return PriceSeries(name, DAYS[:sessions], np.round(80 * np.exp(np.cumsum(returns)), 4), np.ones(sessions))


def panel(shares: int, moves: np.ndarray, seed: int = 100) -> list[PriceSeries]:
    """Shares that follow a market's log moves, each with a noise of its own."""
    made = []
    for number in range(shares):
        own = np.random.default_rng(seed + number).normal(0, 0.012, len(moves))
        close = 50 * np.exp(np.cumsum(moves + own))
        made.append(PriceSeries(f"S{number}", DAYS[: len(moves)], close, np.ones(len(moves))))
    return made


def market(series: Sequence[PriceSeries]) -> Market:
    return market_of([(one.time, one.level) for one in series])


def times(series: PriceSeries, by: float, begin: int = AT, end: int | None = None) -> PriceSeries:
    """The closes of some sessions multiplied: all from a day on, or a few."""
    close = series.close.copy()
    close[begin:end] *= by
    return replace(series, close=close)


def jump(series: PriceSeries, change: float, begin: int = AT) -> PriceSeries:
    """A share whose return of one session is exactly this one."""
    close = series.close.copy()
    close[begin:] *= (1 + change) * close[begin - 1] / close[begin]
    return replace(series, close=close)


def found(series: PriceSeries, known: Market = NO_MARKET) -> list[Suspect]:
    return find_suspects(series, known)


def grades(series: PriceSeries, known: Market = NO_MARKET) -> list[tuple[str, str]]:
    return [(one.day, one.grade.value) for one in found(series, known)]


def rate(make: Callable[[int], PriceSeries], grade: str, tries: int = 60) -> float:
    """How often the return of the session AT has a grade."""
    return float(np.mean([(str(DAYS[AT]), grade) in grades(make(seed)) for seed in range(tries)]))
