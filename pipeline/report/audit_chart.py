"""The chart of the leak audit: what a shuffled split would have claimed, beside what is honest."""

from __future__ import annotations

import math

from matplotlib.figure import Figure

from components.evidence.blessing import CHANCE
from components.leak_audit.results import AuditReport, Status
from components.leak_audit.results import Figure as AuditFigure
from pipeline.report.drawing import INK, WIDTH, Chart, drawing, finish_rows, model_styles, padded, svg_chart

_AUC = "AUC "
_LINE = 34
"""Letters of a label's line."""


def audit_chart(audit: AuditReport) -> Chart | None:
    """Draws the AUCs of the checks that are there for information.

    Args:
        audit: of the run.

    Returns:
        The chart; None where no such check was made.
    """
    rows = [
        figure
        for check in audit.checks
        if check.status is Status.INFORMATION
        for figure in check.figures
        if figure.name.startswith(_AUC) and math.isfinite(figure.value)
    ]
    if not rows:
        return None
    ends = [CHANCE, *(end for row in rows for end in (row.value, row.low, row.high) if math.isfinite(end))]
    low, high = padded(min(ends), max(ends), 0.08, least=0.02)
    honest, leaked = model_styles(["honest", "leaked"]).values()
    with drawing():
        canvas = Figure(figsize=(WIDTH, 1.0 + 0.46 * len(rows)), layout="constrained")
        axes = canvas.add_subplot()
        axes.axvline(CHANCE, color=INK, linewidth=1.2)
        for place, row in enumerate(rows):
            style = honest if row.name.endswith("by date") else leaked
            if row.bounded:
                axes.plot([row.low, row.high], [place, place], color=style.colour, linewidth=2.4)
            filled = style.colour if row.bounded else "white"
            axes.plot(row.value, place, marker=style.marker, markersize=7, color=style.colour, markerfacecolor=filled)
        axes.set_yticks(range(len(rows)), [_wrapped(row) for row in rows])
        finish_rows(axes, len(rows), low, high)
        axes.set_xlabel("AUC, 95 % interval over blocks of days")
        words = "; ".join(f"{row.name} {row.text()}" for row in rows)
        return svg_chart("audit", "What a shuffled split would have claimed", f"{words}. Chance is 0.5.", canvas)


def _wrapped(row: AuditFigure) -> str:
    import textwrap

    return "\n".join(textwrap.wrap(row.name.removeprefix(_AUC).removeprefix("of "), _LINE))
