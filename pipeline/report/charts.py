"""The charts of report.html."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from components.evidence.blessing import CHANCE
from components.evidence.curves import CalibrationCurve, RocCurve
from components.evidence.findings import Figures
from components.evidence.interval import NORMAL_95, Interval
from components.evidence.words import figure as told
from components.evidence.words import low_to_high, number, signed
from components.leak_audit.results import NAN, AuditReport, Status
from models.labels import Words
from models.labels.up import LABEL as UP
from pipeline.report.drawing import (
    BAND,
    GRID,
    INK,
    MUTED,
    WIDTH,
    Chart,
    Place,
    Style,
    add_legend,
    beside,
    drawing,
    finish_columns,
    line_style,
    model_styles,
    padded,
    plot_area,
    svg_chart,
)
from pipeline.report.palette import Part, Plot, Series
from pipeline.report.rows_chart import Row, rows_chart
from pipeline.report.words import interval
from pipeline.runs.results import ModelResult

_AUC = "AUC "
"""How the names of the leak audit's AUCs begin."""

_HONEST, _LEAKED = "split by date", "told what it must not know"


def forest_chart(
    models: Mapping[str, ModelResult], styles: Mapping[str, Style], champion: str | None, best_auc: float | None
) -> Chart:
    """Draws every model's AUC with its interval beside chance, and beside the best possible where that is known."""
    rows = [
        Row(
            f"{name} ★" if name == champion else name,
            [(model.area, styles[name])],
            [name],
            filled=model.blessed,
            coloured=True,
            note="" if math.isfinite(model.auc) else "no AUC: all rows have the same label",
        )
        for name, model in models.items()
    ]
    known = [end for m in models.values() for end in (m.auc, m.auc_low, m.auc_high) if math.isfinite(end)]
    reach = [CHANCE, *known]
    rules = [(CHANCE, "chance", False)]
    # Beside an unreachable best, the models' own differences would be a few pixels: then it is named below only.
    if best_auc is not None and best_auc - max(reach) < 3 * max(max(reach) - min(reach), 0.01):
        rules.append((best_auc, f"best {number(best_auc)}", True))
    words = "; ".join(f"{name} {number(m.auc)} {interval(m.auc_low, m.auc_high)}" for name, m in models.items())
    best = "" if best_auc is None else f" The best possible is {number(best_auc)}."
    return rows_chart(
        "forest",
        "AUC and its uncertainty",
        f"AUC by model: {words}. Chance is 0.5.{best}",
        rows,
        label="AUC on the test split, 95 % interval over blocks of days",
        rules=rules,
        height=0.52,
        size=9,
        letters=22,
    )


