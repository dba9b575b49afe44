"""A chart of lines, bands and points as SVG, without matplotlib: a page that is written every evening.

matplotlib takes two thirds of a CPU second to be imported and to draw the five charts of live.html, half of what the
whole evening takes. These look like its charts (palette.py), and are no more than lines over an axis of days or
numbers: whatever needs more is drawn with `drawing.py`.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from pipeline.report.palette import (
    GRID,
    INK,
    LEFT,
    MUTED,
    RIGHT,
    TOP,
    WIDTH,
    Chart,
    Mark,
    Plot,
    Series,
    bottom,
)

_UNIT = 72
"""Of the drawing, an inch; text is 10 high."""

_COLUMNS = 3
_TICK, _TEXT = 3.5, 10
_MOST_TICKS = 9
_MINUS = "\N{MINUS SIGN}"

Dash = Any
"""A line style of `palette.Style`: "-", or an offset and lengths in widths of the line."""


class LightChart:
    """One set of axes, drawn from back to front in the order of the calls; the grid lies behind all else.

    Attributes:
        x_limits: of the horizontal axis.
    """

    def __init__(
        self,
        height: float,
        x_limits: tuple[float, float],
        y_limits: tuple[float, float],
        *,
        legend: int = 0,
        x_label: str = "",
        y_label: str = "",
        logarithmic: bool = False,
        days: bool = False,
    ) -> None:
        """Makes empty axes.

        Args:
            height: of the axes, in inches.
            x_limits: of the horizontal axis.
            y_limits: of the vertical one, above 0 where it is logarithmic.
            legend: how many entries the legend has room for.
            x_label: below the horizontal axis.
            y_label: beside the vertical one.
            logarithmic: whether the vertical axis is.
            days: whether the horizontal axis is one of days, as ordinals.
        """
        self.x_limits, self._y_limits, self._logarithmic = x_limits, y_limits, logarithmic
        self._left, self._right = LEFT * _UNIT, (WIDTH - RIGHT) * _UNIT
        self._top, self._bottom = TOP * _UNIT, (TOP + height) * _UNIT
        self._total = (TOP + height + bottom(legend, _COLUMNS, bool(x_label))) * _UNIT
        self._labels = x_label, y_label
        self._back: list[str] = []
        self._drawn: list[str] = []
        self._front: list[str] = []
        self._entries: list[tuple[str, str]] = []
        self._days = days
        self._places: list[float] = []
        self._band: tuple[Sequence[float], Sequence[float]] = (), ()
        self._series: list[Series] = []
        self._rules: list[tuple[float, str]] = []
        self._marks: list[Mark] = []

    def ticks(self, x: Sequence[tuple[float, str]] | None = None, most: int = 6) -> None:
        """Draws a grid with its labels.

        Args:
            x: place and label of each tick of the horizontal axis; None for round numbers.
            most: steps from one round number of an axis to the next, at most.
        """
        for place, label in round_ticks(*self.x_limits, most) if x is None else x:
            at = self._x(place)
            self._back.append(_segment(at, self._top, at, self._bottom, GRID, 0.8))
            self._front.append(_segment(at, self._bottom, at, self._bottom + _TICK, MUTED, 0.8))
            self._front.append(_text(at, self._bottom + _TICK + 11, label, "middle"))
        for place, label in (powers if self._logarithmic else round_ticks)(*self._y_limits, most):
            at = self._y(place)
            self._back.append(_segment(self._left, at, self._right, at, GRID, 0.8))
            self._front.append(_segment(self._left - _TICK, at, self._left, at, MUTED, 0.8))
            self._front.append(_text(self._left - _TICK - 3.5, at + 3.5, label, "end"))

    def line(
        self,
        x: Iterable[float],
        y: Iterable[float],
        colour: str,
        width: float = 1.6,
        dash: Dash = "-",
        *,
        opacity: float = 1.0,
        label: str = "",
    ) -> None:
        """Draws a line, broken where a value is NaN; of one point a dot. A label makes an entry of the legend."""
        x, y = list(x), list(y)
        if x == list(self.x_limits):
            self._rules.append((y[0], label))
        elif label and self._places in ([], x):
            self._places = x
            self._series.append(Series(label, y, colour, dash, self._band[0], self._band[1], width=width))
            self._band = (), ()
        stroke = f'fill="none" stroke="{colour}" stroke-width="{width:g}"{_dashes(dash, width)}'
        stroke += f' stroke-opacity="{opacity:g}"' if opacity < 1 else ""
        for points in _unbroken((self._x(one), self._y(other)) for one, other in zip(x, y, strict=True)):
            if len(points) == 1:
                self._drawn.append(_dot(points[0][0], points[0][1], colour))
            else:
                self._drawn.append(f'<path d="M{" L".join(map(_place, points))}" stroke-linejoin="round" {stroke}/>')
        if label:
            self.entry(label, colour, width, dash)

    def entry(self, label: str, colour: str, width: float, dash: Dash = "-") -> None:
        """Makes an entry of the legend for a line."""
        stroke = f'stroke="{colour}" stroke-width="{width:g}"{_dashes(dash, width)}'
        self._entries.append((f'<path d="M0 0 H26" {stroke}/>', label))

    def rule(self, y: float, colour: str = INK, width: float = 1.0, dash: Dash = "-", note: str = "") -> None:
        """Draws a line across the axes, with a note above its left end."""
        self.line(self.x_limits, (y, y), colour, width, dash)
        if note:
            self._rules[-1] = y, note
            self._front.append(_text(self._left + 3, self._y(y) - 3.5, note, "start"))

    def band(
        self, x: Sequence[float], low: Sequence[float], high: Sequence[float], colour: str, label: str = ""
    ) -> None:
        """Fills what lies between two lines, but where one is NaN; the next line with a label is the one within."""
        self._band = low, high
        places = zip(x, low, high, strict=True)
        for points in _unbroken((self._x(at), self._y(below), self._y(above)) for at, below, above in places):
            if len(points) == 1:
                at, below, above = points[0]
                self._drawn.append(_segment(at, below, at, above, colour, 6))
                continue
            outline = [(at, above) for at, _, above in points] + [(at, below) for at, below, _ in reversed(points)]
            self._drawn.append(f'<path d="M{" L".join(map(_place, outline))} Z" fill="{colour}"/>')
        if label:
            self._entries.append((f'<rect y="-4" width="26" height="8" fill="{colour}"/>', label))

    def points(self, x: Sequence[float], y: Sequence[float], reach: Sequence[float], colour: str) -> None:
        """Draws dots, each with a bar that reaches so far above and below it."""
        for at, value, far in zip(x, y, reach, strict=True):
            across = self._x(at)
            said = f"{at:.4f}: {value:.4f} ({value - far:.4f} to {value + far:.4f})"
            self._marks.append(Mark(across, self._y(value), said))
            self._drawn.append(_segment(across, self._y(value - far), across, self._y(value + far), colour, 1.2))
            self._drawn.append(_dot(across, self._y(value), colour))

    def chart(self, name: str, title: str, description: str) -> Chart:
        """The chart as SVG that can stand in a page, under a name unique there."""
        wide, high = self._right - self._left, self._bottom - self._top
        area = f'<rect x="{self._left:g}" y="{self._top:g}" width="{wide:g}" height="{high:g}"/>'
        axes = f"M{_place((self._left, self._top))} V{self._bottom:.2f} H{self._right:.2f}"
        parts = [
            f'<svg viewBox="0 0 {WIDTH * _UNIT:g} {self._total:g}" role="img" '
            f'aria-labelledby="{name}-title {name}-desc">'
            f'<title id="{name}-title">{escape(title)}</title><desc id="{name}-desc">{escape(description)}</desc>',
            f'<clipPath id="{name}-area">{area}</clipPath>',
            *self._back,
            f'<g clip-path="url(#{name}-area)">',
            *self._drawn,
            "</g>",
            f'<path d="{axes}" fill="none" stroke="{MUTED}" stroke-width="0.8"/>',
            *self._front,
            *self._legend(),
            *self._axis_labels(),
            "</svg>",
        ]
        return Chart(name, title, description, "\n".join(parts), self._plots(), marks=self._marks)

    def _plots(self) -> list[Plot]:
        """What the lines over days answer with; without any, the drawing stays."""
        if not (self._days and self._series):
            return []
        days = [dt.date.fromordinal(int(day)).isoformat() for day in self._places]
        return [
            Plot(
                days,
                self._series,
                self._labels[1],
                days=True,
                rules=self._rules,
                decimals=4,
                logarithmic=self._logarithmic,
            )
        ]

    def _axis_labels(self) -> list[str]:
        x_label, y_label = self._labels
        middle = (self._top + self._bottom) / 2
        turned = _text(0, 0, y_label, "middle")
        below = _text((self._left + self._right) / 2, self._bottom + _TICK + 26, x_label, "middle")
        beside = f'<g transform="translate(14 {middle:.2f}) rotate(-90)">{turned}</g>'
        return [text for text, label in ((beside, y_label), (below, x_label)) if label]

    def _legend(self) -> list[str]:
        """Entries from left to right, three in a row, the last row at the lower end."""
        found = []
        rows = math.ceil(len(self._entries) / _COLUMNS)
        columns = min(len(self._entries), _COLUMNS)
        for place, (swatch, label) in enumerate(self._entries):
            row, column = divmod(place, _COLUMNS)
            x = 12 + (WIDTH * _UNIT - 24) * column / max(columns, 1)
            y = self._total - 16 * (rows - row) + 6
            text = _text(31, 3.5, label, "start")
            found.append(f'<g transform="translate({x:.2f} {y:.2f})">{swatch}{text}</g>')
        return found

    def _x(self, value: float) -> float:
        low, high = self.x_limits
        return self._left + (value - low) / (high - low) * (self._right - self._left)

    def _y(self, value: float) -> float:
        low, high = self._y_limits
        if self._logarithmic:
            # Where the logarithm ends the line goes on along the edge, as what lies below it is cut off all the same.
            value, low, high = (math.log(max(one, self._y_limits[0] / 2)) for one in (value, low, high))
        return self._bottom - (value - low) / (high - low) * (self._bottom - self._top)


def round_ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Round numbers within limits, as few decimals as tell them apart.

    >>> [label for _, label in round_ticks(0.44, 0.61, 6)]
    ['0.45', '0.50', '0.55', '0.60']
    """
    power = math.floor(math.log10((high - low) / most))
    for step in [part * 10.0**exponent for exponent in (power, power + 1) for part in (1, 2, 5)]:
        first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
        if last - first <= most:
            break
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    values = [number * step for number in range(first, last + 1)]
    return [(value, f"{_MINUS if value < 0 else ''}{abs(value):.{digits}f}") for value in values]


