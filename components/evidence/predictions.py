"""The answers of every candidate, predecessor and baseline on a split, all on the same rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import tensorflow as tf
import tensorflow_transform as tft
from tfx.utils import path_utils

from components.evidence.baselines import BASELINES, MOST_ROWS, table_of
from models.data import (
    RAW_FEATURES,
    Column,
    expected_rows,
    load_rows,
    raw_feature_spec,
    record_batches,
    row_reader,
)
from models.features import SHARE_ID, TIME
from models.formatters import DataFormatter
from models.formatters.window_returns import FORMATTER as WINDOW_RETURNS
from models.labels import Label
from models.labels.up import LABEL as UP
from models.loaded import loaded_model
from models.serving import PROBABILITY
from models.transform_graph import TransformGraph
from models.twin.proof import Proof
from models.twin.proving import prove

TEST = "test"
"""The split that findings are of."""


PROVEN = 2_000
"""Test rows at random that a twin is compared on: its exact arithmetic takes longer than the model's, and what is
wrong in one row of 400 is so found in 99 of 100 runs."""

_SUREST = 100
"""Of each model and either direction, rows that are among them in any case."""


def split_pattern(examples_uri: str, split: str) -> list[str]:
    """The files of a split of an Examples artifact."""
    return [f"{examples_uri}/Split-{split}/*"]


def ask_models(examples_uri: str, models: Mapping[str, str], split: str = TEST) -> dict[str, npt.NDArray[np.float64]]:
    """Asks each model's `serving_default` about a split, as TF Serving would.

    Args:
        examples_uri: of the Examples artifact.
        models: uri of each Model artifact by name.
        split: the only one that is read.

    Returns:
        Probabilities by name, [rows] in the order of the files.
    """
    answers = {}
    for name, uri in models.items():
        signature = loaded_model(path_utils.serving_model_path(uri)).signatures["serving_default"]
        answered = Column(expected_rows(split_pattern(examples_uri, split)))
        for batch in record_batches(split_pattern(examples_uri, split)):
            answered.add(signature(examples=batch)[PROBABILITY].numpy()[:, 0].astype(np.float64))
        answers[name] = answered.whole()
    return answers


def prove_twins(
    examples_uri: str,
    models: Mapping[str, str],
    answers: Mapping[str, npt.NDArray[np.float64]],
    formatter: DataFormatter = WINDOW_RETURNS,
    seed: int = 0,
) -> dict[str, Proof]:
    """Compares the twin of each model with it, on rows of the test split.

    These are `PROVEN` at random, and those of which a model is surest, where roundings weigh most; all are no more than
    these.

    Args:
        examples_uri: of the Examples artifact.
        models: uri of each Model artifact by name.
        answers: of `ask_models`, by name.
        formatter: what the models see.
        seed: of the choice.
    """
    spec = dict(RAW_FEATURES) | raw_feature_spec(formatter)
    places = _proven([answers[name] for name in models], seed)
    parts: list[dict[str, npt.NDArray[np.generic]]] = []
    begin = 0
    for batch in record_batches(split_pattern(examples_uri, TEST)):
        end = begin + len(batch)
        here = places[slice(*np.searchsorted(places, [begin, end]))]
        raw = tf.io.parse_example(tf.gather(batch, here - begin), spec)
        parts.append({name: one.numpy() for name, one in raw.items()})
        begin = end
    rows = {name: np.concatenate([part[name] for part in parts]) for name in spec} if parts else {}
    rows |= {name: rows[name][:, 0] for name in (SHARE_ID, TIME) if rows}
    return {
        name: prove(Path(path_utils.serving_model_path(uri)), rows, answers[name][places])
        for name, uri in models.items()
    }


def _proven(answers: Sequence[npt.NDArray[np.float64]], seed: int) -> npt.NDArray[np.int64]:
    """Places of the rows that twins are compared on, ascending, by the models' answers, [rows] each."""
    count = len(answers[0]) if answers else 0
    if count <= PROVEN:
        return np.arange(count)
    chosen = [np.random.default_rng(seed).choice(count, PROVEN, replace=False)]
    for one in answers:
        order = np.argpartition(one, (_SUREST, count - _SUREST))
        chosen += [order[:_SUREST], order[-_SUREST:]]
    return np.unique(np.concatenate(chosen))


def predict_split(
    examples_uri: str,
    horizon: int,
    answers: Mapping[str, npt.NDArray[np.float64]],
    label: Label = UP,
    split: str = TEST,
) -> pd.DataFrame:
    """Puts the answers to the rows of a split.

    Args:
        examples_uri: of the Examples artifact.
        horizon: the trained one.
        answers: probabilities by the name of who gave them, [rows] in the order of the files.
        label: that of the examples.
        split: the only one that is read.

    Returns:
        A row an example: time (datetime64), share_id, label (0 or 1), forward_return (the return that the label tells
        the sign of), next_return (of the close itself, to the share's next session, nan where it is not known yet), and
        a column of probabilities for each name; sorted by time and share.
    """
    rows = load_rows(split_pattern(examples_uri, split), horizon, WINDOW_RETURNS, kind=label)
    days, day = np.unique(rows.time, return_inverse=True)
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime(pd.Series(days.astype(str)), format="%Y%m%d").to_numpy()[day.reshape(-1)],
            "share_id": rows.share_id,
            "label": rows.label.astype(np.int64),
            "forward_return": rows.forward_return.astype(np.float64),
            "next_return": rows.next_return.astype(np.float64),
        },
        copy=False,
    )
    del rows, day
    for name, probabilities in answers.items():
        frame[name] = probabilities
    return frame.sort_values(["time", "share_id"], ignore_index=True)


def predict_baselines(
    examples_uri: str,
    transform_graph_uri: str,
    formatter: DataFormatter,
    horizon: int,
    seed: int,
    label: Label = UP,
    split: str = TEST,
) -> dict[str, npt.NDArray[np.float64]]:
    """Fits the baselines on the train split, with the features that the models see.

    Args:
        examples_uri: of the Examples artifact.
        transform_graph_uri: of the TransformGraph artifact.
        formatter: what the models see.
        horizon: the trained one.
        seed: of what is random in them, and of the rows that they learn from where there are more than `MOST_ROWS`.
        label: that of the examples.
        split: that they are asked about; beside it train and eval are read, which they learn from.

    Returns:
        Probabilities on the split by name, [rows] in the order of the files.
    """
    graph = TransformGraph(tft.TFTransformOutput(transform_graph_uri), formatter)
    reader = row_reader(horizon, formatter, graph, label, to_learn=True)
    train, held_out = (
        table_of(formatter, reader.batches(patterns, MOST_ROWS, seed), min(expected_rows(patterns), MOST_ROWS))
        for patterns in (split_pattern(examples_uri, one) for one in ("train", "eval"))
    )
    asked = split_pattern(examples_uri, split)
    if len(np.unique(train.label)) < 2:
        # Prices that only rise: there is nothing to tell apart, and neither library takes it.
        rows = sum(len(batch.label) for batch in reader.batches(asked))
        return {name: np.full(rows, float(train.label[0])) for name in BASELINES}
    fitted = {name: fit(train, held_out, seed) for name, fit in BASELINES.items()}
    del train, held_out
    answers = {name: Column(expected_rows(asked)) for name in BASELINES}
    for batch in reader.batches(asked):
        table = table_of(formatter, [batch])
        for name, predict in fitted.items():
            answers[name].add(np.asarray(predict(table), np.float64))
    return {name: column.whole() for name, column in answers.items()}
