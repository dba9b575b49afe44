"""Shows on a terminal what a run does: the steps of its pipeline, and the parts that are none, as they end."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.job.step import Step, StepListener

if TYPE_CHECKING:
    from rich.console import Console


@dataclass(frozen=True)
class Clock:
    """Times the parts of a run that are no steps of its pipeline, and shows each while it lasts and as it ends."""

    console: Console
    seconds: dict[str, float] = field(default_factory=dict)

    @contextlib.contextmanager
    def measured(self, name: str, doing: str) -> Iterator[list[str]]:
        """Times what is done within, and yields a list for what is to be said behind its time.

        Args:
            name: of the part.
            doing: what is shown while it lasts.
        """
        notes: list[str] = []
        begin = time.perf_counter()
        with self.console.status(doing):
            yield notes
        self.seconds[name] = time.perf_counter() - begin
        from rich.markup import escape

        _print_ended(self.console, name, self.seconds[name], *map(escape, notes))


def _print_ended(console: Console, name: str, seconds: float, *notes: str) -> None:
    console.print("  ".join([f"  [green]✓[/] {name:<24} {seconds:7.1f} s", *notes]), soft_wrap=True)


class ConsoleListener(StepListener):
    """A line for each step, and what is under way while it is."""

    def __init__(
        self,
        console: Console,
        bars: Sequence[str] = (),
        after: Mapping[str, Callable[[Step], None]] | None = None,
    ) -> None:
        """Shows nothing yet.

        Args:
            console: where to.
            bars: the steps that show a bar of their own, beside the Trainers.
            after: by step, what there is to say once it has ended.
        """
        self._bars, self._after = bars, after or {}
        self._console = console
        self._shown = contextlib.ExitStack()

    def close(self) -> None:
        """Takes away what is under way."""
        self._shown.close()

    def started(self, name: str) -> None:
        """Says what is under way; a Trainer shows a bar of its own."""
        self.close()
        if not name.startswith("Trainer") and name not in self._bars:
            self._shown.enter_context(self._console.status(name))

    def ended(self, step: Step) -> None:
        """Prints the step and its time."""
        self.close()
        _print_ended(self._console, step.name, step.seconds, *(["[dim]from the cache[/]"] if step.cached else []))
        if step.name in self._after:
            self._after[step.name](step)
