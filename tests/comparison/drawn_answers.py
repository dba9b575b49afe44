"""Combinations that were never trained: what their models answered is drawn."""

from __future__ import annotations

import numpy as np
import pandas as pd

from components.comparison.choosing import Answered

SHARES, DAYS = 12, 60


def _market() -> pd.DataFrame:
    """Rows of an eval split: by day and share, the returns that followed."""
    rng = np.random.default_rng(4)
    return pd.DataFrame(
        {
            "time": np.repeat(pd.bdate_range("2020-01-01", periods=DAYS).to_numpy(), SHARES),
            "share_id": np.tile([f"S{number:02d}" for number in range(SHARES)], DAYS),
            "forward_return": 0.02 * rng.normal(size=SHARES * DAYS),
            "next_return": 0.02 * rng.normal(size=SHARES * DAYS),
        }
    )


def answered(formatter: str, label: str, seed: int = 0, baseline: float = 0.0, **knowing: float) -> Answered:
    """A combination whose models know as much of the return as is asked for."""
    rows, rng = _market(), np.random.default_rng(seed)
    level = rows.groupby("time")["forward_return"].transform("median") if label == "outperform" else 0.0
    rows["label"] = (rows["forward_return"] > level).astype(int)
    for name, part in {**knowing, "logistic_regression": baseline}.items():
        signal = part * rows["forward_return"] / 0.02 + rng.normal(size=len(rows))
        rows[name] = 1 / (1 + np.exp(-signal))
    return Answered(formatter, label, tuple(knowing), ("logistic_regression",), rows)
