"""A try of what Evidence found: what the record beside the database keeps of it (components/trials/record.py).

It also lies beside the findings, so that a record that was deleted can be made again from ML Metadata.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from components.evidence.findings import Findings
from components.evidence.metric import AUC
from components.records import RecordError, from_json, to_json
from components.trials.influence import day_influence
from components.trials.record import Series, Trial, TriedModel, digest, now

if TYPE_CHECKING:
    import pandas as pd

TRIAL_FILE = "trial.json"

RUN, WALK_FORWARD, EXPERIMENT = "run", "walk-forward", "experiment"
"""Kinds of tries."""

_DIGITS = 6
"""Of a probability: what differs behind them is the machine's and no other answer."""


def make_trial(
    findings: Findings,
    predictions: pd.DataFrame,
    horizon: int,
    asked: Mapping[str, str],
    kind: str = RUN,
    time: str = "",
    needed: Mapping[str, float] | None = None,
    returns: Mapping[str, NDArray[np.float64]] | None = None,
) -> Trial:
    """Makes a try of what was found of a run's models.

    Args:
        findings: of the models.
        predictions: time (datetime64), share_id, label, and a column of probabilities for each model.
        horizon: sessions ahead of the label.
        asked: what was asked, in words by name.
        kind: RUN, WALK_FORWARD or EXPERIMENT.
        time: when, UTC; empty for the present.
        needed: by model, how many standard errors above 1/2 its AUC had to be.
        returns: by model, of a long-short portfolio on each test day, [days].
    """
    days = (
        predictions["time"].dt.year * 10_000 + predictions["time"].dt.month * 100 + predictions["time"].dt.day
    ).to_numpy(np.int64)
    labels = predictions["label"].to_numpy(np.int64)
    shares = np.frombuffer("\0".join(predictions["share_id"].astype(str)).encode(), np.uint8)
    rows = digest(days, labels, shares, np.array([horizon]))
    models = []
    for name, found in findings.models.items():
        probability = predictions[name].to_numpy(np.float64)
        area = found.scores[AUC]
        models.append(
            TriedModel(
                name=name,
                auc=area.value,
                error=area.standard_error,
                blessed=found.blessed,
                needed=(needed or {}).get(name, float("nan")),
                answers=digest(np.round(probability, _DIGITS)),
                influence=Series.of(day_influence(labels, probability, days)),
                returns=Series.of(returns[name]) if returns and name in returns else Series(),
            )
        )
    seen = "".join(sorted(one.answers for one in models))
    return Trial(
        id=digest(np.frombuffer(f"{rows}{seen}".encode(), np.uint8)),
        time=time or now(),
        kind=kind,
        asked=dict(asked),
        horizon=horizon,
        rows=rows,
        days=tuple(int(day) for day in np.unique(days)),
        models=tuple(models),
    )


def write_trial(trial: Trial, folder: Path) -> None:
    """Writes a try into the folder of its findings."""
    (folder / TRIAL_FILE).write_text(to_json(trial, indent=None) + "\n", encoding="utf-8")


def read_trial(folder: Path) -> Trial | None:
    """Reads what `write_trial` wrote; None where an older version wrote none, or it cannot be read."""
    try:
        return from_json(Trial, (folder / TRIAL_FILE).read_bytes())
    except (OSError, RecordError):
        return None
