"""What was tried on a test stretch, for a terminal: `awesome trials`."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from pipeline.report.summary import titled_table
from pipeline.report.tries import HEADER, consequences, headline, lower_bound, rows
from pipeline.runs.tries import Tries


def print_tries(tries: Tries, console: Console) -> None:
    """Prints the table, and under it what follows from it."""
    if tries.tries:
        table = titled_table("Tries", tight=True)
        for name in HEADER:
            table.add_column(name, overflow="fold")
        for row in rows(tries):
            table.add_row(*map(Text, row))
        console.print(table)
    console.print(Text(headline(tries), style="bold"))
    if bound := lower_bound(tries):
        console.print(Text(bound, style="yellow"))
    for sentence in consequences(tries):
        console.print(Text(sentence))