def roc_charts(
    curves: Mapping[str, RocCurve], styles: Mapping[str, Style], words: Words = UP.words
) -> tuple[Chart, Chart]:
    """Draws the ROC curves, and the same as distances above the diagonal, where weak models can be told apart."""
    with drawing():
        figure, axes = plot_area(3.7, legend=len(curves) + 1)
        axes.plot([0, 1], [0, 1], color=INK, linewidth=1)
        for name, curve in curves.items():
            axes.plot(curve.false_positive_rate, curve.true_positive_rate, **line_style(styles[name]))
        axes.set(xlim=(0, 1), ylim=(0, 1), aspect="equal")
        axes.set(xlabel=f"share of {words.no} called {words.called}")
        axes.set(ylabel=f"share of {words.yes} called {words.called}")
        axes.grid(color=GRID)
        add_legend(figure, styles, curves, extra=[Line2D([], [], color=INK, linewidth=1, label="chance")])
        plain = svg_chart(
            "roc",
            "ROC curves",
            f"Share of {words.yes} called {words.called} against the share of {words.no} called {words.called}, for "
            f"every threshold. A model without skill runs along the diagonal. Models: {', '.join(curves)}.",
            figure,
            plots=[
                _curve_plot(
                    {name: (one.false_positive_rate, one.true_positive_rate) for name, one in curves.items()},
                    styles,
                    f"share of {words.no} called {words.called}",
                    f"share of {words.yes} called {words.called}",
                    diagonal=True,
                )
            ],
        )
        figure, axes = plot_area(3.7, legend=len(curves) + 1)
        axes.axhline(0, color=INK, linewidth=1)
        heights = [-0.01, 0.01]
        farthest, lifts = [], {}
        for name, curve in curves.items():
            lift = curve.true_positive_rate - curve.false_positive_rate
            axes.plot(curve.false_positive_rate, lift, **line_style(styles[name]))
            lifts[name] = curve.false_positive_rate, lift
            if len(lift) and np.isfinite(lift).all():
                heights += [float(lift.min()), float(lift.max())]
                farthest.append(f"{name} {lift[int(np.abs(lift).argmax())]:+.3f}")
        axes.set(xlim=(0, 1), ylim=padded(min(heights), max(heights), 0.06, least=0.04))
        axes.set(xlabel=f"share of {words.no} called {words.called}")
        axes.set(ylabel=f"share of {words.yes} minus share of {words.no} called {words.called}")
        axes.grid(color=GRID)
        add_legend(figure, styles, curves, extra=[Line2D([], [], color=INK, linewidth=1, label="chance")])
        lifted = svg_chart(
            "lift",
            "The same curves, distance from the diagonal",
            f"Height of each ROC curve above the diagonal. Largest distances: {', '.join(farthest) or 'none'}.",
            figure,
            plots=[_curve_plot(lifts, styles, f"share of {words.no} called {words.called}", "distance", ((0.0, ""),))],
        )
    return plain, lifted


_GRID = np.linspace(0, 1, 101)


def _curve_plot(
    curves: Mapping[str, tuple[NDArray[Any], NDArray[Any]]],
    styles: Mapping[str, Style],
    x_label: str,
    label: str,
    rules: tuple[tuple[float, str], ...] = (),
    *,
    diagonal: bool = False,
) -> Plot:
    """Curves over [0, 1], by model x and y, at a hundredth each, and the diagonal where a coin runs."""
    series = [Series("chance", _GRID.tolist(), INK, width=1.0)] if diagonal else []
    series += [
        Series(name, np.interp(_GRID, x, y).tolist(), styles[name].colour, styles[name].dash)
        for name, (x, y) in curves.items()
    ]
    return Plot(_GRID.tolist(), series, label, x_label, rules=rules, height=330)


