"""Exported models and transform graphs in memory, loaded once a process: that takes longer than a test split."""

from __future__ import annotations

import functools
from typing import Any

import tensorflow as tf

_FINGERPRINT = "fingerprint.pb"
_KEPT = 12
"""Those of a run with its transform graph, and their predecessors, were one asked by several steps; each is some
megabytes."""


def loaded_model(directory: str) -> Any:
    """A SavedModel, as `tf.saved_model.load` gives it; not loaded again while it is the one that was.

    Args:
        directory: that holds saved_model.pb.
    """
    written = tf.io.gfile.stat(tf.io.gfile.join(directory, tf.saved_model.SAVED_MODEL_FILENAME_PB))
    # TensorFlow tells whole seconds; the fingerprint is another one of every export.
    fingerprint = tf.io.gfile.join(directory, _FINGERPRINT)
    said = b""
    if tf.io.gfile.exists(fingerprint):
        with tf.io.gfile.GFile(fingerprint, "rb") as file:
            said = file.read()
    return _load(directory, written.mtime_nsec, written.length, said)


@functools.lru_cache(maxsize=_KEPT)
def _load(directory: str, written: int, length: int, fingerprint: bytes) -> Any:
    del written, length, fingerprint  # they tell one that was written anew to the same place
    return tf.saved_model.load(directory)
