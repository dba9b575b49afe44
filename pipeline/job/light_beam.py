"""Beam's steps without what they do again and again in vain.

For each of the some hundred transforms of a step Beam looks a dozen times at the arguments of every method of its
function, and builds a parser of the command line whenever it asks for an option: a fifth of what the Evaluator takes.
And TFX reads examples one at a time, checks the bytes of each in Python, and puts them together again. To see whether
a pipeline is one of a notebook's cells it imports IPython, for every transform anew where that is not there.
"""

from __future__ import annotations

import contextlib
import types
import weakref
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import apache_beam as beam
from apache_beam.options.pipeline_options import PipelineOptions
from apache_beam.transforms import core
from apache_beam.utils import interactive_utils
from tfx_bsl.tfxio import tf_example_record

ROWS = 8192
"""Examples that are decoded at once. Memory and the digits of what a step learns of them do not follow the clock so, as
they would by Beam's own batches."""


@contextlib.contextmanager
def light_beam(in_process: bool = True) -> Iterator[None]:
    """Beam pipelines that are made within are built, and read their examples, so.

    Args:
        in_process: they run in this process; otherwise they read as TFX has it, so that an engine may part files.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(patch.object(core, "get_function_args_defaults", _remembered_arguments()))
        stack.enter_context(patch.object(PipelineOptions, "view_as", _remembered_views()))
        for asking in (beam.pipeline, interactive_utils):  # a step's pipeline is no cell's, in a notebook either
            stack.enter_context(patch.object(asking, "is_in_ipython", bool))
        if in_process:
            stack.enter_context(patch.object(tf_example_record.TFExampleRecord, "BeamSource", _batches_of))
        yield


def _remembered_arguments() -> Any:
    """`get_function_args_defaults`, which asks of each method once; a bound one's follow from its function alone."""
    ask = core.get_function_args_defaults
    known: weakref.WeakKeyDictionary[Any, tuple[list[str], list[Any]]] = weakref.WeakKeyDictionary()

    def arguments(function: Any) -> tuple[list[str], list[Any]]:
        behind = function.__func__ if isinstance(function, types.MethodType) else None
        if not isinstance(behind, types.FunctionType):
            return ask(function)
        if behind not in known:
            known[behind] = ask(function)
        names, defaults = known[behind]
        return list(names), list(defaults)

    return arguments


def _remembered_views() -> Any:
    """`PipelineOptions.view_as`, which makes each view once; all views of an object share its values as it is."""
    make = PipelineOptions.view_as
    known: weakref.WeakKeyDictionary[PipelineOptions, dict[type, Any]] = weakref.WeakKeyDictionary()

    def view_as(options: PipelineOptions, kind: type) -> Any:
        views = known.setdefault(options, {})
        if kind not in views:
            views[kind] = make(options, kind)
        return views[kind]

    return view_as


def _batches_of(source: Any, batch_size: int | None = None) -> beam.PTransform:
    """`TFExampleRecord.BeamSource`: record batches of the files of a pattern, each read from its begin to its end."""
    import tensorflow as tf

    patterns = [source._file_pattern] if isinstance(source._file_pattern, str) else source._file_pattern
    files = sorted(file for pattern in patterns for file in tf.io.gfile.glob(pattern))
    decode = tf_example_record._DecodeBatchExamplesDoFn(source._GetSchemaForDecoding(), source.raw_record_column_name)

    def expand(pipeline: Any) -> Any:
        return (
            pipeline
            | "Files" >> beam.Create(files, reshuffle=False)
            | "Read" >> beam.FlatMap(_records, batch_size or ROWS).with_output_types(list[bytes])
            | "Decode" >> beam.ParDo(decode)
        )

    return beam.ptransform_fn(expand)()


def _records(file: str, rows: int) -> Iterator[list[bytes]]:
    import tensorflow as tf

    for records in tf.data.TFRecordDataset(file, buffer_size=8 << 20).batch(rows):
        yield records.numpy().tolist()
