"""Predictions of two folds and two years, and a walk made of them, without any pipeline."""

from __future__ import annotations

import numpy as np
import pandas as pd

from components.feature_example_gen.splits import SplitSettings
from pipeline.studies.walkforward.folds import WalkSettings, plan_folds
from pipeline.studies.walkforward.results import FoldRun, Walk
from pipeline.studies.walkforward.scores import score_horizon


def predictions(seed: int = 0, horizon: int = 1, days: int = 200, shares: int = 4) -> pd.DataFrame:
    """Two folds of 100 weekdays from October 2006 on; `knows` sees half of the return, the other model nothing."""
    rng = np.random.default_rng(seed)
    rows = days * shares
    day = np.repeat(np.arange(days), shares)
    returns = rng.normal(0, 0.02, rows)
    return pd.DataFrame(
        {
            "horizon": horizon,
            "fold": 1 + day * 2 // days,
            "time": pd.to_datetime(np.busday_offset("2006-10-02", day)),
            "share_id": np.tile([f"S{share}" for share in range(shares)], days),
            "label": (returns > 0).astype(np.int64),
            "forward_return": returns,
            "next_return": returns,
            "knows": 0.5 + returns + rng.normal(0, 0.04, rows),
            "logistic_regression": rng.random(rows),
        }
    )


def walk(horizons: tuple[int, ...] = (1, 20), market: str | None = None, best_auc: float | None = None) -> Walk:
    """A walk of hand-made predictions."""
    folds = plan_folds(
        np.busday_offset("2004-10-18", np.arange(800)), WalkSettings(folds=2), SplitSettings((0.5, 0.25, 0.25))
    )
    return Walk(
        created="2024-05-06T07:08:09+00:00",
        rolling=False,
        folds=folds,
        horizons=tuple(score_horizon(predictions(h, h), h, best_auc=best_auc) for h in horizons),
        runs=tuple(
            FoldRun(fold, h, f"../folds/x/run-{fold}-{h}", 900, 800, 12.5, ("knows",) if fold == 1 else ())
            for h in horizons
            for fold in (1, 2)
        ),
        settings={"shares": "", "formatter": "window_returns", "models": "knows,logistic_regression", "seed": 0},
        market=market,
        digest="0f",
        database="<b>.db",
        sources=("file:prices.csv",),
    )
