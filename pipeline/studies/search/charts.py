"""The charts of search.html: the trials in the order they were made, and what each hyperparameter has to do with it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from components.evidence.words import figure as told
from components.evidence.words import low_to_high, number4
from models.search_space import plain
from pipeline.report.drawing import (
    GRID,
    MUTED,
    Chart,
    Place,
    add_legend,
    drawing,
    finish_columns,
    mark_interval,
    model_styles,
    padded,
    plot_area,
    svg_chart,
)
from pipeline.studies.search.results import SearchReport, TrialResult

_OTHER, _OWN, _BEST = "other trials", "settings' own", "the best"


def trials_chart(report: SearchReport) -> Chart:
    """Draws the figure of every trial with its interval, in the order they were made."""
    judged = [one for one in report.trials if not one.why]
    styles = model_styles([_OTHER, _OWN, _BEST])
    with drawing():
        figure, axes = plot_area(2.6, 3)
        ends = [end for one in judged for end in (one.figure.value, one.figure.low, one.figure.high)]
        for one in judged:
            mark_interval(axes, one.figure, one.number - 1, styles[_kind(report, one)], size=5, width=1.4, upright=True)
        if judged and judged[0].number == 1:
            axes.axhline(judged[0].figure.value, color=MUTED, linewidth=1, linestyle=(0, (4, 2)))
        finish_columns(axes, [str(one.number) for one in report.trials])
        known = [end for end in ends if math.isfinite(end)]
        if known:
            axes.set_ylim(*padded(min(known), max(known), 0.05, least=0.002))
        axes.yaxis.set_major_locator(MaxNLocator(6))
        axes.set_xlabel("trial")
        add_legend(figure, styles, list(styles), markers=True)
        said = "; ".join(
            f"trial {one.number} {number4(one.figure.value)} ({low_to_high(one.figure.low, one.figure.high, number4)})"
            for one in judged
        )
        marks = [
            Place(axes, one.number - 1, one.figure.value, f"trial {one.number}: {told(one.figure, number4)}")
            for one in judged
        ]
        title = f"{report.metric_title} on the eval split, by trial"
        return svg_chart("trials", title, f"{said}.", figure, marks=marks)


def hyperparameter_charts(report: SearchReport) -> list[Chart]:
    """Draws, for each hyperparameter that took several values, the figures of the trials over its value."""
    judged = [one for one in report.trials if not one.why]
    varied = [name for name in report.space if len({plain(one.values[name]) for one in judged}) > 1]
    return [_hyperparameter_chart(report, judged, name) for name in varied]


def _hyperparameter_chart(report: SearchReport, judged: Sequence[TrialResult], name: str) -> Chart:
    values = [one.values[name] for one in judged]
    numbers = all(isinstance(value, (int, float)) for value in values) and "," not in report.space[name]
    choices = list(report.space[name].split(", "))
    styles = model_styles([_OTHER, _OWN, _BEST])
    with drawing():
        figure, axes = plot_area(1.9, 3)
        marks = []
        for one, value in zip(judged, values, strict=True):
            style = styles[_kind(report, one)]
            place = value if numbers else choices.index(plain(value))
            marks.append(
                Place(axes, place, one.figure.value, f"trial {one.number}, {plain(value)}: {number4(one.figure.value)}")
            )
            axes.plot([place], [one.figure.value], marker=style.marker, color=style.colour, linestyle="", markersize=6)
        axes.grid(color=GRID)
        axes.yaxis.set_major_locator(MaxNLocator(5))
        if not numbers:
            axes.set_xticks(range(len(choices)), choices)
            axes.set_xlim(-0.5, len(choices) - 0.5)
        elif report.space[name].endswith("(log)"):
            axes.set_xscale("log")
            axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            # matplotlib's own are formulas.
            axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
            axes.xaxis.set_minor_formatter(NullFormatter())
        axes.set_xlabel(name)
        handles = [Line2D([], [], marker=s.marker, color=s.colour, linestyle="", label=n) for n, s in styles.items()]
        add_legend(figure, styles, [], handles)
        said = "; ".join(f"{plain(one.values[name])}: {number4(one.figure.value)}" for one in judged)
        title = f"{report.metric_title} by {name}"
        return svg_chart(f"by-{name.replace('_', '-')}", title, f"{said}.", figure, marks=marks)


def _kind(report: SearchReport, one: TrialResult) -> str:
    if one is report.best or (report.best is not None and one.number == report.best.number):
        return _BEST
    return _OWN if one.number == 1 else _OTHER
