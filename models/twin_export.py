"""The twin of a trained model: its Keras layers and what Transform learned, as `models/twin` reads them.

A layer or an operation that is not written without TensorFlow is no error: the model is exported without a twin, with
the reason in its place.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf
import tensorflow_transform as tft

from models.day_wide.columns import COLUMNS
from models.dropout import Dropout
from models.errors import TwinError
from models.features import CLOSES, SHARE_ID, WINDOW
from models.formatters import DataFormatter
from models.loaded import loaded_model
from models.operations import Learned, moment_names, vocabulary_name
from models.twin.arithmetic import Array
from models.twin.features import described, fitted_features, moment_arrays, vocabulary_array
from models.twin.files import StepRecord, TwinRecord, no_twin_files, twin_files
from models.twin.forecasting import Twin, check_examples
from models.twin.layers import LAYERS

_LOG = logging.getLogger(__name__)

_TENSOR = "__keras_tensor__"
"""What a layer's configuration calls the value of another layer."""

_EXAMPLES = 64
"""Rows that a twin carries with TensorFlow's answers."""


def export_twin(
    model: keras.Model, transform: tft.TFTransformOutput, formatter: DataFormatter, predict: Any
) -> dict[str, bytes]:
    """Makes the twin of a model, and asks both for examples.

    Args:
        model: gives a logit, [n, 1].
        transform: the transform graph.
        formatter: what the model sees.
        predict: the served model's signature for people (serving.py).

    Returns:
        The files that lie beside the SavedModel, by name: the twin, or why there is none.
    """
    try:
        arrays = _learned(transform, formatter)
        fitted_features(formatter, arrays)
        steps, output, weights = _layers(model)
        arrays |= weights | _examples(arrays, formatter, predict)
        features = tuple(described(feature) for feature in formatter.features)
        record = TwinRecord(formatter.name, features, steps, output, arrays)
        check_examples(Twin(record, "").forecast, arrays)
    except TwinError as error:
        _LOG.warning("%s is exported without a twin: %s", model.name, error)
        return no_twin_files(str(error))
    return twin_files(record)


def _learned(transform: tft.TFTransformOutput, formatter: DataFormatter) -> dict[str, Array]:
    """The vocabularies and moments of a transform graph, by the twin's names."""
    arrays: dict[str, Array] = {}
    moments: dict[str, str] = {}
    for feature in formatter.features:
        if feature.operation.learned is Learned.VOCABULARY:
            known = transform.vocabulary_by_name(vocabulary_name(feature))
            arrays[vocabulary_array(feature)] = np.array(known, dtype=bytes)
        elif feature.operation.learned is Learned.MOMENTS:
            moments |= dict(zip(moment_arrays(feature), moment_names(feature), strict=True))
    return arrays | dict(zip(moments, _tensors(transform, list(moments.values())), strict=True))


def _tensors(transform: tft.TFTransformOutput, names: Sequence[str]) -> list[Array]:
    """Tensors of a transform graph that depend on no row, by the names of their operations."""
    function = loaded_model(transform.transform_savedmodel_dir).transform_fn
    held = function.captured_inputs
    learned = dict(zip([tensor.op.name for tensor in function.inputs[-len(held) :]], held, strict=True)) if held else {}
    nodes = {node.name: node for node in function.graph.as_graph_def().node}
    part = tf.compat.v1.GraphDef()
    left, taken = list(names), set()
    while left:
        name = left.pop()
        if name in taken:
            continue
        if name not in nodes:
            raise TwinError(f"the transform graph holds no {name}")
        taken.add(name)
        part.node.append(nodes[name])
        left += [one.lstrip("^").partition(":")[0] for one in nodes[name].input]

    @tf.function(autograph=False)
    def evaluate() -> list[tf.Tensor]:
        inputs = {name: tf.constant(learned[name].numpy()) for name in taken & learned.keys()}
        wanted = [f"{name}:0" for name in names]
        return tf.graph_util.import_graph_def(part, input_map=inputs, return_elements=wanted)

    return [tensor.numpy() for tensor in evaluate()] if names else []


def _layers(model: keras.Model) -> tuple[tuple[StepRecord, ...], str, dict[str, Array]]:
    """The layers of a model in the order in which they are computed, that of the logit, and their weights."""
    weights: dict[str, Array] = {}
    inputs = {tensor.name: tensor.name for tensor in model.inputs}
    steps, output = _walk(model, "", inputs, weights)
    return tuple(steps), output, weights


