"""A leak audit that found a leak, made of a few numbers."""

from __future__ import annotations

import math

from components.leak_audit.results import AuditReport, CheckResult, Figure, Status

AUDIT = AuditReport(
    (
        CheckResult("split proof", Status.PASSED, "No row shares a session.", (Figure("rows shared", 0),)),
        CheckResult(
            "alarm",
            Status.LEAKING,
            "The AUC of <linear> is above 0.6.",
            (Figure("AUC linear", 0.7, 0.68, 0.72, 4), Figure("AUC rnn", math.nan, decimals=4)),
            "check the split",
        ),
        CheckResult(
            "leak inflation",
            Status.INFORMATION,
            "A shuffled split would have claimed more.",
            (
                Figure("AUC of linear, split by date", 0.5017, 0.47, 0.53, 4),
                Figure("AUC of linear, rows shuffled", 0.5264, 0.50, 0.55, 4),
                Figure("leak inflation of linear", 0.0247, -0.01, 0.06, 4),
                Figure("AUC that one market factor predicts", 0.74, decimals=4),
            ),
        ),
    ),
    ("linear",),
    "window_returns",
    1,
    11623,
)
