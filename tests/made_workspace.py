"""A workspace of finished runs without any pipeline."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from judged_runs import model, report

from components.evidence.findings import PREDICTIONS_FILE
from components.evidence.interval import Interval
from pipeline.runs.folder import save_report

DAYS, SHARES = 80, 6


def answers(seed: int, skill: float, first: str = "2020-01-01", days: int = DAYS) -> pd.DataFrame:
    """Predictions of the same days and shares, which know the returns as well as is said."""
    rows = days * SHARES
    returns = np.random.default_rng(1).normal(scale=0.01, size=rows)
    said = 0.5 + 0.02 * np.tanh(skill * returns / 0.01 + np.random.default_rng(seed).normal(size=rows))
    return pd.DataFrame(
        {
            "time": np.repeat(pd.bdate_range(first, periods=days).to_numpy(), SHARES),
            "share_id": np.tile([f"S{i}" for i in range(SHARES)], days),
            "label": (returns > 0).astype(int),
            "forward_return": returns,
            "linear": said,
        }
    )


def add(workspace: Path, name: str, predictions: pd.DataFrame | None = None, **changes: Any) -> Path:
    folder = workspace / name
    folder.mkdir()
    figures = {"auc": Interval(0.51, 0.5, 0.52, 0.005), "rank_ic": Interval(-0.0123, -0.0456, -0.0101, 0.01)}
    made = report({"linear": model(0.51, scores=figures)}, created=f"2026-11-{int(name[-2:]):02d}T08:00:00Z")
    save_report(dataclasses.replace(made, **changes), folder / "report.json")
    if predictions is not None:
        predictions.to_parquet(folder / PREDICTIONS_FILE)
    return folder
