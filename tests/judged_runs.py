"""Runs of a few numbers, to be judged."""

from __future__ import annotations

import dataclasses
from typing import Any

from pipeline.runs.results import DataSummary, MarketSummary, ModelResult, RunReport, SplitResult


def model(auc: float, half: float = 0.01, blessed: bool = False, **changes: object) -> ModelResult:
    result = ModelResult(
        auc=auc,
        auc_low=auc - half,
        auc_high=auc + half,
        accuracy=0.511,
        majority=0.523,
        rank_ic=-0.012,
        rank_ic_low=-0.04,
        rank_ic_high=0.016,
        blessed=blessed,
        reason="" if blessed else "AUC 0.5020 may be chance: its interval (0.4920 to 0.5120) contains 0.5",
        rows=5950,
    )
    return dataclasses.replace(result, **changes)


def report(
    models: dict[str, ModelResult], champion: str | None = None, market: MarketSummary | None = None, **changes: Any
) -> RunReport:
    made = RunReport(
        created="2024-05-06T07:08:09Z",
        models=models,
        splits={"test": SplitResult("2010-01-04", "2014-10-01", 5950, 0, 42, 1190)},
        champion=champion,
        pushed=None,
        seconds={},
        cached=(),
        data=DataSummary(5, 6000, "d", "1990-01-02", "2014-10-01", ("A",), "awesome.db"),
        settings={"formatter": "window_returns", "horizon": 1, "seed": 0, "models": "linear"},
        market=market,
        versions={},
    )
    return dataclasses.replace(made, **changes)


REVERSAL = MarketSummary("reversal", 0.545)
NULL = MarketSummary("null", 0.5)
