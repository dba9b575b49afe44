"""One step of a pipeline that ended, and who is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Step:
    """One step that ended, by its node's id: seconds on the clock, and artifacts by output key."""

    name: str
    seconds: float
    cached: bool
    outputs: dict[str, list[Any]] = field(default_factory=dict)


class StepListener:
    """Is told what happens; does nothing by itself."""

    def started(self, name: str) -> None:
        """A step begins."""

    def ended(self, step: Step) -> None:
        """A step ended well."""
