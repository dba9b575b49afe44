"""The chart of a backtest: growth after costs, and the loss from the highest value so far below it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter
from numpy.typing import NDArray

from components.backtest import Backtest, Performance
from pipeline.report.backtest_summary import EQUAL_WEIGHT
from pipeline.report.drawing import (
    GRID,
    INK,
    WIDTH,
    Chart,
    Style,
    add_legend,
    drawing,
    line_style,
    mark_days,
    model_styles,
    svg_chart,
)
from pipeline.report.palette import Plot, Series
from pipeline.report.words import basis_points, points

_LOGARITHMIC_FROM = 5
"""Between the highest and the lowest value; below it, a plain axis is easier to read."""


def growth_chart(result: Backtest, model: str) -> Chart:
    """Draws what 1 grows to after costs, and the drawdown, of a model's two portfolios and of equal weight."""
    drawn: dict[str, Performance] = {
        "long-short": result.models[model].long_short.after_costs,
        "long-only": result.models[model].long_only.after_costs,
        EQUAL_WEIGHT: result.equal_weight.after_costs,
    }
    styles = model_styles(list(drawn))
    days = np.array(result.days, dtype="datetime64[D]")
    growth = {name: _growth(performance) for name, performance in drawn.items()}
    lowest = min(float(values.min()) for values in growth.values())
    highest = max(float(values.max()) for values in growth.values())
    with drawing():
        figure = Figure(figsize=(WIDTH, 4.7))
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1.4))
        # Margins as in the other charts, so that their axes stand in line on the page.
        figure.subplots_adjust(left=0.86 / WIDTH, right=1 - 0.14 / WIDTH, top=0.97, bottom=0.15, hspace=0.12)
        upper.axhline(1, color=INK, linewidth=1)
        for name, values in growth.items():
            upper.plot(days, values, **line_style(styles[name]))
            lower.plot(days, _drawdown(values), **line_style(styles[name]))
        if lowest > 0 and highest / lowest > _LOGARITHMIC_FROM:
            upper.set_yscale("log")
            upper.yaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5)))
            upper.yaxis.set_minor_formatter(NullFormatter())
        upper.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        upper.set_ylabel("1 grows to")
        lower.set_ylabel("drawdown")
        lower.set_ylim(top=0)
        lower.yaxis.set_major_locator(MaxNLocator(3))
        lower.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g}%"))
        mark_days(lower, days)
        for axes in (upper, lower):
            axes.grid(color=GRID)
        add_legend(figure, styles, drawn, extra=())
        words = "; ".join(
            f"{name} ends at {values[-1]:.3g}, largest loss {points(drawn[name].max_drawdown)}"
            for name, values in growth.items()
        )
        return svg_chart(
            "backtest",
            f"{model} after costs of {basis_points(result.costs)}",
            f"What 1 grows to after costs from {result.days[0]} to {result.days[-1]}, and the loss from the highest "
            f"value so far: {words}.",
            figure,
            plots=[
                _plot(result, styles, growth, "1 grows to", rules=[(1.0, "")], logarithmic=upper.get_yscale() == "log"),
                _plot(
                    result,
                    styles,
                    {name: _drawdown(values) for name, values in growth.items()},
                    "drawdown",
                    percent=True,
                    decimals=1,
                    height=130,
                ),
            ],
        )


def _plot(
    result: Backtest, styles: Mapping[str, Style], lines: Mapping[str, NDArray[Any]], label: str, **form: Any
) -> Plot:
    series = [Series(name, values.tolist(), styles[name].colour, styles[name].dash) for name, values in lines.items()]
    return Plot(result.days, series, label, days=True, **form)


def _growth(performance: Performance) -> NDArray[Any]:
    """What 1 has become at the close of each day's next session, array [days]."""
    return np.cumprod(1 + np.array(performance.returns))


def _drawdown(growth: NDArray[Any]) -> NDArray[Any]:
    """Loss from the highest value so far, the beginning's 1 included, array [days]."""
    return growth / np.maximum(np.maximum.accumulate(growth), 1) - 1
