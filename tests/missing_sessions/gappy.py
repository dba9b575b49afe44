"""Days of shares with rows taken out, and what is found to be missing of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import numpy as np

from components.extractor.calendar import ExchangeCalendar
from components.missing_sessions.finding import missing_in
from components.missing_sessions.found import MissingSessions

NOW = dt.datetime(2026, 11, 20, tzinfo=dt.UTC)


def sessions(exchange: str, first: str = "2015-01-05", last: str = "2024-12-20") -> np.ndarray:
    calendar = ExchangeCalendar.of(exchange, NOW)
    return calendar.sessions(dt.date.fromisoformat(first), dt.date.fromisoformat(last))


def thinned(days: np.ndarray, part: float, seed: int = 0) -> np.ndarray:
    """Without a part of the days, at random; the first and the last one stay."""
    kept = np.random.default_rng(seed).random(len(days)) >= part
    kept[[0, -1]] = True
    return days[kept]


def find(
    shares: Mapping[str, np.ndarray], exchanges: Mapping[str, str] | None = None, suggest: bool = False
) -> MissingSessions:
    return missing_in(shares.items, exchanges or {}, NOW, shares if suggest else ())


def lacks(found: MissingSessions) -> dict[str, list[str]]:
    return {share: gaps.days.astype(str).tolist() for share, gaps in found.shares.items()}


def texts(days: np.ndarray) -> list[str]:
    return days.astype(str).tolist()
