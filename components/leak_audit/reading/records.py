"""Serialized examples to columns of all features that they carry, also of those that nobody declared.

TensorFlow parses features whose names it is told, seven times as fast as all there are can be looked up. The names come
of the first records of a batch, and the length of each record says whether it holds anything else: the features that
were parsed take so many bytes as protobuf writes them, and there is no room beside them. Records of another length are
opened one by one, and a batch in which one of them holds more is looked up as a whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from components.leak_audit.results import AuditError

if TYPE_CHECKING:
    import tensorflow as tf

_FIRST = 10
"""Records of a batch whose features are taken for those of all, until their lengths say so."""

_TYPES = {"bytes_list": "string", "float_list": "float32", "int64_list": "int64"}


@dataclass(frozen=True, eq=False)
class Column:
    """A feature of some records.

    Attributes:
        values: of all records after one another: float32, int64 or bytes as objects.
        counts: how many of them each record has, int64 [rows].
    """

    values: NDArray[Any]
    counts: NDArray[np.int64]


Columns = Mapping[str, Column]


def read_columns(files: Sequence[str]) -> tuple[Columns, int]:
    """Reads TFRecord files.

    Args:
        files: patterns.

    Returns:
        The columns by name, and how many records there are.

    Raises:
        AuditError: a feature is of more than one type.
    """
    from models.data import record_batches

    return concatenated([_columns(batch) for batch in record_batches(files)])


def concatenated(parts: Sequence[tuple[Columns, int]]) -> tuple[Columns, int]:
    """Puts columns below each other; a feature that a part lacks has no values there.

    Raises:
        AuditError: a feature is of more than one type.
    """
    types: dict[str, np.dtype[Any]] = {}
    for columns, _ in parts:
        check_types(columns, types)

    def whole(name: str) -> Column:
        there = [columns.get(name) or Column(np.empty(0, types[name]), _none(rows)) for columns, rows in parts]
        return Column(np.concatenate([one.values for one in there]), np.concatenate([one.counts for one in there]))

    return {name: whole(name) for name in types}, sum(rows for _, rows in parts)


def check_types(columns: Columns, types: dict[str, np.dtype[Any]]) -> None:
    """Refuses columns of other types than those before; takes in what is new.

    Raises:
        AuditError: a feature is of more than one type.
    """
    for name, column in columns.items():
        if types.setdefault(name, column.values.dtype) != column.values.dtype:
            raise AuditError(
                f"the examples carry the feature {name} as {types[name]} and as {column.values.dtype}; run again"
            )


def _columns(records: tf.Tensor) -> tuple[Columns, int]:
    """All features of a batch of serialized examples."""
    found = _parsed(records) or _looked_up(records)
    return found, len(records)


def _parsed(records: tf.Tensor) -> Columns | None:
    """The features of the first records; None where others hold more, or something else under their names."""
    import tensorflow as tf

    serialized = records.numpy()
    kinds = {name: kind for name, kind in _features(serialized[:_FIRST]) if kind}
    if not kinds:  # which parse_example does not take
        return None
    try:
        parsed = tf.io.parse_example(
            records, {name: tf.io.RaggedFeature(tf.as_dtype(_TYPES[kind])) for name, kind in kinds.items()}
        )
    except tf.errors.InvalidArgumentError:
        return None
    columns = {name: Column(one.values.numpy(), one.row_lengths().numpy()) for name, one in parsed.items()}
    other = np.flatnonzero(_lengths(serialized) != _written(columns, len(serialized)))
    if len(other) > len(serialized) // 4:  # to open them would take longer than to look all up
        return None
    if any(kind not in ("", kinds.get(name)) or name not in kinds for name, kind in _features(serialized[other])):
        return None
    return columns


def _features(serialized: NDArray[np.object_]) -> Iterator[tuple[str, str]]:
    """Name and kind of every feature of some records; empty where it has none."""
    import tensorflow as tf

    for record in serialized:
        for name, feature in tf.train.Example.FromString(record).features.feature.items():
            yield name, feature.WhichOneof("kind") or ""


def _written(columns: Columns, rows: int) -> NDArray[np.int64]:
    """Bytes that an example of these features and no others takes, [rows]: a field is a tag, a length and its content.

    A feature without values is not counted: there are two ways to write it.
    """
    features = np.zeros(rows, np.int64)
    for name, column in columns.items():
        feature = _field(_content(column))  # float_list, int64_list or bytes_list
        entry = _field(np.int64(len(name.encode()))) + _field(feature)
        features += np.where(column.counts > 0, _field(entry), 0)
    return _field(features)


def _content(column: Column) -> NDArray[np.int64]:
    """Bytes of the list of a feature's values, [rows]: numbers are packed into one field."""
    if column.values.dtype == np.float32:
        return _field(4 * column.counts)
    ends = np.cumsum(column.counts)
    if column.values.dtype == np.int64:
        sizes = np.where(column.values < 0, 10, _varint(column.values))
    else:
        sizes = _field(_lengths(column.values))
    total = np.concatenate([[0], np.cumsum(sizes)])
    content: NDArray[np.int64] = total[ends] - total[ends - column.counts]
    return _field(content) if column.values.dtype == np.int64 else content


def _lengths(values: NDArray[np.object_]) -> NDArray[np.int64]:
    return np.fromiter(map(len, values), np.int64, len(values))


def _field(content: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bytes of a field whose content is so long."""
    whole: NDArray[np.int64] = 1 + _varint(content) + content
    return whole


def _varint(value: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bytes of a number >= 0, seven bits in each."""
    size = np.ones(np.shape(value), np.int64)
    for bits in range(7, 63, 7):
        more = value >= 1 << bits
        if not np.any(more):
            break
        size += more
    return size


def _looked_up(records: tf.Tensor) -> Columns:
    """All features that any record of a batch carries."""
    import pyarrow as pa
    from tfx_bsl.coders import example_coder

    # Without a schema: a feature that the schema does not know must be seen too.
    try:
        batch = example_coder.ExamplesToRecordBatchDecoder().DecodeBatch(records.numpy().tolist())
    except RuntimeError as error:  # its message names the feature
        raise AuditError(f"the examples carry a feature of more than one type ({error}); run again") from None
    return {
        name: Column(
            lists.flatten().to_numpy(zero_copy_only=False),
            np.asarray(lists.value_lengths().fill_null(0), np.int64),
        )
        for name, lists in zip(batch.schema.names, batch.columns, strict=True)
        if not pa.types.is_null(lists.type)  # no record has a value of it, nor says which kind it would be
    }


def _none(rows: int) -> NDArray[np.int64]:
    return np.zeros(rows, np.int64)
