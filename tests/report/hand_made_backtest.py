"""A finished run's folder to be traded, and intervals to be judged."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import judged_runs
import numpy as np
import pandas as pd

from components.backtest import Backtest, ModelBacktest
from components.evidence.interval import Interval
from pipeline.runs.folder import save_report
from pipeline.runs.results import RunReport, SplitResult

NAN = float("nan")
NASTY = "<script>x</script>"


def made_run(
    folder: Path, names: tuple[str, ...] = ("linear", "rnn"), days: int = 120, shares: int = 6, **changes: Any
) -> tuple[RunReport, pd.DataFrame]:
    """A finished run's folder: the first model knows a little, the others nothing."""
    rng = np.random.default_rng(0)
    returns = 0.02 * rng.standard_normal(days * shares)
    frame = pd.DataFrame(
        {
            "time": np.repeat(pd.bdate_range("2012-01-02", periods=days).to_numpy(), shares),
            "share_id": np.tile(np.array([f"S{i}" for i in range(shares)], dtype=object), days),
            "label": (returns > 0).astype(int),
            "forward_return": returns,
            "next_return": returns,
        }
    )
    for i, name in enumerate(names):
        frame[name] = 0.5 + 0.1 * np.tanh(rng.standard_normal(len(frame)) + (20 * returns if i == 0 else 0))
    values: dict[str, Any] = {
        "splits": {"test": SplitResult("2012-01-02", "2012-06-15", len(frame), 0, 3, days)},
        "settings": {"formatter": "window_returns", "horizon": 1, "seed": 0, "models": ",".join(names)},
    }
    report = judged_runs.report(dict.fromkeys(names, judged_runs.model(0.5)), **(values | changes))
    folder.mkdir(parents=True)
    save_report(report, folder / "report.json")
    frame.to_parquet(folder / "predictions.parquet", index=False)
    return report, frame


def changed(result: Backtest, sharpe: Interval, difference: Interval, model: str = "linear") -> Backtest:
    """The same backtest with other intervals after costs."""
    old = result.models[model]
    long_short = dataclasses.replace(old.long_short.after_costs, sharpe=sharpe)
    long_only = dataclasses.replace(old.long_only.after_costs, difference=difference)
    new = ModelBacktest(
        dataclasses.replace(old.long_short, after_costs=long_short),
        dataclasses.replace(old.long_only, after_costs=long_only),
    )
    return dataclasses.replace(result, models={**result.models, model: new})


ABOVE, AROUND, BELOW, UNKNOWN = (
    Interval(1.0, 0.2, 1.8, 0.4),
    Interval(0.2, -0.6, 1.0, 0.4),
    Interval(-1.0, -1.8, -0.2, 0.4),
    Interval(0.5, NAN, NAN, NAN),
)
NOTHING = Interval(NAN, NAN, NAN, NAN)
