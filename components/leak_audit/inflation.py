"""Leak inflation: what the same model would have claimed under a shuffled split."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from components.evidence.resampling import Interval
from components.evidence.statistics import auc_interval
from components.leak_audit.config import AuditConfig
from components.leak_audit.features import AuditFeatures
from components.leak_audit.learners import MODEL_ROWS, TREE_ROWS, model_scores, tree_scores
from components.leak_audit.results import CheckResult, Figure, Status
from components.leak_audit.rows import TEST, AuditRows
from components.leak_audit.subsets import capped_places, shuffled, take, take_features

NAME = "leak inflation"


def leak_inflation(rows: AuditRows, features: AuditFeatures, config: AuditConfig) -> CheckResult:
    """Trains under the dated split and under a shuffled one of the same rows and sizes.

    Args:
        rows: of the run.
        features: of the same rows.
        config: the audited architecture, and the seed.

    Returns:
        For information: two learners, each with two AUCs and their difference.
    """
    model = _both(rows, features, config, MODEL_ROWS, trees=False)
    trees = _both(rows, features, config, TREE_ROWS, trees=True)
    figures = []
    for name, (dated, mixed) in ((config.model, model), ("LightGBM that memorises", trees)):
        figures += [
            Figure(f"AUC of {name}, split by date", dated.value, dated.low, dated.high, 4),
            Figure(f"AUC of {name}, rows shuffled", mixed.value, mixed.low, mixed.high, 4),
            difference(f"leak inflation of {name}", dated, mixed),
        ]
    most = {config.model: MODEL_ROWS, "LightGBM": TREE_ROWS}
    capped = [f"{name} on {rows_used:,}" for name, rows_used in most.items() if len(rows) > rows_used]
    note = f" (trained and tested on the days around the borders only: {', '.join(capped)} rows)" if capped else ""
    return CheckResult(
        NAME,
        Status.INFORMATION,
        f"A shuffled split would have claimed an AUC of {mixed_words(model)} for {config.model}, and of "
        f"{mixed_words(trees)} for trees that memorise{note}.",
        tuple(figures),
    )


def mixed_words(pair: tuple[Interval, Interval]) -> str:
    """An AUC of a shuffled split beside that of the split by date."""
    dated, mixed = pair
    return f"{mixed.value:.4f} instead of {dated.value:.4f}"


def difference(name: str, dated: Interval, mixed: Interval) -> Figure:
    """The second AUC minus the first. Their test rows differ, so their errors add up as independent ones do.

    Args:
        name: of the figure.
        dated: AUC under the split by date.
        mixed: AUC under the shuffled one.
    """
    value = mixed.value - dated.value
    # Half widths rather than standard errors: they know how few days there are.
    reach = math.hypot(dated.high - dated.value, mixed.high - mixed.value)
    return Figure(name, value, value - reach, value + reach, 4)


def _both(
    rows: AuditRows, features: AuditFeatures, config: AuditConfig, most: int, trees: bool
) -> tuple[Interval, Interval]:
    places = capped_places(rows, most)
    part, seen = take(rows, places), take_features(features, places)
    label = part.labels[config.horizon]

    def measured(split: NDArray[np.int64]) -> Interval:
        scores = tree_scores(seen, label, split, config.seed) if trees else model_scores(config, seen, label, split)
        test = np.flatnonzero(split == TEST)
        return auc_interval(label[test], scores, part.time[test], horizon=config.horizon, seed=config.seed)

    return measured(part.split), measured(shuffled(part.split, config.seed))
