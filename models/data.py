"""Examples as NumPy arrays: raw TFRecords through the transform graph, in large batches or all at once.

A training set of this field mostly fits into memory many times over (200,000 rows are 20 MB), and reading it once in
large batches costs a hundredth of what a per-row input pipeline does. What may be larger is read batch by batch, or in
part.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from models.day_wide.columns import COLUMNS
from models.features import CLOSES, NEXT_SESSION, SHARE_ID, TIME, WINDOW, forward_return_key, label_key
from models.formatters import DataFormatter
from models.labels import Label
from models.labels.up import LABEL as UP
from models.stored import Storing, Values

_BATCH = 20_000
_MEASURED, _FRAME = 1000, 16
"""Examples whose length is taken for that of all, and bytes that a TFRecord adds to one."""

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
    """Rows of a split in memory, in the order of its files: by shard, then time.

    Attributes:
        features: transformed features by name, [rows, steps] or [rows, 1]; on disk where a split was read so.
        label: 0 or 1, float32 [rows].
        time: YYYYMMDD [rows]; this and what follows is empty where rows were read to learn from alone.
        share_id: [rows], object array of str.
        forward_return: over the trained horizon, the one that the label tells the sign of, [rows].
        next_return: to the share's next session, [rows]; nan where there is none yet.
    """

    features: Mapping[str, Values]
    label: npt.NDArray[np.float32]
    time: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    share_id: npt.NDArray[np.object_] = field(default_factory=lambda: np.empty(0, np.object_))
    forward_return: npt.NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))
    next_return: npt.NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))


class Column:
    """An array that parts are put behind, without ever being there twice."""

    def __init__(self, expected: int) -> None:
        """Takes how many rows are expected; more or fewer may come. Room that is never used takes no memory."""
        self._expected, self._rows = expected, 0
        self._values: npt.NDArray[Any] | None = None

    def add(self, part: npt.NDArray[Any]) -> None:
        """Puts a part behind the others: [rows, ...], of the same shape and type but for the rows."""
        end = self._rows + len(part)
        if self._values is None:
            self._values = np.empty((max(self._expected, end), *part.shape[1:]), part.dtype)
        if end > len(self._values):
            self._values.resize((end + end // 2, *part.shape[1:]), refcheck=False)
        self._values[self._rows : end] = part
        self._rows = end

    def whole(self) -> npt.NDArray[Any]:
        """All parts, [rows, ...]; nothing is added after that."""
        assert self._values is not None, "no part was added"
        return self._values[: self._rows]


def record_batches(patterns: Sequence[str]) -> tf.data.Dataset:
    """Serialized examples of uncompressed TFRecord files in large batches, files in order of name."""
    return tf.data.TFRecordDataset(record_files(patterns), buffer_size=8 << 20).batch(_BATCH)


def record_files(patterns: Sequence[str]) -> list[str]:
    """The files of some patterns in order of name."""
    return sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern))


def expected_rows(patterns: Sequence[str]) -> int:
    """About how many examples there are, by the length of the files and of their first examples; 0 where none is."""
    files = record_files(patterns)
    for first in tf.data.TFRecordDataset(files).batch(_MEASURED).take(1):
        length = float(np.mean([len(record) for record in first.numpy()])) + _FRAME
        return round(sum(tf.io.gfile.stat(file).length for file in files) / length)
    return 0


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
    horizon: int, formatter: DataFormatter, transform: Any = None, kind: Label = UP, *, to_learn: bool = False
) -> RowReader:
    """`load_rows` of patterns, for several splits: the graph is traced once.

    With `to_learn`, features and labels alone are read.
    """
    return RowReader(horizon, formatter, transform, kind, to_learn)


class RowReader:
    """Reads splits; `row_reader` makes it."""

    def __init__(self, horizon: int, formatter: DataFormatter, transform: Any, kind: Label, to_learn: bool) -> None:
        """Takes the arguments of `row_reader`."""
        label, ahead, following = label_key(horizon), kind.return_key(horizon), forward_return_key(NEXT_SESSION)
        beside = {
            following: tf.io.FixedLenFeature([1], tf.float32, default_value=[np.nan]),
            ahead: tf.io.FixedLenFeature([1], tf.float32),
            TIME: RAW_FEATURES[TIME],
            SHARE_ID: RAW_FEATURES[SHARE_ID],
        }
        spec = {label: tf.io.FixedLenFeature([1], tf.int64)} | ({} if to_learn else beside)
        spec |= {} if transform is None else raw_feature_spec(formatter)

        # Nothing here branches on a tensor, and converting TFT's code for the case takes longer than 100,000 rows.
        @tf.function(input_signature=[tf.TensorSpec([None], tf.string)], autograph=False)
        def read(records: tf.Tensor) -> dict[str, Any]:
            raw = tf.io.parse_example(records, spec)
            others = {"label": raw[label]}
            if not to_learn:
                others |= {"time": raw[TIME], "share_id": raw[SHARE_ID]}
                others |= {"forward_return": raw[ahead], "next_return": raw[following]}
            if transform is None:
                return {"features": {}, "others": others}
            return {"features": transform({source: raw[source] for source in formatter.sources}), "others": others}

        self._read = read
        self._names: dict[bytes, str] = {}

    def __call__(
        self, patterns: Sequence[str], most: int | None = None, seed: int = 0, in_memory: int | None = None
    ) -> Rows:
        """Reads a split, or about so many rows of it; arguments as in `batches`.

        Where there are more than about `in_memory` rows, their features lie on disk.
        """
        expected = expected_rows(patterns)
        on_disk = in_memory is not None and min(expected, most or expected) > in_memory
        room = expected + expected // 50 if most is None else min(expected, most + most // 50)
        features: dict[str, Column | Storing] = {}
        others: dict[str, Column] = {}
        for batch in self.batches(patterns, most, seed):
            for name, values in batch.features.items():
                if name not in features:
                    features[name] = Storing() if on_disk else Column(room)
                features[name].add(values)
            for name, values in vars(batch).items():
                if name != "features":
                    others.setdefault(name, Column(room)).add(values)
        return Rows(
            {name: column.whole() for name, column in features.items()},
            **{name: column.whole() for name, column in others.items()},
        )

    def batches(self, patterns: Sequence[str], most: int | None = None, seed: int = 0) -> Iterator[Rows]:
        """Reads a split batch by batch.

        Args:
            patterns: of TFRecord files.
            most: about how many rows are read, each as likely as any other; None for all.
            seed: of the choice.
        """
        expected = expected_rows(patterns) if most is not None else 0
        kept = most / expected if most is not None and most < expected else 1.0
        random = np.random.default_rng(seed)
        for records in record_batches(patterns):
            if kept < 1:
                records = tf.boolean_mask(records, random.random(len(records)) < kept)
            found = tf.nest.map_structure(lambda tensor: tensor.numpy(), self._read(records))
            others = {name: values[:, 0] for name, values in found["others"].items()}
            others["label"] = others["label"].astype(np.float32)
            if "share_id" in others:
                others["share_id"] = self._texts(others["share_id"])
            yield Rows(found["features"], **others)

    def _texts(self, shares: npt.NDArray[np.object_]) -> npt.NDArray[np.object_]:
        """Names as texts, each text once for all rows."""
        names, code = np.unique(shares.astype(bytes), return_inverse=True)
        texts = [self._names.setdefault(name, name.decode()) for name in names.tolist()]
        return np.array(texts, dtype=object)[code.reshape(-1)]
