"""The experiments on a terminal: for each panel and horizon a table, its sentences, and the eleven metrics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.evidence.day_leak import day_leak_auc
from components.evidence.words import number
from pipeline.report.summary import titled_table
from pipeline.report.words import interval
from pipeline.studies.experiments import original
from pipeline.studies.experiments.findings import Finding
from pipeline.studies.experiments.results import ExperimentsReport

_STYLES = {"leak": "bold yellow", "no leak": "green", "not shown": ""}
_NARROW = 150
"""Columns below which the eleven metrics are cut into three tables."""

LOSS_NOTE = (
    "loss is the mean cross-entropy; the original's linear and dnn models summed it over a batch of "
    f"{original.LOSS_BATCH} rows (11.0544 = {original.LOSS_BATCH} x 0.6909)"
)


def print_experiments(report: ExperimentsReport, console: Console) -> None:
    """Prints every table, every sentence and the claims."""
    for panel, horizon, findings in report.blocks():
        console.print(auc_table("\n".join(heading(report, panel, horizon, findings)), findings))
        for finding in findings:
            console.print(Text(finding.sentence, style=_STYLES[finding.verdict]))
        for table in metric_tables(findings, console.width):
            console.print(table)
    if report.findings:
        console.print(Text(LOSS_NOTE + "; a dash: not reported.", style="dim"))
    for claim in report.claims:
        console.print()
        console.print(Text(f'"{claim.quote}"', style="italic"))
        console.print(Text(claim.verdict, style="bold"))
        for line in claim.evidence:
            console.print(Text(f"  {line}"))


def heading(report: ExperimentsReport, panel: str, horizon: int, findings: Sequence[Finding]) -> tuple[str, str]:
    """What a table is about: the data and the horizon, and what knowing the day would give."""
    rho = findings[0].correlation
    sessions = "1 session" if horizon == 1 else f"{horizon} sessions"
    return (
        f"{report.panels[panel]}, {sessions} ahead",
        f"measured correlation within a day {number(rho)}: "
        f"one market factor, fully known, gives AUC {number(day_leak_auc(rho))}",
    )


def auc_table(title: str, findings: Sequence[Finding]) -> Table:
    """AUC as reported, shuffled and dated, with intervals, and the verdict; fits 80 columns."""
    table = titled_table(title, tight=True)
    table.add_column("model", min_width=14, no_wrap=True)
    # The widths are those of the longest piece without a blank, so that no number is cut on 80 columns.
    columns = {"theirs": 6, "shuffled\n(95 %)": 13, "dated\n(95 %)": 13, "day known,\npredicted": 10, "verdict": 9}
    for name, width in columns.items():
        table.add_column(name, min_width=width)
    for finding in findings:
        table.add_row(
            finding.experiment.name,
            _theirs(finding),
            *(f"{number(s.auc.value)}\n{interval(s.auc.low, s.auc.high)}" for s in (finding.shuffled, finding.dated)),
            number(finding.shuffled.predicted) if finding.knows_the_day else "",
            Text(finding.verdict, style=_STYLES[finding.verdict]),
        )
    return table


def _theirs(finding: Finding) -> str:
    reported = finding.experiment.reported.get("auc")
    return number(reported) if reported is not None and finding.horizon == original.HORIZON else "-"


def metric_lines(finding: Finding) -> list[tuple[str, Mapping[str, float]]]:
    """The figures of one experiment: as reported, shuffled, dated. The original's are of horizon 1 only."""
    lines: list[tuple[str, Mapping[str, float]]] = []
    if finding.horizon == original.HORIZON:
        lines.append(("theirs", finding.experiment.reported))
    return [*lines, ("shuffled", finding.shuffled.metrics), ("dated", finding.dated.metrics)]


def metric_text(name: str, value: float | None) -> str:
    """A metric as it is written; a dash where the original reported none."""
    if value is None:
        return "-"
    return f"{value:.0f}" if name == "global_step" else f"{value:.3f}"


def metric_tables(findings: Sequence[Finding], width: int) -> list[Table]:
    """The eleven metrics of one panel and horizon: one table, or three on a narrow terminal."""
    all_names = original.METRICS
    groups = [all_names] if width >= _NARROW else [all_names[:4], all_names[4:8], all_names[8:]]
    tables = []
    for names in groups:
        table = Table(box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        table.add_column("model", no_wrap=True)
        table.add_column("", no_wrap=True)
        for name in names:
            # Long names break at their own signs, never a number.
            table.add_column(name.replace("/", "/\n").replace("_", "_\n"), justify="right", no_wrap=True)
        for finding in findings:
            for place, (split, metrics) in enumerate(metric_lines(finding)):
                cells = (metric_text(name, metrics.get(name)) for name in names)
                table.add_row("" if place else finding.experiment.name, split, *cells)
        tables.append(table)
    return tables
