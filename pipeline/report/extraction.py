"""What an extraction did, as a table for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console

    from components.extractor import ExtractionReport, ShareOutcome

_MOST_SHARES = 60
_STYLES = {"failed": "red", "behind": "yellow", "readjusted": "cyan", "new": "green", "unchanged": "dim"}


def print_extraction(report: ExtractionReport, console: Console) -> None:
    """Prints what an extraction did: the shares that need a look first, and the counts."""
    from rich.table import Table
    from rich.text import Text

    table = Table("share", "status", "new", "changed", "first", "last", "gaps", "", box=None, pad_edge=False)
    order = list(_STYLES)
    outcomes = sorted(report.shares, key=lambda outcome: order.index(outcome.status.value))
    for outcome in outcomes[:_MOST_SHARES]:
        status = Text(outcome.status.value, style=_STYLES[outcome.status.value])
        cells = (str(outcome.new), str(outcome.changed), outcome.first, outcome.last, _gaps(outcome))
        table.add_row(Text(outcome.share_id), status, *cells, Text(outcome.reason))
    console.print(table)
    if len(outcomes) > _MOST_SHARES:
        console.print(f"... and {len(outcomes) - _MOST_SHARES} more; --json lists all", highlight=False)
    for text in report.warnings:
        console.print(f"warning: {text}", style="yellow", highlight=False, markup=False, soft_wrap=True)
    counts = ", ".join(f"{count} {status}" for status, count in report.counts.items() if count)
    resumed = f", {report.resumed} of them done before" if report.resumed else ""
    done = f"{len(report.shares)} shares from {report.source} in {report.seconds:.1f} s"
    text = f"{report.database}: {done}: {counts}{resumed}"
    console.print(text, highlight=False, markup=False, soft_wrap=True)


def _gaps(outcome: ShareOutcome) -> str:
    if not outcome.gaps:
        return "0"
    more = ", ..." if outcome.gaps > len(outcome.first_gaps) else ""
    return f"{outcome.gaps} ({', '.join(outcome.first_gaps)}{more})"
