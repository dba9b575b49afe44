"""Permuted labels: with the labels of each day dealt out anew, nothing is left that an honest model could learn.

Each row gets the label of another row of its day, in all splits, and the model is trained again. What is left to learn
is how a day as a whole went, and of a day yet to come nobody knows that: an AUC above 1/2 says that the model
recognises days. Below it there is no leak: a model may be wrong about a market. The 95 % interval is shown; the lower
end of the 99.8 % interval decides, so an honest run rings once in a thousand: an audit has many checks, and all of them
together may accuse one honest run in a hundred. A model that can honestly time the whole market would ring too.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from components.evidence.auc import auc_interval
from components.evidence.interval import Interval
from components.evidence.words import figure, number4
from components.feature_example_gen.splits import SPLITS
from components.leak_audit.check import Audited, Check
from components.leak_audit.reading.learners import MODEL_ROWS, model_scores
from components.leak_audit.reading.rows import TEST
from components.leak_audit.reading.subsets import near_borders, take
from components.leak_audit.results import CheckResult, Figure, Status

NAME = "permuted labels"
_LEVEL = 0.998
"""Its lower end decides, so that an honest run rings once in a thousand."""


def permuted_labels(audited: Audited) -> CheckResult:
    """Deals the labels of each day out anew in all splits, and trains the audited architecture on them."""
    rows, model, config = audited.rows, audited.model, audited.config
    # A label that is alone on its day could only be dealt to its own row.
    shared = rows.split.astype(np.int8)
    for split in range(len(SPLITS)):
        _, day, count = np.unique(rows.time[shared == split], return_inverse=True, return_counts=True)
        shared[shared == split] = np.where(count[day.reshape(-1)] > 1, split, -1)
    if not all(np.any(shared == split) for split in range(len(SPLITS))):
        return CheckResult(NAME, Status.NOT_APPLICABLE, "No day has two shares, so there is nothing to deal out.")
    rows, features = take(rows, audited.features, near_borders(rows, shared, MODEL_ROWS))
    label = deal_within_days(rows.labels[config.horizon], rows.split * (10**8) + rows.time, config.seed)
    test = np.flatnonzero(rows.split == TEST)
    scores = model_scores(model, config, features, label, rows.split, audited.trainings)

    def interval(level: float) -> Interval:
        return auc_interval(label[test], scores, rows.time[test], horizon=config.horizon, seed=config.seed, level=level)

    shown, decides = interval(0.95), interval(_LEVEL)
    figures = (
        Figure(f"AUC of {model.name} on permuted labels", shown.value, shown.low, shown.high, 4),
        Figure("the same with the interval that decides", decides.value, decides.low, decides.high, 4, _LEVEL),
    )
    if math.isnan(decides.low):
        return CheckResult(NAME, Status.NOT_APPLICABLE, "There are too few days to tell 1/2 from more.", figures)
    text = figure(shown, number4, "95 % interval ")
    if decides.low > 0.5:
        return CheckResult(
            NAME,
            Status.LEAKING,
            f"With labels permuted within days {model.name} still reaches an AUC of {text}: it recognises days.",
            figures,
            "see whether rows of one day stand on both sides of the split, and whether a feature tells the day; an "
            "honest run rings here once in a thousand, so try another seed",
        )
    return CheckResult(
        NAME, Status.PASSED, f"With labels permuted within days nothing is left of the AUC: {text}.", figures
    )


def deal_within_days(label: NDArray[np.int64], day: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """Gives each row the label of another row of its day, each label to one row.

    Never its own: of N rows a day one in N would keep what can honestly be known of it.

    Args:
        label: [rows].
        day: [rows] of anything that sorts.
        seed: of the order.

    Returns:
        [rows]; a row that is alone on its day keeps its label.
    """
    order = np.lexsort((np.random.default_rng(seed).random(len(label)), day))
    sorted_day = day[order]
    first = np.searchsorted(sorted_day, sorted_day, side="left")
    last = np.searchsorted(sorted_day, sorted_day, side="right") - 1
    place = np.arange(len(label))
    giver = np.where(place == last, first, place + 1)
    dealt = np.empty_like(label)
    dealt[order] = label[order][giver]
    return dealt


CHECK = Check(
    NAME,
    permuted_labels,
    passes="with labels dealt out anew within days, the model's AUC is not above 1/2 beyond its interval",
    leaks="it is: the model recognises days",
    order=60,
    each_model=True,
    learns=True,
)
