"""A model that has learned from wrong prices is not blessed."""

from __future__ import annotations

from dataclasses import replace

from components.evidence.findings import Findings, ModelFindings, withheld
from components.plausibility import Grade, Suspect, SuspectRecord

WRONG = Suspect("A", "2020-08-31", -0.75, Grade.WRONG, "a split")
FINDINGS = Findings(
    {"good": ModelFindings({}, {}, True, "AUC 0.52 is better than chance"), "bad": ModelFindings({}, {}, False, "no")}
)


def test_a_wrong_price_takes_the_blessing_and_says_which() -> None:
    found = withheld(FINDINGS, SuspectRecord((WRONG,))).models
    assert found["good"].reason == "AUC 0.52 is better than chance; but prices are wrong: A on 2020-08-31 (-75.0 %)"
    assert (found["good"].blessed, found["bad"]) == (False, FINDINGS.models["bad"])


def test_large_accepted_and_unknown_prices_take_nothing() -> None:
    for suspect in (replace(WRONG, accepted=True), replace(WRONG, grade=Grade.LARGE)):
        assert withheld(FINDINGS, SuspectRecord((suspect,))) is FINDINGS
    assert withheld(FINDINGS, None) is FINDINGS
