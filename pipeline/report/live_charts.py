"""The charts of live.html."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter, NullLocator

from components.evidence.interval import NORMAL_95
from components.evidence.words import low_to_high, number4
from pipeline.report.drawing import (
    GRID,
    INK,
    MUTED,
    Chart,
    add_legend,
    drawing,
    line_style,
    model_styles,
    padded,
    plot_area,
    svg_chart,
)
from pipeline.report.live_facts import CalibrationBin, DriftDay, LiveEvidence, PaperProfit
from pipeline.report.live_words import e_value
from pipeline.report.words import basis_points, points, share_percent

_HEIGHT = 2.5


def evidence_chart(evidence: LiveEvidence) -> Chart:
    """Draws the e-values by session on a logarithmic scale, with the line that is a proof."""
    days, styles = evidence.days, model_styles(["evidence", "rank IC", "log loss"])
    courses = {
        "evidence": [day.e_value for day in days],
        "rank IC": [day.e_rank_ic for day in days],
        "log loss": [day.e_log_loss for day in days],
    }
    with drawing():
        figure, axes = plot_area(_HEIGHT, legend=3, label=False)
        times = _times(days[i].session for i in range(len(days)))
        axes.axhline(1, color=INK, linewidth=1)
        axes.axhline(evidence.threshold, color=INK, linewidth=1.2, linestyle=(0, (4, 2)))
        for name, values in courses.items():
            style = line_style(styles[name]) | ({"linewidth": 2.4} if name == "evidence" else {"linewidth": 1.1})
            axes.plot(times, values, **style, **_dot(len(days), styles[name].marker))
        axes.set_yscale("log")
        values = [evidence.threshold * 2, 0.5, *(value for course in courses.values() for value in course if value > 0)]
        axes.set_ylim(max(min(values) * 0.8, 1e-6), max(values) * 1.3)
        axes.yaxis.set_major_locator(LogLocator(10, subs=(1, 2, 5), numticks=9))
        axes.yaxis.set_minor_locator(NullLocator())
        axes.yaxis.set_minor_formatter(NullFormatter())
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
        axes.annotate(
            f"proof: {evidence.threshold:g}", (0.01, evidence.threshold), (0, 3), xycoords=("axes fraction", "data"),
            textcoords="offset points", color=INK,
        )  # fmt: skip
        axes.set_ylabel("e-value, log scale")
        _finish(axes, [day.session for day in days])
        add_legend(figure, styles, styles)
        last = "; ".join(f"{name} {e_value(values[-1])}" for name, values in courses.items())
        return svg_chart(
            "evidence",
            "Evidence",
            f"E-values from {days[0].session} to {days[-1].session}, which begin at 1; {evidence.threshold:g} is a "
            f"proof. Last: {last}. Highest evidence: {e_value(max(courses['evidence']))}.",
            figure,
        )


def sequence_chart(evidence: LiveEvidence) -> Chart | None:
    """Draws the mean daily rank IC so far within its confidence sequence, beside 0 and what the backtest claims.

    None where no session has a rank IC.
    """
    if not math.isfinite(evidence.days[-1].mean):
        return None
    days, styles = evidence.days, model_styles(["mean so far"])
    low, high, mean = (np.array([getattr(day, name) for day in days]) for name in ("low", "high", "mean"))
    claim = None if evidence.claim is None else evidence.claim.mean
    band = Patch(color="#c9dcea", label=f"band, {share_percent(1 - evidence.alpha)}")
    extra: list[Any] = [band]
    with drawing():
        figure, axes = plot_area(_HEIGHT, legend=3, label=False)
        times = _times(day.session for day in days)
        axes.fill_between(times, low, high, color="#c9dcea", linewidth=0)
        if len(days) == 1:
            axes.plot([times[0]] * 2, [low[0], high[0]], color="#c9dcea", linewidth=6)
        axes.axhline(0, color=INK, linewidth=1.2)
        if claim is not None:
            axes.axhline(claim, color=MUTED, linewidth=1.2, linestyle=(0, (4, 2)))
            extra.append(Line2D([], [], color=MUTED, linewidth=1.2, linestyle=(0, (4, 2)), label="backtest"))
        style = styles["mean so far"]
        axes.plot(times, mean, **line_style(style), **_dot(len(days), style.marker))
        # The first sessions know nothing: their band is all there can be, and would press the rest flat.
        known = np.arange(len(days)) >= len(days) // 4
        ends = [
            0.0,
            *(low[known & ~np.isnan(low)]),
            *(high[known & ~np.isnan(high)]),
            *([] if claim is None else [claim]),
        ]
        axes.set_ylim(*padded(float(min(ends)), float(max(ends)), 0.06, least=0.02))
        axes.yaxis.set_major_locator(MaxNLocator(6))
        axes.set_ylabel("daily rank IC")
        _finish(axes, [day.session for day in days])
        add_legend(figure, styles, styles, extra=extra)
        last = days[-1]
        said = "" if claim is None else f" The backtest claims {number4(claim)}."
        return svg_chart(
            "sequence",
            "Mean rank IC and its confidence sequence",
            f"Mean daily rank IC so far, from {days[0].session} to {last.session}: at last {number4(last.mean)}, band "
            f"{low_to_high(last.low, last.high, number4)}; 0 is no skill.{said}",
            figure,
        )


def calibration_chart(bins: Sequence[CalibrationBin]) -> Chart:
    """Draws what was predicted against what happened."""
    predicted, observed, rows = (
        np.array([getattr(one, name) for one in bins]) for name in CalibrationBin.__annotations__
    )
    reach = NORMAL_95 * np.sqrt(observed * (1 - observed) / rows)
    style = model_styles(["model"])["model"]
    with drawing():
        figure, axes = plot_area(_HEIGHT, legend=0)
        x_limits = padded(float(predicted.min()), float(predicted.max()), 0.1, least=0.02, bounds=(0, 1))
        ends = [*(observed - reach), *(observed + reach), *x_limits]
        axes.plot(x_limits, x_limits, color=INK, linewidth=1)
        axes.errorbar(
            predicted, observed, reach, color=style.colour, linestyle="", elinewidth=1.2, marker=style.marker,
            markersize=6,
        )  # fmt: skip
        axes.set(xlim=x_limits, ylim=padded(float(min(ends)), float(max(ends)), 0.05, least=0.05, bounds=(0, 1)))
        axes.xaxis.set_major_locator(MaxNLocator(5, prune="upper"))
        axes.yaxis.set_major_locator(MaxNLocator(5))
        axes.set(xlabel="predicted probability of a higher close", ylabel="share that rose")
        axes.grid(color=GRID)
        words = "; ".join(f"{one.predicted:.3f} predicted, {one.observed:.3f} rose" for one in bins)
        return svg_chart("live-calibration", "Calibration", f"Predicted against what happened: {words}.", figure)


def profit_chart(profit: PaperProfit) -> Chart:
    """Draws what 1 would have grown to, before and after costs."""
    names = [one.name for one in profit.portfolios]
    styles = model_styles(names)
    days = len(profit.sessions)
    with drawing():
        figure, axes = plot_area(_HEIGHT, legend=len(names) + 1, label=False)
        times = _times(profit.sessions)
        axes.axhline(1, color=INK, linewidth=1)
        for one in profit.portfolios:
            colour = styles[one.name].colour
            axes.plot(times, one.after, **line_style(styles[one.name]), **_dot(days, styles[one.name].marker))
            axes.plot(times, one.before, color=colour, linewidth=0.8, alpha=0.55)
        axes.set_ylabel("1 grows to")
        axes.yaxis.set_major_locator(MaxNLocator(6))
        _finish(axes, profit.sessions)
        thin = Line2D([], [], color=MUTED, linewidth=0.8, label="thin: before costs")
        add_legend(figure, styles, names, extra=[thin])
        words = "; ".join(f"{one.name} {points(one.after[-1] - 1)} ({points(one.before[-1] - 1)} before)"
                          for one in profit.portfolios)  # fmt: skip
        return svg_chart(
            "profit", "Paper profit",
            f"What 1 would have grown to after costs of {basis_points(profit.costs)}: {words}.", figure,
        )  # fmt: skip


def drift_chart(drift: Sequence[DriftDay]) -> Chart | None:
    """Draws how far features and losses are from training and backtest, in parts of the limit; None without any."""
    styles = model_styles(["features", "losses"])
    courses = {name: np.array([getattr(day, name) for day in drift], float) for name in styles}
    drawn = {name: values for name, values in courses.items() if np.isfinite(values).any()}
    if not drawn:
        return None
    with drawing():
        figure, axes = plot_area(_HEIGHT, legend=len(drawn), label=False)
        times = _times(day.session for day in drift)
        axes.axhline(1, color=INK, linewidth=1.2, linestyle=(0, (4, 2)))
        for name, values in drawn.items():
            axes.plot(times, values, **line_style(styles[name]), **_dot(len(drift), styles[name].marker))
        highest = max(1.0, *(float(np.nanmax(values)) for values in drawn.values()))
        axes.set_ylim(0, highest * 1.15)
        axes.annotate(
            "limit", (0.01, 1), (0, 3), xycoords=("axes fraction", "data"), textcoords="offset points", color=INK
        )
        axes.set_ylabel("parts of the limit")
        axes.yaxis.set_major_locator(MaxNLocator(6))
        _finish(axes, [day.session for day in drift])
        add_legend(figure, styles, drawn)
        words = "; ".join(
            f"{name} at most {share_percent(float(np.nanmax(values)))} of the limit" for name, values in drawn.items()
        )
        return svg_chart("drift", "Drift", f"{drift[0].session} to {drift[-1].session}: {words}.", figure)


def _times(sessions: Any) -> np.ndarray[Any, Any]:
    return np.array(list(sessions), "datetime64[D]")


def _dot(days: int, marker: str) -> dict[str, Any]:
    """A marker where a line of one session would not be seen."""
    return {"marker": marker, "markersize": 6} if days == 1 else {}


def _finish(axes: Any, sessions: Sequence[str]) -> None:
    """A grid, and some dates below, never at the right end, where half of one would be cut off."""
    times = _times(sessions)
    # Days and not sessions: around a weekend or a gap, two dates would stand in each other.
    marked = np.unique(times[0] + (times[-1] - times[0]) * np.array([1, 4, 7]) // 8)
    if len(times) == 1:
        axes.set_xlim(times[0] - np.timedelta64(1, "D"), times[0] + np.timedelta64(1, "D"))
    axes.set_xticks(marked, [str(day) for day in marked])
    axes.grid(color=GRID)
