"""The check of prices: what it says of a record of suspects."""

from __future__ import annotations

from components.leak_audit.checks.prices import prices
from components.leak_audit.results import AuditReport, Status
from components.plausibility import Grade, Suspect, SuspectRecord

WRONG = Suspect("A", "2020-08-31", -0.75, Grade.WRONG, "a split")
LARGE = Suspect("B", "2020-09-01", 0.6, Grade.LARGE, "news")
ACCEPTED = Suspect("C", "2020-09-02", -0.5, Grade.WRONG, "a split", accepted=True)


def record(*suspects: Suspect) -> SuspectRecord:
    return SuspectRecord(suspects, shares=3, returns=3000)


def test_a_wrong_return_is_no_leak_but_not_clean() -> None:
    found = prices(record(WRONG, LARGE))
    assert found.status is Status.SUSPICIOUS
    assert "A on 2020-08-31 (-75.0 %)" in found.sentence
    assert "--accept A:2020-08-31" in found.look_at
    report = AuditReport((found,), ("linear",), "window_returns", 1, 10)
    assert (report.verdict, report.leaks) == ("suspicious", False)


def test_large_and_accepted_returns_pass_and_are_named() -> None:
    found = prices(record(LARGE, ACCEPTED))
    assert found.status is Status.PASSED
    assert "B on 2020-09-01 (+60.0 %)" in found.sentence
    assert "C" not in found.sentence
    assert [(figure.name, figure.value) for figure in found.figures][1:4] == [
        ("wrong returns that nobody accepted", 0),
        ("large returns that nobody accepted", 1),
        ("returns that were accepted", 1),
    ]


def test_nothing_is_said_of_examples_that_nobody_looked_at() -> None:
    assert prices(None).status is Status.NOT_APPLICABLE
