"""Searches of a few numbers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from components.evidence.metric import METRICS
from components.evidence.resampling import DayBlocks
from pipeline.studies.search.results import SearchReport, results
from pipeline.studies.search.study import Ended

DAYS = 400
BLOCKS = DayBlocks(np.arange(DAYS), block=1, seed=1)
AUC, LOSS = METRICS["auc"], METRICS["loss_above_base_rate"]


def of_days(daily: Any, **values: Any) -> Ended:
    """A trial whose figure is a mean over the days."""
    daily = np.asarray(daily, float)
    return Ended({"rate": 0.01, **values}, float(daily.mean()), BLOCKS.sums(daily) / DAYS, 2.0)


def report(*ended: Ended, metric: Any = AUC) -> SearchReport:
    return SearchReport(
        created="2026-11-30T18:00:00+00:00", model="rnn", version=2, formatter="window_returns", label="up", horizon=1,
        seed=0, seeds=len(ended[0].by_seed) or 1, metric=metric.name, metric_title=metric.title,
        higher_is_better=metric.higher_is_better,
        space={"rate": "0.001 to 0.1 (log)", "units": "8, 16-8"}, fixed={"epochs": 3}, train_rows=9000, rows=1200,
        days=DAYS, first=20100104, last=20110812, trials=results(ended, metric, BLOCKS), database="/tmp/a.db",
        command="awesome run --models rnn --hyperparameters best.json",
    )  # fmt: skip


NOISE = np.random.default_rng(5).normal(0, 0.1, (4, DAYS))
OWN = of_days(0.5 + NOISE[0])
OWN_WITH_UNITS = of_days(0.5 + NOISE[0], units=(8,))


def many() -> SearchReport:
    """26 trials of two hyperparameters, and one that diverged."""
    others = [of_days(0.5 + NOISE[n % 4], rate=0.001 * (n + 1), units=((8,), (16, 8))[n % 2]) for n in range(25)]
    diverged = Ended({"rate": 0.1, "units": (8,)}, math.nan, np.array([]), 1.0, "training <diverged>")
    return report(OWN_WITH_UNITS, *others, diverged)
