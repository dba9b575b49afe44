"""Leak inflation: what the same model would have claimed under a shuffled split."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from components.evidence.auc import auc_interval
from components.evidence.interval import Interval
from components.leak_audit.check import Audited, Check
from components.leak_audit.config import AuditedModel
from components.leak_audit.reading.learners import MODEL_ROWS, TREE_ROWS, model_scores, tree_scores
from components.leak_audit.reading.rows import TEST
from components.leak_audit.reading.subsets import around_borders, shuffled
from components.leak_audit.results import CheckResult, Figure, Status

NAME = "leak inflation"


def leak_inflation(audited: Audited, model: AuditedModel | None) -> CheckResult:
    """Trains under the dated split and under a shuffled one of the same rows and sizes.

    Args:
        audited: the run.
        model: the audited architecture; None for trees large enough to memorise: what a shuffled split gives at most
            without knowing the day.
    """
    config = audited.config
    most, name = (TREE_ROWS, "LightGBM that memorises") if model is None else (MODEL_ROWS, model.name)
    part, seen = around_borders(audited.rows, audited.features, most)
    label = part.labels[config.horizon]

    def measured(split: NDArray[np.int64]) -> Interval:
        if model is None:
            scores = tree_scores(seen, label, split, config.seed)
        else:
            scores = model_scores(model, config, seen, label, split, audited.trainings)
        test = np.flatnonzero(split == TEST)
        return auc_interval(label[test], scores, part.time[test], horizon=config.horizon, seed=config.seed)

    dated, mixed = measured(part.split), measured(shuffled(part.split, config.seed))
    figures = (
        Figure(f"AUC of {name}, split by date", dated.value, dated.low, dated.high, 4),
        Figure(f"AUC of {name}, rows shuffled", mixed.value, mixed.low, mixed.high, 4),
        _difference(f"leak inflation of {name}", dated, mixed),
    )
    note = f" (on the {len(part):,} rows around the borders)" if len(part) < len(audited.rows) else ""
    return CheckResult(
        NAME,
        Status.INFORMATION,
        f"A shuffled split would have claimed an AUC of {mixed.value:.4f} instead of {dated.value:.4f} for {name}"
        f"{note}.",
        figures,
    )


def _difference(name: str, dated: Interval, mixed: Interval) -> Figure:
    """The second AUC minus the first. Their test rows differ, so their errors add up as independent ones do."""
    value = mixed.value - dated.value
    # Half widths rather than standard errors: they know how few days there are.
    reach = math.hypot(dated.high - dated.value, mixed.high - mixed.value)
    return Figure(name, value, value - reach, value + reach, 4)


CHECK = Check(
    NAME,
    lambda audited: leak_inflation(audited, audited.model),
    passes="for information: the same model under a shuffled split of the same rows",
    order=80,
    acceptable=False,
    each_model=True,
    learns=True,
)
