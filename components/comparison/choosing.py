"""Puts combinations on the same rows and chooses the one whose best model has the highest rank IC.

What is compared is the daily rank IC with the return over the horizon, which asks the same of all labels: a label is
that return beside a level of its day, and taking a number off all returns of a day changes no rank. An AUC is that of a
label's own question and cannot be held against another's (docs/comparing.md).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from components.comparison.results import Combination, Comparison
from components.errors import UserError
from components.evidence.auc import auc_interval
from components.evidence.interval import UNKNOWN, Interval
from components.evidence.metric import AUC, RANK_IC
from components.evidence.resampling import DayBlocks
from components.evidence.scores import ScoredModel
from components.evidence.tried import COMPARED, unjudged
from components.trials.record import Trial

_ROW = ["time", "share_id"]


class ComparisonError(UserError):
    """Combinations cannot be compared, or only with themselves."""


@dataclass(frozen=True, eq=False)
class Answered:
    """What the models of one combination answered on the eval split.

    Attributes:
        formatter: name of the DataFormatter.
        label: name of the label.
        models: their names.
        baselines: names of the baselines.
        rows: time (datetime64), share_id, label (0 or 1), forward_return (of the close itself, whatever the label is),
            next_return, and a column of probabilities for each model and baseline.
    """

    formatter: str
    label: str
    models: tuple[str, ...]
    baselines: tuple[str, ...]
    rows: pd.DataFrame


def compare(answered: Sequence[Answered], horizon: int, seed: int) -> Comparison:
    """Compares combinations on the rows that all of them have.

    Args:
        answered: at least two of them.
        horizon: sessions ahead of all labels.
        seed: of the resampling of days.

    Returns:
        What was found. Of combinations that are equally good the first is chosen.

    Raises:
        ComparisonError: they have no rows in common, or no day with two shares that could be ranked.
    """
    common = _common_rows(answered)
    blocks = DayBlocks(common[0]["time"].to_numpy(), horizon=horizon, seed=seed)
    forward = common[0]["forward_return"].to_numpy(np.float64)
    scored = [
        {
            name: ScoredModel(rows["label"].to_numpy(), rows[name].to_numpy(), forward, blocks)
            for name in (*one.models, *one.baselines)
        }
        for one, rows in zip(answered, common, strict=True)
    ]
    best = [_highest(models, one.models) for one, models in zip(answered, scored, strict=True)]
    values = [
        -math.inf if not name else models[name].values[RANK_IC] for name, models in zip(best, scored, strict=True)
    ]
    chosen = int(np.argmax(values))
    if not best[chosen]:
        raise ComparisonError(
            "compare: no day of the eval split has two shares that a model tells apart, and what is compared is how it "
            "ranks the shares of a day; run each formatter and label by itself"
        )
    leader = scored[chosen][best[chosen]]
    combinations = []
    for place, (one, models, name) in enumerate(zip(answered, scored, best, strict=True)):
        rival = _highest(models, one.baselines)
        combinations.append(
            Combination(
                formatter=one.formatter,
                label=one.label,
                best=name,
                rank_ic=_interval(models, name, RANK_IC),
                auc=_interval(models, name, AUC),
                baseline=rival,
                baseline_rank_ic=_interval(models, rival, RANK_IC),
                behind=None if place == chosen else models[name].difference(leader, RANK_IC) if name else UNKNOWN,
                models={model: models[model].interval(RANK_IC) for model in one.models},
            )
        )
    days = np.unique(common[0]["time"].to_numpy().astype("datetime64[D]"))
    return Comparison(str(days[0]), str(days[-1]), len(days), len(forward), tuple(combinations), chosen)


def tries_of(
    answered: Sequence[Answered], chosen: int, tested: tuple[int, int], horizon: int, seed: int
) -> tuple[Trial, ...]:
    """Each combination as a try on the days that it was seen on, those of the eval split.

    One that was not chosen counts on the test days as well, which it was chosen against for: the chosen one is counted
    there once the run has looked at them.

    Args:
        answered: as in `compare`.
        chosen: the place of the chosen one.
        tested: first and last day of the test split, YYYYMMDD.
        horizon: sessions ahead.
        seed: of the resampling, and of the models.
    """
    found = []
    for place, one in enumerate(answered):
        rows = one.rows
        label, days = rows["label"].to_numpy(), rows["time"].to_numpy()
        aucs = {
            name: auc_interval(label, rows[name].to_numpy(), days, horizon=horizon, seed=seed) for name in one.models
        }
        asked = {"models": ", ".join(one.models), "formatter": one.formatter, "seed": str(seed), "label": one.label}
        seen = unjudged(rows, aucs, horizon)
        found.append(replace(seen, kind=COMPARED, asked=asked, compared_for=() if place == chosen else tested))
    return tuple(found)


def _common_rows(answered: Sequence[Answered]) -> list[pd.DataFrame]:
    """The rows of each that all of them have, by day and share."""
    shared = answered[0].rows[_ROW]
    for one in answered[1:]:
        shared = shared.merge(one.rows[_ROW], on=_ROW)
    if shared.empty:
        raise ComparisonError("compare: the combinations have no row of the eval split in common; make it longer")
    shared = shared.sort_values(_ROW, ignore_index=True)
    return [shared.merge(one.rows, on=_ROW, how="left") for one in answered]


def _highest(models: dict[str, ScoredModel], names: Sequence[str]) -> str:
    """Which of them has the highest rank IC, the first of equals; empty where none has any."""
    known = [name for name in names if math.isfinite(models[name].values[RANK_IC])]
    return max(known, key=lambda name: models[name].values[RANK_IC], default="")


def _interval(models: dict[str, ScoredModel], name: str, metric: str) -> Interval:
    return models[name].interval(metric) if name else UNKNOWN
