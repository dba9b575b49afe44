"""Files of forecasts about a made market, and what is judged of them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd

from components.feature_store import FeatureStore
from components.judging.forecast_columns import ColumnChoice
from components.synthetic_market import generate, write_market
from components.trials.record import append, record_path
from pipeline.plan import Plan, load_plan
from pipeline.uses.judge import Asked, JudgedForecasts, judge_file


def made_market(folder: Path, shares: int = 6, sessions: int = 160) -> Plan:
    """The plan of a market of reversal, whose record begins with it."""
    write_market(generate("reversal", shares=shares, sessions=sessions), folder / "m.db")
    append(record_path(folder / "m.db"), (), complete=True)
    return load_plan({"db": folder / "m.db", "workspace": folder / "runs"})


def made_forecasts(plan: Plan, sessions: int = 80) -> pd.DataFrame:
    """Of the last sessions: time, share_id, a probability that follows the market, a coin's, and a score."""
    with FeatureStore.open(plan.database) as store:
        windows = store.read_features([one.share_id for one in store.shares()]).to_pandas()
    windows = windows[windows["time"].isin(sorted(windows["time"].unique())[-sessions:])].reset_index(drop=True)
    back = windows["close1"] / windows["close0"] - 1
    coin = np.random.default_rng(0).random(len(windows))
    made = {"good": (0.5 + 2 * back).clip(0, 1), "coin": coin, "signal": 100 * back}
    return windows[["time", "share_id"]].assign(**made)


def judged(plan: Plan, frame: pd.DataFrame, columns: ColumnChoice, **asked: object) -> JudgedForecasts:
    path = plan.database.with_name("p.csv")
    frame.to_csv(path, index=False)
    return judge_file(plan, path, dataclasses.replace(Asked(columns), **asked))  # type: ignore[arg-type]
