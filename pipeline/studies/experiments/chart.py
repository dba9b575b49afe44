"""The chart of the experiments: a line a row, shuffled against dated, as inline SVG that takes the page's colours."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from html import escape

from components.evidence.interval import Interval
from components.evidence.words import number
from pipeline.report.words import interval
from pipeline.studies.experiments.findings import Finding

_WIDTH, _LEFT, _RIGHT, _LINE, _TOP, _BOTTOM = 760, 140, 20, 34, 14, 44


def auc_chart(name: str, findings: Sequence[Finding]) -> str:
    """Draws every experiment's AUC with its interval under both splits.

    Args:
        name: unique within the page; prefix of the ids.
        findings: of one panel and horizon.

    Returns:
        The SVG element; colours come from the page's classes.
    """
    areas = [area for finding in findings for area in (finding.shuffled.auc, finding.dated.auc)]
    ends = [v for area in areas for v in (area.value, area.low, area.high) if math.isfinite(v)]
    low = math.floor(20 * min([0.45, *ends])) / 20
    high = math.ceil(20 * max([0.55, *ends])) / 20
    bottom = _TOP + _LINE * len(findings)

    def x(value: float) -> float:
        return round(_LEFT + (value - low) / (high - low) * (_WIDTH - _LEFT - _RIGHT), 1)

    parts = []
    step = 0.1 if high - low > 0.35 else 0.05
    for i in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1):
        place = x(i * step)
        parts.append(f'<line class="rule" x1="{place}" x2="{place}" y1="{_TOP}" y2="{bottom}"/>')
        parts.append(f'<text class="tick" x="{place}" y="{bottom + 16}">{i * step:.2f}</text>')
    parts.append(f'<line class="chance" x1="{x(0.5)}" x2="{x(0.5)}" y1="{_TOP}" y2="{bottom}"/>')
    for row, finding in enumerate(findings):
        y = _TOP + _LINE * (row + 0.5)
        parts.append(f'<text class="name" x="{_LEFT - 12}" y="{y + 5}">{escape(finding.experiment.name)}</text>')
        parts += _area(x, finding.shuffled.auc, y - 6, "shuffled")
        parts += _area(x, finding.dated.auc, y + 6, "dated")
        if finding.knows_the_day and math.isfinite(finding.shuffled.predicted):
            place = x(finding.shuffled.predicted)
            parts.append(f'<line class="predicted" x1="{place}" x2="{place}" y1="{y - 15}" y2="{y + 3}"/>')
    middle = (_LEFT + _WIDTH - _RIGHT) / 2
    parts.append(f'<text class="tick" x="{middle}" y="{bottom + 36}">AUC on the test rows, 95 % interval</text>')
    said = "; ".join(
        f"{f.experiment.name} {number(f.shuffled.auc.value)} {interval(f.shuffled.auc.low, f.shuffled.auc.high)} "
        f"shuffled, {number(f.dated.auc.value)} {interval(f.dated.auc.low, f.dated.auc.high)} dated"
        for f in findings
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {bottom + _BOTTOM}" role="img" aria-labelledby="{name}-desc">'
        f'<desc id="{name}-desc">{escape(said)}</desc>{"".join(parts)}</svg>'
    )


def _area(x: Callable[[float], float], area: Interval, y: float, kind: str) -> list[str]:
    """A dot and its interval: round for shuffled, square for dated, so that colour is not needed."""
    parts = []
    if math.isfinite(area.low) and math.isfinite(area.high):
        parts.append(f'<line class="{kind}" x1="{x(area.low)}" x2="{x(area.high)}" y1="{y}" y2="{y}"/>')
    if math.isfinite(area.value):
        place = x(area.value)
        parts.append(
            f'<circle class="{kind}" cx="{place}" cy="{y}" r="5"/>'
            if kind == "shuffled"
            else f'<rect class="{kind}" x="{place - 4.5:.1f}" y="{y - 4.5}" width="9" height="9"/>'
        )
    return parts
