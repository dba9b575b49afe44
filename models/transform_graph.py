"""The transform graph as a function that may be called within another graph, and saved with it."""

from __future__ import annotations

from collections.abc import Mapping

import tensorflow as tf
import tensorflow_transform as tft
from tensorflow_transform.saved.saved_transform_io_v2 import SavedModelLoader

from models.formatters import DataFormatter


class TransformGraph(tf.Module):
    """What Transform made of a formatter: raw features to those that a model sees.

    As `TFTransformOutput.transform_features_layer`, but no model of the old Keras: to save one beside a network means
    that TensorFlow traces calls of it that nobody makes, three quarters of the time that an export takes.
    """

    def __init__(self, transform: tft.TFTransformOutput, formatter: DataFormatter) -> None:
        """Loads the graph.

        Args:
            transform: of a pipeline's Transform, or of `in_memory.fit_formatter`.
            formatter: that it was fitted for.
        """
        super().__init__(name="transform_graph")
        self._loader = SavedModelLoader(transform.transform_savedmodel_dir)
        self._tracked = self._loader.__dict__  # so that variables and vocabularies are saved with whoever holds this
        self._names = [feature.name for feature in formatter.features]

    def __call__(self, raw: Mapping[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The formatter's features by name, of the raw features that it reads."""
        out = self._loader.apply_transform_model(dict(raw))
        return {name: out[name] for name in self._names}
