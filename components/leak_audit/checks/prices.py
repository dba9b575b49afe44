"""Prices: no return that a model learns from or is judged by looks wrong, but those that a person has accepted.

A missed split, pence among pounds or a bad tick is learned like a price, and a backtest trades it: FeatureExampleGen
judges every return that windows and labels are made of (docs/plausibility.md), and leaves its record beside the
examples. Large returns are named and pass: markets make some of them. A wrong one is no leak, but it keeps every model
of the run from being pushed.
"""

from __future__ import annotations

from components.leak_audit.check import Audited, Check
from components.leak_audit.results import CheckResult, Figure, Status
from components.plausibility import SuspectRecord
from components.plausibility.record import name_some, what_to_do

NAME = "prices"


def prices(suspects: SuspectRecord | None) -> CheckResult:
    """Reads the record of the examples."""
    if suspects is None:
        return CheckResult(NAME, Status.NOT_APPLICABLE, "Nobody looked at the prices behind these examples.")
    wrong, still_open = suspects.stopping, suspects.open
    figures = (
        Figure("returns that were looked at", suspects.returns),
        Figure("wrong returns that nobody accepted", len(wrong)),
        Figure("large returns that nobody accepted", len(still_open) - len(wrong)),
        Figure("returns that were accepted", len(suspects.suspects) - len(still_open)),
        Figure("shares that were excluded", len(suspects.excluded)),
    )
    if wrong:
        return CheckResult(
            NAME, Status.SUSPICIOUS, f"No market makes the returns of {name_some(wrong)}.", figures, what_to_do(wrong)
        )
    large = f"; {len(still_open)} are large: {name_some(still_open)}" if still_open else ""
    return CheckResult(NAME, Status.PASSED, f"None of {suspects.returns:,} returns is wrong{large}.", figures)


def _check(audited: Audited) -> CheckResult:
    return prices(audited.suspects)


CHECK = Check(
    NAME,
    _check,
    passes="no return looks wrong, but those that a person has accepted",
    order=5,
    acceptable=False,
)
