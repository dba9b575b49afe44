"""From the answers of all models on the test split to findings: figures, differences, verdicts."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from components.evidence.blessing import judge, level_for
from components.evidence.findings import PREDECESSOR, Figures, Findings, ModelFindings
from components.evidence.metric import AUC, METRICS
from components.evidence.resampling import DayBlocks
from components.evidence.scores import ScoredModel


def predecessor_column(model: str) -> str:
    """The column of what a model's predecessor answered."""
    return f"{PREDECESSOR}.{model}"


def compare(
    predictions: pd.DataFrame, models: Sequence[str], baselines: Sequence[str], horizon: int, seed: int
) -> Findings:
    """Scores every model and baseline, compares each model with all others, and judges it.

    Args:
        predictions: time, label, forward_return, and a column of probabilities for each model and each baseline, and
            for a model that has a predecessor `predecessor_column`.
        models: the candidates.
        baselines: what they are compared with.
        horizon: sessions ahead of the label.
        seed: of the resampling.

    Returns:
        The findings.
    """
    # Rows come by day and share; the resampling must not depend on any other order.
    blocks = DayBlocks(predictions["time"].to_numpy(), horizon=horizon, seed=seed)
    label, forward = predictions["label"].to_numpy(), predictions["forward_return"].to_numpy()
    columns = [*models, *baselines, *(predecessor_column(name) for name in models)]
    scored = {
        column: ScoredModel(label, predictions[column].to_numpy(), forward, blocks)
        for column in columns
        if column in predictions
    }
    found = {}
    for name in models:
        others = {other: scored[other] for other in (*models, *baselines) if other != name}
        if predecessor_column(name) in scored:
            others[PREDECESSOR] = scored[predecessor_column(name)]
        differences = {other: _differences(scored[name], rival) for other, rival in others.items()}
        verdict = judge(
            scored[name].interval(AUC, level_for(len(models))),
            len(models),
            differences[PREDECESSOR][AUC] if PREDECESSOR in differences else None,
            {baseline: differences[baseline][AUC] for baseline in baselines},
        )
        found[name] = ModelFindings(_figures(scored[name]), differences, verdict.blessed, verdict.reason)
    return Findings(
        found,
        {name: _figures(scored[name]) for name in baselines},
        rows=len(predictions),
        days=len(np.unique(predictions["time"].to_numpy())),
    )


def _figures(model: ScoredModel) -> Figures:
    return {metric: model.interval(metric) for metric in METRICS}


def _differences(model: ScoredModel, other: ScoredModel) -> Figures:
    return {metric: model.difference(other, metric) for metric in METRICS}
