"""A run and its page without any pipeline."""

from __future__ import annotations

import functools

import judged_runs
import numpy as np
import pandas as pd

from components.evidence.accuracy import accuracy, majority
from components.evidence.auc import auc, auc_by_group
from components.evidence.interval import Interval
from components.explanation.results import Explanation, Importance, ModelExplanation, PairImportance, Part
from pipeline.report.page import render_html
from pipeline.runs.results import DataSummary, GroupScore, MarketSummary, RunReport, SplitResult

NAMES = ("linear", "dnn", "custom_dnn", "rnn")
NASTY = '<script>alert("x")</script>&co'
NAN = float("nan")

Run = tuple[RunReport, pd.DataFrame, dict[str, pd.DataFrame]]


@functools.cache
def made_run(champion: bool = False, shares: int = 5, days: int = 120, names: tuple[str, ...] = NAMES) -> Run:
    """A run with honest random predictions; with a champion it is one on a synthetic market."""
    rng = np.random.default_rng(3)
    rows = shares * days
    sessions = pd.bdate_range("2012-09-03", periods=days)
    share_ids = [NASTY, "BRK.B", *(f"S{i:03d}" for i in range(shares))][:shares]
    known = rng.normal(size=rows)
    returns = 0.02 * ((0.14 * known if champion else 0) + rng.normal(size=rows))
    predictions = pd.DataFrame(
        {
            "time": np.repeat(sessions.to_numpy(), shares),
            "share_id": np.tile(np.array(share_ids, dtype=object), days),
            "label": (returns > 0).astype(int),
            "forward_return": returns,
        }
    )
    labels = predictions["label"].to_numpy()
    models = {}
    for i, name in enumerate(names):
        score = known + 0.3 * i * rng.normal(size=rows)
        predictions[name] = 0.5 + 0.02 * (i + 1) * np.tanh(score)
        probabilities = predictions[name].to_numpy()
        area = auc(labels, probabilities)
        years = predictions["time"].dt.year.to_numpy()
        models[name] = judged_runs.model(
            area,
            half=0.02,
            blessed=champion,
            accuracy=accuracy(labels, probabilities),
            majority=majority(labels),
            reason="" if champion else f"{name}: not above 0.5 & <1 standard error",
            skill=0.9 if champion else None,
            rows=rows,
            model_uri=f"runs/x/{name}/model",
            model_run_uri=f"runs/x/{name}/model_run",
            evaluation_uri=f"runs/x/{name}/evaluation",
            auc_standard_error=0.01,
            metrics={"loss": 0.693, "auc": area, "label/mean": 0.5},
            by_year={str(g): GroupScore(a, n) for g, a, n in auc_by_group(labels, probabilities, years)},
            by_share={share: GroupScore(0.5, days) for share in share_ids},
        )
    report = judged_runs.report(
        models,
        splits={
            "train": SplitResult("2001-01-01", "2008-12-31", 10000, 5, 20, 2000),
            "eval": SplitResult("2009-02-01", "2010-12-31", 2400, 5, 9, 480),
            "test": SplitResult("2011-02-01", "2013-02-15", rows, 0, 7, days),
        },
        champion=names[0] if champion else None,
        pushed="runs/x/serving/1" if champion else None,
        seconds={"Transform": 0.0, "Trainer.linear": 30.0, "Trainer.rnn": 120.0},
        cached=("Transform",),
        data=DataSummary(shares, 3000, "digest9f", "2001-01-01", "2013-02-15", tuple(share_ids), "awesome.db"),
        settings={"formatter": "window_returns", "horizon": 1, "seed": 42, "models": ",".join(names), "dates": None},
        market=MarketSummary("reversal", 0.5451) if champion else None,
        versions={"python": "3.11.2", "tfx": "1.16.0", "awesome": "0.1.0"},
    )
    histories = {
        name: pd.DataFrame(
            {"epoch": [1, 2, 3, 4], "loss": [0.7, 0.68, 0.66, 0.64], "val_loss": [0.70, 0.69, 0.68, 0.71]}
        )
        for name in names
    }
    return report, predictions, histories


def made_explanation(names: tuple[str, ...] = NAMES) -> Explanation:
    """One of two sequences and a feature with a long name, of which one lag helps and one does harm."""

    def one(part: Part, value: float) -> Importance:
        return Importance(part, Interval(value, value - 0.01, value + 0.01, 0.003), value)

    sequences = (("returns", 20), ("market_relative_returns_of_the_day", 60))
    lags = [Part(feature, lag) for feature, steps in sequences for lag in range(1, steps + 1)]
    parts = tuple(one(part, {1: 0.03, 2: -0.02}.get(part.lag or 0, 0.001)) for part in lags)
    features = tuple(one(Part(feature), 0.02) for feature, _ in sequences)
    pair = PairImportance((lags[1], lags[-1]), *(Interval(0.03, 0.01, 0.05, 0.01),) * 2)
    model = ModelExplanation(0.53, features, parts, (pair,))
    return Explanation("2024-05-06", dict.fromkeys(names, model), 600, 120, 5, {NASTY: "it has none"})


@functools.cache
def made_page(*, champion: bool) -> str:
    """The page of `made_run`."""
    return render_html(*made_run(champion=champion))
