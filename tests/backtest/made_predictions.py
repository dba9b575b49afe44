"""Predictions made by hand or at random, in the layout of a run's predictions.parquet."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd


def predictions(
    returns: Any, forward: bool = False, absent: list[tuple[int, int]] | None = None, **scores: Any
) -> pd.DataFrame:
    """Arrays [days, shares] as rows.

    Args:
        returns: to the next session.
        forward: without the column next_return, as older runs left them.
        absent: (day, share) that have no row.
        scores: of each model.
    """
    values = np.asarray(returns, dtype=float)
    days, shares = values.shape
    frame = pd.DataFrame(
        {
            "time": np.repeat(pd.bdate_range("2012-01-02", periods=days).to_numpy(), shares),
            "share_id": np.tile(np.array([f"S{i:03d}" for i in range(shares)], dtype=object), days),
            "label": (values.ravel() > 0).astype(int),
            "forward_return": values.ravel() if forward else 99.0,
            "next_return": values.ravel(),
        }
    )
    for name, score in scores.items():
        frame[name] = np.broadcast_to(np.asarray(score, dtype=float), values.shape).ravel()
    if forward:
        frame = frame.drop(columns="next_return")
    return frame.drop(index=[day * shares + share for day, share in absent or []]).reset_index(drop=True)


def random_predictions(days: int = 60, shares: int = 6, seed: int = 0, **scores: Any) -> pd.DataFrame:
    """Returns without any signal, of 2 % a day; a model "coin" that knows nothing, and those in `scores`."""
    rng = np.random.default_rng(seed)
    returns = 0.02 * rng.standard_normal((days, shares))
    return predictions(returns, coin=rng.random((days, shares)), **scores)


# Three shares on four days, worked by hand in test_backtest_by_hand.py.
SCORES = np.array([[0.9, 0.5, 0.1], [0.1, 0.5, 0.9], [0.5, 0.5, 0.1], [0.1, 0.9, 0.5]])
RETURNS = np.array([[0.1, 0.0, -0.1], [-0.1, 0.1, 0.2], [0.1, -0.1, 0.0], [0.0, 0.2, -0.2]])
