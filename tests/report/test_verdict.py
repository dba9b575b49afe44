"""What a run means, in one sentence."""

from __future__ import annotations

import dataclasses
import re

import pytest
from judged_runs import NULL, REVERSAL, model, report

from components.evidence.interval import Interval
from components.leak_audit.results import AuditReport, CheckResult, Status
from pipeline.report.verdict import assess
from pipeline.runs.results import MarketSummary


def test_the_normal_outcome_is_said_plainly() -> None:
    run = report({"linear": model(0.5021), "rnn": model(0.4960)})
    assert assess(run).sentence == (
        "No model beats chance beyond its 95 % interval on 1,190 test days: do not trade on these numbers; that is "
        "the normal outcome on daily prices of large shares."
    )
    assert assess(run).tone == "plain"


def test_a_model_above_chance_that_failed_for_another_reason_is_not_called_chance() -> None:
    worse = model(0.5200, reason="worse than the last blessed linear (0.5250)")
    sentence = assess(report({"linear": worse, "rnn": model(0.49)})).sentence
    assert "No model beats chance" not in sentence
    assert "linear is above chance with AUC 0.520" in sentence
    assert "worse than the last blessed linear (0.5250)" in sentence


def test_an_unblessed_model_that_is_too_good_is_suspect() -> None:
    judged = assess(report({"linear": model(0.58, reason="worse than the last blessed linear")}))
    assert judged.tone == "warning"
    assert "leak" in judged.sentence


def test_a_champion_on_real_prices_is_a_small_edge() -> None:
    judged = assess(report({"linear": model(0.515, blessed=True), "rnn": model(0.5)}, champion="linear"))
    assert judged.tone == "good"
    assert "linear, the best of 2 models tried, beats chance on 1,190 test days" in judged.sentence
    assert "0.515 (95 % interval 0.505 to 0.525)" in judged.sentence
    assert "small edge" in judged.sentence


def test_a_champion_whose_interval_holds_chance_may_be_luck() -> None:
    judged = assess(report({"linear": model(0.508, blessed=True)}, champion="linear"))
    assert "still contains 0.5" in judged.sentence
    assert "do not trade" in judged.sentence
    assert "best of" not in judged.sentence


def test_a_champion_above_053_on_real_prices_is_a_suspected_leak() -> None:
    judged = assess(report({"linear": model(0.5301, blessed=True)}, champion="linear"))
    assert judged.tone == "warning"
    assert "leak" in judged.sentence
    assert assess(report({"linear": model(0.5299, blessed=True)}, champion="linear")).tone == "good"


@pytest.mark.parametrize(("setting", "suspected"), [({}, True), ({"audit_plausible_auc": 0.6}, False)])
def test_the_plausible_auc_is_the_run_s_own(setting: dict[str, float], suspected: bool) -> None:
    champion = report({"linear": model(0.545, blessed=True)}, champion="linear")
    unblessed = report({"linear": model(0.545, reason="worse than the last one")})
    for run in (champion, unblessed):
        run = dataclasses.replace(run, settings={**run.settings, **setting})
        assert ("leak" in assess(run).sentence) is suspected


def test_a_champion_on_a_market_is_measured_by_its_skill() -> None:
    best = model(0.5427, blessed=True, skill=0.9468)
    judged = assess(report({"linear": best}, champion="linear", market=REVERSAL))
    assert judged.tone == "good"
    assert "a skill of 95%" in judged.sentence
    assert "0.545 is the best possible" in judged.sentence
    assert "nothing about real prices" in judged.sentence


def test_more_than_the_possible_is_a_leak() -> None:
    # The interval's half width of 0.01 is a standard error of 0.0051: the border is 0.545 + 3 x 0.0051 = 0.5603.
    leaking = assess(report({"rnn": model(0.5610, blessed=True)}, champion="rnn", market=REVERSAL))
    lucky = assess(report({"rnn": model(0.5595, blessed=True)}, champion="rnn", market=REVERSAL))
    assert leaking.tone == "warning"
    assert "leaks the future" in leaking.sentence
    assert lucky.tone == "good"


def test_a_market_without_signal() -> None:
    assert "no signal in it to be found" in assess(report({"linear": model(0.5)}, market=NULL)).sentence
    lucky = assess(report({"linear": model(0.507, blessed=True)}, champion="linear", market=NULL))
    assert lucky.tone == "warning"
    assert "luck" in lucky.sentence


def test_a_market_whose_signal_was_not_found() -> None:
    sentence = assess(report({"linear": model(0.501)}, market=REVERSAL)).sentence
    assert "an AUC of 0.545 is possible" in sentence


def test_no_model() -> None:
    assert assess(report({})).sentence == "No model was evaluated in this run."


@pytest.mark.parametrize("auc", [0.5, 0.508, 0.515, 0.58, float("nan")])
@pytest.mark.parametrize("blessed", [True, False])
@pytest.mark.parametrize("market", [None, REVERSAL, NULL])
def test_every_verdict_is_one_sentence(auc: float, blessed: bool, market: MarketSummary | None) -> None:
    run = report({"linear": model(auc, blessed=blessed)}, champion="linear" if blessed else None, market=market)
    sentence = assess(run).sentence
    assert sentence[-1] == "."
    assert not re.search(r"[.!?]\s", sentence)
    assert "nan" not in sentence


