"""A leak audit for a terminal: a table of its checks, their numbers, and the verdict in one line."""

from __future__ import annotations

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.leak_audit.results import AuditReport, CheckResult, Status
from pipeline.report.summary import AUDIT_STYLES

_STYLES = {
    Status.PASSED: "green",
    Status.INFORMATION: "cyan",
    Status.NOT_APPLICABLE: "dim",
    Status.SUSPICIOUS: "bold yellow",
    Status.LEAKING: "bold red",
}


def print_audit(audit: AuditReport, console: Console) -> None:
    """Prints every check with its numbers, and the verdict."""
    for check in audit.checks:
        console.print(_heading(check))
        console.print(Text(check.sentence))
        if check.look_at:
            console.print(Text(f"Look at: {check.look_at}.", style=_STYLES[check.status]))
        if check.figures:
            console.print(_figures(check))
        console.print()
    console.print(Text(audit.verdict_line, style=AUDIT_STYLES[audit.verdict]))


def _heading(check: CheckResult) -> Text:
    return Text.assemble((check.name, "bold"), ": ", (check.status.value, _STYLES[check.status]))


def _figures(check: CheckResult) -> Table:
    table = Table(box=SIMPLE_HEAD, show_header=False, pad_edge=False)
    table.add_column("figure", overflow="fold")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("interval", no_wrap=True, style="dim")
    for figure in check.figures:
        interval = f"{figure.ends()} ({100 * figure.level:.0f} %)" if figure.bounded else ""
        table.add_row(Text(figure.name), figure.number(), interval)
    return table
