"""The chart of the rank IC day by day: what a mean of years does not show."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from components.evidence.words import signed
from pipeline.report.drawing import (
    GRID,
    INK,
    MUTED,
    Chart,
    Style,
    add_legend,
    drawing,
    line_style,
    mark_days,
    padded,
    plot_area,
    svg_chart,
)
from pipeline.report.palette import Plot, Series

_LONGEST = 60
"""Days that a point of the line is the mean of, where there are five times as many."""


def rank_ic_chart(
    days: NDArray[np.datetime64], daily: Mapping[str, NDArray[np.float64]], styles: Mapping[str, Style]
) -> Chart | None:
    """Draws each model's rank IC as the mean of the latest days, and of a model alone each day's; None without any.

    Args:
        days: datetime64 array [days], ascending.
        daily: by model, array [days]; nan where a day has none.
        styles: of `model_styles`, by model.
    """
    known = {name: ~np.isnan(values) for name, values in daily.items()}
    drawn = {name: values[known[name]] for name, values in daily.items() if known[name].any()}
    if not drawn:
        return None
    days = days.astype("datetime64[D]")
    span = max(1, min(_LONGEST, min(map(len, drawn.values())) // 5))
    ends, extra, lines = [0.0], [], []
    with drawing():
        figure, axes = plot_area(2.7, legend=len(drawn) + 1, label=False)
        axes.axhline(0, color=INK, linewidth=1.2)
        for name, values in drawn.items():
            total = np.concatenate([[0.0], np.cumsum(values)])
            means, of = (total[span:] - total[:-span]) / span, days[known[name]]
            if len(daily) == 1:
                axes.plot(of, values, ".", color=MUTED, markersize=2.5, alpha=0.45)
                extra = [Line2D([], [], marker=".", linestyle="", color=MUTED, label="a day")]
                ends += [float(np.quantile(values, part)) for part in (0.01, 0.99)]
            # A day without a rank IC leaves the mean of the latest ones as it was.
            latest_known = np.cumsum(known[name])
            course = np.full(len(days), np.nan)
            course[latest_known >= span] = means[latest_known[latest_known >= span] - span]
            lines.append(Series(name, course.tolist(), styles[name].colour, styles[name].dash))
            axes.plot(of[span - 1 :], means, **line_style(styles[name]), marker="." if len(means) < 3 else "")
            ends += [float(means.min()), float(means.max())]
        axes.set_ylim(*padded(min(ends), max(ends), 0.05, least=0.02))
        if len(days) > 1:
            axes.set_xlim(days[0], days[-1])
        axes.yaxis.set_major_locator(MaxNLocator(6))
        axes.set_ylabel("rank IC")
        mark_days(axes, days)
        axes.grid(color=GRID)
        add_legend(figure, styles, drawn, extra=extra)
        plot = Plot([str(day) for day in days], lines, f"rank IC, {span}-day mean", days=True, rules=[(0.0, "")])
        latest = "each day's" if span == 1 else f"the mean of the latest {span} days"
        words = "; ".join(
            f"{name} {signed(float(values.mean()))} on average, above 0 on {np.count_nonzero(values > 0):,} of "
            f"{len(values):,} days"
            for name, values in drawn.items()
        )
        return svg_chart("rank-ic", "Rank IC day by day", f"Lines: {latest}. {words}.", figure, plots=[plot])
