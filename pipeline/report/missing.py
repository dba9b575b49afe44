"""Missing sessions for a terminal: what shares lack, and what a run left out for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from components.missing_sessions.summary import MissingSummary

if TYPE_CHECKING:
    from rich.console import Console

    from pipeline.runs.results import RunReport


def print_missing(missing: MissingSummary, console: Console) -> None:
    """Prints what shares lack; nothing where they lack nothing and nothing else is to be said."""
    from rich.text import Text

    if missing.shares:
        console.print(Text(missing_in_words(missing), style="yellow"), soft_wrap=True)
    for line in missing.lines:
        console.print(Text(f"  {line}"), soft_wrap=True)


def missing_in_words(missing: MissingSummary) -> str:
    """How much is missing, a sentence; empty where nothing is."""
    if not missing.shares:
        return ""
    shares = "1 share lacks" if missing.shares == 1 else f"{missing.shares:,} shares lack"
    count = "1 session" if missing.sessions == 1 else f"{missing.sessions:,} sessions"
    return f"Missing sessions: {shares} {count} between first and last price."


def left_out_in_words(report: RunReport) -> str:
    """What a run left out for missing sessions or shares, in sentences; empty where it left out nothing."""
    splits = report.splits.values()
    alone = sum(one.alone for one in splits)
    few = f"Left out: {alone:,} rows of days on which too few shares have a return to be compared." if alone else ""
    if short := sum(one.short for one in splits):
        begins = f"Left out: {short:,} rows with fewer sessions before them than the formatter reads ({report.reach})."
        few = f"{few} {begins}".strip()
    windows, labels = sum(one.windows_across for one in splits), sum(one.labels_across for one in splits)
    if not windows + labels:
        return few
    limit = report.settings.get("max_missing_sessions")
    across = (
        f"Left out: {windows:,} windows and {labels:,} labels that reach across more missing sessions than "
        f"max_missing_sessions ({limit} in 20) allows."
    )
    return f"{across} {few}".strip()