def powers(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """1, 2 and 5 times the powers of ten within limits, or some of the powers alone where these are many.

    >>> [label for _, label in powers(0.4, 30, 9)]
    ['0.5', '1', '2', '5', '10', '20']
    """
    most = max(most, _MOST_TICKS)
    exponents = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    for factors in ((1, 2, 5), (1,)):
        found = [factor * 10.0**exponent for exponent in exponents for factor in factors]
        found = [value for value in found if low <= value <= high]
        if len(found) <= most:
            break
    return [(value, f"{value:g}") for value in found[:: math.ceil(len(found) / most) or 1]]


def _unbroken(points: Iterable[tuple[float, ...]]) -> list[list[tuple[float, ...]]]:
    """The stretches of points without a NaN."""
    found: list[list[tuple[float, ...]]] = [[]]
    for point in points:
        if all(map(math.isfinite, point)):
            found[-1].append(point)
        elif found[-1]:
            found.append([])
    return [stretch for stretch in found if stretch]


def _place(point: Sequence[float]) -> str:
    return f"{point[0]:.2f} {point[1]:.2f}"  # a hundredth of a point is finer than any screen


def _segment(x: float, y: float, to_x: float, to_y: float, colour: str, width: float) -> str:
    return f'<path d="M{_place((x, y))} L{_place((to_x, to_y))}" stroke="{colour}" stroke-width="{width:g}"/>'


def _dot(x: float, y: float, colour: str) -> str:
    return f'<circle cx="{x:.2f}" cy="{y:.2f}" r="3" fill="{colour}"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    place = f'x="{x:.2f}" y="{y:.2f}" text-anchor="{anchor}"'
    return f'<text {place} style="font-size: {_TEXT}px" fill="{INK}">{escape(text)}</text>'


def _dashes(dash: Dash, width: float) -> str:
    if isinstance(dash, str):
        return ""
    return f' stroke-dasharray="{" ".join(f"{length * width:g}" for length in dash[1])}"'
