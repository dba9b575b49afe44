"""Experiments count as tries: each training, on the test days that it answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd

from components.evidence.auc import auc_interval
from components.evidence.tried import EXPERIMENT, unjudged
from components.feature_store import FeatureStore
from components.trials.record import Trial, append, record_path
from pipeline.job.prices import SHIPPED_SOURCE
from pipeline.studies.experiments.answers import Answers
from pipeline.studies.experiments.catalogue import EXPERIMENTS
from pipeline.studies.experiments.panels import Panel, Split

Key = tuple[str, int, Split, str]
"""Panel, horizon, split, experiment."""


def count_tries(
    database: Path | None, panels: Sequence[Panel], answers: Mapping[Key, Answers], epochs: int, seed: int
) -> int:
    """Adds every training to the record beside the database of its panel.

    Args:
        database: the user's own; what was tried on the shipped prices counts there too, where it holds these alone.
        panels: that were answered.
        answers: of every training.
        epochs: that each was trained.
        seed: of everything random.

    Returns:
        How many tries were new to the panels' records.

    Raises:
        TrialsError: a record cannot be read or written.
    """
    new = 0
    for panel in panels:
        trials = [_trial(key, made, epochs, seed) for key, made in answers.items() if key[0] == panel.name]
        new += append(record_path(panel.store), trials)
        if panel.name == "shipped" and database is not None and _holds_shipped_prices(database):
            append(record_path(database), trials)
    return new


def _trial(key: Key, answers: Answers, epochs: int, seed: int) -> Trial:
    _, horizon, split, name = key
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime(answers.time.astype(str), format="%Y%m%d"),
            "share_id": answers.share_id,
            "label": answers.label,
            name: answers.probability,
        }
    )
    area = auc_interval(answers.label, answers.probability, answers.time, horizon=horizon, seed=seed)
    asked = {
        "experiment": name,
        "formatter": EXPERIMENTS[name].formatter.name,
        "split": split,
        "epochs": str(epochs),
        "seed": str(seed),
    }
    return replace(unjudged(frame, {name: area}, horizon), kind=EXPERIMENT, asked=asked)


def _holds_shipped_prices(database: Path) -> bool:
    """Whether a database was made of the shipped prices and holds no others."""
    if not database.is_file():
        return False
    with FeatureStore.open(database) as store:
        return {share.source for share in store.shares()} == {SHIPPED_SOURCE}
