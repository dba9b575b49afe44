"""What looks wrong in prices, for a terminal: first of all that a command says."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from components.plausibility.record import Grade, SuspectRecord, what_to_do

if TYPE_CHECKING:
    from rich.console import Console

    from components.plausibility import Suspect

MOST_SHOWN = 20


def print_suspects(
    record: SuspectRecord, console: Console, most: int | None = MOST_SHOWN, database: str | Path = ""
) -> None:
    """Prints the suspects that nobody has accepted, wrong ones first, and what to do; nothing where there are none.

    Args:
        record: what was found.
        console: where to.
        most: lines at the most; None for all of them, and those that were accepted, too.
        database: that the prices are in; empty where it is not known.
    """
    shown = record.suspects if most is None else record.open[:most]
    if not shown and most is not None:
        return
    print_plain(console, record.headline, "bold yellow" if record.open else "green")
    for one in shown:
        print_plain(console, f"  {one.line}", _style(one))
    more = (len(record.open) if most is not None else len(record.suspects)) - len(shown) + record.left_out
    if more:
        print_plain(console, f"  ... and {more:,} more; `awesome prices suspects` lists them", "yellow")
    if record.stopping:
        print_plain(
            console, f"While a wrong one stands nothing is pushed: {what_to_do(record.stopping, database)}.", "bold"
        )


def print_excluded(record: SuspectRecord, console: Console) -> None:
    """Prints which shares are left out; nothing where none is."""
    if record.excluded:
        print_plain(console, f"excluded shares, left out: {', '.join(record.excluded)}", "yellow")


def print_plain(console: Console, text: str, style: str) -> None:
    """Prints a line as it is, however long it is."""
    console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)


def _style(one: Suspect) -> str:
    if one.accepted:
        return "dim"
    return "bold red" if one.grade is Grade.WRONG else "yellow"
