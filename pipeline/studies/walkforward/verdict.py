"""What a walk means: in how many folds and years a model is above chance, and whether luck would give as much."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from components.evidence.blessing import CHANCE
from components.evidence.words import figure, number
from components.leak_audit.checks.alarm import alarm
from components.leak_audit.limits import Limits
from components.leak_audit.results import Status
from pipeline.report.verdict import Tone, Verdict
from pipeline.studies.walkforward.scores import HorizonScores, Part

LUCK = 0.05
"""Below this probability, what was found is called more than luck."""

_ABOVE_BY_LUCK = 0.025
"""How often the 95 % interval of a model that knows nothing lies wholly above chance."""


@dataclass(frozen=True)
class Count:
    """Of some parts of the tested days, those on which a model's interval lies wholly above chance.

    Attributes:
        above: how many.
        parts: how many have an interval.
        probability: that a model without skill has as many or more, were the parts independent.
    """

    above: int
    parts: int
    probability: float


@dataclass(frozen=True)
class Finding:
    """What a walk says at one horizon, judged by the model that is above chance in most folds.

    Attributes:
        horizon: sessions ahead.
        model: that model; of several, the one with the highest AUC over all folds.
        models: how many were tried.
        folds: its folds.
        years: its calendar years.
        probability: that the best of as many models without skill has as many folds or more; at the most, since models
            that agree count as fewer.
        tone: plain, good or warning, as of a run's verdict.
        label: the outcome in a few words.
        sentence: the outcome in one sentence.
    """

    horizon: int
    model: str
    models: int
    folds: Count
    years: Count
    probability: float
    tone: Tone
    label: str
    sentence: str


def count_above(parts: Sequence[Part], model: str) -> Count:
    """Counts the parts on which a model's interval lies above chance, by luck 2.5 % of each."""
    intervals = [part.scores[model].auc for part in parts if math.isfinite(part.scores[model].auc.low)]
    above = sum(interval.low > CHANCE for interval in intervals)
    return Count(above, len(intervals), _at_least(above, len(intervals)))


def _at_least(successes: int, trials: int) -> float:
    """P(X >= successes) of a binomial variable."""
    return math.fsum(
        math.comb(trials, k) * _ABOVE_BY_LUCK**k * (1 - _ABOVE_BY_LUCK) ** (trials - k)
        for k in range(successes, trials + 1)
    )


def find(scores: HorizonScores, plausible: float) -> Finding:
    """Judges a horizon; an AUC above `plausible` on real prices is suspected of a leak."""
    models = scores.overall.scores

    def rank(name: str) -> tuple[int, float]:
        auc = models[name].auc.value
        return count_above(scores.folds, name).above, auc if math.isfinite(auc) else 0

    model = max(models, key=rank)
    folds, years = count_above(scores.folds, model), count_above(scores.years, model)
    probability = min(1.0, folds.probability * len(models))
    more = probability < LUCK
    best_of = f", the best of {len(models)} models," if len(models) > 1 else ""
    said = (
        f"Horizon {scores.horizon}: the 95 % interval of {model}{best_of} lies above chance in {folds.above} of "
        f"{folds.parts} folds and {years.above} of {years.parts} years"
    )
    if not folds.parts:
        said = f"Horizon {scores.horizon}: no fold has enough days for an interval"
    pooled = f"its AUC over all folds is {figure(models[model].auc, what='95 % interval ')}"
    luck = (
        "which is what luck gives"
        if not folds.above
        else f"which {'the best of as many models' if len(models) > 1 else 'a model'} without skill reaches with a "
        f"probability of {_percent(probability, at_most=len(models) > 1)}: "
        + ("more than luck" if more else "no more than luck may give")
    )
    tone, label, rest = _judge(scores, model, more, plausible)
    return Finding(
        horizon=scores.horizon,
        model=model,
        models=len(models),
        folds=folds,
        years=years,
        probability=probability,
        tone=tone,
        label=label,
        sentence=f"{said}, {luck}; {pooled}{rest}.",
    )


def _judge(scores: HorizonScores, model: str, more: bool, plausible: float) -> tuple[Tone, str, str]:
    """Tone, label and what else has to be said."""
    label = "more than luck" if more else "no more than luck"
    aucs = {name: score.auc for name, score in scores.overall.scores.items()}
    judged = alarm(aucs, Limits(plausible, scores.best_auc is not None, scores.best_auc))
    if judged.status.severity >= Status.SUSPICIOUS.severity:
        if scores.best_auc is None and aucs[model].value > plausible:
            return "warning", "suspect a leak", f", and more than {plausible:.4g} on real daily prices points to a leak"
        said = f"{judged.sentence[:1].lower()}{judged.sentence[1:].removesuffix('.')}"
        where = ", on a market without any signal" if scores.best_auc == CHANCE else ""
        return "warning", "suspect a leak", f"; {said}, which points to a leak{where}"
    if scores.best_auc is None:
        return ("good" if more else "plain"), label, ", before any costs" if more else ""
    if scores.best_auc <= CHANCE + 1e-9:
        return ("warning" if more else "plain"), label, ", on a market without any signal"
    best = "" if math.isnan(scores.best_auc) else f", where {number(scores.best_auc)} is the best possible"
    return ("good" if more else "plain"), label, best


def summarise(findings: Sequence[Finding]) -> Verdict:
    """The verdict on a whole walk; its sentence holds one for each horizon."""
    tones = [finding.tone for finding in findings]
    tone: Tone = "warning" if "warning" in tones else "good" if "good" in tones else "plain"
    labels = dict.fromkeys(finding.label for finding in findings)
    if len(labels) == 1:
        label = next(iter(labels))
    else:
        label = "; ".join(
            f"horizon {', '.join(str(one.horizon) for one in findings if one.label == label)}: {label}"
            for label in labels
        )
    return Verdict(tone, label[:1].upper() + label[1:], " ".join(finding.sentence for finding in findings))


def _percent(probability: float, at_most: bool) -> str:
    if probability < 0.001:
        return "less than 0.1%"
    return f"{'at most ' if at_most else ''}{100 * probability:.{0 if probability >= 0.1 else 1}f}%"
