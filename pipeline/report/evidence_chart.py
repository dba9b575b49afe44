"""The chart of how models differ from baselines and predecessors: paired differences with their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping

from components.evidence.findings import Figures
from components.evidence.words import figure, signed
from pipeline.report.drawing import Chart, Row, Style, drawing, interval_rows, svg_chart


def difference_chart(
    differences: Mapping[str, Mapping[str, Figures]], against: tuple[str, ...], styles: Mapping[str, Style]
) -> Chart | None:
    """Draws each model's AUC less those of the baselines and of its predecessor; None where there is none of these.

    Args:
        differences: by model and by what it is compared with.
        against: what is drawn of them, in order.
        styles: of `model_styles`, by model.
    """
    rows = [
        (name, other, others[other]["auc"])
        for name, others in differences.items()
        for other in against
        if other in others and math.isfinite(others[other]["auc"].value)
    ]
    if not rows:
        return None
    lines = [Row(f"{name} less {other.replace('_', ' ')}", [(value, styles[name])]) for name, other, value in rows]
    with drawing():
        axes = interval_rows(lines, 0, 0.34, 7)
        for label, (name, _, _) in zip(axes.get_yticklabels(), rows, strict=True):
            label.set_color(styles[name].colour)
        axes.set_xlabel("difference in AUC, paired 95 % interval")
        words = "; ".join(f"{name} less {other} {figure(value, signed)}" for name, other, value in rows)
        return svg_chart("differences", "Against simple baselines", f"Differences in AUC: {words}.", axes.figure)
