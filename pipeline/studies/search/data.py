"""What all trials are trained and judged on: the pipeline's own examples, without the test split."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pipeline.configuration import pipeline_config
from pipeline.job.console import Clock, ConsoleListener
from pipeline.job.engine_check import check_engine
from pipeline.job.prices import prepare_prices, prices_named
from pipeline.job.quiet import import_tensorflow
from pipeline.plan import Plan

if TYPE_CHECKING:
    from rich.console import Console

    from models.architecture import InputSpec
    from models.data import Rows
    from pipeline.pipeline import PipelineConfig


@dataclass(frozen=True, eq=False)
class SearchData:
    """The two splits that a search looks at.

    Attributes:
        train: what is learned from.
        held_out: the eval split: early stopping looks at it, and what a trial is judged by is measured on it.
        inputs: the features and the sizes of their vocabularies.
        tested: first and last day of the test split, YYYYMMDD, which nothing is read of.
        fingerprint: of the prices that they were made of.
        config: of the pipeline that made them.
    """

    train: Rows
    held_out: Rows
    inputs: InputSpec
    tested: tuple[int, int]
    fingerprint: str
    config: PipelineConfig


def prepare_data(plan: Plan, console: Console) -> SearchData:
    """Runs the steps before the first Trainer, or takes them from the cache, and reads train and eval.

    Whoever calls it holds the workspace's lock. A run of the same plan takes these steps from the cache, and this takes
    those of a run.

    Raises:
        UserError: something the user can fix.
    """
    clock = Clock(console)
    prepare_prices(plan, console, clock)
    with clock.measured("imports", "Loading TensorFlow and TFX"):
        import_tensorflow()
        from tfx.components.example_gen import utils

        from pipeline.job.steps import clear_unfinished, run_pipeline, sqlite_metadata
        from pipeline.pipeline import create_data_pipeline

    check_engine(plan.engine, plan.root)
    config = pipeline_config(plan)
    plan.metadata.parent.mkdir(parents=True, exist_ok=True)
    store = sqlite_metadata(str(plan.metadata.absolute()))
    clear_unfinished(store, plan.root.parent)
    with closing(ConsoleListener(console)) as listener, prices_named(plan):
        steps = run_pipeline(create_data_pipeline(config, store), listener)
    [examples] = steps["FeatureExampleGen"].outputs["examples"]
    [graph] = steps["Transform"].outputs["transform_graph"]
    with clock.measured("rows", "Reading train and eval"):
        train, held_out, inputs = _read(plan, examples.uri, graph.uri)
    first, last = (examples.get_int_custom_property(f"test_{end}") for end in ("first", "last"))
    fingerprint = examples.get_string_custom_property(utils.FINGERPRINT_PROPERTY_NAME)
    return SearchData(train, held_out, inputs, (first, last), fingerprint, config)


def _read(plan: Plan, examples: str, graph: str) -> tuple[Rows, Rows, InputSpec]:
    """Train and eval through the transform graph, and what a model may take of them."""
    import tensorflow_transform as tft

    from components.evidence.predictions import split_pattern
    from models.data import row_reader
    from models.training import input_spec
    from models.transform_graph import TransformGraph

    transform = tft.TFTransformOutput(graph)
    graph_of = TransformGraph(transform, plan.formatter)
    read = row_reader(plan.horizon, plan.formatter, graph_of, plan.label)
    train, held_out = (read(split_pattern(examples, split)) for split in ("train", "eval"))
    return train, held_out, input_spec(plan.formatter, transform)
