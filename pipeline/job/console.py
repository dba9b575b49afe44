"""Shows on a terminal what a run does: the steps of its pipeline, and the parts that are none, as they end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING

from pipeline.job.step import Step, StepListener

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status


@dataclass
class Part:
    """A part of a run that is no step.

    Attributes:
        note: what is said behind its time.
    """

    note: str = ""


@dataclass(frozen=True)
class Clock:
    """Times the parts of a run that are no steps of its pipeline.

    Attributes:
        console: where each is shown while it lasts and as it ends.
        seconds: of each, in the order they ended.
    """

    console: Console
    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def measured(self, name: str, doing: str, note: str = "") -> Iterator[Part]:
        """Times what is done within.

        Args:
            name: of the part.
            doing: what is shown while it lasts.
            note: what is said behind its time; what is done within may say more.
        """
        part = Part(note)
        begin = time.perf_counter()
        with self.console.status(doing):
            yield part
        self.seconds[name] = time.perf_counter() - begin
        from rich.markup import escape

        _print_ended(self.console, name, self.seconds[name], escape(part.note))


def _print_ended(console: Console, name: str, seconds: float, note: str = "") -> None:
    behind = f"  {note}" if note else ""
    console.print(f"  [green]✓[/] {name:<24} {seconds:7.1f} s{behind}", soft_wrap=True)


class ConsoleListener(StepListener):
    """A line for each step, and what is under way while it is."""

    def __init__(self, console: Console, bars: Sequence[str] = ()) -> None:
        """Shows nothing yet; `bars` are the steps that show a bar of their own, beside the Trainers."""
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
        _print_ended(self._console, step.name, step.seconds, "[dim]from the cache[/]" if step.cached else "")

    def _stop(self) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None
