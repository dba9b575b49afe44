"""Figures with their intervals, one below the other, beside a line where there is nothing to tell."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from components.evidence.interval import Interval
from components.evidence.words import figure as told
from components.evidence.words import number
from pipeline.report.drawing import (
    INK,
    MUTED,
    WIDTH,
    Chart,
    Style,
    beside,
    drawing,
    finish_rows,
    mark_interval,
    padded,
    svg_chart,
)
from pipeline.report.palette import ChartRow, RowEstimate, Rows


@dataclass(frozen=True)
class Row:
    """A line of a chart of intervals: each figure with its interval and how it is drawn, one below the other.

    Attributes:
        label: beside it.
        estimates: from top to bottom.
        names: what each is chosen by, such as its model.
        filled: whether the markers are.
        coloured: whether the label has the first figure's colour.
        expected: what is marked beside the figures; nan where there is nothing.
        note: in place of what is not known.
    """

    label: str
    estimates: Sequence[tuple[Interval, Style]]
    names: Sequence[str]
    filled: bool = True
    coloured: bool = False
    expected: float = math.nan
    note: str = ""

    def label_colour(self) -> str:
        """The colour of the label."""
        return self.estimates[0][1].colour if self.coloured else INK


def rows_chart(
    name: str,
    title: str,
    description: str,
    rows: Sequence[Row],
    *,
    label: str,
    rules: Sequence[tuple[float, str, bool]],
    height: float,
    size: float,
    letters: int = 36,
    write: Callable[[float], str] = number,
) -> Chart:
    """Draws intervals one below the other, the first on top, beside lines from top to bottom.

    Args:
        name: unique in the page.
        title: heading.
        description: what it shows, for those who cannot see it.
        rows: at least one.
        label: of the axis.
        rules: where each line stands, what is written above it, and whether it is dashed; the first is that where there
            is nothing to tell.
        height: of a row, in inches.
        size: of the markers.
        letters: of a line of a row's label, which would else leave no room for what is drawn.
        write: writes a figure.
    """
    found = [[one for one, _ in row.estimates] for row in rows]
    ends = [at for at, _, _ in rules]
    ends += [end for row in found for one in row for end in (one.value, one.low, one.high) if math.isfinite(end)]
    ends += [row.expected for row in rows if math.isfinite(row.expected)]
    with drawing():
        figure = Figure(figsize=(WIDTH, 1.1 + height * len(rows)), layout="constrained")
        axes = figure.add_subplot()
        for at, _, dashed in rules:
            axes.axvline(at, color=MUTED if dashed else INK, linewidth=1.2, linestyle=(0, (4, 2)) if dashed else "-")
        for place, row in enumerate(rows):
            for i, (one, style) in enumerate(row.estimates):
                at = place + beside(i, len(row.estimates), 0.7)
                mark_interval(axes, one, at, style, size=size, width=2.4, filled=row.filled)
            if math.isfinite(row.expected):
                tall = [place - 0.4, place + 0.05]
                axes.plot([row.expected] * 2, tall, color=INK, linewidth=2, linestyle=(0, (1.5, 1)))
            if row.note:
                axes.annotate(row.note, (rules[0][0], place), (6, 0), textcoords="offset points", va="center",
                              color=MUTED)  # fmt: skip
        labels = ["\n".join(textwrap.fill(line, letters) for line in row.label.splitlines()) for row in rows]
        axes.set_yticks(range(len(rows)), labels)
        for text, row in zip(axes.get_yticklabels(), rows, strict=True):
            if row.coloured:
                text.set(color=row.label_colour(), fontweight="bold")
        finish_rows(axes, len(rows))
        low, high = padded(min(ends), max(ends), 0.08, least=0.02)
        axes.set_xlim(low, high)
        axes.xaxis.set_major_locator(MaxNLocator(4, steps=(1, 2, 5, 10)))
        for at, text, dashed in rules:
            # Within the drawing, wherever its line is.
            side = (
                "left" if at < low + 0.15 * (high - low) else "right" if dashed and at > (low + high) / 2 else "center"
            )
            axes.annotate(text, (at, 1), (0, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
                          ha=side, color=MUTED if dashed else INK)  # fmt: skip
        # Beside long labels it is longer than its axis, and would be cut off at the right.
        axes.set_xlabel(label, loc="right")
        answering = [
            ChartRow(
                row.label,
                [
                    RowEstimate(name, _said(row, name, one, write), one.value, one.low, one.high, style)
                    for name, (one, style) in zip(row.names, row.estimates, strict=True)
                ],
                row.filled,
                row.label_colour(),
                row.expected,
                row.note,
            )
            for row in rows
        ]
        return svg_chart(name, title, description, figure, rows=Rows(answering, label, rules))


def _said(row: Row, name: str, one: Interval, write: Callable[[float], str]) -> str:
    which = f", {name}" if len(row.estimates) > 1 else ""
    return f"{' '.join(row.label.split())}{which}: {told(one, write)}"
