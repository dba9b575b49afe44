"""The exported model: raw input to probability in one graph, so training and serving cannot differ.

`serving_default`   serialized tf.Examples [n] -> probability [n, 1], global_step [n, 1]   (TFMA, TF Serving)
`predict_closes`    share_id [n], closes [n, 21], close0 the latest first -> probability [n, 1]   (people)

A model that sees day-wide columns (models/day_wide) has `predict_day` in the place of the last, which takes the columns
beside the two, each [n, its width].
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import keras
import tensorflow as tf
import tensorflow_transform as tft

from models.card import CARD_FILE, EXTRA_FOLDER, ModelCard
from models.data import raw_feature_spec
from models.day_wide.columns import COLUMNS
from models.features import CLOSES, SHARE_ID, TIME, WINDOW
from models.formatters import DataFormatter
from models.transform_graph import TransformGraph
from models.twin_export import export_twin

PROBABILITY = "probability"
GLOBAL_STEP = "global_step"
PREDICT_CLOSES, PREDICT_DAY = "predict_closes", "predict_day"


class ServedModel(tf.Module):
    """A trained Keras model behind its transform graph."""

    def __init__(
        self,
        model: keras.Model,
        transform: tft.TFTransformOutput,
        formatter: DataFormatter,
        global_step: int,
        graph: TransformGraph | None = None,
    ) -> None:
        """Holds the parts, so that their variables and vocabularies are saved with it.

        The Keras model itself is not: TensorFlow would save a function of each network in it that nobody calls, which
        takes most of the time of an export, and of loading it.

        Args:
            model: gives a logit, [n, 1].
            transform: the transform graph.
            formatter: what the model sees.
            global_step: steps trained.
            graph: the transform graph as a function, where it was loaded already.
        """
        super().__init__(name="served_model")
        inputs = {one.name: tf.TensorSpec([None, *one.shape[1:]], one.dtype) for one in model.inputs}
        # Both signatures call one graph of it: to trace its networks, and to load them, takes longer than to ask them.
        logit = tf.function(partial(model, training=False), autograph=False).get_concrete_function(inputs)
        # What a function holds is not saved.
        self._network, self._logit = (lambda: model), (lambda features: logit(features))
        self._variables = [variable.value for variable in model.variables]
        self._transform = transform
        self._graph = graph or TransformGraph(transform, formatter)
        self._formatter = formatter
        self._step = tf.constant(global_step, tf.int64)

    def probability(self, raw: Mapping[str, Any]) -> tf.Tensor:
        """Probability that the close is higher after the horizon, [n, 1]."""
        features = self._graph(raw)
        return tf.sigmoid(self._logit({tensor.name: features[tensor.name] for tensor in self._network().inputs}))

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")], autograph=False)
    def serving_default(self, examples: tf.Tensor) -> dict[str, tf.Tensor]:
        """Serialized tf.Examples [n] to probabilities [n, 1]."""
        probability = self.probability(tf.io.parse_example(examples, raw_feature_spec(self._formatter)))
        return {PROBABILITY: probability, GLOBAL_STEP: tf.fill(tf.shape(probability), self._step)}

    def predict_closes(self, share_id: tf.Tensor, closes: tf.Tensor, **day: tf.Tensor) -> dict[str, tf.Tensor]:
        """Shares [n], their last 21 closes [n, 21], the latest first, and day-wide columns, to probabilities [n, 1]."""
        # The day that is predicted from is none the model has seen: 0 stands for an unknown one.
        raw = {SHARE_ID: share_id[:, None], CLOSES: closes, TIME: tf.zeros_like(share_id[:, None], tf.int64)}
        for name in self._formatter.example_columns:
            parts = [day[part.name] for part in COLUMNS[name].parts]
            raw[name] = tf.concat(parts, axis=1) if parts else day[name]
        return {PROBABILITY: self.probability({source: raw[source] for source in self._formatter.sources})}

    def for_people(self) -> tuple[str, Any]:
        """The signature that takes no serialized examples: its name, and `predict_closes` as a graph."""
        columns = self._formatter.day_columns
        named = {
            SHARE_ID: tf.TensorSpec([None], tf.string, SHARE_ID),
            CLOSES: tf.TensorSpec([None, WINDOW], tf.float32, CLOSES),
            **{name: tf.TensorSpec([None, COLUMNS[name].width], tf.float32, name) for name in columns},
        }
        graph = tf.function(self.predict_closes, autograph=False).get_concrete_function(**named)
        return PREDICT_DAY if columns else PREDICT_CLOSES, graph

    def twin(self, predict: Any = None) -> dict[str, bytes]:
        """The files of its twin, by name; `predict` is the function of `for_people`, where it was made already."""
        return export_twin(self._network(), self._transform, self._formatter, predict or self.for_people()[1])


def export(served: ServedModel, card: ModelCard, directory: str) -> None:
    """Writes a SavedModel with both signatures, its card and its twin.

    Args:
        served: the model; it must be kept while its functions are.
        card: what it says of itself.
        directory: where to.
    """
    name, predict = served.for_people()
    signatures = {"serving_default": served.serving_default.get_concrete_function(), name: predict}
    tf.saved_model.save(served, directory, signatures=signatures)
    extra = tf.io.gfile.join(directory, EXTRA_FOLDER)
    tf.io.gfile.makedirs(extra)
    for name, content in {CARD_FILE: card.to_json().encode(), **served.twin(predict)}.items():
        with tf.io.gfile.GFile(tf.io.gfile.join(extra, name), "wb") as file:
            file.write(content)
