"""The runs of a workspace for a terminal: `awesome runs`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from components.evidence.words import number
from pipeline.report.listed_runs import ListedRun
from pipeline.report.summary import TONE_STYLES, titled_table
from pipeline.report.words import interval


def print_runs(runs: Sequence[ListedRun], console: Console) -> None:
    """Prints the table, the runs whose reports cannot be read below it; readable from 80 columns on."""
    table = titled_table("Runs, the newest first", tight=True)
    # The widths are those of the longest piece without a blank: words may wrap, names and numbers may not.
    for name, width in (("run\nid\ntest days", 19), ("asked", 18), ("best AUC\n(95 %)", 16), ("outcome", 17)):
        table.add_column(name, min_width=width, overflow="fold")
    for run in runs:
        if not run.problem:
            table.add_row(*_cells(run))
    if table.row_count:
        console.print(table)
    for run in runs:
        if run.problem:
            console.print(Text(run.problem, style="yellow"), soft_wrap=True)


def _cells(run: ListedRun) -> list[Text]:
    days = f"{run.first} {run.last}" if run.first else "no test days"
    asked = f"{run.label}, horizon {run.horizon}\n{run.formatter}\n{_data(run)}, {run.shares:,} share"
    best = f"{run.best} {number(run.auc)}\n{interval(run.auc_low, run.auc_high)}" if run.best else "n/a"
    return [
        Text(f"{run.name}{' (latest)' if run.latest else ''}\n{run.id}\n{days}"),
        Text(asked + ("" if run.shares == 1 else "s")),
        Text(best),
        Text(run.verdict + (f"; pushed {run.pushed}" if run.pushed else ""), style=TONE_STYLES[run.tone]),
    ]


def _data(run: ListedRun) -> str:
    """The database's name without its folder, or the synthetic market."""
    return run.database if run.database.startswith("market ") else Path(run.database).name
