"""The colours and styles of all charts, however they are drawn, and what a chart is; imports nothing that draws."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

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
