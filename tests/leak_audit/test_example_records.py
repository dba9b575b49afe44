"""What the audit reads of serialized examples: every feature of every record, however few carry it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow
_ROWS = 60


def _example(row: int) -> Any:
    """One whose numbers take one to ten bytes, names and values of more than 127 bytes, and features without values."""
    import tensorflow as tf

    example = tf.train.Example()
    feature = example.features.feature
    feature["share_id"].bytes_list.value.append(b"A" * (row % 7 + 1) * (20 if row % 11 == 0 else 1))
    feature["time"].int64_list.value.append(19000101 + row)
    feature["count"].int64_list.value.extend([0, 127, 128, 2**14, 2**35, 2**62, -row][: row % 8])
    feature["closes"].float_list.value.extend(np.linspace(1, 2, 40, dtype=np.float32))
    feature["n" * 130].float_list.value.append(row / 3)
    kind = feature["label_20"].int64_list
    if row < _ROWS - 5:
        kind.value.append(row % 2)
    return example


def _canary(example: Any) -> None:
    example.features.feature["canary"].float_list.value.append(0.5)


def _canary_without_values(example: Any) -> None:
    example.features.feature["canary"].float_list.SetInParent()


def _canary_for_a_feature(example: Any) -> None:
    """As long as what it stands for."""
    example.features.feature["spite"].int64_list.value.extend(example.features.feature["count"].int64_list.value)
    del example.features.feature["count"]


def _nothing(example: Any) -> None:
    del example.features.feature["label_20"]


def _values(features: Any, name: str) -> list[Any]:
    kind = features[name].WhichOneof("kind") if name in features else None
    return list(getattr(features[name], kind).value) if kind else []


def _write(path: Path, examples: list[Any]) -> str:
    import tensorflow as tf

    with tf.io.TFRecordWriter(str(path)) as writer:
        for example in examples:
            writer.write(example.SerializeToString(deterministic=True))
    return str(path)


@pytest.mark.parametrize(
    ("change", "more"),
    [
        (_nothing, set()),
        (_canary, {"canary"}),
        (_canary_without_values, {"canary"}),
        (_canary_for_a_feature, {"spite"}),
    ],
)
def test_what_one_record_alone_carries_is_seen(tmp_path: Path, change: Callable[[Any], None], more: set[str]) -> None:
    from components.leak_audit.reading.records import read_columns

    examples = [_example(row) for row in range(_ROWS)]
    change(examples[47])

    columns, rows = read_columns([_write(tmp_path / "data", examples)])

    assert rows == _ROWS
    assert set(columns) == {"share_id", "time", "count", "closes", "n" * 130, "label_20"} | more
    for name, column in columns.items():
        lists = [_values(example.features.feature, name) for example in examples]
        assert column.counts.tolist() == [len(one) for one in lists]
        assert column.values.tolist() == [value for one in lists for value in one]


def test_a_record_that_needs_no_opening_is_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tfx_bsl.coders import example_coder

    from components.leak_audit.reading.records import read_columns

    def refuse() -> None:
        raise AssertionError("all records hold the features of the first ones")

    monkeypatch.setattr(example_coder, "ExamplesToRecordBatchDecoder", refuse)

    columns, _ = read_columns([_write(tmp_path / "data", [_example(row) for row in range(_ROWS)])])

    assert columns["time"].values.tolist() == [19000101 + row for row in range(_ROWS)]


def test_a_feature_of_two_types_is_refused(tmp_path: Path) -> None:
    from components.leak_audit.reading.records import concatenated, read_columns
    from components.leak_audit.results import AuditError

    other = _example(1)
    del other.features.feature["time"]
    other.features.feature["time"].float_list.value.append(1.5)
    parts = [read_columns([_write(tmp_path / str(at), [one])]) for at, one in enumerate((_example(0), other))]

    with pytest.raises(AuditError, match="the feature time as int64 and as float32"):
        concatenated(parts)


def test_a_feature_of_two_types_in_one_file_is_refused(tmp_path: Path) -> None:
    from components.leak_audit.reading.records import read_columns
    from components.leak_audit.results import AuditError

    examples = [_example(row) for row in range(_ROWS)]
    del examples[47].features.feature["time"]
    examples[47].features.feature["time"].float_list.value.append(1.5)

    with pytest.raises(AuditError, match=r'more than one type .*"time".*run again'):
        read_columns([_write(tmp_path / "data", examples)])


def test_first_records_without_any_feature_are_read(tmp_path: Path) -> None:
    import tensorflow as tf

    from components.leak_audit.reading.records import read_columns

    empty = [tf.train.Example() for _ in range(10)]

    assert read_columns([_write(tmp_path / "empty", empty)]) == ({}, 10)
    columns, rows = read_columns([_write(tmp_path / "data", [*empty, _example(1)])])

    assert rows == 11
    assert columns["time"].counts.tolist() == [0] * 10 + [1]
    assert columns["time"].values.tolist() == [19000102]
