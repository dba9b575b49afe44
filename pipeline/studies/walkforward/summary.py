"""A walk on a terminal: the plan before it runs, the tables and the verdict behind it."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.evidence.blessing import CHANCE
from components.evidence.interval import Interval
from components.evidence.words import low_to_high, number, signed
from pipeline.report.summary import TONE_STYLES, titled_table
from pipeline.report.words import interval
from pipeline.studies.walkforward.folds import Fold, Stretch
from pipeline.studies.walkforward.results import Walk
from pipeline.studies.walkforward.scores import HorizonScores
from pipeline.studies.walkforward.verdict import count_above

_PART_WIDTH, _INTERVAL_WIDTH, _GAP = 16, 13, 3
"""Of the first column of the table by fold and year, of an interval, and between two models."""


def print_plan(folds: Sequence[Fold], horizons: Sequence[int], rolling: bool, console: Console) -> None:
    """Prints the dates of every fold."""
    many = f"{len(folds)} fold{'' if len(folds) == 1 else 's'}"
    how = "rolling" if rolling else "expanding"
    table = titled_table(f"{many}, train {how}; horizon {', '.join(map(str, horizons))}")
    table.add_column("fold", justify="right")
    for name in ("train", "eval", "test"):
        table.add_column(f"{name}\n(sessions)", min_width=10)
    for fold in folds:
        table.add_row(str(fold.number), *(_stretch(one) for one in (fold.train, fold.evaluation, fold.test)))
    console.print(table)


def _stretch(stretch: Stretch) -> str:
    return f"{stretch.first}\n{stretch.last}\n({stretch.sessions:,})"


def print_walk(walk: Walk, console: Console) -> None:
    """Prints the tables of every horizon and the verdict."""
    for scores in walk.horizons:
        console.print()
        console.print(overall_table(scores))
        for table in part_tables(scores, console.width):
            console.print(table)
    if not walk.believed:
        console.print(Text(walk.verdict.sentence, style=TONE_STYLES[walk.verdict.tone]))
        return
    for finding in walk.findings:
        console.print(Text(finding.sentence, style=TONE_STYLES[finding.tone]))


def overall_table(scores: HorizonScores) -> Table:
    """Builds the table of all folds together, one row a model; readable from 80 columns on.

    Returns:
        model, AUC over all folds, accuracy beside the majority class, rank IC, and on how many folds and years the
        AUC's interval lies above chance.
    """
    overall = scores.overall
    title = (
        f"Horizon {scores.horizon}, all folds: {overall.first} to {overall.last}, {overall.rows:,} rows, "
        f"{overall.days:,} sessions"
    )
    if scores.best_auc is not None:
        title += f"\nSynthetic market: best possible AUC {number(scores.best_auc)}"
    # So the longest name of a baseline and all figures fit into 80 columns.
    table = titled_table(title, tight=True)
    names = [*overall.scores, "model"]
    table.add_column("model", min_width=min(max(map(len, names)), 20), overflow="fold")
    table.add_column("AUC\n(95 %)", min_width=13)
    table.add_column("accuracy\n(majority)", min_width=10)
    table.add_column("rank IC\n(95 %)", min_width=16)
    table.add_column("above\nchance", min_width=9)
    for name, score in overall.scores.items():
        folds, years = count_above(scores.folds, name), count_above(scores.years, name)
        table.add_row(
            name,
            with_interval(score.auc),
            f"{number(score.accuracy)}\n({number(overall.majority)})",
            f"{signed(score.rank_ic.value)}\n{low_to_high(score.rank_ic.low, score.rank_ic.high, signed)}",
            f"{folds.above}/{folds.parts} folds\n{years.above}/{years.parts} years",
        )
    return table


def part_tables(scores: HorizonScores, width: int) -> list[Table]:
    """Builds the tables of AUCs by fold and by year, as many models side by side as there is room for."""
    models = list(scores.overall.scores)
    widths = sorted(max(len(name), _INTERVAL_WIDTH) + _GAP for name in models)
    # As many as fit whichever they are: the widest.
    room = max(1, sum(sum(widths[-count:]) <= width - _PART_WIDTH for count in range(1, len(models) + 1)))
    # Equally full tables are easier to compare than a full one and a rest.
    room = -(-len(models) // -(-len(models) // room))
    return [_part_table(scores, models[begin : begin + room]) for begin in range(0, len(models), room)]


def _part_table(scores: HorizonScores, models: Sequence[str]) -> Table:
    table = titled_table(f"Horizon {scores.horizon}: AUC (95 %) by fold and by year")
    table.add_column("tested days\n(rows)", min_width=11)
    for name in models:
        table.add_column(name, min_width=_INTERVAL_WIDTH, overflow="fold")
    for group in (scores.folds, scores.years, (scores.overall,)):
        for part in group:
            aucs = (with_interval(part.scores[name].auc) for name in models)
            table.add_row(f"{part.name}\n({part.rows:,})", *aucs)
        table.add_section()
    return table


def with_interval(value: Interval) -> Text:
    """A figure and, below it, its interval; bold where the interval lies above chance."""
    above = value.low > CHANCE
    return Text(f"{number(value.value)}\n{interval(value.low, value.high)}", style="bold" if above else "")
