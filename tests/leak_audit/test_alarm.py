"""The alarm and the results, no TensorFlow."""

from __future__ import annotations

import json
import math

import pytest

from components.evidence.blessing import judge
from components.evidence.interval import Interval
from components.leak_audit.checks.alarm import alarm
from components.leak_audit.limits import Limits
from components.leak_audit.results import AuditError, AuditReport, CheckResult, Figure, Status

REAL = Limits(plausible=0.53)
NULL = Limits(plausible=0.53, market=True, best=0.5)


def around(value: float, error: float) -> Interval:
    return Interval(value, value - 1.959964 * error, value + 1.959964 * error, error)


@pytest.mark.parametrize(
    ("limits", "auc", "status"),
    [
        (REAL, around(0.512, 0.005), Status.PASSED),
        (REAL, around(0.531, 0.005), Status.SUSPICIOUS),
        (REAL, around(0.61, 0.02), Status.SUSPICIOUS),
        (REAL, around(0.64, 0.01), Status.LEAKING),
        (Limits(plausible=0.55), around(0.54, 0.001), Status.PASSED),
        (Limits(plausible=0.7), around(0.64, 0.01), Status.PASSED),
        (Limits(plausible=0.7), around(0.74, 0.01), Status.LEAKING),
        (NULL, around(0.529, 0.01), Status.PASSED),
        # Two are judged, so that 3.2 and 5.2 errors are asked of each.
        (NULL, around(0.5315, 0.01), Status.PASSED),
        (NULL, around(0.5325, 0.01), Status.SUSPICIOUS),
        (NULL, around(0.5515, 0.01), Status.SUSPICIOUS),
        (NULL, around(0.5525, 0.01), Status.LEAKING),
        (Limits(0.53, market=True, best=0.6361), around(0.64, 0.005), Status.PASSED),
        (Limits(0.53, market=True, best=None), around(0.99, 0.005), Status.NOT_APPLICABLE),
        (NULL, Interval(0.9, math.nan, math.nan, math.nan), Status.NOT_APPLICABLE),
        (REAL, Interval(0.6, math.nan, math.nan, math.nan), Status.NOT_APPLICABLE),
    ],
)
def test_the_alarm_knows_real_prices_from_a_market(limits: Limits, auc: Interval, status: Status) -> None:
    result = alarm({"honest": around(0.49, 0.01), "linear": auc}, limits)

    if status is Status.NOT_APPLICABLE and limits.known:
        status = Status.PASSED  # of the other model, which can be judged
    assert result.status is status
    assert ("linear" in result.sentence) == (status in (Status.SUSPICIOUS, Status.LEAKING))
    assert bool(result.look_at) == (status in (Status.SUSPICIOUS, Status.LEAKING))


def test_an_auc_that_may_be_chance_rings_no_alarm() -> None:
    """It is never blessed, so there is nothing to hold back; short honest runs would ring by luck alone."""
    result = alarm({"linear": around(0.55, 0.04)}, REAL, {"lightgbm": around(0.54, 0.022)})

    assert result.status is Status.PASSED
    assert result.sentence.startswith("No model's or baseline's AUC is above chance beyond doubt and above 0.53")
    assert alarm({"linear": around(0.55, 0.02)}, REAL).status is Status.SUSPICIOUS


def test_an_auc_of_too_few_days_rings_no_alarm() -> None:
    """A test split of twenty sessions, twenty ahead, has no interval: nothing is blessed, and luck is likely."""
    alone = Interval(0.58, math.nan, math.nan, math.nan)

    assert not judge(alone, 1, None, {}).blessed
    result = alarm({"linear": alone}, REAL, {"majority": alone})
    assert result.status is Status.NOT_APPLICABLE
    assert "too few days" in result.sentence


