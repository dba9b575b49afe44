"""The charts of live.html, drawn without matplotlib: the page is written every evening."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterable, Sequence

import numpy as np

from components.evidence.interval import NORMAL_95
from components.evidence.words import low_to_high, number4
from models.labels import Words
from pipeline.report.calendar_ticks import calendar_ticks
from pipeline.report.light_chart import LightChart
from pipeline.report.live_facts import CalibrationBin, DriftDay, LiveEvidence, PaperProfit
from pipeline.report.live_words import e_value
from pipeline.report.palette import INK, MUTED, SKY, Chart, model_styles, padded
from pipeline.report.words import basis_points, points, share_percent

_HEIGHT = 2.5
_DASHED = (0, (4, 2))


def evidence_chart(evidence: LiveEvidence) -> Chart:
    """Draws the e-values by session on a logarithmic scale, with the line that is a proof."""
    days = evidence.days
    courses = {
        "evidence": [day.e_value for day in days],
        "rank IC": [day.e_rank_ic for day in days],
        "log loss": [day.e_log_loss for day in days],
    }
    values = [evidence.threshold * 2, 0.5, *(value for course in courses.values() for value in course if value > 0)]
    limits = max(min(values) * 0.8, 1e-6), max(values) * 1.3
    times = _numbers(day.session for day in days)
    chart = LightChart(_HEIGHT, _around(times), limits, legend=3, y_label="e-value, log scale", logarithmic=True,
                       days=True)  # fmt: skip
    chart.ticks(_dates(times))
    chart.rule(1)
    chart.rule(evidence.threshold, width=1.2, dash=_DASHED, note=f"proof: {evidence.threshold:g}")
    for name, style in model_styles(list(courses)).items():
        chart.line(times, courses[name], style.colour, 2.4 if name == "evidence" else 1.1, style.dash, label=name)
    last = "; ".join(f"{name} {e_value(values[-1])}" for name, values in courses.items())
    return chart.chart(
        "evidence",
        "Evidence",
        f"E-values from {days[0].session} to {days[-1].session}, which begin at 1; {evidence.threshold:g} is a "
        f"proof. Last: {last}. Highest evidence: {e_value(max(courses['evidence']))}.",
    )


def sequence_chart(evidence: LiveEvidence) -> Chart | None:
    """Draws the mean daily rank IC so far within its confidence sequence, beside 0 and what the backtest claims.

    None where no session has a rank IC.
    """
    if not math.isfinite(evidence.days[-1].mean):
        return None
    days = evidence.days
    low, high, mean = (np.array([getattr(day, name) for day in days]) for name in ("low", "high", "mean"))
    claim = None if evidence.claim is None else evidence.claim.mean
    # The first sessions know nothing: their band is all there can be, and would press the rest flat.
    known = np.arange(len(days)) >= len(days) // 4
    ends = [0.0, *(low[known & ~np.isnan(low)]), *(high[known & ~np.isnan(high)]), *([] if claim is None else [claim])]
    limits = padded(float(min(ends)), float(max(ends)), 0.06, least=0.02)
    times = _numbers(day.session for day in days)
    chart = LightChart(_HEIGHT, _around(times), limits, legend=3, y_label="daily rank IC", days=True)
    chart.band(times, low.tolist(), high.tolist(), SKY, label=f"band, {share_percent(1 - evidence.alpha)}")
    chart.ticks(_dates(times))
    chart.rule(0, width=1.2)
    if claim is not None:
        chart.line(chart.x_limits, (claim, claim), MUTED, 1.2, _DASHED, label="backtest")
    chart.line(times, mean.tolist(), model_styles(["mean"])["mean"].colour, label="mean so far")
    last = days[-1]
    said = "" if claim is None else f" The backtest claims {number4(claim)}."
    return chart.chart(
        "sequence",
        "Mean rank IC and its confidence sequence",
        f"Mean daily rank IC so far, from {days[0].session} to {last.session}: at last {number4(last.mean)}, band "
        f"{low_to_high(last.low, last.high, number4)}; 0 is no skill.{said}",
    )


def calibration_chart(bins: Sequence[CalibrationBin], label: Words) -> Chart:
    """Draws what was predicted against what happened; `label` are the words for what was predicted."""
    predicted, observed, rows = (
        np.array([getattr(one, name) for one in bins]) for name in CalibrationBin.__annotations__
    )
    reach = NORMAL_95 * np.sqrt(observed * (1 - observed) / rows)
    x_limits = padded(float(predicted.min()), float(predicted.max()), 0.1, least=0.02, bounds=(0, 1))
    ends = [*(observed - reach), *(observed + reach), *x_limits]
    y_limits = padded(float(min(ends)), float(max(ends)), 0.05, least=0.05, bounds=(0, 1))
    chart = LightChart(
        _HEIGHT,
        x_limits,
        y_limits,
        x_label=f"predicted probability of {label.event}",
        y_label=f"share that {label.did}",
    )
    chart.ticks(most=5)
    chart.line(x_limits, x_limits, INK, 1)
    chart.points(predicted.tolist(), observed.tolist(), reach.tolist(), model_styles(["model"])["model"].colour)
    words = "; ".join(f"{one.predicted:.3f} predicted, {one.observed:.3f} {label.did}" for one in bins)
    return chart.chart("live-calibration", "Calibration", f"Predicted against what happened: {words}.")


def profit_chart(profit: PaperProfit) -> Chart:
    """Draws what 1 would have grown to, before and after costs."""
    styles = model_styles([one.name for one in profit.portfolios])
    ends = [1.0, *(value for one in profit.portfolios for value in (*one.before, *one.after) if math.isfinite(value))]
    times = _numbers(profit.sessions)
    chart = LightChart(
        _HEIGHT,
        _around(times),
        padded(min(ends), max(ends), 0.06, least=0.01),
        legend=len(styles) + 1,
        y_label="1 grows to",
        days=True,
    )
    chart.ticks(_dates(times))
    chart.rule(1)
    for one in profit.portfolios:
        chart.line(times, one.after, styles[one.name].colour, dash=styles[one.name].dash, label=one.name)
        chart.line(times, one.before, styles[one.name].colour, 0.8, opacity=0.55)
    chart.entry("thin: before costs", MUTED, 0.8)
    words = "; ".join(
        f"{one.name} {points(one.after[-1] - 1)} ({points(one.before[-1] - 1)} before)" for one in profit.portfolios
    )
    return chart.chart(
        "profit",
        "Paper profit",
        f"What 1 would have grown to after costs of {basis_points(profit.costs)}: {words}.",
    )


def drift_chart(drift: Sequence[DriftDay]) -> Chart | None:
    """Draws how far features and losses are from training and backtest, in parts of the limit; None without any."""
    styles = model_styles(["features", "losses"])
    courses = {name: np.array([getattr(day, name) for day in drift], float) for name in styles}
    drawn = {name: values for name, values in courses.items() if np.isfinite(values).any()}
    if not drawn:
        return None
    highest = max(1.0, *(float(np.nanmax(values)) for values in drawn.values()))
    times = _numbers(day.session for day in drift)
    chart = LightChart(_HEIGHT, _around(times), (0, highest * 1.15), legend=len(drawn), y_label="parts of the limit",
                       days=True)  # fmt: skip
    chart.ticks(_dates(times))
    chart.rule(1, width=1.2, dash=_DASHED, note="limit")
    for name, values in drawn.items():
        chart.line(times, values.tolist(), styles[name].colour, dash=styles[name].dash, label=name)
    words = "; ".join(
        f"{name} at most {share_percent(float(np.nanmax(values)))} of the limit" for name, values in drawn.items()
    )
    return chart.chart("drift", "Drift", f"{drift[0].session} to {drift[-1].session}: {words}.")


def _numbers(sessions: Iterable[str]) -> list[float]:
    """Days as numbers."""
    return [float(dt.date.fromisoformat(session).toordinal()) for session in sessions]


def _around(times: Sequence[float]) -> tuple[float, float]:
    """Limits of days, with a margin."""
    return padded(times[0], times[-1], 0.04, least=2)


def _dates(times: Sequence[float]) -> list[tuple[float, str]]:
    """Days of the calendar, and their labels."""
    first, last = (dt.date.fromordinal(int(day)) for day in (times[0], times[-1]))
    return [(float(day.toordinal()), label) for day, label in calendar_ticks(first, last)]
