"""The exported model: two signatures, one graph, no skew."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from models.features import CLOSES, SHARE_ID

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]


@dataclass(frozen=True)
class Exported:
    """A linear model in memory and as it comes back from disk."""

    fitted: Any
    card: Any
    directory: Path
    loaded: Any
    kernel: npt.NDArray[np.float64]
    bias: float
    intercepts: npt.NDArray[np.float64]

    def by_hand(self, rows: Any) -> npt.NDArray[np.float64]:
        """The logistic model in NumPy, from the features that Transform makes."""
        features = self.fitted.apply(rows)
        flat = np.concatenate([features["returns"], features["log_volatility"]], axis=1).astype(np.float64)
        logit = flat @ self.kernel + self.bias + self.intercepts[features["share"][:, 0]]
        return 1 / (1 + np.exp(-logit))

    def from_closes(self, rows: Any) -> npt.NDArray[np.float32]:
        """What `predict_closes` answers, [rows]."""
        import tensorflow as tf

        answer = self.loaded.signatures["predict_closes"](
            share_id=tf.constant(rows.share_id), closes=tf.constant(rows.closes)
        )
        assert answer["probability"].shape == (len(rows.share_id), 1)
        return answer["probability"].numpy()[:, 0]

    def from_examples(self, rows: Any) -> dict[str, npt.NDArray[Any]]:
        """What `serving_default` answers to serialized examples, each [rows]."""
        import tensorflow as tf

        def example(share: str, closes: npt.NDArray[np.float32]) -> bytes:
            feature = {
                SHARE_ID: tf.train.Feature(bytes_list=tf.train.BytesList(value=[share.encode()])),
                CLOSES: tf.train.Feature(float_list=tf.train.FloatList(value=closes)),
                # A feature the model does not know of is no hindrance.
                "label_1": tf.train.Feature(int64_list=tf.train.Int64List(value=[1])),
            }
            return tf.train.Example(features=tf.train.Features(feature=feature)).SerializeToString()

        records = [example(share, closes) for share, closes in zip(rows.share_id, rows.closes, strict=True)]
        answer = self.loaded.signatures["serving_default"](examples=tf.constant(records))
        return {name: values.numpy()[:, 0] for name, values in answer.items()}


@pytest.fixture(scope="module")
def exported(fit: Callable[[str], Any], tmp_path_factory: pytest.TempPathFactory) -> Exported:
    import tensorflow as tf

    from models.card import ModelCard
    from models.data import Rows
    from models.formatters.window_returns import FORMATTER as WINDOW_RETURNS
    from models.registry import get_architecture
    from models.serving import ServedModel, export
    from models.training import input_spec, train

    fitted = fit("window_returns")
    spec = input_spec(WINDOW_RETURNS, fitted.output)
    # Labels that lean on the share and the latest return, so that no weight stays zero.
    label = (fitted.features["returns"][:, -1] + fitted.features["share"][:, 0] > 0.5).astype(np.float32)
    rows = Rows(fitted.features, label, fitted.rows.time, np.array(fitted.rows.share_id, dtype=object), label, label)
    hyperparameters = get_architecture("linear").hyperparameters.updated({"epochs": 20, "learning_rate": 0.1})
    model = train("linear", 1, hyperparameters, spec, rows, rows, seed=3).model
    card = ModelCard("linear", 1, "window_returns", 1, 3, 41, "abc")
    directory = tmp_path_factory.mktemp("served") / "model"
    export(ServedModel(model, fitted.output, WINDOW_RETURNS, 41), card, str(directory))
    kernel, bias = model.get_layer("weights").get_weights()
    (intercepts,) = model.get_layer("share_embedding").get_weights()
    assert np.abs(kernel).min() > 0
    return Exported(
        fitted, card, directory, tf.saved_model.load(str(directory)),
        kernel[:, 0].astype(np.float64), float(bias[0]), intercepts[:, 0].astype(np.float64),
    )  # fmt: skip


def test_there_are_two_signatures(exported: Exported) -> None:
    assert sorted(exported.loaded.signatures) == ["predict_closes", "serving_default"]


def test_both_signatures_call_one_graph_of_the_network(exported: Exported) -> None:
    from tensorflow.core.protobuf.saved_model_pb2 import SavedModel

    saved = SavedModel.FromString((exported.directory / "saved_model.pb").read_bytes())
    assert str(saved.meta_graphs[0].graph_def).count('op: "MatMul"') == 1


def test_both_signatures_and_numpy_agree(exported: Exported) -> None:
    rows = exported.fitted.rows
    expected = exported.by_hand(rows)
    assert expected.std() > 0.05
    np.testing.assert_allclose(exported.from_closes(rows), expected, atol=1e-5)
    np.testing.assert_allclose(exported.from_examples(rows)["probability"], expected, atol=1e-5)


def test_rows_it_was_not_fitted_on_agree_too(exported: Exported, another_market: Any) -> None:
    expected = exported.by_hand(another_market)
    np.testing.assert_allclose(exported.from_closes(another_market), expected, atol=1e-5)
    np.testing.assert_allclose(exported.from_examples(another_market)["probability"], expected, atol=1e-5)


def test_an_unseen_share_is_answered_without_an_intercept(exported: Exported) -> None:
    assert np.abs(exported.intercepts[:3]).min() > 1e-3
    assert exported.intercepts[3] == 0
    unseen = replace(exported.fitted.rows, share_id=["ZZZ"] * len(exported.fitted.rows.share_id))
    answer = exported.from_closes(unseen)
    np.testing.assert_allclose(answer, exported.by_hand(unseen), atol=1e-5)
    assert np.abs(answer - exported.from_closes(exported.fitted.rows)).max() > 1e-4


def test_one_row_is_answered_as_among_many(exported: Exported) -> None:
    rows = exported.fitted.rows
    one = replace(rows, closes=rows.closes[5:6], share_id=rows.share_id[5:6], time=rows.time[5:6])
    np.testing.assert_allclose(exported.from_closes(one), exported.from_closes(rows)[5:6], atol=1e-5)


def test_the_steps_trained_come_with_each_answer(exported: Exported) -> None:
    steps = exported.from_examples(exported.fitted.rows)["global_step"]
    assert steps.dtype == np.int64
    assert set(steps.tolist()) == {41}


def test_the_card_is_read_back_and_is_plain_json(exported: Exported) -> None:
    from models.card import CARD_FILE, read_card

    assert read_card(exported.directory) == exported.card
    text = (exported.directory / "assets.extra" / CARD_FILE).read_text()
    assert json.loads(text)["formatter"] == "window_returns"
