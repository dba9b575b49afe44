"""Shows an extraction while it runs: a bar on a terminal, JSON lines elsewhere, such as in a pod."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from components.extractor.plan import ExtractionPlan
from components.extractor.report import ExtractionReport, ShareOutcome, Status
from components.records import to_plain

_MOST_LINES = 10


class ExtractionListener:
    """Is told what happens; does nothing by itself."""

    def started(self, plan: ExtractionPlan, shares: int) -> None:
        """An extraction of so many shares begins."""

    def warned(self, text: str) -> None:
        """Something about the whole that the user should know."""

    def ended_share(self, outcome: ShareOutcome, done: int, shares: int) -> None:
        """A share is done."""

    def ended(self, report: ExtractionReport) -> None:
        """All is done."""


class JsonLines(ExtractionListener):
    """One JSON object a line, for whoever collects a pod's log."""

    def __init__(self, stream: TextIO) -> None:
        """Writes nothing yet."""
        self._stream = stream

    def started(self, plan: ExtractionPlan, shares: int) -> None:
        """Writes the plan, with the number of shares instead of their names."""
        self.write("started", to_plain(plan) | {"shares": shares})

    def warned(self, text: str) -> None:
        """Writes the warning."""
        self.write("warning", {"text": text})

    def ended_share(self, outcome: ShareOutcome, done: int, shares: int) -> None:
        """Writes what became of the share."""
        self.write("share", to_plain(outcome) | {"done": done, "shares": shares})

    def ended(self, report: ExtractionReport) -> None:
        """Writes the counts."""
        values = report.to_dict()
        del values["shares"]
        self.write("ended", values)

    def write(self, event: str, values: dict[str, Any]) -> None:
        """Writes one event."""
        # ASCII only, as what a stream of another encoding puts in its place is no JSON.
        self._stream.write(json.dumps({"event": event, **values}) + "\n")
        self._stream.flush()


class _Bar(ExtractionListener):
    def __init__(self, progress: Any, summary: bool) -> None:
        self._progress = progress
        self._summary = summary
        self._task: Any = None

    def started(self, plan: ExtractionPlan, shares: int) -> None:
        self._task = self._progress.add_task(f"  {plan.source}", total=shares, share="")

    def warned(self, text: str) -> None:
        self._progress.console.print(f"warning: {text}", style="yellow", highlight=False, markup=False)

    def ended_share(self, outcome: ShareOutcome, done: int, shares: int) -> None:
        # A file of prices tells only now how many shares it holds.
        self._progress.update(
            self._task, completed=done, total=shares, share=f"{outcome.share_id} {outcome.status.value}"
        )

    def ended(self, report: ExtractionReport) -> None:
        if not self._summary:
            return
        lines = [
            f"{outcome.share_id} {outcome.status.value}: {outcome.reason}"
            for outcome in report.shares
            if outcome.status in (Status.FAILED, Status.BEHIND)
        ]
        if len(lines) > _MOST_LINES:
            lines[_MOST_LINES:] = [f"... and {len(lines) - _MOST_LINES} more; `awesome extract` lists them"]
        for line in lines:
            self._progress.console.print(f"    {line}", style="yellow", highlight=False, markup=False, soft_wrap=True)
        counts = ", ".join(f"{count} {status}" for status, count in report.counts.items() if count)
        self._progress.console.print(f"    {len(report.shares)} shares from {report.source}: {counts}", highlight=False)


class _Both(ExtractionListener):
    """Tells two: a program that reads the output, and the person at the terminal."""

    def __init__(self, *listeners: ExtractionListener) -> None:
        self._listeners = listeners

    def started(self, plan: ExtractionPlan, shares: int) -> None:
        for one in self._listeners:
            one.started(plan, shares)

    def warned(self, text: str) -> None:
        for one in self._listeners:
            one.warned(text)

    def ended_share(self, outcome: ShareOutcome, done: int, shares: int) -> None:
        for one in self._listeners:
            one.ended_share(outcome, done, shares)

    def ended(self, report: ExtractionReport) -> None:
        for one in self._listeners:
            one.ended(report)


@contextmanager
def extraction_progress(summary: bool = False, lines: TextIO | None = None) -> Iterator[ExtractionListener]:
    """A listener that shows the extraction on the error stream while the block runs.

    Args:
        summary: say at the end what became of the shares, where nobody else prints the report.
        lines: where JSON lines go whatever the error stream is, as who reads it is a program; a bar stands beside them.
    """
    if not sys.stderr.isatty():
        yield JsonLines(lines or sys.stderr)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn("{task.fields[share]}", markup=False),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        bar = _Bar(progress, summary)
        yield bar if lines is None else _Both(JsonLines(lines), bar)
