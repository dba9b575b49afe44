"""A judgement of somebody's forecasts for a terminal: figures, rivals, years, what was left out, what it is worth."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.evidence.interval import Interval
from components.evidence.metric import AUC, METRICS, RANK_IC
from components.evidence.words import figure, low_to_high, number, signed
from models.labels import UP, words_of
from pipeline.report.backtest import default_model
from pipeline.report.backtest_summary import print_backtest
from pipeline.report.missing import missing_in_words
from pipeline.report.summary import TONE_STYLES, titled_table
from pipeline.report.suspects import print_suspects
from pipeline.report.tries import consequences, headline, lower_bound
from pipeline.report.universe import print_universe
from pipeline.report.verdict import Verdict, plausible_auc, too_high
from pipeline.report.words import interval
from pipeline.runs.judged import JudgedFile, Judgement
from pipeline.runs.results import RunReport

SYNTHETIC = "synthetic:"
"""What the source of a made market begins with: nothing there is implausible."""

OWN = "file"
"""What the try of a judgement is."""


def print_judgement(judgement: Judgement, console: Console) -> None:
    """Prints all of it."""
    report = judgement.report
    for line in judgement.file.notes:
        console.print(Text(line), soft_wrap=True)
    for line in left_out_lines(judgement.file):
        console.print(Text(line, style="yellow"), soft_wrap=True)
    if report is None:
        console.print(Text(f"None of the {judgement.file.rows:,} forecasts can be judged.", style="bold yellow"))
        return
    if report.prices is not None:
        print_suspects(report.prices, console, database=report.data.database)
    console.print(figures_table(report, judgement.file))
    console.print(rivals_table(report))
    console.print(years_table(report))
    if said := missing_in_words(report.missing):
        console.print(Text(said, style="yellow"))
    if report.universe is not None:
        print_universe(report.universe, console, soft_wrap=False)
    for line in assumptions(judgement.file):
        console.print(Text(line))
    if report.tries is not None:
        console.print(Text(" ".join(filter(None, (headline(report.tries, OWN), lower_bound(report.tries))))))
        for sentence in consequences(report.tries, OWN):
            console.print(Text(sentence))
    for verdict in verdicts(report):
        console.print(Text(verdict.sentence, style=TONE_STYLES[verdict.tone]))
    if judgement.backtest is not None:
        print_backtest(report, judgement.backtest, default_model(report), console)
    else:
        console.print(Text(f"No backtest: {judgement.no_backtest}."))


def figures_table(report: RunReport, file: JudgedFile) -> Table:
    """Builds the table of figures: a row a figure and a column a model, with 95 % intervals over blocks of days."""
    test = report.splits["test"]
    ahead, days, shares = (
        f"{count:,} {word}{'' if count == 1 else 's'}"
        for count, word in ((report.horizon, "session"), (test.sessions, "day"), (report.data.shares, "share"))
    )
    title = f"{file.judged:,} of {file.rows:,} forecasts\n{test.first} to {test.last}\n{days}, {shares}, {ahead} ahead"
    if report.label != UP:
        title += f"\nof {words_of(report.label).event}"
    table = titled_table(title, tight=True)
    table.add_column("figure\n(95 % interval)", min_width=26)
    for name in report.models:
        table.add_column(Text(f"{name}\n{'(score)' if name in file.scores else '(probability)'}"), min_width=16)
    for metric in METRICS.values():
        cells = [model.scores.get(metric.name) for model in report.models.values()]
        if any(cell is not None for cell in cells):
            write = number if metric.name == AUC else signed if metric.no_skill == 0 else number
            table.add_row(metric.title, *("" if cell is None else _stacked(cell, write) for cell in cells))
    if not all(math.isnan(model.accuracy) for model in report.models.values()):
        table.add_row(
            "accuracy\n(majority)",
            *(
                "" if math.isnan(model.accuracy) else f"{number(model.accuracy)}\n({number(model.majority)})"
                for model in report.models.values()
            ),
        )
    return table


def rivals_table(report: RunReport) -> Table:
    """Builds the table of what each model is compared with on the same rows: baselines, and the other models."""
    table = titled_table("Compared on the same rows", tight=True)
    table.add_column("model\nand rival", overflow="fold", min_width=11)
    table.add_column("AUC of\nthe rival", min_width=13)
    table.add_column("AUC less\nthe rival's", min_width=16)
    table.add_column("rank IC less\nthe rival's", min_width=16)
    for name, model in report.models.items():
        for rival, figures in model.differences.items():
            found = report.baselines.get(rival) or report.models[rival].scores
            area = found[AUC]
            table.add_row(
                Text(f"{name}\n{rival}"),
                f"{number(area.value)}\n{interval(area.low, area.high)}",
                *(_stacked(figures[key], signed) if key in figures else "" for key in (AUC, RANK_IC)),
            )
    return table


def years_table(report: RunReport) -> Table:
    """Builds the table of years."""
    table = titled_table("By year", tight=True)
    table.add_column("year")
    table.add_column("rows", justify="right")
    for name in report.models:
        table.add_column(Text(f"AUC of {name}"), justify="right")
    for year, first in next(iter(report.models.values())).by_year.items():
        aucs = (number(model.by_year[year].auc) for model in report.models.values())
        table.add_row(year, f"{first.rows:,}", *aucs)
    return table


def left_out_lines(file: JudgedFile) -> Iterator[str]:
    """What was not judged, and what to do, a line a reason and one for each of its first rows."""
    for one in file.left_out:
        yield f"{one.count:,} {'row' if one.count == 1 else 'rows'} left out, {one.why}: {one.words}"
        if one.mend:
            for row in one.examples:
                detail = f": {row.reason}" if row.reason else ""
                yield f"  row {row.row}, share {row.share_id or '?'}, {row.time or '?'}{detail}"
            if one.count > len(one.examples):
                yield f"  ... and {one.count - len(one.examples):,} more"


def assumptions(file: JudgedFile) -> list[str]:
    """What nobody can see in the file and is taken for true, a sentence each."""
    said = []
    if not file.dated:
        said.append(
            "Taken on trust: the file does not say when its forecasts were written (a column `written` would), so each "
            "is taken for one that was made before the next session; forecasts made afterwards cannot be told from it."
        )
    if not file.known_until:
        said.append(
            "Taken on trust: nobody says until when the model's training reaches (--known-until DATE), so none of "
            "these days is taken for one that it has seen."
        )
    if not file.training:
        said.append(
            "No baseline could learn: the database has no labelled window of these shares from before the first "
            "forecast."
        )
    return said


def verdicts(report: RunReport) -> list[Verdict]:
    """What may be said of each model, and no more: what a run's model needs to be blessed."""
    return [_verdict(report, name) for name in report.models]


def _verdict(report: RunReport, name: str) -> Verdict:
    model = report.models[name]
    reason = model.reason.rstrip(".")
    if report.wrong_prices:
        return Verdict("warning", "Wrong prices", f"{name} proves nothing: {reason}.")
    made = any(source.startswith(SYNTHETIC) for source in report.data.sources)
    if not made and too_high(report, model):
        return Verdict(
            "warning",
            "Suspect",
            f"{name} reaches AUC {figure(model.area)}, and more than {plausible_auc(report.settings):.4g} on real "
            "daily prices points to forecasts that were made after the fact, or that knew the future, rather than to "
            "skill: see when they were written before you believe it.",
        )
    if model.blessed:
        return Verdict("good", "Passed", f"{name} passes what a run's model has to show: {reason}.")
    return Verdict("plain", "Not passed", f"{name} does not pass what a run's model has to show: {reason}.")


def _stacked(estimate: Interval, write: object = number) -> str:
    assert callable(write)
    return f"{write(estimate.value)}\n({low_to_high(estimate.low, estimate.high, write)})"
