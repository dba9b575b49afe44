"""The charts of walkforward.html: the plan as a time line, and AUCs with intervals by fold and by year."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from datetime import date

from matplotlib.dates import date2num
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from components.evidence.blessing import CHANCE
from components.evidence.interval import UNKNOWN
from components.evidence.words import number
from pipeline.report.calendar_ticks import calendar_ticks
from pipeline.report.drawing import (
    INK,
    MUTED,
    SPLIT_COLOURS,
    WIDTH,
    Chart,
    Place,
    Style,
    add_legend,
    beside,
    drawing,
    finish_columns,
    finish_rows,
    mark_interval,
    padded,
    plot_area,
    svg_chart,
)
from pipeline.report.palette import Plot, with_intervals
from pipeline.report.words import interval
from pipeline.studies.walkforward.folds import Fold, describe_fold
from pipeline.studies.walkforward.scores import HorizonScores, Part


def plan_chart(folds: Sequence[Fold]) -> Chart:
    """Draws train, eval and test of every fold along one time line."""
    with drawing():
        figure = Figure(figsize=(WIDTH, 0.9 + 0.3 * len(folds)), layout="constrained")
        axes = figure.add_subplot()
        marks = []
        for row, fold in enumerate(folds):
            for name, stretch in describe_fold(fold):
                first, last = (date2num(date.fromisoformat(day)) for day in (stretch.first, stretch.last))
                axes.barh(row, last - first + 1, 0.62, first, color=SPLIT_COLOURS[name])
                marks.append(
                    Place(
                        axes, (first + last) / 2, row, f"fold {fold.number}, {name}: {stretch.first} to {stretch.last}"
                    )
                )
        axes.set_yticks(range(len(folds)), [f"fold {fold.number}" for fold in folds])
        finish_rows(axes, len(folds))
        ends = [
            date.fromisoformat(day) for fold in folds for _, one in describe_fold(fold) for day in (one.first, one.last)
        ]
        ticks = calendar_ticks(min(ends), max(ends))
        axes.set_xticks([date2num(day) for day, _ in ticks], [label for _, label in ticks])
        handles = [Patch(color=colour, label=name) for name, colour in SPLIT_COLOURS.items()]
        figure.legend(handles=handles, loc="outside lower center", ncols=3, frameon=False)
        words = "; ".join(
            f"fold {fold.number}: "
            + ", ".join(f"{name} {one.first} to {one.last}" for name, one in describe_fold(fold))
            for fold in folds
        )
        return svg_chart("plan", "What is learned from, and what is tested", f"{words}.", figure, marks=marks)


def part_charts(scores: HorizonScores, styles: Mapping[str, Style]) -> tuple[Chart, Chart]:
    """Draws every model's AUC with its interval, by fold and by year, on the same vertical scale."""
    limits = _limits((*scores.folds, *scores.years), scores.best_auc)
    return (
        _part_chart(f"folds-{scores.horizon}", "AUC by fold", scores.folds, scores, styles, limits),
        _part_chart(f"years-{scores.horizon}", "AUC by year", scores.years, scores, styles, limits),
    )


def _limits(parts: Sequence[Part], best: float | None) -> tuple[float, float]:
    values = [CHANCE] if best is None or not math.isfinite(best) else [CHANCE, best]
    for part in parts:
        for score in part.scores.values():
            values += [value for value in (score.auc.low, score.auc.high) if math.isfinite(value)]
    return padded(min(values), max(values), 0.06, least=0.04, bounds=(0, 1))


def _part_chart(
    name: str,
    title: str,
    parts: Sequence[Part],
    scores: HorizonScores,
    styles: Mapping[str, Style],
    limits: tuple[float, float],
) -> Chart:
    models = list(scores.overall.scores)
    known = scores.best_auc is not None and math.isfinite(scores.best_auc) and scores.best_auc > CHANCE
    with drawing():
        figure, axes = plot_area(2.9, legend=len(models) + 1 + known, label=False)
        axes.axhline(CHANCE, color=INK, linewidth=1.2)
        extra = [Line2D([], [], color=INK, linewidth=1.2, label="chance")]
        if known:
            axes.axhline(scores.best_auc, color=MUTED, linewidth=1.2, linestyle=(0, (4, 2)))
            extra.append(Line2D([], [], color=MUTED, linestyle=(0, (4, 2)), label="best possible"))
        for i, model in enumerate(models):
            style = styles[model]
            for place, part in enumerate(parts):
                auc = part.scores[model].auc
                if not math.isfinite(auc.low):
                    continue  # the figure alone, such as that of a few days of a year, would look like a finding
                x = place + beside(i, len(models), 0.7)
                mark_interval(axes, auc, x, style, size=5.5, width=1.6, filled=auc.low > CHANCE, upright=True)
        axes.set(ylim=limits, ylabel="AUC")
        finish_columns(axes, [part.name.removeprefix("fold ") for part in parts])
        axes.yaxis.set_major_locator(MaxNLocator(6))
        axes.tick_params(bottom=False)
        add_legend(figure, styles, scores.overall.scores, extra=extra, markers=True)
        words = "; ".join(
            f"{part.name}: "
            + ", ".join(
                f"{model} {number(score.auc.value)} {interval(score.auc.low, score.auc.high)}"
                for model, score in part.scores.items()
            )
            for part in parts
        )
        return svg_chart(name, title, f"{title} at horizon {scores.horizon}. {words}. Chance is 0.5.", figure,
                         plots=[_plot(parts, scores, styles, known)])  # fmt: skip


def _plot(parts: Sequence[Part], scores: HorizonScores, styles: Mapping[str, Style], known: bool) -> Plot:
    series = [
        with_intervals(
            model,
            # As in the drawing, a figure without an interval is left out.
            [auc if math.isfinite(auc.low) else UNKNOWN for auc in (part.scores[model].auc for part in parts)],
            styles[model],
        )
        for model in scores.overall.scores
    ]
    rules = [(CHANCE, "chance")]
    if known and scores.best_auc is not None:
        rules.append((scores.best_auc, "best possible"))
    return Plot([part.name.removeprefix("fold ") for part in parts], series, "AUC", rules=rules)
