"""Examples in memory: raw TFRecords through the transform graph into NumPy arrays.

A training set of this field fits into memory many times over (200,000 rows are 20 MB), and reading it once in large
batches costs a hundredth of what a per-row input pipeline does.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.day_wide.columns import COLUMNS
from models.features import CLOSES, NEXT_SESSION, SHARE_ID, TIME, WINDOW, forward_return_key, label_key
from models.formatters import DataFormatter
from models.labels import Label
from models.labels.up import LABEL as UP

_BATCH = 20_000

RAW_FEATURES: Mapping[str, Any] = {
    CLOSES: tf.io.FixedLenFeature([WINDOW], tf.float32),
    SHARE_ID: tf.io.FixedLenFeature([1], tf.string),
    TIME: tf.io.FixedLenFeature([1], tf.int64),
}
"""How the features that a formatter may read are parsed."""


MARKET_FILE = "market.json"
"""Beside the splits: the shares that day-wide columns are made of, where examples carry any."""


def raw_feature_spec(formatter: DataFormatter) -> dict[str, Any]:
    """The parsing spec of just what a formatter reads."""
    return {
        source: tf.io.FixedLenFeature([COLUMNS[source].width], tf.float32)
        if source in COLUMNS
        else RAW_FEATURES[source]
        for source in formatter.sources
    }


def market_of(patterns: Sequence[str]) -> tuple[str, ...]:
    """The shares that the day-wide columns of a split are made of, from the pattern of its files; none without any."""
    path = os.path.join(os.path.dirname(os.path.dirname(patterns[0])), MARKET_FILE)
    if not tf.io.gfile.exists(path):
        return ()
    with tf.io.gfile.GFile(path) as file:
        return tuple(json.loads(file.read()))


@dataclass(frozen=True)
class Rows:
    """One split in memory, in the order of its files: by shard, then time.

    Attributes:
        features: transformed features by name, [rows, steps] or [rows, 1].
        label: 0 or 1, float32 [rows].
        time: YYYYMMDD [rows].
        share_id: [rows], object array of str.
        forward_return: over the trained horizon, the one that the label tells the sign of, [rows].
        next_return: to the share's next session, [rows]; nan where there is none yet.
    """

    features: Mapping[str, npt.NDArray[np.generic]]
    label: npt.NDArray[np.float32]
    time: npt.NDArray[np.int64]
    share_id: npt.NDArray[np.object_]
    forward_return: npt.NDArray[np.float32]
    next_return: npt.NDArray[np.float32]


def record_batches(patterns: Sequence[str]) -> tf.data.Dataset:
    """Serialized examples of uncompressed TFRecord files in large batches, files in order of name."""
    files = sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern))
    return tf.data.TFRecordDataset(files, buffer_size=8 << 20).batch(_BATCH)


def load_rows(
    patterns: Sequence[str], horizon: int, formatter: DataFormatter, transform: Any = None, kind: Label = UP
) -> Rows:
    """Reads one split.

    Args:
        patterns: of TFRecord files.
        horizon: the one that is trained; every row has its label.
        formatter: declares which raw features are read.
        transform: the transform graph as a function of raw features; None leaves `features` empty.
        kind: the label that the examples were made with.

    Returns:
        All rows.
    """
    return row_reader(horizon, formatter, transform, kind)(patterns)


def row_reader(
    horizon: int, formatter: DataFormatter, transform: Any = None, kind: Label = UP
) -> Callable[[Sequence[str]], Rows]:
    """`load_rows` of patterns, for several splits: the graph is traced once."""
    label, ahead, following = label_key(horizon), kind.return_key(horizon), forward_return_key(NEXT_SESSION)
    spec = (
        dict(RAW_FEATURES)
        | raw_feature_spec(formatter)
        | {
            label: tf.io.FixedLenFeature([1], tf.int64),
            following: tf.io.FixedLenFeature([1], tf.float32, default_value=[np.nan]),
            ahead: tf.io.FixedLenFeature([1], tf.float32),
        }
    )

    # Nothing here branches on a tensor, and converting TFT's code for the case takes longer than 100,000 rows.
    @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
    def read(records: tf.Tensor) -> dict[str, Any]:
        raw = tf.io.parse_example(records, spec)
        used = {source: raw[source] for source in formatter.sources}
        return {
            "features": {} if transform is None else transform(used),
            **{k: raw[k] for k in (label, ahead, following, TIME, SHARE_ID)},
        }

    def load(patterns: Sequence[str]) -> Rows:
        parts = [
            tf.nest.map_structure(lambda tensor: tensor.numpy(), read(batch)) for batch in record_batches(patterns)
        ]
        features = {name: np.concatenate([part["features"][name] for part in parts]) for name in parts[0]["features"]}
        shares = np.concatenate([part[SHARE_ID][:, 0] for part in parts])
        names, code = np.unique(shares.astype(bytes), return_inverse=True)
        return Rows(
            features=features,
            label=np.concatenate([part[label][:, 0] for part in parts]).astype(np.float32),
            time=np.concatenate([part[TIME][:, 0] for part in parts]),
            share_id=np.array([name.decode() for name in names], dtype=object)[code],
            forward_return=np.concatenate([part[ahead][:, 0] for part in parts]),
            next_return=np.concatenate([part[following][:, 0] for part in parts]),
        )

    return load
