"""What the numbers say: a sentence for each experiment, and the original's two claims, judged."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from components.evidence.day_leak import day_leak_auc
from components.evidence.interval import Interval, normal_interval
from components.evidence.words import figure, low_to_high, signed
from models.features import TIME
from pipeline.studies.experiments import original
from pipeline.studies.experiments.catalogue import Experiment
from pipeline.studies.experiments.panels import Split
from pipeline.studies.experiments.scores import Score

Verdict = Literal["leak", "no leak", "not shown"]


@dataclass(frozen=True)
class Finding:
    """One experiment on one panel at one horizon, under both splits.

    Attributes:
        panel: shipped or market.
        horizon: sessions ahead.
        experiment: what was trained.
        correlation: mean pairwise, as measured.
        shuffled: its score where rows are dealt out at random.
        dated: its score where the test follows the train split in time.
    """

    panel: str
    horizon: int
    experiment: Experiment
    correlation: float
    shuffled: Score
    dated: Score

    @property
    def inflation(self) -> Interval:
        """Shuffled AUC minus dated AUC; the two are of different test rows and taken as independent."""
        return difference(self.shuffled.auc, self.dated.auc)

    @property
    def verdict(self) -> Verdict:
        """A leak where the shuffled AUC's interval lies above chance and, as a whole, above the dated one's.

        "no leak" only where the shuffled AUC is not above chance either. In between nothing is shown: at 20 sessions a
        dated interval is so wide that it would hide a leak, and that must not be called none.
        """
        shuffled, dated = self.shuffled.auc, self.dated.auc
        if any(math.isnan(value) for value in (shuffled.low, dated.high)):
            return "not shown"
        if shuffled.low > max(dated.high, 0.5):
            return "leak"
        return "not shown" if shuffled.low > 0.5 or self.inflation.low > 0 else "no leak"

    @property
    def knows_the_day(self) -> bool:
        """Whether the day is a feature."""
        return TIME in self.experiment.formatter.sources

    @property
    def sentence(self) -> str:
        """What the row says, in words made of its numbers."""
        change = self.inflation
        areas = f"AUC {figure(self.shuffled.auc)} shuffled, {figure(self.dated.auc)} dated"
        said = f"{self.experiment.name}: {self.verdict}. {areas}"
        if self.verdict == "leak":
            said += f": {_change(change)} that no future day gives"
        elif self.verdict == "not shown":
            said += f": {self._why_not_shown}"
            if self.panel == "market":
                said += "; as nothing can be known of this market, what is above 0.5 is leak or luck"
        else:
            said += f": no more shuffled than dated, beyond what luck gives ({_change(change)})"
        if self.knows_the_day:
            limit = day_leak_auc(self.correlation)
            said += (
                f". The day is a feature; a market factor of correlation {self.correlation:.2f} predicts "
                f"{self.shuffled.predicted:.3f} from the {self.shuffled.known:.1f} rows of a day that were trained on "
                f"({limit:.3f} from very many)"
            )
        elif self.verdict == "leak":
            said += ". The day is no feature: closes, share or overlapping labels told it; this does not say which"
        return said + "."

    @property
    def _why_not_shown(self) -> str:
        shuffled, change = self.shuffled.auc, _change(self.inflation)
        if any(math.isnan(value) for value in (shuffled.low, self.dated.auc.high)):
            return "an interval cannot be had"
        if shuffled.low <= 0.5:
            return f"more shuffled than dated ({change}), but not above chance"
        if self.inflation.low > 0:
            return f"above chance when shuffled, and more than dated ({change}), but the two intervals overlap"
        return f"above chance when shuffled, but {change} does not set the two apart"


@dataclass(frozen=True)
class TimeGain:
    """What `time` adds to the linear model's AUC: the paired difference on the same test rows, with its interval."""

    panel: str
    horizon: int
    by_split: Mapping[Split, Interval]


@dataclass(frozen=True)
class Claim:
    """One of the original's claims in its own words, what became of it, and a line for each comparison."""

    quote: str
    verdict: str
    evidence: tuple[str, ...]


def difference(first: Interval, second: Interval) -> Interval:
    """The first of two independent figures less the second, with its 95 % interval."""
    return normal_interval(first.value - second.value, math.hypot(first.standard_error, second.standard_error))


def judge_claims(findings: Sequence[Finding], gains: Sequence[TimeGain]) -> tuple[Claim, ...]:
    """Judges those of the original's claims that the experiments made speak of."""
    return tuple(claim for claim in (_time_claim(gains), _horizon_claim(findings)) if claim is not None)


def _time_claim(gains: Sequence[TimeGain]) -> Claim | None:
    leaks = [gain.by_split["shuffled"].low > 0 for gain in gains]
    helps = [gain.by_split["dated"].low > 0 for gain in gains]
    evidence = [
        f"{gain.panel}, horizon {gain.horizon}: `time` changes the AUC by "
        + " and by ".join(f"{_change(change)} {kind}" for kind, change in gain.by_split.items())
        for gain in gains
    ]
    if not evidence:
        return None
    if all(leaks) and not any(helps):
        verdict = (
            "confirmed: it gains under the shuffled split, and no gain beyond its interval is found under the dated one"
        )
    elif any(helps):
        verdict = f"refuted in {sum(helps)} of {len(helps)} cases: `time` helps under the dated split too"
    else:
        verdict = f"open: `time` helps under the shuffled split in {sum(leaks)} of {len(leaks)} cases, dated in none"
    return Claim(original.TIP, verdict, tuple(evidence))


def _horizon_claim(findings: Sequence[Finding]) -> Claim | None:
    by_key = {(f.panel, f.horizon, f.experiment.name): f for f in findings if not f.knows_the_day}
    evidence, easier, harder, skilful = [], 0, 0, 0
    for (panel, horizon, name), one in by_key.items():
        twenty = by_key.get((panel, 20, name))
        if horizon != 1 or twenty is None:
            continue
        dated = difference(one.dated.auc, twenty.dated.auc)
        shuffled = difference(one.shuffled.auc, twenty.shuffled.auc)
        easier += dated.low > 0
        harder += dated.high < 0
        skilful += dated.low > 0 and one.dated.auc.low > 0.5
        evidence.append(
            f"{panel}, {name}: AUC at 1 day minus AUC at 20 is {_change(dated)} dated, {_change(shuffled)} shuffled"
        )
    if not evidence:
        return None
    cases = len(evidence)
    counted = f"1 day is easier beyond the interval in {easier} of {cases} cases, and harder in {harder}"
    if skilful == cases:
        verdict = f"confirmed: under the dated split {counted}"
    elif skilful == 0:
        verdict = f"not confirmed as skill: under the dated split {counted}, never with a 1-day AUC above chance"
    else:
        verdict = f"open: under the dated split {counted}; in {skilful} the 1-day AUC is above chance as well"
    return Claim(original.CONCLUSION, verdict, tuple(evidence))


def _change(difference: Interval) -> str:
    return f"{signed(difference.value)} ({low_to_high(difference.low, difference.high)})"
