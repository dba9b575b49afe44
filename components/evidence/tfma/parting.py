"""One model's part of an evaluation of several, as TFMA reads it again: for whoever takes that model away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

CONFIG = "eval_config.json"

PARTS = "models"
"""Below an evaluation of several models: a folder for each of them, as if it had been evaluated alone."""


def part_of(evaluation: Path, model: str) -> Path:
    """The folder of what an evaluation says of a model.

    That of an only model, and one of a run before parts were written, is the evaluation itself.
    """
    part = evaluation / PARTS / model
    return part if part.is_dir() else evaluation


def write_parts(evaluation: str) -> None:
    """Writes the part of each model below an evaluation of several; of one model there is nothing to part.

    Args:
        evaluation: the folder that TFMA wrote.
    """
    import tensorflow as tf
    from tensorflow_model_analysis.proto import metrics_for_slice_pb2 as messages

    # By the beginning of a file's name: what a record is, and its field with a figure and a key for each model.
    kinds = {
        "metrics": (messages.MetricsForSlice, "metric_keys_and_values"),
        "plots": (messages.PlotsForSlice, "plot_keys_and_values"),
        "attributions": (messages.AttributionsForSlice, "attributions_keys_and_values"),
    }
    with tf.io.gfile.GFile(f"{evaluation}/{CONFIG}") as file:
        told = json.loads(file.read())
    models = told["modelLocations"]
    for model in models if len(models) > 1 else ():
        into = f"{evaluation}/{PARTS}/{model}"
        tf.io.gfile.makedirs(into)
        with tf.io.gfile.GFile(f"{into}/{CONFIG}", "w") as file:
            file.write(json.dumps(_config_of(told, model), indent=2))
        for path in tf.io.gfile.glob(f"{evaluation}/*.tfrecord"):
            name = path.rpartition("/")[2]
            if name.partition("-")[0] not in kinds:  # of thresholds, of which there are none
                continue
            message, figures = kinds[name.partition("-")[0]]
            with tf.io.TFRecordWriter(f"{into}/{name}") as writer:
                for record in tf.data.TFRecordDataset(path).as_numpy_iterator():
                    slice_ = message.FromString(record)
                    kept = [one for one in getattr(slice_, figures) if one.key.model_name == model]
                    slice_.ClearField(figures)
                    getattr(slice_, figures).extend(kept)
                    writer.write(slice_.SerializeToString(deterministic=True))


def _config_of(told: Mapping[str, Any], model: str) -> dict[str, Any]:
    """What TFMA is told of one model alone."""
    config = told["evalConfig"]
    return {
        **told,
        "evalConfig": {
            **config,
            "modelSpecs": [one for one in config["modelSpecs"] if one["name"] == model],
            "metricsSpecs": [one | {"modelNames": [model]} for one in config["metricsSpecs"]],
        },
        "modelLocations": {model: told["modelLocations"][model]},
    }