def test_the_alarm_rings_for_whatever_can_be_blessed_however_many_baselines_there_are() -> None:
    """A blessing asks for 1/2 below the interval of the candidates alone; baselines ask for no wider one."""
    baselines = {name: around(0.5, 0.01) for name in ("majority", "logistic", "lightgbm", "momentum")}
    pushable = around(0.56, 0.028)  # from 0.5051 on; the interval of all five begins at 0.4879

    assert judge(pushable, 1, None, {}).blessed
    result = alarm({"linear": pushable}, REAL, baselines)
    assert (result.status, result.models) == (Status.SUSPICIOUS, ("linear",))
    # Of two candidates neither is blessed, and nothing rings.
    assert alarm({"linear": pushable, "rnn": around(0.5, 0.01)}, REAL, baselines).status is Status.PASSED
    # What only a baseline shows by luck is nothing to hold back.
    assert alarm({"linear": around(0.5, 0.01)}, REAL, {**baselines, "lightgbm": pushable}).status is Status.PASSED


@pytest.mark.parametrize(("auc", "lucky"), [(around(0.55, 0.02), True), (around(0.56, 0.005), False)])
def test_the_alarm_says_where_few_days_may_be_all_there_is_to_it(auc: Interval, lucky: bool) -> None:
    result = alarm({"linear": auc}, REAL)

    assert result.status is Status.SUSPICIOUS
    assert ("may be the luck of few days" in result.sentence) is lucky


def test_an_interval_that_is_wider_than_the_one_it_shows_is_called_so() -> None:
    """Its 95 % interval, from 0.5308 on, lies above 0.53; that for all four does not."""
    others = {name: around(0.5, 0.01) for name in ("majority", "logistic", "momentum")}

    result = alarm({"linear": around(0.554, 0.0118)}, REAL, others)

    assert "its interval, that for all 4 judged, reaches below that" in result.sentence
    assert "; its interval reaches below that" in alarm({"linear": around(0.55, 0.02)}, REAL, others).sentence


def report(*statuses: Status) -> AuditReport:
    checks = tuple(
        CheckResult(f"check {i}", status, "It says so.", (Figure("AUC", 0.5, 0.4, math.nan, 4), Figure("rows", 7)))
        for i, status in enumerate(statuses)
    )
    return AuditReport(checks, ("linear",), "window_returns", 1, 1234)


@pytest.mark.parametrize(
    ("statuses", "verdict"),
    [
        ((Status.PASSED, Status.INFORMATION, Status.NOT_APPLICABLE), "clean"),
        ((Status.PASSED, Status.SUSPICIOUS), "suspicious"),
        ((Status.SUSPICIOUS, Status.LEAKING, Status.PASSED), "leaking"),
    ],
)
def test_the_worst_check_is_the_verdict(statuses: tuple[Status, ...], verdict: str) -> None:
    made = report(*statuses)

    assert made.verdict == verdict
    assert made.verdict_line.startswith(verdict)
    assert "\n" not in made.verdict_line
    if verdict != "clean":
        assert made.verdict_line.startswith(f"{verdict}: check 1")


def test_json_comes_back_and_holds_the_verdict() -> None:
    made = report(Status.PASSED, Status.LEAKING)
    text = made.to_json()

    assert json.loads(text)["verdict"] == "leaking"
    assert AuditReport.from_json(text, "audit.json").to_json() == text


@pytest.mark.parametrize("text", ["", "[]", '{"checks": [{}]}', '{"checks": [], "models": 1}'])
def test_what_is_no_audit_is_refused_with_its_name(text: str) -> None:
    with pytest.raises(AuditError, match=r"^runs/x/audit\.json: "):
        AuditReport.from_json(text, "runs/x/audit.json")


def test_an_audit_of_no_check_is_not_clean() -> None:
    with pytest.raises(AuditError, match=r"^runs/x/audit\.json: holds no check, so nothing was audited; make it anew"):
        AuditReport.from_json(report().to_json(), "runs/x/audit.json")


def test_a_check_without_a_sentence_has_a_verdict_line() -> None:
    made = AuditReport((CheckResult("split proof", Status.LEAKING, ""),), (), "window_returns", 1, 1)
    assert made.verdict_line == "leaking: split proof; "
