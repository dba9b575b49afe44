"""A try of what Evidence found: what the record beside the database keeps of it (components/trials/record.py).

It also lies beside the findings, so that a record that was deleted can be made again from ML Metadata.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from components.evidence.findings import Findings
from components.evidence.interval import Interval
from components.evidence.metric import AUC
from components.records import RecordError, from_json, to_json
from components.trials.influence import day_influence
from components.trials.record import Series, Trial, TriedModel, digest, now

if TYPE_CHECKING:
    import pandas as pd

TRIAL_FILE = "trial.json"
TRIAL_PROPERTY = "trial"
"""Of the Evidence artifact: the id of its try, which ML Metadata knows after the artifact's folder is gone."""

RUN, WALK_FORWARD, EXPERIMENT, JUDGED, RETRAINED = "run", "walk-forward", "experiment", "judged", "retraining"
COMPARED, SEARCH = "comparison", "search"
"""Kinds of tries; these two are on the eval split."""

_DIGITS = 6
"""Of a probability: what differs behind them is the machine's and no other answer."""

_FIFTH = 0.2


def unjudged(
    predictions: pd.DataFrame, aucs: Mapping[str, Interval], horizon: int, scores: Collection[str] = ()
) -> Trial:
    """A try before anybody has judged it: what a hurdle needs to know of it.

    Args:
        predictions: time (datetime64), share_id, label, next_return where it is known, and a column of probabilities
            for each model.
        aucs: of each model, with its standard error.
        horizon: sessions ahead of the label.
        scores: the columns that hold scores, not probabilities.
    """
    days = days_of(predictions)
    labels = predictions["label"].to_numpy(np.int64)
    shares = np.frombuffer("\0".join(predictions["share_id"].astype(str)).encode(), np.uint8)
    rows = digest(days, labels, shares, np.array([horizon]))
    # Predictions of older versions do not have it.
    following = predictions["next_return"].to_numpy(np.float64) if "next_return" in predictions else None
    models = []
    for name, area in aucs.items():
        probability = predictions[name].to_numpy(np.float64)
        models.append(
            TriedModel(
                name=name,
                auc=area.value,
                error=area.standard_error,
                blessed=False,
                needed=float("nan"),
                answers=digest(_ranks(probability) if name in scores else np.round(probability, _DIGITS)),
                influence=Series.of(day_influence(labels, probability, days)),
                returns=Series() if following is None else Series.of(day_spreads(probability, following, days)),
            )
        )
    seen = "".join(sorted(one.answers for one in models))
    return Trial(
        id=digest(np.frombuffer(f"{rows}{seen}".encode(), np.uint8)),
        time=now(),
        kind=RUN,
        asked={},
        horizon=horizon,
        rows=rows,
        days=tuple(int(day) for day in np.unique(days)),
        models=tuple(models),
    )


def _ranks(scores: NDArray[np.float64]) -> NDArray[np.int64]:
    """The order of scores, which is all that they say: on another scale they are the same answers."""
    ranks: NDArray[np.int64] = np.unique(scores, return_inverse=True)[1].reshape(-1).astype(np.int64)
    return ranks


def days_of(predictions: pd.DataFrame) -> NDArray[np.int64]:
    """The day of each row as YYYYMMDD, [rows]."""
    time = predictions["time"].dt
    days: NDArray[np.int64] = (time.year * 10_000 + time.month * 100 + time.day).to_numpy(np.int64)
    return days


def judged(trial: Trial, findings: Findings, asked: Mapping[str, str], kind: str = RUN, time: str = "") -> Trial:
    """A try with what came of it.

    Args:
        trial: as `unjudged` made it.
        findings: of its models.
        asked: what was asked, in words by name.
        kind: RUN, WALK_FORWARD, EXPERIMENT or JUDGED.
        time: when, UTC; empty for when the try was made.
    """
    models = tuple(
        replace(
            model,
            blessed=findings.models[model.name].blessed,
            needed=findings.hurdle.needed_by(model.name) if findings.hurdle else float("nan"),
        )
        for model in trial.models
    )
    return replace(trial, models=models, asked=dict(asked), kind=kind, time=time or trial.time)


def make_trial(
    findings: Findings,
    predictions: pd.DataFrame,
    horizon: int,
    asked: Mapping[str, str],
    kind: str = RUN,
    time: str = "",
) -> Trial:
    """Makes a try of what was found of a run's models and their answers; arguments as in `unjudged` and `judged`."""
    aucs = {name: found.scores[AUC] for name, found in findings.models.items()}
    return judged(unjudged(predictions, aucs, horizon), findings, asked, kind, time)


def day_spreads(
    scores: NDArray[np.float64], returns: NDArray[np.float64], days: NDArray[np.generic]
) -> NDArray[np.float64]:
    """What the best fifth of a day's scores returned beyond the worst fifth, before costs.

    Shares that tie at a border have its places in equal parts.

    Args:
        scores: array [rows].
        returns: array [rows], to the next session; rows where it is NaN are left out.
        days: array [rows] of anything that sorts in time.

    Returns:
        Array [days] in the order of the distinct days, 0 where a day has fewer than two shares with a return.
    """
    unique, day = np.unique(days, return_inverse=True)
    day = day.reshape(-1)
    held = np.flatnonzero(np.isfinite(returns))
    count = np.bincount(day[held], minlength=len(unique))
    places = np.clip(np.floor(_FIFTH * count + 0.5), 1, np.maximum(count // 2, 1))
    spread = np.zeros(len(unique))
    for sign in (1.0, -1.0):
        order = held[np.lexsort((-sign * scores[held], day[held]))]
        of_day, score = day[order], scores[order]
        rank = np.arange(len(order)) - (np.cumsum(count) - count)[of_day]
        new = np.append(True, (np.diff(of_day) != 0) | (np.diff(score) != 0))[: len(order)]
        tie = np.cumsum(new) - 1
        inside = (rank < places[of_day]).astype(np.float64)
        weight = (np.bincount(tie, inside) / np.bincount(tie))[tie] / places[of_day]
        spread += sign * np.bincount(of_day, weight * returns[order], minlength=len(unique))
    return np.where(count > 1, spread, 0.0)


def write_trial(trial: Trial, folder: Path) -> None:
    """Writes a try into the folder of its findings."""
    (folder / TRIAL_FILE).write_text(to_json(trial, indent=None) + "\n", encoding="utf-8")


def read_trial(folder: Path) -> Trial | None:
    """Reads what `write_trial` wrote; None where an older version wrote none, or it cannot be read."""
    try:
        return from_json(Trial, (folder / TRIAL_FILE).read_bytes())
    except (OSError, RecordError):
        return None
