"""Rows on disk: the same as in memory, whatever is asked for and in whatever order."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.stored import Storing, in_order, pieces, scattered


def stored(values: Any, at_once: int = 700) -> Any:
    storing = Storing()
    for part in pieces(values, at_once):
        storing.add(part)
    return storing.whole()


@pytest.mark.parametrize("shape", [(5000,), (5000, 21)])
@pytest.mark.parametrize("kind", [np.float32, np.int64])
def test_rows_on_disk_are_those_that_were_put_there(shape: tuple[int, ...], kind: Any) -> None:
    rng = np.random.default_rng(0)
    values = (rng.normal(size=shape) * 1000).astype(kind)

    held = stored(values)

    assert (len(held), held.shape, held.dtype) == (len(values), values.shape, values.dtype)
    asked: tuple[Any, ...] = (
        slice(None),
        slice(10, 4000),
        17,
        rng.integers(0, 5000, 9000),  # scattered, and some twice
        np.arange(300, 900),
        np.array([300, 302, 301, 303]),  # as far apart as if they followed one another
        values.reshape(5000, -1)[:, 0] > 0,
        np.empty(0, np.int64),
    )
    for rows in asked:
        np.testing.assert_array_equal(held[rows], values[rows])


def test_what_is_read_is_a_copy_and_outlives_the_file() -> None:
    held = stored(np.arange(100.0))
    some = held[10:20]
    del held
    gc.collect()

    some += 1

    np.testing.assert_array_equal(some, np.arange(11.0, 21.0))


def test_rows_are_put_in_another_order() -> None:
    values = np.random.default_rng(1).normal(size=(3000, 4))
    order = np.random.default_rng(2).permutation(3000)

    np.testing.assert_array_equal(in_order(stored(values), order)[:], values[order])


def test_no_rows_can_be_stored() -> None:
    storing = Storing()
    storing.add(np.empty((0, 21), np.float32))

    assert storing.whole()[:].shape == (0, 21)


def test_nothing_is_left_in_the_folder_and_files_are_closed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    before = len(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else 0

    held = stored(np.arange(1000.0))

    assert list(tmp_path.iterdir()) == []
    del held
    gc.collect()
    assert not before or len(os.listdir("/proc/self/fd")) == before


@pytest.mark.parametrize("shape", [(5000,), (5000, 21)])
def test_scattered_rows_are_the_same_on_disk_and_in_memory(shape: tuple[int, ...]) -> None:
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    for places in (np.array([4999, 0, 17, 17]), np.empty(0, np.int64), np.arange(40, dtype=np.int32)):
        np.testing.assert_array_equal(scattered(stored(values), places), values[places])
        np.testing.assert_array_equal(scattered(values, places), values[places])
