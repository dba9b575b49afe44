"""Day ablation: what knowing the day gives under a shuffled split, beside what one market factor predicts."""

from __future__ import annotations

import math

import numpy as np

from components.evidence.auc import auc_interval
from components.evidence.day_leak import day_leak_auc, day_leak_auc_of_rows, mean_correlation
from components.leak_audit.check import Audited, Check
from components.leak_audit.reading.learners import LOGISTIC_ROWS, logistic_scores
from components.leak_audit.reading.rows import TEST, TRAIN, AuditRows
from components.leak_audit.reading.subsets import around_borders, shuffled
from components.leak_audit.results import CheckResult, Figure, Status

NAME = "day ablation"
_ENOUGH_ROWS = 500
"""Of a day, to know it fully."""

_SHARES = 60
"""Shares that the correlation is measured on, at the most: their pairs grow with the square."""


def day_ablation(audited: Audited) -> CheckResult:
    """Fits logistic regression under a shuffled split, without the day and with it."""
    rows, config = audited.rows, audited.config
    part, seen = around_borders(rows, audited.features, LOGISTIC_ROWS)
    label, day = part.labels[config.horizon], part.rank_of_day()
    split = shuffled(part.split, config.seed)
    test, train = np.flatnonzero(split == TEST), np.flatnonzero(split == TRAIN)
    without, with_day = (
        auc_interval(
            label[test],
            logistic_scores(seen, label, split, day=known),
            part.time[test],
            horizon=config.horizon,
            seed=config.seed,
        )
        for known in (None, day)
    )
    correlation = _correlation(part, config.horizon)
    known = np.bincount(day[train], minlength=int(day.max()) + 1)[day[test]]
    whole = day_leak_auc(correlation)
    partly = day_leak_auc_of_rows(min(correlation, 0.999), np.minimum(known, _ENOUGH_ROWS))
    figures = (
        Figure("AUC of logistic regression, rows shuffled", without.value, without.low, without.high, 4),
        Figure("AUC with the day as a feature", with_day.value, with_day.low, with_day.high, 4),
        Figure("correlation of two shares within a day", correlation, decimals=4),
        Figure("rows of a test row's day that were trained on, mean", float(np.mean(known)), decimals=1),
        Figure("AUC that one market factor predicts, the day known from these rows", partly, decimals=4),
        Figure("AUC that one market factor predicts, the day known fully", whole, decimals=4),
    )
    predicted = (
        "" if math.isnan(partly) else f"; one market factor of correlation {correlation:.2f} predicts {partly:.4f}"
    )
    note = f" (on {len(part):,} of {len(rows):,} rows)" if len(part) < len(rows) else ""
    return CheckResult(
        NAME,
        Status.INFORMATION,
        f"Under a shuffled split logistic regression that knows the day reaches an AUC of {with_day.value:.4f} "
        f"instead of {without.value:.4f}{predicted}{note}.",
        figures,
    )


def _correlation(rows: AuditRows, horizon: int) -> float:
    """Mean correlation of the shares' returns over the horizon within a day."""
    some = rows.share < _SHARES
    ahead = rows.returns[horizon]
    known = np.flatnonzero(some & ~np.isnan(ahead))
    day = rows.time[known]
    # A share of a few months would count as much in the mean over pairs as those that most rows are of.
    least = max(60, len(np.unique(day)) // 4)
    return mean_correlation(np.log1p(ahead[known].astype(np.float64)), day, rows.share[known], least)


CHECK = Check(
    NAME,
    day_ablation,
    passes="for information: what knowing the day gives under a shuffled split, beside 1/2 + (2/pi) asin(sqrt(rho/2))",
    order=100,
    acceptable=False,
    learns=True,
)
