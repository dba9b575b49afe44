"""The charts of a tear sheet: figures with their intervals side by side, and Sharpe ratios as time passes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from components.evidence.interval import Interval
from components.evidence.words import figure as told
from components.evidence.words import number
from pipeline.report.drawing import (
    GRID,
    INK,
    Chart,
    Style,
    add_legend,
    beside,
    drawing,
    finish_columns,
    line_style,
    mark_days,
    mark_interval,
    model_styles,
    padded,
    plot_area,
    svg_chart,
)
from pipeline.report.palette import Plot, with_intervals
from pipeline.report.words import ratio


def estimates_chart(
    name: str,
    title: str,
    estimates: Mapping[str, Sequence[Interval]],
    places: Sequence[str],
    styles: Mapping[str, Style],
    labels: tuple[str, str],
    decimals: int = 3,
) -> Chart | None:
    """Draws every model's figures with their intervals, a column a place; None where there is none.

    Args:
        name: of the chart, unique in the page.
        title: heading.
        estimates: by model, one for each place.
        places: what they are at.
        styles: of `model_styles`, by model.
        labels: of the horizontal and the vertical axis.
        decimals: digits after the point that a figure is written with.
    """

    def write(value: float) -> str:
        return number(value, signed=True, decimals=decimals)

    every = [one for found in estimates.values() for one in found if math.isfinite(one.value)]
    if not every:
        return None
    ends = [end for one in every for end in (one.value, one.low, one.high) if math.isfinite(end)]
    with drawing():
        figure, axes = plot_area(2.7, legend=len(estimates))
        axes.axhline(0, color=INK, linewidth=1.2)
        for i, (model, found) in enumerate(estimates.items()):
            for place, one in enumerate(found):
                at = place + beside(i, len(estimates), 0.7)
                filled = not one.low <= 0 <= one.high
                mark_interval(axes, one, at, styles[model], size=5, width=1.5, filled=filled, upright=True)
        axes.set_ylim(*padded(min([0, *ends]), max([0, *ends]), 0.06, least=0.02))
        finish_columns(axes, list(places))
        axes.set(xlabel=labels[0], ylabel=labels[1])
        axes.yaxis.set_major_locator(MaxNLocator(6))
        axes.grid(axis="y", color=GRID)
        add_legend(figure, styles, estimates, markers=True)
        words = "; ".join(
            f"{model}: " + ", ".join(f"{place} {told(one, write)}" for place, one in zip(places, found, strict=True))
            for model, found in estimates.items()
        )
        series = [with_intervals(model, found, styles[model]) for model, found in estimates.items()]
        plot = Plot(list(places), series, labels[1], labels[0], rules=[(0.0, "")], decimals=decimals)
        return svg_chart(name, title, f"{labels[1]} by {labels[0]}. {words}.", figure, plots=[plot])


def rolling_chart(courses: Mapping[str, tuple[NDArray[Any], Sequence[Interval]]], window: int) -> Chart:
    """Draws the Sharpe ratios of portfolios as time passes, each within the band of its intervals."""
    styles = model_styles(list(courses))
    days = next(iter(courses.values()))[0]
    ends = [0.0]
    with drawing():
        figure, axes = plot_area(2.7, legend=len(courses), label=False)
        axes.axhline(0, color=INK, linewidth=1.2)
        for name, (_, found) in courses.items():
            value, low, high = (np.array([getattr(one, end) for one in found]) for end in ("value", "low", "high"))
            axes.fill_between(days, low, high, color=styles[name].colour, alpha=0.13, linewidth=0)
            axes.plot(days, value, **line_style(styles[name]))
            ends += [float(end) for part in (value, low, high) for end in part if math.isfinite(end)]
        axes.set_ylim(*padded(min(ends), max(ends), 0.05, least=0.5))
        axes.set_ylabel(f"Sharpe ratio, {window} sessions")
        axes.yaxis.set_major_locator(MaxNLocator(6))
        mark_days(axes, days)
        axes.grid(color=GRID)
        add_legend(figure, styles, courses)
        series = [with_intervals(name, found, styles[name], points=False) for name, (_, found) in courses.items()]
        plot = Plot([str(day) for day in days], series, "Sharpe ratio", days=True, rules=[(0.0, "")], decimals=2)
        words = "; ".join(f"{name} {told(found[-1], ratio)}" for name, (_, found) in courses.items())
        return svg_chart(
            "rolling",
            f"Sharpe ratio of the latest {window} sessions",
            f"From {days[0]} to {days[-1]}; at last {words}.",
            figure,
            plots=[plot],
        )
