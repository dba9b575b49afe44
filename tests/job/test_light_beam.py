"""Beam's steps without what they do in vain: the same answers, and as ever afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

ROWS = 9000


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two files of examples, one of them of more than a batch."""
    import tensorflow as tf

    folder = tmp_path_factory.mktemp("examples")
    for file, rows in (("a", range(ROWS)), ("b", range(ROWS, ROWS + 10))):
        with tf.io.TFRecordWriter(str(folder / file)) as writer:
            for number in rows:
                feature = tf.train.Feature(int64_list=tf.train.Int64List(value=[number]))
                writer.write(
                    tf.train.Example(features=tf.train.Features(feature={"number": feature})).SerializeToString()
                )
    return folder


def batches(examples: Path, column: str | None, left: Path) -> list[Any]:
    """The record batches that a step reads, the first first."""
    import apache_beam as beam
    import pyarrow as pa
    from tfx_bsl.tfxio import tf_example_record

    left.mkdir()

    def leave(batch: Any) -> None:
        with pa.ipc.new_file(str(left / f"{batch.column(0)[0][0].as_py():06d}"), batch.schema) as writer:
            writer.write_batch(batch)

    source = tf_example_record.TFExampleRecord(str(examples / "*"), raw_record_column_name=column)
    with beam.Pipeline(runner="FnApiRunner") as pipeline:
        _ = pipeline | source.BeamSource() | beam.Map(leave)
    return [pa.ipc.open_file(file).get_batch(0) for file in sorted(left.iterdir())]


@pytest.mark.parametrize("column", [None, "raw"], ids=["features alone", "with the records"])
def test_a_step_reads_the_same_rows_in_batches_of_a_fixed_size(
    examples: Path, column: str | None, tmp_path: Path
) -> None:
    from pipeline.job.light_beam import light_beam

    with light_beam():
        light = batches(examples, column, tmp_path / "light")
    plain = batches(examples, column, tmp_path / "plain")  # may hold rows of both files
    assert [batch.num_rows for batch in light] == [8192, ROWS - 8192, 10]
    rows = [row for batch in light for row in batch.to_pylist()]
    assert rows == sorted((row for batch in plain for row in batch.to_pylist()), key=lambda row: row["number"])
    assert light[0].schema.equals(plain[0].schema)


def test_options_and_arguments_are_those_of_beam() -> None:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions, StandardOptions
    from apache_beam.transforms import core

    from pipeline.job.light_beam import light_beam

    class Adding(beam.DoFn):
        def process(self, element: int, more: int = 2, when: Any = beam.DoFn.TimestampParam) -> list[int]:
            return [element + more]

    plain = core.get_function_args_defaults(Adding().process)
    before = PipelineOptions.view_as, core.get_function_args_defaults
    with light_beam():
        for _ in range(2):
            assert core.get_function_args_defaults(Adding().process) == plain
        core.get_function_args_defaults(Adding().process)[0].clear()  # whoever changes a list changes no other
        assert core.get_function_args_defaults(Adding().process) == plain
        one, other = PipelineOptions(["--runner=FnApiRunner"]), PipelineOptions(["--runner=FlinkRunner"])
        assert one.view_as(StandardOptions).runner == "FnApiRunner"
        assert other.view_as(StandardOptions).runner == "FlinkRunner"
        one.view_as(DirectOptions).direct_num_workers = 7
        assert one.view_as(DirectOptions).direct_num_workers == 7
        assert other.view_as(DirectOptions).direct_num_workers == 1
    assert (PipelineOptions.view_as, core.get_function_args_defaults) == before
