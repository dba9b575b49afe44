"""How every chart is drawn: matplotlib figures as accessible, deterministic inline SVG.

Every chart is as wide as a column of the report's page (about 500 CSS pixels). On a telephone it keeps 376, at which
its text has 10, and is scrolled by. A model keeps one colour, one marker and one dash pattern over all charts, so none
depends on colour alone. Figures are made without pyplot, which keeps global state.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from html import escape
from typing import Any, NamedTuple
from unittest.mock import patch

import matplotlib
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from components.evidence.interval import Interval
from pipeline.report.calendar_ticks import calendar_ticks
from pipeline.report.palette import (
    BAND,
    GRID,
    INK,
    LEFT,
    MUTED,
    RIGHT,
    SPLIT_COLOURS,
    TOP,
    WIDTH,
    Chart,
    Mark,
    Part,
    Plot,
    Rows,
    Style,
    bottom,
    model_styles,
    padded,
)

__all__ = [
    "BAND",
    "GRID",
    "INK",
    "MUTED",
    "SPLIT_COLOURS",
    "WIDTH",
    "Chart",
    "Part",
    "Place",
    "Style",
    "add_legend",
    "beside",
    "drawing",
    "finish_columns",
    "finish_rows",
    "line_style",
    "mark_days",
    "mark_interval",
    "model_styles",
    "padded",
    "plot_area",
    "shortened",
    "svg_chart",
]


class Place(NamedTuple):
    """A point that answers.

    Attributes:
        axes: which it is in.
        x, y: in their data.
        text: what it says.
        name: what is chosen by it, such as a model; empty where it always stays.
    """

    axes: Any
    x: float
    y: float
    text: str
    name: str = ""


def plot_area(height: float, legend: int, columns: int = 3, label: bool = True) -> tuple[Figure, Any]:
    """A figure with one set of axes and room for a legend below it.

    The margins are set and not fitted to the text: matplotlib's fitting takes as long as all the drawing, and with one
    left margin for all charts their axes stand in line on the page.

    Args:
        height: of the axes, in inches.
        legend: entries in the legend.
        columns: entries side by side.
        label: whether the horizontal axis has a label.
    """
    below = bottom(legend, columns, label)
    total = TOP + height + below
    figure = Figure(figsize=(WIDTH, total))
    return figure, figure.add_axes((LEFT / WIDTH, below / total, (WIDTH - LEFT - RIGHT) / WIDTH, height / total))


def line_style(style: Style) -> dict[str, Any]:
    """A model's colour and dash pattern, as keyword arguments of a plot."""
    return {"color": style.colour, "linestyle": style.dash, "linewidth": 1.6}


def add_legend(
    figure: Figure,
    styles: Mapping[str, Style],
    names: Iterable[str],
    extra: Sequence[Any] = (),
    markers: bool = False,
    fitted: bool = False,
) -> None:
    """Puts a legend below the axes.

    Args:
        figure: of `plot_area`, with room for it.
        styles: of `model_styles`.
        names: the models it names.
        extra: handles of whatever else it names.
        markers: whether the models' markers are shown.
        fitted: whether the layout makes room for it.
    """
    handles: list[Any] = [
        Line2D(
            [],
            [],
            **line_style(styles[name]),
            marker=styles[name].marker if markers else "",
            label=shortened(name, _IN_LEGEND),
        )
        for name in names
    ]
    handles += extra
    figure.legend(
        handles, [handle.get_label() for handle in handles],
        loc="outside lower center" if fitted else "lower center", ncols=min(len(handles), 3), frameon=False,
        handlelength=2.6,
    )  # fmt: skip


def shortened(name: str, letters: int) -> str:
    """A name of so many letters at the most, for a drawing; all of it stands in the tables."""
    return name if len(name) <= letters else name[: letters - 1] + "…"


_IN_LEGEND = 14
"""Letters of a name in a legend, which leave room for two others beside it."""


def mark_days(axes: Any, days: Any) -> None:
    """Ticks of an axis of days where a calendar has them.

    Args:
        axes: whose horizontal axis it is.
        days: datetime64 array [days], ascending.
    """
    if len(days) > 1:
        axes.set_xlim(days[0], days[-1])
    ticks = calendar_ticks(*(day.astype("datetime64[D]").item() for day in (days[0], days[-1])))
    axes.set_xticks([day for day, _ in ticks], [label for _, label in ticks])


def beside(place: int, count: int, room: float) -> float:
    """How far from the middle one of several that share some room stands."""
    return (place - (count - 1) / 2) * room / max(count, 1)


