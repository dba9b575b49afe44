"""The scores of a walk: by fold, by calendar year and over all folds, each model's with its intervals."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.evidence.interval import Interval

if TYPE_CHECKING:
    import pandas as pd

FOLD, HORIZON = "fold", "horizon"
_NOT_A_MODEL = (HORIZON, FOLD, "time", "share_id", "label", "forward_return", "next_return")
"""The columns of predictions that hold no probability."""


_LEAST_HORIZONS = 4
"""Days of a part, in horizons, below which it gets no interval: four blocks, each at least as long as labels overlap.

The stub of a year would else have a narrow one, as all of its labels are made of much the same returns.
"""


@dataclass(frozen=True)
class Score:
    """How a model did on a part of the tested days.

    Attributes:
        auc: over pairs of rows of one fold, with its 95 % interval from blocks of days; the ends are NaN on fewer days
            than four horizons.
        accuracy: share of rows whose direction was called right at a threshold of 0.5.
        rank_ic: mean over days of the rank correlation of probability and forward return, with its interval.
    """

    auc: Interval
    accuracy: float
    rank_ic: Interval


@dataclass(frozen=True)
class Part:
    """A part of the tested days and how every model did on it.

    Attributes:
        name: "fold 2", "2008" or "all folds".
        first: its first tested session, ISO date.
        last: its last one.
        days: sessions with a labelled row.
        rows: labelled rows.
        majority: accuracy of always naming the part's commoner direction.
        scores: by model.
    """

    name: str
    first: str
    last: str
    days: int
    rows: int
    majority: float
    scores: Mapping[str, Score]


@dataclass(frozen=True)
class HorizonScores:
    """The scores of a walk at one horizon.

    Attributes:
        horizon: sessions ahead.
        folds: one part a fold, in order of time.
        years: one part a calendar year.
        overall: all tested days.
        best_auc: the best possible AUC on a synthetic market, NaN where it is not known; None on real prices.
    """

    horizon: int
    folds: tuple[Part, ...]
    years: tuple[Part, ...]
    overall: Part
    best_auc: float | None = None


def model_columns(predictions: pd.DataFrame) -> list[str]:
    """The columns of predictions that hold probabilities, in their order: models and baselines alike."""
    return [name for name in predictions.columns if name not in _NOT_A_MODEL]


def score_horizon(
    predictions: pd.DataFrame, horizon: int, seed: int = 0, best_auc: float | None = None
) -> HorizonScores:
    """Scores the test predictions of all folds of one horizon.

    Args:
        predictions: one row for each labelled row of the folds' test splits: fold, time (datetime64), share_id, label
            (0 or 1), forward_return, and a column of probabilities for each model.
        horizon: sessions ahead that the labels look.
        seed: of the resampling.
        best_auc: as in HorizonScores.

    Raises:
        ValueError: a probability is missing.
    """
    year = predictions["time"].dt.year

    def part(name: str, rows: pd.Series | None = None) -> Part:
        return _part(name, predictions if rows is None else predictions[rows], horizon, seed)

    return HorizonScores(
        horizon=horizon,
        folds=tuple(part(f"fold {fold}", predictions[FOLD] == fold) for fold in sorted(predictions[FOLD].unique())),
        years=tuple(part(str(one), year == one) for one in sorted(year.unique())),
        overall=part("all folds"),
        best_auc=best_auc,
    )


def _part(name: str, predictions: pd.DataFrame, horizon: int, seed: int) -> Part:
    from components.evidence.accuracy import accuracy, majority
    from components.evidence.auc import auc_interval
    from components.evidence.correlation import rank_ic

    enough = predictions["time"].nunique() >= _LEAST_HORIZONS * horizon
    label, days = predictions["label"].to_numpy(), predictions["time"].to_numpy()
    returns, fold = predictions["forward_return"].to_numpy(), predictions[FOLD].to_numpy()
    scores = {}
    for model in model_columns(predictions):
        probability = predictions[model].to_numpy(dtype=float)
        scores[model] = Score(
            auc=_told(auc_interval(label, probability, days, strata=fold, horizon=horizon, seed=seed), enough),
            accuracy=accuracy(label, probability),
            # A day belongs to one fold, so the correlations within days never compare two fits.
            rank_ic=_told(rank_ic(probability, returns, days, horizon=horizon, seed=seed), enough),
        )
    return Part(
        name=name,
        first=f"{predictions['time'].min():%Y-%m-%d}",
        last=f"{predictions['time'].max():%Y-%m-%d}",
        days=int(predictions["time"].nunique()),
        rows=len(predictions),
        majority=majority(label),
        scores=scores,
    )


def _told(interval: Interval, enough: bool) -> Interval:
    """The interval where there are enough days for one, else the figure alone."""
    return interval if enough else Interval(interval.value, math.nan, math.nan, math.nan)
