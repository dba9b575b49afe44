"""The chart of how models differ from baselines and predecessors: paired differences with their intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping

from matplotlib.figure import Figure

from components.evidence.findings import Figures
from components.evidence.words import figure, signed
from pipeline.report.drawing import INK, WIDTH, Chart, Style, drawing, finish_rows, padded, svg_chart


def difference_chart(
    differences: Mapping[str, Mapping[str, Figures]], against: tuple[str, ...], styles: Mapping[str, Style]
) -> Chart | None:
    """Draws each model's AUC less those of the baselines and of its predecessor.

    Args:
        differences: by model and by what it is compared with.
        against: what is drawn of them, in order.
        styles: of `model_styles`, by model.

    Returns:
        The chart; None where there is nothing to compare with.
    """
    rows = [
        (name, other, others[other]["auc"])
        for name, others in differences.items()
        for other in against
        if other in others and math.isfinite(others[other]["auc"].value)
    ]
    if not rows:
        return None
    values = [0.0]
    for _, _, difference in rows:
        values += [end for end in (difference.value, difference.low, difference.high) if math.isfinite(end)]
    low, high = padded(min(values), max(values), 0.08, least=0.02)
    with drawing():
        canvas = Figure(figsize=(WIDTH, 1.15 + 0.34 * len(rows)), layout="constrained")
        axes = canvas.add_subplot()
        axes.axvline(0, color=INK, linewidth=1.2)
        for row, (name, _, difference) in enumerate(rows):
            style = styles[name]
            if math.isfinite(difference.low):
                axes.plot([difference.low, difference.high], [row, row], color=style.colour, linewidth=2.4)
            axes.plot(difference.value, row, marker=style.marker, markersize=7, color=style.colour)
        axes.set_yticks(range(len(rows)), [f"{name} less {other.replace('_', ' ')}" for name, other, _ in rows])
        for label, (name, _, _) in zip(axes.get_yticklabels(), rows, strict=True):
            label.set_color(styles[name].colour)
        finish_rows(axes, len(rows), low, high)
        axes.set_xlabel("difference in AUC, paired 95 % interval")
        words = "; ".join(f"{name} less {other} {figure(value, signed)}" for name, other, value in rows)
        return svg_chart("differences", "Against simple baselines", f"Differences in AUC: {words}.", canvas)
