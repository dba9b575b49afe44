"""What a run means: judged by its intervals, in a few words and in one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from components.evidence.blessing import CHANCE
from components.evidence.interval import Interval
from components.evidence.words import figure, number
from components.leak_audit.checks.alarm import alarm
from components.leak_audit.limits import PLAUSIBLE_AUC, Limits
from components.leak_audit.results import CheckResult, Status
from components.plausibility.record import name_some, what_to_do
from pipeline.report.words import percent
from pipeline.runs.results import ModelResult, RunReport, Scalar

Tone = Literal["plain", "good", "warning"]


@dataclass(frozen=True)
class Verdict:
    """What a run means.

    Attributes:
        tone: plain (the normal outcome), good (a champion to look at), warning (do not believe it yet).
        label: the outcome in a few words.
        sentence: the outcome in one sentence.
    """

    tone: Tone
    label: str
    sentence: str


def plausible_auc(settings: Mapping[str, Scalar]) -> float:
    """The AUC on real prices above which a leak is likelier than skill; the settings of older runs lack it."""
    value = settings.get("audit_plausible_auc")
    return value if isinstance(value, float) else PLAUSIBLE_AUC


def judge_aucs(report: RunReport) -> CheckResult:
    """What the audit's alarm says of every AUC in a run's table, models and baselines alike, audited or not."""
    models = {name: model.area for name, model in report.models.items()}
    return alarm(models, _limits(report), _baselines(report))


def _limits(report: RunReport) -> Limits:
    market = report.market
    return Limits(plausible_auc(report.settings), market is not None, None if market is None else market.best_auc)


def _baselines(report: RunReport) -> dict[str, Interval]:
    return {name: figures["auc"] for name, figures in report.baselines.items() if "auc" in figures}


def too_high(report: RunReport, model: ModelResult) -> bool:
    """Whether the alarm rings for a model."""
    among = len(report.models) + len(_baselines(report))
    return _limits(report).judge(model.area, among, len(report.models)).severity >= Status.SUSPICIOUS.severity


def assess(report: RunReport) -> Verdict:
    """Judges a run: what it found, and whether to believe it."""
    if report.wrong_prices:
        return _wrong_prices(report)
    if report.audit is not None and report.audit.leaks:
        return _leaking(report)
    aucs = judge_aucs(report)
    if aucs.status is Status.LEAKING:
        return _impossible(report, aucs)
    champion = report.models.get(report.champion) if report.champion is not None else None
    if report.champion is not None and champion is not None:
        judge = _champion_on_real_prices if report.market is None else _champion_on_a_market
        return _with_suspicion(report, judge(report, report.champion, champion), aucs)
    if not report.models:
        return Verdict("plain", "No model", "No model was evaluated in this run.")
    held = [name for name in report.held_back if name in report.models and report.models[name].blessed]
    if held:
        return _with_acceptance(report, _all_held_back(report, held))
    return _with_suspicion(report, _nothing_blessed(report), aucs)


def _beats_chance(model: ModelResult) -> bool:
    """Beyond its 95 % interval; False where there is none."""
    return model.auc_low > CHANCE


def _test_days(report: RunReport) -> str:
    test = report.splits.get("test")
    days = test.sessions if test is not None else 0
    return f"{days:,} test day{'' if days == 1 else 's'}"


def _auc(model: ModelResult) -> str:
    return figure(model.area, what="95 % interval ")


def _wrong_prices(report: RunReport) -> Verdict:
    wrong = report.wrong_prices
    return Verdict(
        "warning",
        "Wrong prices, nothing pushed",
        f"No market makes the returns of {name_some(wrong)}, and models have learned from such prices and were judged "
        "by them, so none of these numbers says how good a model is, and nothing was pushed: "
        f"{what_to_do(wrong, report.data.database)}, and run again.",
    )


def _leaking(report: RunReport) -> Verdict:
    passed = [name for name, model in report.models.items() if model.blessed]
    without = f"; {', '.join(passed)} would have passed without it" if passed else ""
    return Verdict(
        "warning",
        "The evaluation leaks, nothing pushed",
        f"The leak audit found that the evaluation leaks, so none of these numbers says how good a model is, and "
        f"nothing was pushed{without}: the audit names what to look at.",
    )


def _impossible(report: RunReport, aucs: CheckResult) -> Verdict:
    """The verdict where an AUC in the table cannot be honest, and no audit has said so."""
    champion = report.champion
    return Verdict(
        "warning",
        f"Champion: {champion}, but an AUC cannot be honest" if champion else "An AUC cannot be honest, nothing pushed",
        f"{aucs.sentence.removesuffix('.')}, so something leaks the future, and none of these numbers says how good a "
        "model is: check the data, the features and the split.",
    )


def _all_held_back(report: RunReport, held: Sequence[str]) -> Verdict:
    """The verdict where models were blessed, and each of them is held back by a suspicion."""
    name = max(held, key=lambda key: report.models[key].auc)
    checks = report.held_back[name]
    others = [one for one in held if one != name]
    accept = " ".join(f"--accept-suspicion '{check}'" for check in checks)
    too = f", and so {'is' if len(others) == 1 else 'are'} {', '.join(others)}" if others else ""
    return Verdict(
        "warning",
        "Suspicious, nothing pushed",
        f"{name} reaches AUC {_auc(report.models[name])} on {_test_days(report)}, but is held back{too}: the leak "
        f"audit is suspicious ({', '.join(checks)}), which points to a leak rather than to skill, so look at what it "
        f"names, and accept that by name if it is none ({accept}).",
    )


def _with_suspicion(report: RunReport, judged: Verdict, aucs: CheckResult) -> Verdict:
    """The verdict, and what the leak audit found suspicious beside it, if anything: nobody reads past a suspicion."""
    audited = report.audit.suspicious if report.audit is not None else ()
    rings = aucs.status is Status.SUSPICIOUS
    found = [check.name for check in audited if check.name not in report.accepted]
    if judged.tone == "warning" or not (found or (rings and aucs.name not in report.accepted)):
        return _with_acceptance(report, judged)
    label, sentence = judged.label, judged.sentence.removesuffix(".")
    if rings:
        sentence += f"; but {aucs.sentence[:1].lower()}{aucs.sentence[1:].removesuffix('.')}, which points to a leak"
    others = [name for name in found if not (rings and name == aucs.name)]
    if others:
        sentence += f"; but the leak audit is suspicious ({', '.join(others)}): look at that before you believe it"
    plain = judged.tone == "plain" and not rings  # nothing is claimed that could be wrong
    if not plain:
        label += ", but look at the leak audit first" if audited else ", but suspect a leak"
    return _with_acceptance(report, Verdict("plain" if plain else "warning", label, f"{sentence}."))


def _with_acceptance(report: RunReport, judged: Verdict) -> Verdict:
    """The verdict, and which suspicions a person has accepted, and where; and which blessed models are held back."""
    sentence = judged.sentence.removesuffix(".")
    champion = report.champion
    if champion is not None:
        for name, checks in report.held_back.items():
            if report.models[name].blessed and name != champion:
                sentence += f"; {name} is blessed too but held back ({', '.join(checks)})"
    for check, origin in report.accepted.items():
        sentence += f"; that {check} is suspicious was accepted ({origin})"
    return Verdict(judged.tone, judged.label, f"{sentence}.")


def _nothing_blessed(report: RunReport) -> Verdict:
    label = "No model blessed, nothing pushed"
    days = _test_days(report)
    above = {name: model for name, model in report.models.items() if _beats_chance(model)}
    if report.market is not None and report.market.best_auc <= CHANCE + 1e-9:
        return Verdict(
            "plain",
            label,
            f"No model was blessed on {days} of the synthetic market {report.market.scenario}, and there is no signal "
            "in it to be found: this is the right answer.",
        )
    if above:
        name = max(above, key=lambda key: above[key].auc)
        why = (above[name].reason or "no reason was given").rstrip(".")
        plausible = plausible_auc(report.settings)
        leak = report.market is None and too_high(report, above[name])
        return Verdict(
            "warning" if leak else "plain",
            label,
            f"No model was blessed on {days}: {name} is above chance with AUC {_auc(above[name])} but did not pass "
            f"({why}), so nothing new was pushed"
            + (f", and an AUC above {plausible:.4g} on real daily prices points to a leak." if leak else "."),
        )
    if report.market is not None and math.isfinite(report.market.best_auc):
        return Verdict(
            "plain",
            label,
            f"No model beats chance beyond its 95 % interval on {days} of the synthetic market "
            f"{report.market.scenario}, where an AUC of {number(report.market.best_auc)} is possible: these models or "
            "this much data cannot find the signal that is there.",
        )
    if report.market is not None:
        return Verdict(
            "plain",
            label,
            f"No model beats chance beyond its 95 % interval on {days} of the synthetic market "
            f"{report.market.scenario}, and it is not known how much there is to be found.",
        )
    return Verdict(
        "plain",
        label,
        f"No model beats chance beyond its 95 % interval on {days}: do not trade on these numbers; that is the "
        "normal outcome on daily prices of large shares.",
    )


def _champion_on_real_prices(report: RunReport, name: str, model: ModelResult) -> Verdict:
    days = _test_days(report)
    plausible = plausible_auc(report.settings)
    if too_high(report, model):
        return Verdict(
            "warning",
            f"Champion: {name}, but suspect a leak",
            f"{name} reaches AUC {_auc(model)} on {days}, and more than {plausible:.4g} on real daily prices points to "
            "a leak rather than to skill: check the data, the features and the split before you believe it.",
        )
    tried = len(report.models)
    best_of = f", the best of {tried} models tried" if tried > 1 else ""
    if not model.auc_low > CHANCE:
        rest = "its 95 % interval still contains 0.5, so it may well be luck: watch it, do not trade on it."
    else:
        rest = "a small edge before any costs: see that it holds in every year before you rely on it."
    return Verdict(
        "good", f"Champion: {name}", f"{name}{best_of}, beats chance on {days} with AUC {_auc(model)}; {rest}"
    )


def _champion_on_a_market(report: RunReport, name: str, model: ModelResult) -> Verdict:
    market = report.market
    assert market is not None
    days = _test_days(report)
    where = f"on {days} of the synthetic market {market.scenario}"
    if market.best_auc <= CHANCE + 1e-9:
        return Verdict(
            "warning",
            f"Champion: {name}, by luck",
            f"{name} passed with AUC {_auc(model)} {where}, in which there is no signal: this is luck, as "
            "it is in one first run of forty, and ever on at most one test stretch of twenty.",
        )
    if too_high(report, model):
        return Verdict(
            "warning",
            f"Champion: {name}, better than possible",
            f"{name} reaches AUC {_auc(model)} {where}, and no honest model exceeds {number(market.best_auc)} there: "
            "something leaks the future.",
        )
    skill = "" if model.skill is None or not math.isfinite(model.skill) else f", a skill of {percent(model.skill)}"
    best = f", where {number(market.best_auc)} is the best possible" if math.isfinite(market.best_auc) else ""
    return Verdict(
        "good",
        f"Champion: {name}",
        f"{name} reaches AUC {_auc(model)} {where}{best}{skill}: the pipeline finds the signal that was put there, "
        "which says nothing about real prices.",
    )
