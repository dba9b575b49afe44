"""The figures that a model is judged by, each with an interval, and the paired differences between models.

All are computed from the same resamples of days (resampling.py), so that the difference of two models has an interval
of its own: what both owe to the same days is no difference between them.

| metric | definition | no skill |
|---|---|---|
| auc | area under the ROC curve | 0.5 |
| accuracy_above_majority | accuracy at 0.5 less that of always calling the split's commoner direction | 0 or less |
| loss_above_base_rate | mean cross-entropy, less that of always giving the test split's share of rises | 0 or more |
| brier | mean squared difference of probability and label | p (1 - p) for the share of rises p |
| calibration_error | mean over ten bins of equal size of the gap between mean probability and share of rises | |
| ic | mean over days of Pearson's correlation of probability and forward return | 0 |
| rank_ic | the same of Spearman's correlation | 0 |
| icir | mean of the daily ic over its standard deviation over days, not annualised | 0 |

Majority and base rate are taken from the test split itself, the best that a constant could have done in hindsight, and
are those of the whole split in every resample.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from components.evidence.auc import Pairs
from components.evidence.correlation import daily_ic, daily_rank_ic
from components.evidence.curves import calibration_bins
from components.evidence.interval import Interval
from components.evidence.resampling import DayBlocks
from components.evidence.rows import checked

AUC = "auc"
ACCURACY = "accuracy_above_majority"
RANK_IC = "rank_ic"
CALIBRATION_ERROR = "calibration_error"

_CALIBRATION_BINS = 10
# Cross-entropy of a sure answer that was wrong would be infinite; TFMA clips there as well.
_SURE = 1e-7


@dataclass(frozen=True)
class Metric:
    """One figure.

    Attributes:
        name: in JSON.
        title: for people.
        higher_is_better: else a lower one is.
        no_skill: its value for a coin or a constant; None where that depends on the data.
        bounds: what it cannot leave; None for no bounds.
    """

    name: str
    title: str
    higher_is_better: bool
    no_skill: float | None
    bounds: tuple[float, float] | None = None


METRICS: Mapping[str, Metric] = MappingProxyType(
    {
        metric.name: metric
        for metric in (
            Metric(AUC, "AUC", True, 0.5, (0.0, 1.0)),
            Metric(ACCURACY, "accuracy - majority class", True, 0.0, (-1.0, 1.0)),
            Metric("loss_above_base_rate", "average loss - base rate", False, 0.0),
            Metric("brier", "Brier score", False, None, (0.0, 1.0)),
            Metric(CALIBRATION_ERROR, "expected calibration error", False, None, (0.0, 1.0)),
            Metric("ic", "IC", True, 0.0, (-1.0, 1.0)),
            Metric(RANK_IC, "rank IC", True, 0.0, (-1.0, 1.0)),
            Metric("icir", "ICIR", True, 0.0),
        )
    }
)

_Sums = Mapping[str, NDArray[Any]]
"""Sums over the rows of a set of days, [...] each, or [..., bins]."""


class ScoredModel:
    """One model's figures on the test split, and what they were on every resample of its days."""

    def __init__(
        self,
        labels: NDArray[Any],
        probabilities: NDArray[Any],
        forward_returns: NDArray[Any],
        blocks: DayBlocks,
    ) -> None:
        """Computes all figures.

        Args:
            labels: array [rows] of 0 and 1.
            probabilities: array [rows] within [0, 1].
            forward_returns: array [rows], the return over the horizon that followed.
            blocks: of the rows' days; models that share one can be compared.

        Raises:
            ValueError: lengths differ, or a value is out of its range.
        """
        positive, probability = checked(labels, probabilities)
        if len(positive) != len(blocks.index) or np.any((probability < 0) | (probability > 1)):
            raise ValueError("need a probability within [0, 1] for each row of the days")
        self._blocks = blocks
        daily = _daily_sums(positive, probability, np.asarray(forward_returns), blocks)
        whole = {name: sums.sum(axis=0) for name, sums in daily.items()}
        statistics = _statistics(whole)
        pairs = Pairs(positive, probability)
        self.values: Mapping[str, float] = {AUC: pairs.auc(None)} | {
            name: float(statistic(whole)) for name, statistic in statistics.items()
        }
        self._drawn: dict[str, NDArray[Any]] = {AUC: blocks.draw(lambda weight: pairs.auc(weight[blocks.index]))}
        resampled = {name: blocks.sums(sums) for name, sums in daily.items()}
        for name, statistic in statistics.items():
            self._drawn[name] = statistic(resampled)
        # How far the bins' gaps move from sample to sample bounds how far their mean size does.
        self._gap_moves = np.abs(_gaps(resampled) - _gaps(whole)).sum(axis=-1)

    def interval(self, metric: str, level: float = 0.95) -> Interval:
        """A figure with its interval.

        The majority class is the better of two constants in hindsight, which a model without skill loses to by chance
        alone; the upper end of accuracy less majority is that of two intervals (Bonferroni), so that it holds 0 as
        often as it should.

        The calibration error cannot be negative, and chance alone makes it positive: an interval around it would leave
        out the truth of a calibrated model. Its interval holds every error that is nearer than the bins' gaps move in
        95 % of the resamples, so it reaches 0 for a calibrated model as often as it should, and is too wide for others.

        Args:
            metric: one of `METRICS`.
            level: coverage, within (0, 1).
        """
        blocks, value, drawn = self._blocks, self.values[metric], self._drawn[metric]
        if metric == ACCURACY:
            estimate = blocks.summarise(value, drawn, level, METRICS[metric].bounds)
            high = blocks.summarise(value, drawn, (1 + level) / 2, METRICS[metric].bounds).high
            return replace(estimate, high=high)
        if metric != CALIBRATION_ERROR or math.isnan(value) or not blocks.enough:
            return blocks.summarise(value, drawn, level, METRICS[metric].bounds)
        reach = float(np.quantile(self._gap_moves, level)) * blocks.standard_error(drawn) / float(np.std(drawn, ddof=1))
        return Interval(value, max(0.0, value - reach), min(1.0, value + reach), blocks.standard_error(drawn))

    def difference(self, other: ScoredModel, metric: str, level: float = 0.95) -> Interval:
        """This model's figure less another's on the same rows, with the paired interval.

        Args:
            other: scored with the same blocks.
            metric: one of `METRICS`.
            level: coverage, within (0, 1).

        Raises:
            ValueError: the other one was scored with other blocks.
        """
        if other._blocks is not self._blocks:
            raise ValueError("only models that were scored on the same blocks of days can be compared")
        drawn = self._drawn[metric] - other._drawn[metric]
        return self._blocks.summarise(self.values[metric] - other.values[metric], drawn, level)