@pytest.mark.parametrize("blessed", [True, False])
def test_where_the_audit_says_leaking_no_figure_counts(blessed: bool) -> None:
    check = CheckResult("split proof", Status.LEAKING, "Rows are in two splits.")
    audit = AuditReport((check,), (), "window_returns", 1, 9)
    run = dataclasses.replace(report({"linear": model(0.61, blessed=blessed)}), audit=audit)
    judged = assess(run)
    assert (judged.tone, judged.label) == ("warning", "The evaluation leaks, nothing pushed")
    assert ("linear would have passed without it" in judged.sentence) is blessed


def test_a_suspicion_stands_beside_a_champion() -> None:
    checks = (
        CheckResult("split proof", Status.PASSED, "Nothing is shared."),
        CheckResult("level test", Status.SUSPICIOUS, "The level is seen."),
    )
    audit = AuditReport(checks, (), "closes", 1, 9)
    run = report({"linear": model(0.526, blessed=True)}, champion="linear")
    judged = assess(dataclasses.replace(run, audit=audit))
    assert assess(run).tone == "good"
    assert (judged.tone, judged.label) == ("warning", "Champion: linear, but look at the leak audit first")
    assert "the leak audit is suspicious (level test)" in judged.sentence
    assert assess(dataclasses.replace(run, audit=dataclasses.replace(audit, checks=checks[:1]))) == assess(run)


LEVEL = CheckResult("level test", Status.SUSPICIOUS, "The level is seen.")


def audited(*checks: CheckResult) -> AuditReport:
    return AuditReport(checks, ("linear",), "closes", 1, 9)


@pytest.mark.parametrize("champion", [None, "linear"])
@pytest.mark.parametrize("market", [None, NULL, REVERSAL])
def test_no_verdict_reads_past_a_baseline_that_is_too_good(champion: str | None, market: MarketSummary | None) -> None:
    baselines = {"lightgbm": {"auc": Interval(0.802, 0.79, 0.814, 0.006)}}
    run = report({"linear": model(0.507, blessed=champion is not None)}, champion, market, baselines=baselines)
    judged = assess(run)
    assert judged.tone == "warning"
    assert "lightgbm, 0.8020" in judged.sentence
    assert "right answer" not in judged.sentence
    assert judged.label.endswith("an AUC cannot be honest" if champion else "cannot be honest, nothing pushed")


@pytest.mark.parametrize("champion", [None, "linear"])
def test_a_baseline_that_is_hardly_plausible_is_said_beside_the_verdict(champion: str | None) -> None:
    baselines = {"lightgbm": {"auc": Interval(0.5441, 0.5341, 0.5541, 0.005)}}
    run = report({"linear": model(0.515, blessed=champion is not None)}, champion, baselines=baselines)
    judged = assess(run)
    assert judged.tone == "warning"
    assert "but the AUC of lightgbm, 0.5441" in judged.sentence
    assert not re.search(r"[.!?]\s", judged.sentence)


def test_a_run_whose_blessed_models_are_held_back_says_why_and_what_to_do() -> None:
    models = {"linear": model(0.548, blessed=True), "dnn": model(0.55, blessed=True), "rnn": model(0.5)}
    held = dict.fromkeys(models, ("alarm",))
    judged = assess(report(models, audit=audited(LEVEL), held_back=held))
    assert (judged.tone, judged.label) == ("warning", "Suspicious, nothing pushed")
    assert "dnn reaches AUC 0.550" in judged.sentence
    assert "is held back, and so is linear: the leak audit is suspicious (alarm)" in judged.sentence
    assert "points to a leak rather than to skill" in judged.sentence
    assert "--accept-suspicion 'alarm'" in judged.sentence
    # To accept the first of two alone would push nothing.
    judged = assess(report(models, audit=audited(LEVEL), held_back=dict.fromkeys(models, ("alarm", "level test"))))
    assert "--accept-suspicion 'alarm' --accept-suspicion 'level test'" in judged.sentence


def test_what_is_held_back_beside_a_champion_and_what_was_accepted_are_named() -> None:
    models = {"linear": model(0.526, blessed=True), "rnn": model(0.529, blessed=True), "dnn": model(0.5)}
    alone = CheckResult("weekends", Status.SUSPICIOUS, "rnn trades on Sundays.", models=("rnn",))
    run = report(
        models,
        champion="linear",
        audit=audited(LEVEL, alone),
        held_back={"rnn": ("weekends",)},
        accepted={"level test": "awesome.toml"},
    )
    sentence = assess(run).sentence
    assert "rnn is blessed too but held back (weekends)" in sentence
    assert sentence.endswith("that level test is suspicious was accepted (awesome.toml).")
    assert "look at that before you believe it" in sentence
    only = dataclasses.replace(run, audit=audited(LEVEL), held_back={})
    assert (assess(only).tone, assess(only).label) == ("good", "Champion: linear")