def calibration_chart(
    curves: Mapping[str, CalibrationCurve],
    probabilities: Mapping[str, np.ndarray[Any, Any]],
    styles: Mapping[str, Style],
    words: Words = UP.words,
) -> Chart:
    """Draws, in a panel a model, what was predicted against what happened, and how the predictions are spread.

    The limits fit the predictions: those of honest models lie close to 0.5, where limits of 0 and 1 would show a dot.
    Each panel has its own horizontal axis, because one model may be twenty times as bold as another.
    """
    filled = {name: curve for name, curve in curves.items() if len(curve.count)}
    ys = [CHANCE]
    for curve in filled.values():
        ys += [float(value) for value in (*(curve.observed - _reach(curve)), *(curve.observed + _reach(curve)))]
    y_low, y_high = padded(min(ys), max(ys), 0.04, least=0.02, bounds=(0, 1))
    # The histogram stands in a strip of its own below the points.
    y_limits = (y_low - 0.22 * (y_high - y_low), y_high)
    lines = max(1, math.ceil(len(filled) / 2))
    with drawing():
        figure = Figure(figsize=(WIDTH, 0.6 + 2.2 * lines), layout="constrained")
        grid = figure.subplots(lines, 2, sharey=True, squeeze=False)
        marks: list[Place] = []
        for place, (axes, name) in enumerate(zip(grid.flat, filled, strict=False)):
            curve, style = filled[name], styles[name]
            axes.set_gid(f"panel-{place}")
            ends = [float(np.quantile(probabilities[name], share)) for share in (0.005, 0.995)]
            xs = [*ends, *(float(value) for value in curve.predicted)]
            x_limits = padded(min(xs), max(xs), 0.06, least=0.004, bounds=(0, 1))
            axes.plot(x_limits, x_limits, color=INK, linewidth=1)
            axes.errorbar(
                curve.predicted, curve.observed, _reach(curve), color=style.colour, linestyle="",
                elinewidth=1, marker=style.marker, markersize=4.5,
            )  # fmt: skip
            marks += [
                Place(
                    axes,
                    said,
                    seen,
                    f"{name}: {number(said)} predicted, {number(seen)} {words.did}, {rows:,} rows",
                    name,
                )
                for said, seen, rows in zip(curve.predicted, curve.observed, curve.count, strict=True)
            ]
            strip = axes.inset_axes((0, 0, 1, 0.17))
            rows, _ = np.histogram(probabilities[name], edges := np.linspace(*x_limits, 31))
            strip.stairs(rows, edges, fill=True, color=style.colour, alpha=0.35)
            strip.set(xlim=x_limits, ylim=(0, max(int(rows.max()), 1)))
            strip.set_axis_off()
            axes.set_title(textwrap.fill(name, 24), color=style.colour, fontsize=10, fontweight="bold", loc="left")
            axes.grid(color=GRID)
            axes.set(xlim=x_limits, ylim=y_limits)
            axes.xaxis.set_major_locator(MaxNLocator(3))
            axes.yaxis.set_major_locator(MaxNLocator(5))
        for axes in list(grid.flat)[len(filled) :]:
            axes.set_axis_off()
        figure.supxlabel(f"predicted probability of {words.event}", fontsize=10)
        figure.supylabel(f"share that {words.did}", fontsize=10)
        count = int(np.median(np.concatenate([curve.count for curve in filled.values()]))) if filled else 0
        spread = "; ".join(
            f"{name} predicts {low_to_high(c.predicted.min(), c.predicted.max())}, "
            f"{low_to_high(c.observed.min(), c.observed.max())} {words.did}"
            for name, c in filled.items()
        )
        return svg_chart(
            "calibration",
            "Calibration",
            f"Predicted probability against the share that {words.did}, in bins of about {count:,} rows: {spread}.",
            figure,
            marks=marks,
            parts=[Part(name, f"panel-{place}", styles[name]) for place, name in enumerate(filled)],
        )


def _reach(curve: CalibrationCurve) -> np.ndarray[Any, Any]:
    """Half the 95 % interval of each bin's share, were its rows independent."""
    return NORMAL_95 * np.sqrt(curve.observed * (1 - curve.observed) / curve.count)


def year_chart(models: Mapping[str, ModelResult], styles: Mapping[str, Style]) -> Chart | None:
    """Draws every model's AUC by calendar year beside what a coin would show; None where no year has an AUC."""
    years = sorted({year for m in models.values() for year, score in m.by_year.items() if math.isfinite(score.auc)})
    if not years:
        return None
    place = {year: i for i, year in enumerate(years)}
    rows = {year: max(m.by_year[year].rows for m in models.values() if year in m.by_year) for year in years}
    with drawing():
        figure, axes = plot_area(2.7, legend=len(models) + 1, label=False)
        # 0.577/sqrt(n) is the standard error of the AUC of a coin on n independent rows.
        reach = np.array([NORMAL_95 * 0.577 / math.sqrt(max(rows[year], 1)) for year in years])
        axes.bar(range(len(years)), 2 * reach, 0.9, CHANCE - reach, color=BAND, label="a coin, at least")
        axes.axhline(CHANCE, color=INK, linewidth=1)
        lowest, highest = [], []
        for i, (name, model) in enumerate(models.items()):
            style = styles[name]
            known = [year for year in years if year in model.by_year and math.isfinite(model.by_year[year].auc)]
            values = [model.by_year[year].auc for year in known]
            shift = beside(i, len(models), 0.6)
            axes.plot(
                [place[year] + shift for year in known], values, color=style.colour, marker=style.marker, markersize=6,
                linewidth=0.8, linestyle=style.dash, alpha=0.95,
            )  # fmt: skip
            if values:
                lowest.append(min(values))
                highest.append(max(values))
        low, high = padded(
            min([*lowest, float((CHANCE - reach).min())]), max([*highest, float((CHANCE + reach).max())]), 0.06, 0.02
        )
        axes.set(ylim=(max(low, 0), min(high, 1)), ylabel="AUC")
        finish_columns(axes, years)
        band = matplotlib.patches.Patch(color=BAND, label="95 % of coins, at least")
        add_legend(figure, styles, models, extra=[band], markers=True)
        return svg_chart(
            "years",
            "AUC by year",
            f"AUC by calendar year of the test split, {years[0]} to {years[-1]}; the figures are in the table below.",
            figure,
            plots=[Plot(years, _year_series(models, years, reach, styles), "AUC", rules=[(CHANCE, "")])],
        )


