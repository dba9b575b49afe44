"""Twins of trained models: every architecture, and what has none, against the exported graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from models.errors import TwinError
from models.formatters import get_formatter
from models.operations import VOCABULARY, Feature, Kind, Operation
from models.registry import ARCHITECTURES, get_architecture

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]

EVERY_VERSION = [(name, version) for name, architecture in ARCHITECTURES.items() for version in architecture.versions]


def served(fitted: Any, formatter: str, build: Callable[[Any], Any], members: int = 2) -> Any:
    """A model of several networks with weights that are none of them zero, behind its transform graph."""
    from models.ensemble import mean_of
    from models.serving import ServedModel
    from models.training import input_spec

    declared = get_formatter(formatter)
    spec = input_spec(declared, fitted.output)
    model = mean_of([build(spec) for _ in range(members)])
    rng = np.random.default_rng(6)
    model.set_weights([rng.normal(0, 0.5 / max(1, len(w)) ** 0.5, w.shape) for w in model.get_weights()])
    return ServedModel(model, fitted.output, declared, 1)


def laid_down(files: dict[str, bytes], folder: Path) -> Path:
    (folder / "assets.extra").mkdir()
    for name, content in files.items():
        (folder / "assets.extra" / name).write_bytes(content)
    return folder


@pytest.mark.parametrize(
    ("formatter", "name", "version"),
    [*(("window_returns", *one) for one in EVERY_VERSION), ("closes_with_time", "linear", 1)],
)
def test_every_version_has_a_twin_that_answers_as_its_graph_does(
    fit: Callable[[str], Any], another_market: Any, formatter: str, name: str, version: int, tmp_path: Path
) -> None:
    import tensorflow as tf

    from models.twin.forecasting import load_twin

    architecture = get_architecture(name)
    model = served(fit(formatter), formatter, lambda spec: architecture.versions[version](spec, _small(architecture)))

    twin = load_twin(laid_down(model.twin(), tmp_path))

    rows = another_market
    shares = ["AAA", "CCC", "NEW", "BBB"] * (len(rows.closes) // 4)
    asked = {"share_id": tf.constant(shares), "closes": tf.constant(rows.closes)}
    expected = model.predict_closes(**asked)["probability"].numpy()[:, 0].astype(np.float64)
    assert expected.std() > 1e-3
    np.testing.assert_allclose(twin.forecast(shares, rows.closes), expected, rtol=0, atol=1e-6)
    raw = {"share_id": np.array([one.encode() for one in shares], object), "closes": rows.closes, "time": rows.time}
    tensors = {key: tf.constant(one if one.ndim == 2 else one[:, None]) for key, one in raw.items()}
    known = {source: tensors[source] for source in get_formatter(formatter).sources}
    by_day = model.probability(known).numpy()[:, 0].astype(np.float64)
    np.testing.assert_allclose(twin.answer(raw), by_day, rtol=0, atol=1e-6)
    np.testing.assert_allclose(twin.estimated(raw), by_day, rtol=0, atol=1e-6)
    assert (np.abs(by_day - expected).max() > 1e-4) == (formatter == "closes_with_time")


def _small(architecture: Any) -> Any:
    sizes = {"units": (8, 4) if architecture.name == "dnn" else 4, "step_units": (3,), "embedding": 2}
    known = architecture.hyperparameters.__dataclass_fields__
    return architecture.hyperparameters.updated({key: one for key, one in sizes.items() if key in known})


def test_a_layer_that_is_not_written_without_tensorflow_leaves_its_name_and_no_twin(
    fit: Callable[[str], Any], tmp_path: Path
) -> None:
    import keras

    from models.twin.forecasting import load_twin

    def build(spec: Any) -> Any:
        steps, declared = spec.sequence_input()
        return keras.Model(declared, keras.layers.Dense(1)(keras.layers.LSTM(2, name="memory")(steps)), name="own")

    files = served(fit("window_returns"), "window_returns", build).twin()

    assert list(files) == ["twin.json"]
    with pytest.raises(TwinError, match=r"the layer own_1/memory \(LSTM\) is not written without TensorFlow"):
        load_twin(laid_down(files, tmp_path))


def test_an_operation_for_tensorflow_alone_leaves_its_name_and_no_twin(fit: Callable[[str], Any]) -> None:
    import keras

    from models.twin_export import export_twin

    own = Operation("OWN", "of a package", lambda closes, feature: closes)
    formatter = get_formatter("window_returns")
    formatter = replace(formatter, features=(Feature("level", "closes", own, Kind.SEQUENCE, 21),))
    model = keras.Sequential([keras.Input((21,)), keras.layers.Dense(1)])
    files = export_twin(model, fit("window_returns").output, formatter, None)
    assert b"the operation OWN of the feature level is written for TensorFlow alone" in files["twin.json"]
    assert VOCABULARY.values is None
