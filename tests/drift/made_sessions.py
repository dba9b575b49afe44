"""Sessions of a market without drift, and what can happen to one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.drift.sessions import Session, summarise

SHARES, STEPS = 30, 4

Features = Mapping[str, NDArray[Any]]


def made_features(rng: np.random.Generator, shares: int = SHARES) -> dict[str, NDArray[Any]]:
    """A sequence, a number that the whole market shares in part, and the share."""
    return {
        "returns": rng.standard_t(4, (shares, STEPS)).astype(np.float32),
        "log_volatility": (rng.normal(size=(shares, 1)) + 0.3 * rng.normal()).astype(np.float32),
        "share": np.arange(shares)[:, None],
    }


def made_sessions(count: int, rng: np.random.Generator, first: str = "2001-01-01") -> list[Session]:
    """Sessions on weekdays from a day on."""
    return [summarise(day, made_features(rng)) for day in np.busday_offset(first, np.arange(count), roll="forward")]
