"""How every chart is drawn: matplotlib figures as accessible, deterministic inline SVG.

Every chart is as wide as a column of the report's page (about 500 CSS pixels), so that its text stays legible when a
telephone shows it at 340. A model keeps one colour, one marker and one dash pattern over all charts, so none depends on
colour alone. Figures are made without pyplot, which keeps global state.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

INK = "#1b2733"
MUTED = "#5b6875"
GRID = "#e3e7eb"
BAND = "#eceff2"

# Okabe and Ito's colour-blind-safe palette, its light ones darkened to a contrast of 3:1 and more on white.
_COLOURS = ("#0072b2", "#c8500a", "#00805f", "#a8478a", "#7a6000", "#3b3b8f", "#8a1c1c", "#4d4d4d")
_MARKERS = ("o", "s", "D", "^", "v", "P", "X", "h")
_DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (3, 1.5, 1, 1.5)), (0, (1.2, 1.2)))

SPLIT_COLOURS = {"train": "#2c6fa6", "eval": "#8a5a00", "test": "#00704f"}

WIDTH = 5.2
"""Inches of a chart."""


@dataclass(frozen=True)
class Style:
    """How a model is drawn in every chart.

    Attributes:
        colour: "#rrggbb".
        marker: a matplotlib marker.
        dash: a matplotlib line style.
    """

    colour: str
    marker: str
    dash: Any


@dataclass(frozen=True)
class Chart:
    """One chart of the page.

    Attributes:
        name: unique within the page; prefix of every id in the SVG.
        title: heading.
        description: what the chart shows, for those who cannot see it.
        svg: the element, without width and height: the page sizes it.
    """

    name: str
    title: str
    description: str
    svg: str


def model_styles(names: Sequence[str]) -> dict[str, Style]:
    """Gives every model its colour, marker and dash pattern.

    Args:
        names: the models, in the report's order.

    Returns:
        A style a name.
    """
    return {
        name: Style(_COLOURS[i % len(_COLOURS)], _MARKERS[i % len(_MARKERS)], _DASHES[i % len(_DASHES)])
        for i, name in enumerate(names)
    }


def plot_area(height: float, legend: int, columns: int = 3, label: bool = True) -> tuple[Figure, Any]:
    """A figure with one set of axes and room for a legend below it.

    The margins are set and not fitted to the text: matplotlib's fitting takes as long as all the drawing, and with one
    left margin for all charts their axes stand in line on the page.

    Args:
        height: of the axes, in inches.
        legend: entries in the legend.
        columns: entries side by side.
        label: whether the horizontal axis has a label.

    Returns:
        The figure and its axes.
    """
    left, right, top, bottom = 0.86, 0.14, 0.12, (0.6 if label else 0.4) + 0.22 * math.ceil(legend / columns)
    total = top + height + bottom
    figure = Figure(figsize=(WIDTH, total))
    return figure, figure.add_axes((left / WIDTH, bottom / total, (WIDTH - left - right) / WIDTH, height / total))


def line_style(style: Style) -> dict[str, Any]:
    """A model's colour and dash pattern, as keyword arguments of a plot."""
    return {"color": style.colour, "linestyle": style.dash, "linewidth": 1.6}


def add_legend(
    figure: Figure, styles: Mapping[str, Style], names: Mapping[str, Any], extra: Sequence[Any], markers: bool = False
) -> None:
    """Puts a legend below the axes.

    Args:
        figure: of `plot_area`, with room for it.
        styles: of `model_styles`.
        names: the models it names.
        extra: handles of whatever else it names.
        markers: whether the models' markers are shown.
    """
    handles: list[Any] = [
        Line2D([], [], **line_style(styles[name]), marker=styles[name].marker if markers else "", label=name)
        for name in names
    ]
    handles += extra
    figure.legend(
        handles, [handle.get_label() for handle in handles], loc="lower center",
        ncols=min(len(handles), 3), frameon=False, handlelength=2.6,
    )  # fmt: skip


def padded(
    low: float, high: float, share: float, least: float, bounds: tuple[float, float] = (-math.inf, math.inf)
) -> tuple[float, float]:
    """Limits around low and high with a margin of a share of their distance, at least `least` apart."""
    middle, half = (low + high) / 2, max((high - low) * (0.5 + share), least / 2)
    return max(middle - half, bounds[0]), min(middle + half, bounds[1])


def finish_rows(axes: Any, rows: int, low: float, high: float) -> None:
    """Makes axes of intervals that lie one below the other, the first on top.

    Args:
        axes: with a tick for each row.
        rows: how many.
        low: lower limit of the values.
        high: upper limit of the values.
    """
    axes.set_ylim(rows - 0.4, -0.6)
    axes.set_xlim(low, high)
    axes.xaxis.set_major_locator(MaxNLocator(6))
    axes.grid(axis="x", color=GRID)
    axes.tick_params(left=False)
    axes.spines["left"].set_visible(False)


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
    with matplotlib.rc_context(settings):
        yield


def svg_chart(name: str, title: str, description: str, figure: Figure) -> Chart:
    """Writes a figure as SVG that can stand in a page.

    Args:
        name: unique within the page.
        title: heading.
        description: what the chart shows, for those who cannot see it.
        figure: drawn within `drawing`.
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
    return Chart(name=name, title=title, description=description, svg=head + body)
