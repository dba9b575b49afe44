"""The colours and styles of all charts, however they are drawn, and what a chart is; imports nothing that draws.

A drawing is made in the colours of paper. A page writes the name of a variable instead of each (`themed`), so that its
dark colours are a matter of its style sheet.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from components.records import Number

if TYPE_CHECKING:
    from components.evidence.interval import Interval

INK = "#1b2733"
MUTED = "#5b6875"
GRID = "#e3e7eb"
BAND = "#eceff2"

# Okabe and Ito's colour-blind-safe palette, its light ones darkened to a contrast of 3:1 and more on white.
_COLOURS = ("#0072b2", "#c8500a", "#00805f", "#a8478a", "#7a6000", "#3b3b8f", "#8a1c1c", "#4d4d4d")
_MARKERS = ("o", "s", "D", "^", "v", "P", "X", "h")
_DASHES: tuple[Any, ...] = ("-", (0, (6, 2)), (0, (3, 1.5, 1, 1.5)), (0, (1.2, 1.2)))

SKY = "#c9dcea"
"""Of a band around a line."""

DARK = {
    INK: ("ink", "#e4e9ee"),
    MUTED: ("muted", "#a9b4bf"),
    GRID: ("grid", "#303a44"),
    BAND: ("band", "#2a343e"),
    SKY: ("sky", "#2b4457"),
    "#ffffff": ("paper", "#1b232b"),
    **{
        colour: (f"c{place}", dark)
        for place, (colour, dark) in enumerate(
            zip(
                _COLOURS,
                ("#56b4e9", "#ff9d5c", "#3fc79a", "#dd93cb", "#cfae3a", "#a3a3f5", "#f29191", "#b9b9b9"),
                strict=True,
            )
        )
    },
}
"""By colour of a drawing on paper: the name of its variable on a page, and its colour on a dark one."""

_COLOUR = re.compile(r"""(?<=[:"])( ?)(#[0-9a-f]{6})(?=[;"])""")

SPLIT_COLOURS = {"train": "#2c6fa6", "eval": "#8a5a00", "test": "#00704f"}

WIDTH = 5.2
"""Inches of a chart."""

LEFT, RIGHT, TOP = 0.86, 0.14, 0.12
"""Inches around the axes: one left margin for all charts, so that their axes stand in line on the page."""


def bottom(legend: int, columns: int = 3, label: bool = True) -> float:
    """Inches below the axes, with room for so many entries of a legend and the label of the axis."""
    return (0.6 if label else 0.4) + 0.22 * math.ceil(legend / columns)


@dataclass(frozen=True)
class Style:
    """How a model is drawn in every chart: "#rrggbb", and matplotlib's marker and line style."""

    colour: str
    marker: str
    dash: Any


@dataclass(frozen=True)
class Series:
    """A line, or points with intervals, of a chart that answers.

    Attributes:
        name: in the legend; a model's is its name, so that it is chosen in all charts at once.
        values: one for each place of the plot; nan where there is none.
        colour: of the palette.
        dash: as in `Style`.
        low, high: ends of each value's interval; empty where there is none.
        points: whether each value stands alone, with its interval through it.
        width: of the line.
        marker: of a point, as in `Style`.
    """

    name: str
    values: Sequence[Number]
    colour: str
    dash: Any = "-"
    low: Sequence[Number] = ()
    high: Sequence[Number] = ()
    points: bool = False
    width: float = 1.6
    marker: str = "o"


def with_intervals(name: str, estimates: Iterable[Interval], style: Style, *, points: bool = True) -> Series:
    """A series of figures with their intervals, one at each place, or of a line within its band."""
    found = list(estimates)
    return Series(
        name,
        [one.value for one in found],
        style.colour,
        "-" if points else style.dash,
        low=[one.low for one in found],
        high=[one.high for one in found],
        points=points,
        marker=style.marker,
    )


@dataclass(frozen=True)
class Plot:
    """What a chart answers from: the numbers that it was drawn from.

    Attributes:
        x: the places: ISO dates where `days`, else texts or ascending numbers.
        series: on them.
        label: of the vertical axis.
        x_label: of the horizontal one.
        days: whether places are dates.
        rules: heights of lines across the axes, and what each is called; the first is that of no skill, and points
            whose interval holds it are hollow.
        percent: whether values are shares of one that are written as per cent.
        decimals: digits after the point that a value is read out with.
        logarithmic: whether the vertical axis is.
        height: of the axes, in CSS pixels.
    """

    x: Sequence[str] | Sequence[float]
    series: Sequence[Series]
    label: str = ""
    x_label: str = ""
    days: bool = False
    rules: Sequence[tuple[float, str]] = ()
    percent: bool = False
    decimals: int = 3
    logarithmic: bool = False
    height: int = 250


