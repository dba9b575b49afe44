"""What a run means: judged by its intervals, in a few words and in one sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from components.evidence.blessing import CHANCE
from components.evidence.interval import error_of_ends
from components.evidence.words import figure, number
from components.leak_audit.limits import PLAUSIBLE_AUC
from components.leak_audit.results import Status
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


def assess(report: RunReport) -> Verdict:
    """Judges a run: what it found, and whether to believe it."""
    if report.wrong_prices:
        return _wrong_prices(report)
    if report.audit is not None and report.audit.leaks:
        return _leaking(report)
    champion = report.models.get(report.champion) if report.champion is not None else None
    if report.champion is not None and champion is not None:
        judge = _champion_on_real_prices if report.market is None else _champion_on_a_market
        return _with_suspicion(report, judge(report, report.champion, champion))
    if not report.models:
        return Verdict("plain", "No model", "No model was evaluated in this run.")
    return _nothing_blessed(report)


def standard_error(model: ModelResult) -> float:
    """The standard error of an AUC: as measured, else recovered from its 95 % interval; NaN where there is none."""
    if math.isfinite(model.auc_standard_error):
        return model.auc_standard_error
    return error_of_ends(model.auc_low, model.auc_high)


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


def _with_suspicion(report: RunReport, judged: Verdict) -> Verdict:
    """The verdict on a champion, and what the leak audit found suspicious, if anything."""
    found = [check.name for check in report.audit.checks if check.status is Status.SUSPICIOUS] if report.audit else []
    if not found or judged.tone == "warning":
        return judged
    return Verdict(
        "warning",
        f"{judged.label}, but look at the leak audit first",
        f"{judged.sentence.removesuffix('.')}; but the leak audit is suspicious ({', '.join(found)}): look at that "
        "before you believe it.",
    )


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
        leak = report.market is None and above[name].auc > plausible
        return Verdict(
            "warning" if leak else "plain",
            label,
            f"No model was blessed on {days}: {name} is above chance with AUC {_auc(above[name])} but did not pass "
            f"({why}), so nothing new was pushed"
            + (f", and an AUC above {plausible:.4g} on real daily prices points to a leak." if leak else "."),
        )
    if report.market is not None:
        return Verdict(
            "plain",
            label,
            f"No model beats chance beyond its 95 % interval on {days} of the synthetic market "
            f"{report.market.scenario}, where an AUC of {number(report.market.best_auc)} is possible: these models or "
            "this much data cannot find the signal that is there.",
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
    if model.auc > plausible:
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
            "it is in one run of forty.",
        )
    # The best possible model lies above its own expectation by three standard errors once in 700 runs.
    if model.auc - market.best_auc > 3 * standard_error(model):
        return Verdict(
            "warning",
            f"Champion: {name}, better than possible",
            f"{name} reaches AUC {_auc(model)} {where}, and no honest model exceeds {number(market.best_auc)} there: "
            "something leaks the future.",
        )
    skill = "" if model.skill is None or not math.isfinite(model.skill) else f", a skill of {percent(model.skill)}"
    return Verdict(
        "good",
        f"Champion: {name}",
        f"{name} reaches AUC {_auc(model)} {where}, where {number(market.best_auc)} is the best possible{skill}: the "
        "pipeline finds the signal that was put there, which says nothing about real prices.",
    )
