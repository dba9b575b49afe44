"""The four models and the Trainer's entry point, in plain Keras 3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf
import tensorflow_transform as tft
from tfx_bsl.public import tfxio

from benchmarks.straightforward.features import CLOSES, LABEL, SHARE

BATCH_SIZE = 32
PATIENCE = 3
"""Epochs without a better loss on the eval split before training stops."""


def _closes() -> dict[str, Any]:
    return {close: keras.Input(shape=(1,), name=close, dtype="float32") for close in CLOSES}


def _share(buckets: int) -> tuple[Any, Any]:
    share = keras.Input(shape=(1,), name=SHARE, dtype="int64")
    return share, keras.layers.Flatten()(keras.layers.Embedding(buckets, 8)(share))


def _window(closes: dict[str, Any]) -> Any:
    """The closes as a sequence from the oldest to the latest, of shape (batch, 21, 1)."""
    return keras.layers.Reshape((len(CLOSES), 1))(
        keras.layers.Concatenate()([closes[close] for close in reversed(CLOSES)])
    )


def _model(closes: dict[str, Any], share: Any, hidden: Any) -> keras.Model:
    up = keras.layers.Dense(1, activation="sigmoid")(hidden)
    return keras.Model(inputs={**closes, SHARE: share}, outputs=up)


def linear(buckets: int) -> keras.Model:
    """Logistic regression on the closes and the one-hot share."""
    closes = _closes()
    share = keras.Input(shape=(1,), name=SHARE, dtype="int64")
    one_hot = keras.layers.CategoryEncoding(buckets, output_mode="one_hot")(share)
    return _model(closes, share, keras.layers.Concatenate()([*closes.values(), one_hot]))


def dnn(buckets: int) -> keras.Model:
    """Dense layers of 256, 128 and 64 on the closes and a share embedding."""
    closes = _closes()
    share, embedded = _share(buckets)
    hidden = keras.layers.Concatenate()([*closes.values(), embedded])
    for units in (256, 128, 64):
        hidden = keras.layers.Dense(units, activation="relu")(hidden)
    return _model(closes, share, hidden)


def custom_dnn(buckets: int) -> keras.Model:
    """One stack of dense layers with dropout, shared by all steps of the window, then a dense layer over the steps."""
    closes = _closes()
    share, embedded = _share(buckets)
    steps = _window(closes)
    for units in (32, 16):
        steps = keras.layers.Dropout(0.2)(keras.layers.Dense(units, activation="relu")(steps))
    hidden = keras.layers.Concatenate()([keras.layers.Flatten()(steps), embedded])
    return _model(closes, share, keras.layers.Dense(64, activation="relu")(hidden))


def rnn(buckets: int) -> keras.Model:
    """A GRU of 32 over the window, beside a share embedding."""
    closes = _closes()
    share, embedded = _share(buckets)
    return _model(closes, share, keras.layers.Concatenate()([keras.layers.GRU(32)(_window(closes)), embedded]))


MODELS: dict[str, Callable[[int], keras.Model]] = {"linear": linear, "dnn": dnn, "custom_dnn": custom_dnn, "rnn": rnn}
"""By name, what builds each from the number of share indices, the unknown one included."""


class ServingModule(tf.Module):
    """A trained model behind its transform graph: takes serialized tf.Examples, gives the probability of up."""

    def __init__(self, model: keras.Model, transform_output: tft.TFTransformOutput) -> None:
        """Keeps the model and the transform graph where `tf.saved_model.save` finds their variables and tables."""
        super().__init__()
        self.model = model
        self.transform = transform_output.transform_features_layer()
        self._transform_output = transform_output

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string, name="examples")])
    def serve(self, examples: Any) -> dict[str, Any]:
        """Serialized tf.Examples with the raw columns, (batch,), to `probabilities`, float32 (batch, 1)."""
        spec = self._transform_output.raw_feature_spec()
        spec.pop(LABEL)
        raw = tf.io.parse_example(examples, spec)
        # The loaded graph wants every raw column, the label too.
        raw[LABEL] = tf.zeros_like(raw[CLOSES[0]], dtype=tf.int64)
        transformed = self.transform(raw)
        features = {name: transformed[name] for name in (*CLOSES, SHARE)}
        return {"probabilities": self.model(features, training=False)}


def run_fn(fn_args: Any) -> None:
    """Trains and exports one model, as the Trainer's entry point.

    Args:
        fn_args: TFX's FnArgs; its `custom_config` names the `model` and gives the most `epochs`.
    """
    config = fn_args.custom_config
    transform_output = tft.TFTransformOutput(fn_args.transform_graph_path)
    schema = transform_output.transformed_metadata.schema

    def dataset(files: list[str], *, shuffle: bool) -> Any:
        options = tfxio.TensorFlowDatasetOptions(batch_size=BATCH_SIZE, label_key=LABEL, num_epochs=1, shuffle=shuffle)
        return fn_args.data_accessor.tf_dataset_factory(files, options, schema)

    buckets = transform_output.vocabulary_size_by_name(SHARE) + 1
    model = MODELS[config["model"]](buckets)
    model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
    model.fit(
        dataset(fn_args.train_files, shuffle=True),
        validation_data=dataset(fn_args.eval_files, shuffle=False),
        epochs=config["epochs"],
        callbacks=[
            keras.callbacks.EarlyStopping(patience=PATIENCE, restore_best_weights=True),
            keras.callbacks.TensorBoard(log_dir=fn_args.model_run_dir),
        ],
        verbose=2,
    )
    module = ServingModule(model, transform_output)
    tf.saved_model.save(module, fn_args.serving_model_dir, signatures={"serving_default": module.serve})
