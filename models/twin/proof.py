"""What a comparison of a twin with TensorFlow found; nothing heavier than the standard library is imported here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Proof:
    """How a twin's answers compare with TensorFlow's on the test split.

    Attributes:
        digest: of the twin; empty where there is none.
        rows: that both answered.
        difference: the largest between their probabilities; None where nothing was compared.
        estimated: the same of its answers in single precision; None where they were not compared, or are no numbers.
        reason: why the twin may not answer; empty where it may.
    """

    digest: str = ""
    rows: int = 0
    difference: float | None = None
    reason: str = ""
    estimated: float | None = None
