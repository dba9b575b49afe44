"""Exported models in memory, loaded once a process: to load one takes longer than to ask it about a test split."""

from __future__ import annotations

import functools
from typing import Any

import tensorflow as tf

_KEPT = 8
"""Models: those of a run and their predecessors, were one asked by several steps; each is some megabytes."""


def loaded_model(directory: str) -> Any:
    """A SavedModel, as `tf.saved_model.load` gives it; not loaded again while it is the one that was.

    Args:
        directory: that holds saved_model.pb.
    """
    written = tf.io.gfile.stat(tf.io.gfile.join(directory, tf.saved_model.SAVED_MODEL_FILENAME_PB))
    return _load(directory, written.mtime_nsec, written.length)


@functools.lru_cache(maxsize=_KEPT)
def _load(directory: str, written: int, length: int) -> Any:
    del written, length  # they tell one that was written anew to the same place
    return tf.saved_model.load(directory)
