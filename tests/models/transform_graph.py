"""Fits a transform graph in a process of its own.

TensorFlow Transform keeps graphs until the interpreter ends, and TensorFlow crashes when they are collected after its
own library has been torn down: so the process that fits ends without collecting anything.
"""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path
from typing import Any


def fit_transform_graph(formatter: str, rows: list[dict[str, Any]], directory: Path) -> None:
    """Writes the transform graph of a formatter, by name, fitted on rows of raw features."""
    process = multiprocessing.get_context("spawn").Process(target=_fit, args=(formatter, rows, directory))
    process.start()
    process.join()
    assert process.exitcode == 0, f"the graph of {formatter} could not be fitted"


def _fit(name: str, rows: list[dict[str, Any]], directory: Path) -> None:
    import apache_beam as beam
    import tensorflow_transform.beam as tft_beam
    from tensorflow_transform.tf_metadata import dataset_metadata, schema_utils

    from models.data import raw_feature_spec
    from models.formatters import get_formatter
    from models.preprocessing import preprocessing_fn

    spec = raw_feature_spec(get_formatter(name))
    metadata = dataset_metadata.DatasetMetadata(schema_utils.schema_from_feature_spec(spec))
    with beam.Pipeline("FnApiRunner") as pipeline, tft_beam.Context(str(directory / "temporary")):
        raw = pipeline | beam.Create(rows)
        graph = (raw, metadata) | tft_beam.AnalyzeDataset(lambda inputs: preprocessing_fn(inputs, {"formatter": name}))
        _ = graph | tft_beam.WriteTransformFn(str(directory / "graph"))
    os._exit(0)
