"""From the answers of all models on the test split to findings: figures, differences, verdicts."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from components.evidence.blessing import CHANCE, judge, level_for
from components.evidence.findings import PREDECESSOR, Figures, Findings, ModelFindings
from components.evidence.metric import AUC
from components.evidence.resampling import DayBlocks
from components.evidence.scores import ScoredModel
from components.evidence.tried import unjudged
from components.trials.hurdle import hurdle
from components.trials.record import Record, Trial

NOTHING_TRIED = Record(True, ())


def predecessor_column(model: str) -> str:
    """The column of what a model's predecessor answered."""
    return f"{PREDECESSOR}.{model}"


def compare(
    predictions: pd.DataFrame,
    models: Sequence[str],
    baselines: Sequence[str],
    horizon: int,
    seed: int,
    record: Record = NOTHING_TRIED,
    scores: Collection[str] = (),
) -> tuple[Findings, Trial]:
    """Scores every model and baseline, compares each model with all others, and judges it.

    Args:
        predictions: time, share_id, label, forward_return, next_return, and a column of probabilities for each model
            and each baseline, and for a model that has a predecessor `predecessor_column`.
        models: the candidates.
        baselines: what they are compared with.
        horizon: sessions ahead of the label.
        seed: of the resampling.
        record: the tries before this one.
        scores: the columns that hold scores, not probabilities.

    Returns:
        The findings, and this try as it was before it was judged.
    """
    # Rows come by day and share; the resampling must not depend on any other order.
    blocks = DayBlocks(predictions["time"].to_numpy(), horizon=horizon, seed=seed)
    label, forward = predictions["label"].to_numpy(), predictions["forward_return"].to_numpy()
    columns = [*models, *baselines, *(predecessor_column(name) for name in models)]
    scored = {
        column: ScoredModel(label, predictions[column].to_numpy(), forward, blocks, column in scores)
        for column in columns
        if column in predictions
    }
    trial = unjudged(predictions, {name: scored[name].interval(AUC) for name in models}, horizon, scores)
    asked = hurdle(record, trial)
    found = {}
    for name in models:
        others = {other: scored[other] for other in (*models, *baselines) if other != name}
        if predecessor_column(name) in scored:
            others[PREDECESSOR] = scored[predecessor_column(name)]
        differences = {other: _differences(scored[name], rival) for other, rival in others.items()}
        first = level_for(len(models))
        level = asked.level_for(name) if asked.raised(name) else first
        auc = scored[name].interval(AUC, level)
        verdict = judge(
            auc,
            len(models),
            differences[PREDECESSOR][AUC] if PREDECESSOR in differences else None,
            {baseline: differences[baseline][AUC] for baseline in baselines},
            asked.raised(name),
        )
        found[name] = ModelFindings(
            _figures(scored[name]),
            differences,
            verdict.blessed,
            verdict.reason,
            needed=CHANCE + blocks.quantile(level) * auc.standard_error,
            needed_first=CHANCE + blocks.quantile(first) * auc.standard_error,
        )
    findings = Findings(
        found,
        {name: _figures(scored[name]) for name in baselines},
        rows=len(predictions),
        days=len(np.unique(predictions["time"].to_numpy())),
        hurdle=asked,
    )
    return findings, trial


def _figures(model: ScoredModel) -> Figures:
    return {metric: model.interval(metric) for metric in model.values}


def _differences(model: ScoredModel, other: ScoredModel) -> Figures:
    return {metric: model.difference(other, metric) for metric in model.values if metric in other.values}