def _walk(
    model: keras.Model, prefix: str, inputs: Mapping[str, str], weights: dict[str, Array]
) -> tuple[list[StepRecord], str]:
    """The steps of a network, and the one that is its output.

    Args:
        model: the network, or a part of one.
        prefix: of the names of its steps.
        inputs: for each of its inputs, what the value is called outside.
        weights: where those of the steps are added.
    """
    if not isinstance(model, keras.Model) or not hasattr(model, "operations"):
        raise TwinError(f"{type(model).__name__} is no functional Keras model")
    config = model.get_config()
    values: dict[tuple[str, int], str] = {(name, 0): outside for name, outside in inputs.items()}
    steps: list[StepRecord] = []
    waiting = [
        (layer, number, call)
        for layer in config["layers"]
        for number, call in enumerate(layer["inbound_nodes"])
        if (layer["name"], number) not in values
    ]
    while waiting:
        ready = [one for one in waiting if all(source in values for source in _sources(one[2]))]
        if not ready:
            raise TwinError(f"the layers of {model.name} follow on no inputs")
        for layer, number, call in ready:
            name = f"{prefix}{layer['name']}" + (f":{number}" if number else "")
            values[layer["name"], number] = _add(model.get_layer(layer["name"]), call, name, values, steps, weights)
        waiting = [one for one in waiting if one not in ready]
    (output,) = [config["output_layers"]] if isinstance(config["output_layers"][0], str) else config["output_layers"]
    return steps, values[output[0], output[1]]


def _add(
    layer: Any,
    call: Mapping[str, Any],
    name: str,
    values: Mapping[tuple[str, int], str],
    steps: list[StepRecord],
    weights: dict[str, Array],
) -> str:
    """Adds the step of a layer's call, or the steps of a network in a network; returns what the value is called."""
    kind = type(layer).__name__
    asked = call.get("kwargs", {})
    if asked.get("training") or any(one is not None for one in tf.nest.flatten(asked.get("mask"))):
        raise TwinError(f"the layer {name} ({kind}) is called with a mask, or as in training")
    inputs = tuple(values[source] for source in _sources(call))
    if isinstance(layer, keras.Model) and hasattr(layer, "operations"):
        (argument,) = call["args"]
        by_name = isinstance(argument, Mapping) and argument.get("class_name") != _TENSOR
        names = list(argument) if by_name else [tensor.name for tensor in layer.inputs]
        inner, output = _walk(layer, f"{name}/", dict(zip(names, inputs, strict=True)), weights)
        steps += inner
        return output
    if type(layer) not in (getattr(keras.layers, kind, None), Dropout) or kind not in LAYERS:
        raise TwinError(f"the layer {name} ({kind}) is not written without TensorFlow")
    config = layer.get_config()
    for key, value in LAYERS[kind].only.items():
        if config.get(key, value) != value:
            raise TwinError(f"the layer {name} ({kind}) with {key}={config[key]!r} is not written without TensorFlow")
    held = layer.get_weights()
    weights |= {f"{name}/{number}": weight for number, weight in enumerate(held)}
    settings = {key: config[key] for key in LAYERS[kind].settings}
    steps.append(StepRecord(kind, name, inputs, settings, len(held)))
    return name


def _sources(call: Mapping[str, Any]) -> list[tuple[str, int]]:
    """The calls of layers whose values a call of a layer takes, in its order."""
    return list(_histories([call.get("args", ()), call.get("kwargs", {})]))


def _histories(value: Any) -> Iterator[tuple[str, int]]:
    if isinstance(value, Mapping):
        if value.get("class_name") == _TENSOR:
            name, number, _ = value["config"]["keras_history"]
            yield name, number
            return
        value = value.values()
    elif not isinstance(value, (list, tuple)):
        return
    for one in value:
        yield from _histories(one)


def _examples(arrays: Mapping[str, Array], formatter: DataFormatter, predict: Any) -> dict[str, Array]:
    """Random walks of known shares and an unknown one, at many prices and volatilities, with TensorFlow's answers."""
    rng = np.random.default_rng(0)
    moves = rng.normal(size=(_EXAMPLES, WINDOW)) * 10 ** rng.uniform(-3, -1, (_EXAMPLES, 1))
    closes = (10 ** rng.uniform(0, 3, (_EXAMPLES, 1)) * np.exp(np.cumsum(moves, axis=1))).astype(np.float32)
    closes[0] = 50.0  # never moves
    known = [
        one for f in formatter.features if f.source == SHARE_ID and vocabulary_array(f) in arrays
        for one in arrays[vocabulary_array(f)].tolist()
    ]  # fmt: skip
    shares = np.array(([b"no such share", *known] * _EXAMPLES)[:_EXAMPLES])
    day = {
        name: (rng.normal(size=(_EXAMPLES, COLUMNS[name].width)) * 10 ** rng.uniform(-3, 0)).astype(np.float32)
        for name in formatter.day_columns
    }
    raw = {SHARE_ID: shares, CLOSES: closes, **day}
    answer = predict(**{name: tf.constant(values) for name, values in raw.items()})
    (probability,) = [value.numpy()[:, 0] for value in answer.values()]
    return {f"example/{name}": values for name, values in raw.items()} | {"example/probability": probability}
