"""The chart of the leak audit: what a shuffled split would have claimed, beside what is honest."""

from __future__ import annotations

import math

from components.evidence.blessing import CHANCE
from components.evidence.interval import Interval
from components.leak_audit.results import NAN, AuditReport, Status
from components.leak_audit.results import Figure as AuditFigure
from pipeline.report.drawing import Chart, Row, drawing, interval_rows, model_styles, svg_chart

_AUC = "AUC "
_LINE = 34
"""Letters of a label's line."""


def audit_chart(audit: AuditReport) -> Chart | None:
    """Draws the AUCs of the checks that are there for information; None where no such check was made."""
    rows = [
        figure
        for check in audit.checks
        if check.status is Status.INFORMATION
        for figure in check.figures
        if figure.name.startswith(_AUC) and math.isfinite(figure.value)
    ]
    if not rows:
        return None
    honest, leaked = model_styles(["honest", "leaked"]).values()
    lines = [
        Row(
            _wrapped(row),
            [(Interval(row.value, row.low, row.high, NAN), honest if row.name.endswith("by date") else leaked)],
            filled=row.bounded,
        )
        for row in rows
    ]
    with drawing():
        axes = interval_rows(lines, CHANCE, 0.46, 7)
        axes.set_xlabel("AUC, 95 % interval over blocks of days")
        words = "; ".join(f"{row.name} {row.text()}" for row in rows)
        return svg_chart("audit", "What a shuffled split would have claimed", f"{words}. Chance is 0.5.", axes.figure)


def _wrapped(row: AuditFigure) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(row.name.removeprefix(_AUC).removeprefix("of "), _LINE))
