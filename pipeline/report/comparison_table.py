"""A comparison of formatters and labels for a terminal: `awesome run --compare-formatters`."""

from __future__ import annotations

import math

from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.comparison.results import Comparison
from components.evidence.interval import Interval
from components.evidence.words import signed
from pipeline.report.comparison import plain, ranked, sentences
from pipeline.report.summary import titled_table


def print_comparison(found: Comparison, console: Console) -> None:
    """Prints the table and what it says."""
    console.print(comparison_table(found))
    for sentence in sentences(found):
        console.print(Text(sentence))


def comparison_table(found: Comparison) -> Table:
    """One row a combination, in the order of the best models' rank ICs; readable from 80 columns on."""
    table = titled_table(
        f"Compared on the eval split, {found.first} to {found.last}: {found.rows:,} rows, {found.days:,} days",
        tight=True,
    )
    # A name may be folded, a number may not.
    table.add_column("formatter\nlabel\nbest model", min_width=14, overflow="fold")
    for name in ("rank IC", "less the best", "best baseline"):
        table.add_column(f"{name}\n(95 %)", min_width=15)
    for one in ranked(found):
        style = "bold" if one is found.winner else ""
        table.add_row(
            Text(f"{one.formatter}\n{one.label}\n{one.best or 'no rank IC'}", style=style),
            Text(_two_lines(one.rank_ic)),
            Text("chosen", style="bold green") if one.behind is None else Text(_two_lines(one.behind)),
            Text(f"{_two_lines(one.baseline_rank_ic)}\n{plain(one.baseline)}"),
        )
    return table


def _two_lines(one: Interval) -> str:
    ends = f"({signed(one.low)} {signed(one.high)})" if math.isfinite(one.low) and math.isfinite(one.high) else "(n/a)"
    return f"{signed(one.value)}\n{ends}"