def _daily_sums(positive: NDArray[Any], probability: NDArray[Any], returns: NDArray[Any], blocks: DayBlocks) -> _Sums:
    """What each day adds: arrays [days], and [days, bins] for the calibration error."""
    days = len(blocks.unique)

    def sums(values: NDArray[Any] | None = None) -> NDArray[Any]:
        return np.bincount(blocks.index, values, minlength=days).astype(np.float64)

    clipped = np.clip(probability, _SURE, 1 - _SURE)
    bins = calibration_bins(probability, _CALIBRATION_BINS)
    cell = blocks.index * _CALIBRATION_BINS + bins
    gaps = np.bincount(cell, probability - positive, minlength=days * _CALIBRATION_BINS)
    _, ic = daily_ic(probability, returns, blocks.index)
    _, rank_ic = daily_rank_ic(probability, returns, blocks.index)
    return {
        "rows": sums(),
        "up": sums(positive),
        "called": sums((probability > 0.5) == positive),
        "loss": sums(-np.where(positive, np.log(clipped), np.log1p(-clipped))),
        "squared": sums((probability - positive) ** 2),
        "gaps": gaps.reshape(days, _CALIBRATION_BINS),
        "ic_days": (~np.isnan(ic)).astype(np.float64),
        "ic": np.nan_to_num(ic),
        "ic_squared": np.nan_to_num(ic) ** 2,
        "rank_ic_days": (~np.isnan(rank_ic)).astype(np.float64),
        "rank_ic": np.nan_to_num(rank_ic),
    }


def _statistics(whole: _Sums) -> dict[str, Callable[[_Sums], NDArray[Any]]]:
    """Every figure but the AUC as a function of sums; nan where it is undefined."""
    # The commoner direction is that of the whole split in every resample: it is a baseline, not a second model.
    rises = bool(whole["up"] * 2 >= whole["rows"])

    def accuracy_above_majority(s: _Sums) -> NDArray[Any]:
        return _ratio(s["called"] - (s["up"] if rises else s["rows"] - s["up"]), s["rows"])

    # So is the base rate. Taken anew from each resample, how far it strays by chance would widen the interval: at 20
    # sessions ahead it would then hold the truth in every case.
    rate = np.clip(_ratio(whole["up"], whole["rows"]), _SURE, 1 - _SURE)

    def loss_above_base_rate(s: _Sums) -> NDArray[Any]:
        up, down = s["up"], s["rows"] - s["up"]
        return _ratio(s["loss"] + up * np.log(rate) + down * np.log1p(-rate), s["rows"])

    def icir(s: _Sums) -> NDArray[Any]:
        mean = _ratio(s["ic"], s["ic_days"])
        variance = (s["ic_squared"] - s["ic_days"] * mean**2) / np.maximum(s["ic_days"] - 1, 1)
        return _ratio(mean, np.sqrt(np.maximum(variance, 0.0)))

    return {
        ACCURACY: accuracy_above_majority,
        "loss_above_base_rate": loss_above_base_rate,
        "brier": lambda s: _ratio(s["squared"], s["rows"]),
        CALIBRATION_ERROR: lambda s: np.abs(_gaps(s)).sum(axis=-1),
        "ic": lambda s: _ratio(s["ic"], s["ic_days"]),
        RANK_IC: lambda s: _ratio(s["rank_ic"], s["rank_ic_days"]),
        "icir": icir,
    }


def _gaps(sums: _Sums) -> NDArray[Any]:
    """Of each bin, mean probability less share of rises, weighted by the bin's share of the rows: [..., bins]."""
    return _ratio(sums["gaps"], np.asarray(sums["rows"])[..., None])


def _ratio(above: Any, below: Any) -> NDArray[Any]:
    above, below = np.broadcast_arrays(np.asarray(above, np.float64), np.asarray(below, np.float64))
    return np.divide(above, below, out=np.full(above.shape, np.nan), where=below != 0)
