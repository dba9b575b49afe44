"""What the Evaluator gives TFMA: custom_extractors and custom_eval_shared_model.

`custom_extractors` keeps the rows of a batch together, by year, where TFMA would take them apart one by one.

TFMA's metrics accept arrays of labels and predictions as well as single ones, but by default it makes a Python dict of
every row and hands each to every metric of every slice. With a few hundred groups instead of tens of thousands of rows
the same metrics give the same numbers in a fraction of the time. Two of TFMA's do not: ExampleCount counts groups, and
BinaryCrossEntropy weighs them wrongly; EvidenceOverDays (metrics.py) gives both figures instead.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
import tensorflow_model_analysis as tfma

from models.features import TIME, YEAR, excess_return_key, forward_return_key
from models.loaded import loaded_model

_UNBATCH = tfma.extractors.UnbatchExtractor().stage_name
_RETURNS = tuple(key(0).removesuffix("0") for key in (forward_return_key, excess_return_key))
_FEATURES, _LABELS, _PREDICTIONS = tfma.FEATURES_KEY, tfma.LABELS_KEY, tfma.PREDICTIONS_KEY


def custom_eval_shared_model(eval_saved_model_path: str, **arguments: Any) -> Any:
    """TFMA's default for a model, which is loaded once for all steps of a process."""
    tags = [tf.saved_model.SERVING]
    loader = tfma.types.ModelLoader(construct_fn=partial(_Model, eval_saved_model_path), tags=tags)
    return tfma.default_eval_shared_model(eval_saved_model_path, tags=tags, custom_model_loader=loader, **arguments)


class _Signature:
    """A loaded model's signature that is given its examples by name, as TFMA gives them by place.

    By place TensorFlow takes them as well, once it has written all of them into an error message that nobody reads.
    """

    def __init__(self, signature: Any) -> None:
        self._signature = signature

    def __call__(self, examples: tf.Tensor) -> Any:
        return self._signature(examples=examples)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.__dict__["_signature"], name)


class _Model:
    """A loaded model's signatures, each a `_Signature`."""

    def __init__(self, directory: str) -> None:
        self.signatures = {name: _Signature(one) for name, one in loaded_model(directory).signatures.items()}


def custom_extractors(eval_shared_model: Any, eval_config: Any, tensor_adapter_config: Any) -> list[Any]:
    """TFMA's default extractors, with the one that takes batches apart replaced."""
    extractors = tfma.default_extractors(
        eval_shared_model=eval_shared_model, eval_config=eval_config, tensor_adapter_config=tensor_adapter_config
    )
    if _UNBATCH not in [extractor.stage_name for extractor in extractors]:
        raise RuntimeError(f"TFMA has no extractor {_UNBATCH} any more; this module has to follow")
    return [
        tfma.extractors.Extractor(stage_name=_UNBATCH, ptransform="GroupByYear" >> beam.FlatMap(_groups))
        if extractor.stage_name == _UNBATCH
        else extractor
        for extractor in extractors
    ]


def _groups(batch: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows of a batch of extracts, grouped by year: labels [rows], predictions by name [rows]."""
    features = batch[_FEATURES]
    years = np.asarray(features[YEAR]).reshape(-1)
    # A horizon that not every row has a label for comes as a sparse tensor; no metric reads it.
    kept = {
        key: values.reshape(-1)
        for key, values in features.items()
        if isinstance(values, np.ndarray) and (key == TIME or key.startswith(_RETURNS))
    }
    for year in np.unique(years):
        rows = years == year
        yield {
            _FEATURES: {YEAR: np.array([year])} | {key: values[rows] for key, values in kept.items()},
            _LABELS: _take(batch[_LABELS], rows),
            _PREDICTIONS: _take(batch[_PREDICTIONS], rows),
        }


def _take(values: Any, rows: np.ndarray[Any, Any]) -> Any:
    """The same rows of labels or predictions; with a baseline there is a dict of them by model."""
    if isinstance(values, dict):
        return {key: _take(part, rows) for key, part in values.items()}
    return np.asarray(values).reshape(-1)[rows]