@dataclass(frozen=True)
class RowEstimate:
    """A figure of a row, with its interval.

    Attributes:
        name: what is chosen by it, such as a model; as of `Series`.
        text: what it says where it is asked.
        value, low, high: the figure, and its interval's ends; nan where they are not known.
        style: how it is drawn.
    """

    name: str
    text: str
    value: Number
    low: Number
    high: Number
    style: Style


@dataclass(frozen=True)
class ChartRow:
    """A row of `Rows`.

    Attributes:
        label: beside it.
        estimates: from top to bottom.
        filled: whether their markers are.
        colour: of the label.
        expected: a height of its own that it is to be seen beside; nan where there is none.
        note: in place of what is not known.
    """

    label: str
    estimates: Sequence[RowEstimate]
    filled: bool = True
    colour: str = INK
    expected: Number = math.nan
    note: str = ""


@dataclass(frozen=True)
class Rows:
    """What a chart of figures with intervals, one below the other, answers from.

    Attributes:
        rows: the first on top.
        label: of the horizontal axis.
        rules: places of lines from top to bottom, what each is called, and whether it is dashed.
    """

    rows: Sequence[ChartRow]
    label: str
    rules: Sequence[tuple[float, str, bool]]


@dataclass(frozen=True)
class Mark:
    """A place of a drawing that answers: where it is, in units of the drawing's viewBox, and what it says.

    Attributes:
        x, y: the place.
        text: what it says.
        name: what is chosen by it, such as a model; empty where it always stays.
    """

    x: float
    y: float
    text: str
    name: str = ""


@dataclass(frozen=True)
class Part:
    """A part of a drawing that stays, which can be hidden.

    Attributes:
        name: what is chosen by it; as of `Series`.
        element: its id within the chart's SVG.
        style: of its entry among what can be chosen.
    """

    name: str
    element: str
    style: Style


@dataclass(frozen=True)
class Chart:
    """One chart of the page.

    Attributes:
        name: unique within the page; prefix of every id in the SVG.
        title: heading.
        description: what the chart shows, for those who cannot see it.
        svg: the element, without width and height: the page sizes it.
        plots: what is shown in its place where scripts run, one above the other; empty where the drawing stays.
        rows: the same of a chart whose figures lie one below the other.
        marks: of a drawing that stays, in the order in which they are read.
        parts: of a drawing that stays, which can be hidden.
    """

    name: str
    title: str
    description: str
    svg: str
    plots: Sequence[Plot] = field(default=())
    rows: Rows | None = None
    marks: Sequence[Mark] = field(default=())
    parts: Sequence[Part] = field(default=())


def themed(text: str) -> str:
    """Text of attributes with the names of variables in place of the colours of paper, which stay for those without.

    >>> themed('<path style="stroke: #1b2733; fill: none"/>')
    '<path style="stroke: var(--chart-ink, #1b2733); fill: none"/>'
    """
    return _COLOUR.sub(lambda found: found[1] + variable(found[2]), text)


def variable(colour: str) -> str:
    """A colour of paper as a page writes it."""
    return f"var(--chart-{DARK[colour][0]}, {colour})" if colour in DARK else colour


def model_styles(names: Sequence[str]) -> dict[str, Style]:
    """Gives every model its colour, marker and dash pattern."""
    return {
        name: Style(_COLOURS[i % len(_COLOURS)], _MARKERS[i % len(_MARKERS)], _DASHES[i % len(_DASHES)])
        for i, name in enumerate(names)
    }


def padded(
    low: float, high: float, share: float, least: float, bounds: tuple[float, float] = (-math.inf, math.inf)
) -> tuple[float, float]:
    """Limits around low and high with a margin of a share of their distance, at least `least` apart."""
    middle, half = (low + high) / 2, max((high - low) * (0.5 + share), least / 2)
    return max(middle - half, bounds[0]), min(middle + half, bounds[1])
