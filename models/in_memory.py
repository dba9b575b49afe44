"""A DataFormatter without a pipeline: fitted on rows in memory by TensorFlow Transform itself, applied to any rows.

For what must leave the pipeline, because a pipeline never shuffles: experiments and audits that compare splits. A
feature has one definition there too, `models.preprocessing`, and its statistics come of the rows it is fitted on alone.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import tensorflow as tf
import tensorflow_transform as tft
import tensorflow_transform.beam as tft_beam
from apache_beam.options.pipeline_options import PipelineOptions
from tensorflow_transform.tf_metadata import schema_utils
from tfx_bsl.tfxio import tensor_adapter, tensor_representation_util

from models.data import raw_feature_spec
from models.formatters import DataFormatter
from models.preprocessing import preprocessing_fn
from models.transform_graph import TransformGraph

_BATCH = 8192

RawColumns = Mapping[str, npt.NDArray[np.generic]]
"""Raw features by name (models/features.py), [rows] or [rows, 21]; share_id as bytes."""


def fit_formatter(raw: RawColumns, formatter: DataFormatter, folder: Path) -> tft.TFTransformOutput:
    """Fits a formatter's transform graph.

    Args:
        raw: the rows its vocabularies, means and variances come from: the train split.
        formatter: what a model sees.
        folder: takes the transform graph; must not hold one, and must stay while the result is used.

    Returns:
        The transform graph, as Transform gives it to a Trainer.

    Raises:
        ValueError: there are no rows.
    """
    batches = list(_batches(raw, formatter))
    if not batches:
        raise ValueError(f"formatter {formatter.name} cannot be fitted on no rows")
    schema = schema_utils.schema_from_feature_spec(raw_feature_spec(formatter))
    adapter = tensor_adapter.TensorAdapterConfig(
        batches[0].schema, tensor_representation_util.InferTensorRepresentationsFromSchema(schema)
    )
    # The runner that Beam's DirectRunner hands a batch to, after it has looked for a program on the internet.
    options = PipelineOptions(["--runner=FnApiRunner", "--direct_running_mode=in_memory"])
    with tempfile.TemporaryDirectory() as temporary:
        with beam.Pipeline(options=options) as pipeline, tft_beam.Context(temporary):
            examples = pipeline | beam.Create(batches, reshuffle=False)
            graph = (examples, adapter) | tft_beam.AnalyzeDataset(
                lambda inputs: preprocessing_fn(inputs, {"formatter": formatter.name})
            )
            _ = graph | tft_beam.WriteTransformFn(str(folder))
    return tft.TFTransformOutput(str(folder))


def apply_formatter(
    raw: RawColumns, formatter: DataFormatter, transform: tft.TFTransformOutput
) -> dict[str, npt.NDArray[np.generic]]:
    """Makes a formatter's features of rows, with the statistics it was fitted with.

    Args:
        raw: any rows.
        formatter: the one that was fitted.
        transform: of `fit_formatter`, or of a pipeline's Transform.

    Returns:
        Features by name, [rows, steps] or [rows, 1], in the order of the rows.
    """
    return applied(formatter, transform)(raw)


def applied(
    formatter: DataFormatter, transform: tft.TFTransformOutput
) -> Callable[[RawColumns], dict[str, npt.NDArray[np.generic]]]:
    """`apply_formatter` of raw columns, for several sets of rows: the graph is traced once."""
    graph = TransformGraph(transform, formatter)
    spec = {key: tf.TensorSpec([None, *value.shape], value.dtype) for key, value in raw_feature_spec(formatter).items()}

    @tf.function(input_signature=[spec], autograph=False)
    def transformed(tensors: dict[str, Any]) -> dict[str, Any]:
        return graph(tensors)

    def apply(raw: RawColumns) -> dict[str, npt.NDArray[np.generic]]:
        parts = []
        for begin in range(0, len(raw[formatter.sources[0]]), _BATCH):
            tensors = {}
            for source in formatter.sources:
                values = raw[source][begin : begin + _BATCH]
                tensors[source] = tf.constant(values if values.ndim == 2 else values[:, None])
            parts.append({name: tensor.numpy() for name, tensor in transformed(tensors).items()})
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    return apply


def _batches(raw: RawColumns, formatter: DataFormatter) -> Iterator[pa.RecordBatch]:
    """What a formatter reads of the rows, as Arrow batches of list columns."""
    for begin in range(0, len(raw[formatter.sources[0]]), _BATCH):
        arrays = []
        for source in formatter.sources:
            values = raw[source][begin : begin + _BATCH]
            width = values.shape[1] if values.ndim == 2 else 1
            offsets = pa.array(np.arange(0, (len(values) + 1) * width, width, dtype=np.int32))
            flat = values.reshape(-1)
            arrays.append(
                pa.ListArray.from_arrays(offsets, pa.array(flat, type=pa.binary() if flat.dtype == object else None))
            )
        yield pa.RecordBatch.from_arrays(arrays, list(formatter.sources))
