"""Shows the steps of a pipeline on a terminal as they end."""

from __future__ import annotations

from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING

from pipeline.job.steps import Step, StepListener

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status


class ConsoleListener(StepListener):
    """A line for each step, and what is under way while it is."""

    def __init__(self, console: Console, bars: Sequence[str] = ()) -> None:
        """Shows nothing yet.

        Args:
            console: where to.
            bars: steps that show a bar of their own, beside the Trainers.
        """
        self._bars = bars
        self._console = console
        self._status: Status | None = None

    def __enter__(self) -> ConsoleListener:
        """Begins."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Takes away what is under way."""
        self._stop()

    def started(self, name: str) -> None:
        """Says what is under way; a Trainer shows a bar of its own."""
        self._stop()
        if not name.startswith("Trainer") and name not in self._bars:
            self._status = self._console.status(name)
            self._status.start()

    def ended(self, step: Step) -> None:
        """Prints the step and its time."""
        self._stop()
        note = "  [dim]from the cache[/]" if step.cached else ""
        self._console.print(f"  [green]✓[/] {step.name:<24} {step.seconds:7.1f} s{note}")

    def _stop(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
