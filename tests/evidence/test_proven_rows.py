"""Which test rows a twin is compared on: some at random, and those of which a model is surest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow

ROWS = 500


def test_a_twin_is_proven_on_rows_at_random_and_on_the_surest_each_with_its_own_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf

    from components.evidence import predictions
    from models.features import CLOSES, SHARE_ID, TIME
    from models.twin.proof import Proof

    folder = tmp_path / "Split-test"
    folder.mkdir()
    for file, numbers in (("a", range(300)), ("b", range(300, ROWS))):
        with tf.io.TFRecordWriter(str(folder / file)) as writer:
            for number in numbers:
                features = {
                    SHARE_ID: tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"AAA"])),
                    TIME: tf.train.Feature(int64_list=tf.train.Int64List(value=[number])),
                    CLOSES: tf.train.Feature(float_list=tf.train.FloatList(value=[float(number)] * 21)),
                }
                writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())
    seen: dict[str, Any] = {}

    def prove(saved_model: Path, raw: Any, expected: Any) -> Proof:
        seen[saved_model.parent.name] = raw[TIME], raw[CLOSES][:, 0], expected
        return Proof(rows=len(expected))

    monkeypatch.setattr(predictions, "prove", prove)
    monkeypatch.setattr(predictions, "PROVEN", 50)
    monkeypatch.setattr(predictions, "_SUREST", 5)
    rng = np.random.default_rng(1)
    answers = {name: rng.random(ROWS) for name in ("linear", "dnn")}
    uris = {name: str(tmp_path / name) for name in answers}

    proofs = predictions.prove_twins(str(tmp_path), uris, answers, seed=3)

    for name, answer in answers.items():
        [(place, closes, expected)] = [values for folder, values in seen.items() if folder == name]
        assert 60 <= proofs[name].rows == len(place) <= 70
        assert np.all(np.diff(place) > 0)
        np.testing.assert_array_equal(closes, place)
        np.testing.assert_array_equal(expected, answer[place])
        assert {int(np.argmin(answer)), int(np.argmax(answer))} <= set(place.tolist())
    monkeypatch.setattr(predictions, "PROVEN", ROWS)
    assert predictions.prove_twins(str(tmp_path), uris, answers)["dnn"].rows == ROWS
