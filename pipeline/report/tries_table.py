"""What was tried on a test stretch, for a terminal: `awesome trials`."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from pipeline.report.summary import titled_table
from pipeline.report.tries import consequences, headline, lower_bound, rows
from pipeline.runs.tries import Tries


def print_tries(tries: Tries, console: Console) -> None:
    """Prints the table, and under it what follows from it."""
    if tries.tries:
        table = titled_table("Tries", tight=True)
        # The widths are those of the longest piece without a blank.
        for name, width in (
            ("when\nkind", 12),
            ("asked", 14),
            ("test days", 13),
            ("best AUC\n(95 %)", 13),
            ("blessed", 7),
        ):
            table.add_column(name, min_width=width, overflow="fold")
        for row in rows(tries):
            cells = (
                f"{row.when}\n{row.kind}",
                row.asked,
                f"{row.first} to\n{row.last}" + (f"\n{row.part}" if row.part else ""),
                f"{row.best} {row.auc}\n{row.interval}" if row.best else "n/a",
                f"yes: {row.blessed}" if row.blessed else "no",
            )
            table.add_row(*map(Text, cells))
        console.print(table)
    console.print(Text(headline(tries), style="bold"))
    if bound := lower_bound(tries):
        console.print(Text(bound, style="yellow"))
    for sentence in consequences(tries):
        console.print(Text(sentence))
