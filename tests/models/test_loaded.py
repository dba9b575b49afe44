"""Exported models are loaded once, and again where another one was written to their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow


def write(folder: Path, answer: float) -> str:
    import tensorflow as tf

    class Constant(tf.Module):
        @tf.function(input_signature=[])
        def answer(self) -> Any:
            return tf.constant(answer)

    tf.saved_model.save(Constant(), str(folder))
    return str(folder)


def test_a_model_is_loaded_once_until_another_is_written_to_its_place(tmp_path: Path) -> None:
    from models.loaded import loaded_model

    folder = write(tmp_path / "model", 0.25)
    first = loaded_model(folder)
    assert loaded_model(folder) is first
    write(tmp_path / "model", 0.75)
    assert float(loaded_model(folder).answer()) == 0.75
    assert float(loaded_model(write(tmp_path / "other", 0.5)).answer()) == 0.5
