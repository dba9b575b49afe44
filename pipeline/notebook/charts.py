"""The notebooks' own charts, in the style of the report's (pipeline/report/drawing.py)."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import matplotlib.dates
import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from components.evidence.blessing import CHANCE
from components.evidence.interval import Interval
from pipeline.report.drawing import (
    GRID,
    INK,
    SPLIT_COLOURS,
    WIDTH,
    Chart,
    add_legend,
    beside,
    drawing,
    finish_columns,
    finish_rows,
    mark_interval,
    model_styles,
    padded,
    shortened,
    svg_chart,
)
from pipeline.runs.results import RunReport

_SPLIT_DASHES: Mapping[str, Any] = {"train": "-", "eval": (0, (6, 2)), "test": (0, (1.2, 1.2))}
_MOST_GROUPS = 40
"""Rows of a chart; more are not read."""


def split_timeline(report: RunReport) -> Chart:
    """Draws the splits along the days, with the purge and the embargo as gaps."""
    with drawing():
        figure = Figure(figsize=(WIDTH * 1.6, 1.5), layout="constrained")
        axes = figure.add_subplot()
        words = []
        for name, split in report.splits.items():
            first, last = (date.fromisoformat(day) for day in (split.first, split.last))
            left, right = matplotlib.dates.date2num([first, last])
            axes.barh(0, right - left, left=left, height=0.8, color=SPLIT_COLOURS.get(name, INK))
            axes.annotate(
                f"{name}\n{split.rows:,} rows", ((left + right) / 2, -0.62), ha="center", va="bottom",
                color=SPLIT_COLOURS.get(name, INK), annotation_clip=False,
            )  # fmt: skip
            words.append(f"{name} {split.first} to {split.last}")
        axes.set_ylim(0.5, -1.5)
        axes.set_yticks([])
        axes.spines["left"].set_visible(False)
        axes.xaxis.axis_date()
        axes.xaxis.set_major_locator(matplotlib.dates.AutoDateLocator(minticks=4, maxticks=9))
        return svg_chart("splits", "The splits", f"{'; '.join(words)}. No row lies between them.", figure)


def distribution_chart(features: Mapping[str, Mapping[str, npt.NDArray[Any]]], name: str, title: str) -> Chart:
    """Draws distribution functions by split, a panel a feature.

    Args:
        features: by feature, by split: ascending quantiles [steps] at equal steps of probability, the ends included.
        name: unique within the page.
        title: heading.
    """
    lines = math.ceil(len(features) / 2)
    with drawing():
        figure = Figure(figsize=(WIDTH * 1.6, 0.5 + 2.1 * lines), layout="constrained")
        grid = figure.subplots(lines, 2, sharey=True, squeeze=False)
        for axes, (feature, by_split) in zip(grid.flat, features.items(), strict=False):
            inner = []
            for split, edges in by_split.items():
                axes.plot(
                    edges, np.linspace(0, 1, len(edges)), color=SPLIT_COLOURS.get(split, INK), linewidth=1.7,
                    linestyle=_SPLIT_DASHES.get(split, "-"),
                )  # fmt: skip
                # A tenth at each end is tail, which would press the rest together.
                tail = max(1, (len(edges) - 1) // 10)
                inner += [float(edges[tail]), float(edges[-1 - tail])]
            low, high = min(inner), max(inner)
            if high > low:
                axes.set_xlim(*padded(low, high, 0.35, 0))
            axes.set_title(feature, fontsize=10, fontweight="bold", loc="left")
            axes.grid(color=GRID)
            axes.xaxis.set_major_locator(MaxNLocator(5))
        for axes in list(grid.flat)[len(features) :]:
            axes.set_axis_off()
        splits = list(dict.fromkeys(split for by_split in features.values() for split in by_split))
        handles = [
            Line2D([], [], color=SPLIT_COLOURS.get(s, INK), linestyle=_SPLIT_DASHES.get(s, "-"), label=s)
            for s in splits
        ]
        figure.legend(handles, splits, loc="outside lower center", ncols=3, frameon=False)
        figure.supylabel("share of values below", fontsize=10)
        words = f"Share of values below each value, by split: {', '.join(splits)}. Features: {', '.join(features)}."
        return svg_chart(name, title, words, figure)


def group_chart(table: pd.DataFrame, what: str, names: Sequence[str]) -> Chart:
    """Draws AUCs with their intervals, a row a group, beside chance.

    Args:
        table: index (model, group), columns AUC, low, high, rows.
        what: year or share.
        names: the models, in the report's order.
    """
    styles = model_styles(names)
    groups = sorted(table.index.get_level_values(1).unique())
    shown = groups
    if len(groups) > _MOST_GROUPS:
        rows = table["rows"].groupby(level=1).max().sort_values(ascending=False, kind="stable")
        shown = sorted(rows.index[:_MOST_GROUPS])
    finite = [CHANCE]
    with drawing():
        figure = Figure(figsize=(WIDTH * 1.6, 1.1 + (0.16 + 0.16 * len(names)) * len(shown)), layout="constrained")
        axes = figure.add_subplot()
        axes.axvline(CHANCE, color=INK, linewidth=1)
        for i, name in enumerate(names):
            style = styles[name]
            for row, group in enumerate(shown):
                if (name, group) not in table.index or not math.isfinite(table.loc[(name, group), "AUC"]):
                    continue
                area, low, high = (float(table.loc[(name, group), key]) for key in ("AUC", "low", "high"))
                place = row + beside(i, len(names), 0.7)
                mark_interval(axes, Interval(area, low, high, math.nan), place, style, size=5.5, width=1.6)
                finite += [value for value in (area, low, high) if math.isfinite(value)]
        axes.set_yticks(range(len(shown)), [shortened(str(group), 30) for group in shown])
        finish_rows(axes, len(shown))
        axes.set_xlim(*padded(min(finite), max(finite), 0.05, 0.02, (0, 1)))
        axes.set_xlabel("AUC on the test split, 95 % interval over blocks of days")
        add_legend(figure, styles, names, markers=True, fitted=True)
        rest = f" The {len(shown)} with most rows of {len(groups)}." if len(shown) < len(groups) else ""
        words = f"AUC by {what} of {', '.join(names)}; the table has the figures.{rest}"
        return svg_chart(f"by-{what}", f"AUC by {what}", words, figure)


def slices_chart(table: pd.DataFrame, model: str) -> Chart:
    """Draws every metric by slice, a panel a metric, beside its figure over the whole split.

    Args:
        table: of `evaluation.slices_table`.
        model: whose it is.
    """
    style = model_styles([model])[model]
    parts = table.iloc[1:]
    lines = math.ceil(len(table.columns) / 3)
    with drawing():
        figure = Figure(figsize=(WIDTH * 1.6, 0.3 + 1.5 * lines), layout="constrained")
        grid = figure.subplots(lines, 3, squeeze=False)
        for axes, metric in zip(grid.flat, table.columns, strict=False):
            axes.bar(range(len(parts)), parts[metric].to_numpy(float), 0.7, color=style.colour, alpha=0.75)
            axes.axhline(float(table[metric].iloc[0]), color=INK, linewidth=1.2)
            axes.set_title(metric, fontsize=10, fontweight="bold", loc="left")
            finish_columns(axes, [f"{str(part)[2:]:>2}" if len(parts) > 4 else str(part) for part in parts.index])
            axes.yaxis.set_major_locator(MaxNLocator(3))
        for axes in list(grid.flat)[len(table.columns) :]:
            axes.set_axis_off()
        words = f"Of {model}, by year: {', '.join(map(str, table.columns))}. Lines: the whole test split."
        return svg_chart("slices", f"Every figure of TFMA by slice: {model}", words, figure)


def quantiles(values: npt.NDArray[Any], steps: int = 100) -> npt.NDArray[np.float64]:
    """The quantiles that `distribution_chart` draws.

    Args:
        values: array [rows], at least one.
        steps: of equal probability.

    Returns:
        Array [steps + 1], from the least to the largest.
    """
    return np.quantile(np.asarray(values, dtype=np.float64), np.linspace(0, 1, steps + 1))


def costs_chart(table: pd.DataFrame, model: str) -> Chart:
    """Draws the Sharpe ratio over costs with its interval.

    Args:
        table: index (portfolio, costs), columns Sharpe, Sharpe low, Sharpe high.
        model: whose portfolios they are.
    """
    names = list(dict.fromkeys(table.index.get_level_values(0)))
    styles = model_styles(names)
    with drawing():
        figure = Figure(figsize=(WIDTH, 3.2), layout="constrained")
        axes = figure.add_subplot()
        axes.axhline(0, color=INK, linewidth=1)
        for name in names:
            part, style = table.loc[name], styles[name]
            axes.fill_between(part.index, part["Sharpe low"], part["Sharpe high"], color=style.colour, alpha=0.15)
            axes.plot(part.index, part["Sharpe"], color=style.colour, marker=style.marker, linestyle=style.dash)
        axes.set(xlabel="costs, basis points of what is traded", ylabel="Sharpe ratio a year")
        axes.grid(color=GRID)
        add_legend(figure, styles, names, markers=True, fitted=True)
        words = f"Sharpe ratio of {model}'s portfolios over costs, with 95 % intervals; the table has the figures."
        return svg_chart("costs", f"What costs do to {model}", words, figure)


def month_chart(table: pd.DataFrame, model: str) -> Chart:
    """Draws the return of each month of `month_table`: long-short, and long-only less equal weight."""
    panels = (("long-short", "long-short"), ("ahead", "long-only less equal weight"))
    with drawing():
        figure = Figure(figsize=(WIDTH * 1.6, 3.6), layout="constrained")
        grid = figure.subplots(2, 1, sharex=True)
        days = matplotlib.dates.date2num(table.index.to_timestamp().to_pydatetime())
        for axes, (column, title) in zip(grid, panels, strict=True):
            values = 100 * table[column].to_numpy()
            colours = [SPLIT_COLOURS["test"] if value >= 0 else "#c8500a" for value in values]
            axes.bar(days, values, width=22, align="edge", color=colours)
            axes.axhline(0, color=INK, linewidth=1)
            axes.set_title(title, fontsize=10, fontweight="bold", loc="left")
            axes.set_ylabel("%")
            axes.grid(axis="y", color=GRID)
        grid[-1].xaxis.axis_date()
        grid[-1].xaxis.set_major_locator(matplotlib.dates.AutoDateLocator(minticks=4, maxticks=9))
        ups = {title: int((table[column] > 0).sum()) for column, title in panels}
        words = "; ".join(f"{title}: {count} of {len(table)} months above 0" for title, count in ups.items())
        return svg_chart("months", f"Month by month, {model}", f"Returns after costs. {words}.", figure)
