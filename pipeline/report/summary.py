"""The result of a run, or its leak audit alone, for a terminal: the table, and the verdict under it."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.evidence.blessing import CHANCE
from components.evidence.interval import UNKNOWN, Interval
from components.evidence.words import number, signed
from components.leak_audit.results import AuditReport, CheckResult, Status
from pipeline.report.missing import left_out_in_words, missing_in_words
from pipeline.report.tries import consequences, headline, lower_bound
from pipeline.report.universe import outside_in_words, print_universe
from pipeline.report.verdict import assess
from pipeline.report.words import interval, percent
from pipeline.runs.results import RunReport

AUDIT_STYLES = {"clean": "green", "suspicious": "bold yellow", "leaking": "bold red"}
"""By the verdict of the leak audit."""

TONE_STYLES = {"plain": "bold", "good": "bold green", "warning": "bold yellow"}
"""By the tone of a verdict."""

_STATUS_STYLES = {
    Status.PASSED: "green",
    Status.INFORMATION: "cyan",
    Status.NOT_APPLICABLE: "dim",
    Status.SUSPICIOUS: "bold yellow",
    Status.LEAKING: "bold red",
}


def titled_table(title: str, *, tight: bool = False) -> Table:
    """A table with its title on the left; a tight one has room for more columns."""
    padding = (0, 1, 0, 0) if tight else (0, 1)
    return Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, padding=padding)


def summary_table(report: RunReport) -> Table:
    """Builds the table of results, one row a model and a baseline; readable from 80 columns on.

    Returns:
        model, AUC with its 95 % interval over blocks of days, accuracy beside the majority class, rank IC, skill
        where the data is a synthetic market, and blessed or not; why not is for `reasons`.
    """
    test = report.splits.get("test")
    title = "Test split"
    if test is not None:
        title += f" {test.first} to {test.last}: {test.rows:,} rows, {test.sessions:,} sessions"
    if report.market is not None:
        title += f"\nSynthetic market {report.market.scenario}: best possible AUC {number(report.market.best_auc)}"
        if not math.isnan(report.market.best_rank_ic):
            title += f", rank IC {signed(report.market.best_rank_ic)}"
    table = titled_table(title)
    names = [*report.models, "model"]
    # The widths are those of the longest piece without a blank: no number is torn, and every row has two lines.
    table.add_column("model", min_width=min(max(map(len, names)), 20), overflow="fold")
    table.add_column("AUC\n(95 %)", min_width=13)
    table.add_column("accuracy\n(majority)", min_width=10)
    table.add_column("rank IC", min_width=7)
    if report.market is not None:
        table.add_column("skill", min_width=5)
    table.add_column("blessed", min_width=14, overflow="fold")
    for name, model in report.models.items():
        champion = name == report.champion
        cells = [
            Text(name, style="bold" if champion else ""),
            Text(f"{number(model.auc)}\n{interval(model.auc_low, model.auc_high)}"),
            Text(f"{number(model.accuracy)}\n({number(model.majority)})"),
            Text(signed(model.rank_ic)),
        ]
        if report.market is not None:
            cells.append(Text(percent(model.skill)))
        if champion:
            cells.append(Text("yes, champion", style="bold green"))
        elif name in report.held_back and model.blessed:
            cells.append(Text("yes, held back", style="yellow"))
        elif model.blessed:
            cells.append(Text("yes", style="green"))
        else:
            cells.append(Text("no"))
        table.add_row(*cells)
    for row in baseline_rows(report):
        table.add_row(*_baseline_cells(row, report), style="dim")
    return table


def reasons(report: RunReport) -> list[str]:
    """Why models are not blessed, or held back although they are, a sentence each."""
    said = []
    for name, model in report.models.items():
        if model.blessed and name in report.held_back and name != report.champion:
            said.append(f"{name} is held back: {', '.join(report.held_back[name])}.")
        elif not model.blessed and model.reason:
            said.append(f"{name} is not blessed: {model.reason.rstrip('.')}.")
    return said


@dataclass(frozen=True)
class BaselineRow:
    """A baseline beside the models of the first table: it saw the same rows and features.

    Attributes:
        name: of the baseline.
        auc: with its interval.
        accuracy: of calling a direction.
        majority: of always naming the commoner one.
        rank_ic: with its interval.
        skill: as a model's; None where the best is not known.
    """

    name: str
    auc: Interval
    accuracy: float
    majority: float
    rank_ic: Interval
    skill: float | None


def baseline_rows(report: RunReport) -> list[BaselineRow]:
    """The baselines of a run as rows of its first table."""
    majority = next((model.majority for model in report.models.values()), math.nan)
    best = None if report.market is None else report.market.best_auc
    found = []
    for name, figures in report.baselines.items():
        area, ranks = figures.get("auc", UNKNOWN), figures.get("rank_ic", UNKNOWN)
        accuracy = majority + figures.get("accuracy_above_majority", UNKNOWN).value
        skill = (area.value - CHANCE) / (best - CHANCE) if best is not None and best > CHANCE + 1e-9 else None
        found.append(BaselineRow(name, area, accuracy, majority, ranks, skill))
    return found


def _baseline_cells(row: BaselineRow, report: RunReport) -> list[Text]:
    cells = [
        Text(row.name.replace("_", "\n")),
        Text(f"{number(row.auc.value)}\n{interval(row.auc.low, row.auc.high)}"),
        Text(f"{number(row.accuracy)}\n({number(row.majority)})"),
        Text(signed(row.rank_ic.value)),
    ]
    if report.market is not None:
        cells.append(Text(percent(row.skill)))
    return [*cells, Text("baseline")]


def print_summary(report: RunReport, console: Console) -> None:
    """Prints the table and the verdict under it."""
    judged = assess(report)
    if report.prices is not None and report.prices.open:
        console.print(Text(f"{report.prices.headline} (named in the report)", style="yellow"))
    console.print(summary_table(report))
    for sentence in reasons(report):
        console.print(Text(sentence))
    for sentence in (missing_in_words(report.missing), left_out_in_words(report), outside_in_words(report)):
        if sentence:
            console.print(Text(sentence, style="yellow"))
    if report.universe is not None:
        print_universe(report.universe, console, soft_wrap=False)
    if report.tries is not None:
        console.print(Text(" ".join(filter(None, (headline(report.tries), lower_bound(report.tries))))))
        for sentence in consequences(report.tries):
            console.print(Text(sentence))
    console.print(Text(judged.sentence, style=TONE_STYLES[judged.tone]))
    if report.audit is not None:
        console.print(Text(f"Leak audit: {report.audit.verdict_line}", style=AUDIT_STYLES[report.audit.verdict]))


def print_audit(audit: AuditReport, console: Console) -> None:
    """Prints every check with its numbers, and the verdict."""
    for check in audit.checks:
        style = _STATUS_STYLES[check.status]
        console.print(Text.assemble((check.name, "bold"), ": ", (check.status.value, style)))
        console.print(Text(check.sentence))
        if check.look_at:
            console.print(Text(f"Look at: {check.look_at}.", style=style))
        if check.figures:
            console.print(_audit_figures(check))
        console.print()
    console.print(Text(audit.verdict_line, style=AUDIT_STYLES[audit.verdict]))


def _audit_figures(check: CheckResult) -> Table:
    table = Table(box=SIMPLE_HEAD, show_header=False, pad_edge=False)
    table.add_column("figure", overflow="fold")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("interval", no_wrap=True, style="dim")
    for figure in check.figures:
        ends = f"{figure.ends()} ({100 * figure.level:.0f} %)" if figure.bounded else ""
        table.add_row(Text(figure.name), figure.number(), ends)
    return table