def mark_interval(
    axes: Any, estimate: Interval, place: float, style: Style, *, size: float, width: float, filled: bool = True,
    upright: bool = False,
) -> None:  # fmt: skip
    """Draws a figure as a marker, and its interval, where there is one, as a line through it.

    Args:
        axes: to draw in.
        estimate: the figure; nothing is drawn where it is NaN.
        place: on the other axis.
        style: of `model_styles`.
        size: of the marker.
        width: of the line.
        filled: whether the marker is.
        upright: whether the interval stands, and does not lie.
    """
    if not math.isfinite(estimate.value):
        return

    def across(values: list[float]) -> tuple[list[float], list[float]]:
        places = [place] * len(values)
        return (places, values) if upright else (values, places)

    if math.isfinite(estimate.low) and math.isfinite(estimate.high):
        axes.plot(*across([estimate.low, estimate.high]), color=style.colour, linewidth=width)
    axes.plot(
        *across([estimate.value]), marker=style.marker, markersize=size, color=style.colour, linestyle="",
        markerfacecolor=style.colour if filled else "white", markeredgewidth=size / 5,
    )  # fmt: skip


def finish_rows(axes: Any, rows: int) -> None:
    """Makes axes of what lies one below the other, the first on top.

    Args:
        axes: with a tick for each row.
        rows: how many.
    """
    axes.set_ylim(rows - 0.4, -0.6)
    axes.grid(axis="x", color=GRID)
    axes.tick_params(left=False)
    axes.spines["left"].set_visible(False)


def finish_columns(axes: Any, labels: Sequence[str]) -> None:
    """Makes axes of what stands side by side, and labels every one, or of many every second, third, ...

    Args:
        axes: whose columns stand at 0, 1, 2, ...
        labels: of the columns.
    """
    axes.set_xlim(-0.6, len(labels) - 0.4)
    step = max(1, math.ceil(len(labels) / 9))
    axes.set_xticks(range(0, len(labels), step), labels[::step])
    axes.grid(axis="y", color=GRID)


@contextmanager
def drawing() -> Iterator[None]:
    """Settings of every chart, for as long as it is drawn."""
    settings = {
        "axes.edgecolor": MUTED,
        "axes.labelcolor": INK,
        "axes.spines.right": False,
        "axes.spines.top": False,
        "axes.axisbelow": True,
        "figure.facecolor": "none",
        "axes.facecolor": "none",
        "font.family": ["DejaVu Sans"],
        "font.size": 10,
        "grid.linewidth": 0.8,
        "legend.fontsize": 10,
        # Ids are made of this and not of a random salt: the same run gives the same file.
        "svg.hashsalt": "awesome",
        # Text stays text: it can be read aloud, searched and copied, and needs no outlines.
        "svg.fonttype": "none",
        "svg.image_inline": True,
        # A name with a dollar sign is a name, not a formula.
        "text.parse_math": False,
        "text.color": INK,
        "text.usetex": False,
        "xtick.color": MUTED,
        "xtick.labelcolor": INK,
        "ytick.color": MUTED,
        "ytick.labelcolor": INK,
    }
    # A new figure asks IPython, which takes its time to be imported, for a window of its own: none is shown here.
    with matplotlib.rc_context(settings), patch.object(FigureCanvasBase, "_fix_ipython_backend2gui", bool, create=True):
        yield


def svg_chart(
    name: str,
    title: str,
    description: str,
    figure: Figure,
    *,
    plots: Sequence[Plot] = (),
    rows: Rows | None = None,
    marks: Sequence[Place] = (),
    parts: Sequence[Part] = (),
) -> Chart:
    """Writes a figure, drawn within `drawing`, as SVG that can stand in a page.

    Args:
        name: unique in the page.
        title: heading.
        description: what it shows, for those who cannot see it.
        figure: what was drawn.
        plots: what stands in its place where scripts run.
        rows: the same of what lies one below the other.
        marks: else the places of it that answer.
        parts: and what of it can be hidden, by the ids of matplotlib's artists.
    """
    buffer = io.StringIO()
    # No metadata: it holds the time of day and addresses that look like external resources.
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}, dpi=72)
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :].strip()
    opening = re.match(r"<svg[^>]*>", svg)
    view_box = re.search(r'viewBox="([^"]+)"', opening.group(0)) if opening else None
    if opening is None or view_box is None:
        raise RuntimeError("matplotlib wrote an SVG that is not understood")
    body = svg[opening.end() :]
    # All charts share one HTML document, so every id gets the chart's name in front.
    body = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", body)
    body = re.sub(r'xlink:href="#([^"]+)"', rf'href="#{name}-\1"', body)
    # A hundredth of a point is finer than any screen; half the file would be digits otherwise.
    body = re.sub(r'\b(?:d|x|y)="[^"]*"', lambda part: re.sub(r"(\.\d{2})\d+", r"\1", part.group(0)), body)
    body = re.sub(r">\s+<", ">\n<", body)
    width, height = view_box.group(1).split()[2:]
    head = (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(description)}</desc>'
    )
    told_marks = [_mark(figure, place) for place in marks]
    named = [replace(part, element=f"{name}-{part.element}") for part in parts]
    return Chart(name, title, description, head + body, plots, rows, told_marks, named)


def _mark(figure: Figure, place: Place) -> Mark:
    """A place of axes in points of the SVG, whose vertical axis points down."""
    axes, x, y, text, name = place
    across, up = axes.transData.transform((x, y)) * 72 / figure.dpi
    return Mark(float(across), float(figure.get_figheight() * 72 - up), text, name)
