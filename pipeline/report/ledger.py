"""A ledger for a terminal: its last days, and whether it is as it was written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from components.ledger.days import DaySummary
from components.ledger.origins import Origin
from components.ledger.schema import CHAMPION
from components.ledger.verifying import Verification
from pipeline.report.summary import titled_table
from pipeline.report.words import readable_time

_SHOWN = 20


def print_days(days: Sequence[DaySummary], console: Console) -> None:
    """Prints a row a session, horizon and model: what was predicted, late, has come due, and was right."""
    if not days:
        console.print("no prediction was written down yet", highlight=False)
        return
    table = titled_table("Predictions, by the session after which they were made", tight=True)
    for name in ("session", "horizon", "model", "predicted", "late", "due", "right"):
        table.add_column(name, justify="left" if name in ("session", "model") else "right")
    for day in days:
        model = day.model if day.role == CHAMPION else f"{day.model} ({day.role})"
        right = f"{day.right:,} of {day.moved:,}" if day.moved else "n/a"
        cells = (day.session, str(day.horizon), model, f"{day.predicted:,}", f"{day.late:,}", f"{day.due:,}", right)
        table.add_row(*map(Text, cells))
    console.print(table)
    for model, origin in {day.model: day.origin for day in reversed(days)}.items():
        console.print(Text(f"{model}: {origin_in_words(origin)}"), soft_wrap=True)


def print_verification(ledger: Path, storage: str, found: Verification, console: Console) -> None:
    """Prints what is wrong, row by row, or that nothing is; and what the file was held against."""
    for fault in found.faults[:_SHOWN]:
        console.print(Text(str(fault), style="bold red"), soft_wrap=True)
    if len(found.faults) > _SHOWN:
        console.print(Text(f"and {len(found.faults) - _SHOWN:,} more", style="bold red"))
    for doubt in found.doubts[:_SHOWN]:
        console.print(Text(f"not sure: {doubt}", style="yellow"), soft_wrap=True)
    late = f" ({found.late:,} late)" if found.late else ""
    counts = f"{found.rows:,} rows, {found.predictions:,} predictions{late}, {found.outcomes:,} outcomes"
    faults = f"{len(found.faults):,} {'fault' if len(found.faults) == 1 else 'faults'}"
    verdict = "every row is as it was written" if found.sound else f"NOT as it was written: {faults}"
    style = "bold green" if found.sound else "bold red"
    console.print(Text(f"{ledger}: {counts}: {verdict}", style=style), soft_wrap=True)
    if found.head is not None:
        written = readable_time(found.head.time)
        console.print(f"head {found.head.seq}:{found.head.hash}, written {written}", highlight=False, soft_wrap=True)
    console.print(Text(held_in_words(storage, found), style="" if found.held else "yellow"), soft_wrap=True)


def origin_in_words(origin: Origin | None) -> str:
    """Whether a model was blessed, by which run, and when it was pushed."""
    if origin is None:
        return "nobody noted whether it was blessed"
    run = f"run {origin.run}" if origin.run else "a run that is not known"
    if not origin.blessed:
        return f"on trial, not blessed: a candidate of {run}"
    return f"blessed by {run}{f', pushed {readable_time(origin.pushed)}' if origin.pushed else ''}"


def held_in_words(storage: str, found: Verification) -> str:
    """What the file was held against, and what that leaves open."""
    kept = f" in {storage}" if storage else ""
    if not found.heads:
        return (
            f"no head of it is kept{kept}: that rows were cut off its end, or that all were made anew, cannot be seen; "
            "push it (awesome db push), or keep its head and give it (--head)"
        )
    heads = f"held against {found.heads:,} {'head' if found.heads == 1 else 'heads'} kept elsewhere{kept}"
    if not found.held:
        return f"{heads}: it fits none of them"
    if found.head is None or found.held >= found.head.seq:
        return f"{heads}, the last of row {found.held:,}"
    return f"{heads}, the last of row {found.held:,}: nothing vouches yet for what was written after it"