def _year_series(
    models: Mapping[str, ModelResult], years: list[str], reach: NDArray[Any], styles: Mapping[str, Style]
) -> list[Series]:
    coins = Series("95 % of coins, at least", [CHANCE] * len(years), MUTED, low=(CHANCE - reach).tolist(),
                   high=(CHANCE + reach).tolist(), width=0.6)  # fmt: skip
    return [
        coins,
        *(
            Series(
                name,
                [one.by_year[year].auc if year in one.by_year else NAN for year in years],
                styles[name].colour,
                points=True,
                marker=styles[name].marker,
            )
            for name, one in models.items()
        ),
    ]


def difference_chart(
    differences: Mapping[str, Mapping[str, Figures]], against: tuple[str, ...], styles: Mapping[str, Style]
) -> Chart | None:
    """Draws each model's AUC less those of the baselines and of its predecessor; None where there is none of these.

    Args:
        differences: by model and by what it is compared with.
        against: what is drawn of them, in order.
        styles: of `model_styles`, by model.
    """
    rows = [
        (name, other, others[other]["auc"])
        for name, others in differences.items()
        for other in against
        if other in others and math.isfinite(others[other]["auc"].value)
    ]
    if not rows:
        return None
    words = "; ".join(f"{name} less {other} {told(value, signed)}" for name, other, value in rows)
    return rows_chart(
        "differences",
        "Against simple baselines",
        f"Differences in AUC: {words}.",
        [
            Row(f"{name} less {other.replace('_', ' ')}", [(value, styles[name])], [name], coloured=True)
            for name, other, value in rows
        ],
        label="difference in AUC, paired 95 % interval",
        rules=[(0.0, "", False)],
        height=0.34,
        size=7,
        write=signed,
    )


def audit_chart(audit: AuditReport) -> Chart | None:
    """Draws the AUCs of the checks that are there for information; None where no such check was made."""
    rows = [
        figure
        for check in audit.checks
        if check.status is Status.INFORMATION
        for figure in check.figures
        if figure.name.startswith(_AUC) and math.isfinite(figure.value)
    ]
    if not rows:
        return None
    styles = model_styles([_HONEST, _LEAKED])
    kinds = [_HONEST if row.name.endswith("by date") else _LEAKED for row in rows]
    words = "; ".join(f"{row.name} {row.text()}" for row in rows)
    return rows_chart(
        "audit",
        "What a shuffled split would have claimed",
        f"{words}. Chance is 0.5.",
        [
            Row(
                row.name.removeprefix(_AUC).removeprefix("of "),
                [(Interval(row.value, row.low, row.high, NAN), styles[kind])],
                [kind],
                filled=row.bounded,
            )
            for row, kind in zip(rows, kinds, strict=True)
        ],
        label="AUC, 95 % interval over blocks of days",
        rules=[(CHANCE, "", False)],
        height=0.46,
        size=7,
    )
