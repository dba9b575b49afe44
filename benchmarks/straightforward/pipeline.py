"""The pipeline itself."""

from __future__ import annotations

from pathlib import Path

import tensorflow_model_analysis as tfma
from tensorflow_model_analysis.proto import config_pb2
from tfx import v1 as tfx

from benchmarks.straightforward.features import LABEL, SHARE

SPLITS = ("train", "eval", "test")
MODELS = ("linear", "dnn", "custom_dnn", "rnn")
PUSHED = "linear"
_HERE = "benchmarks.straightforward"


def eval_config() -> config_pb2.EvalConfig:
    """What TFMA computes: eight metrics, overall and for each share, and when a model is blessed.

    A model is blessed when its overall AUC is not below 0.5 and, where there is a blessed one already, not below that
    one's.
    """
    auc_threshold = config_pb2.PerSliceMetricThreshold(
        slicing_specs=[config_pb2.SlicingSpec()],
        threshold=config_pb2.MetricThreshold(
            value_threshold=config_pb2.GenericValueThreshold(lower_bound={"value": 0.5}),
            change_threshold=config_pb2.GenericChangeThreshold(
                direction=config_pb2.MetricDirection.HIGHER_IS_BETTER, absolute={"value": -1e-10}
            ),
        ),
    )
    names = ("BinaryCrossentropy", "BinaryAccuracy", "Precision", "Recall", "AUCPrecisionRecall")
    metrics = [config_pb2.MetricConfig(class_name=name) for name in (*names, "MeanLabel", "MeanPrediction")]
    metrics.append(config_pb2.MetricConfig(class_name="AUC", per_slice_thresholds=[auc_threshold]))
    return config_pb2.EvalConfig(
        model_specs=[
            config_pb2.ModelSpec(
                signature_name="serving_default",
                model_type=tfma.TF_GENERIC,
                label_key=LABEL,
                prediction_key="probabilities",
            )
        ],
        slicing_specs=[config_pb2.SlicingSpec(), config_pb2.SlicingSpec(feature_keys=[SHARE])],
        metrics_specs=[config_pb2.MetricsSpec(metrics=metrics)],
    )


def create_pipeline(csv_dir: Path, work: Path, epochs: int) -> tfx.dsl.Pipeline:
    """Wires the pipeline.

    Args:
        csv_dir: Holds `train.csv`, `eval.csv` and `test.csv` with the columns of `features.COLUMNS`.
        work: Takes the artifacts, the metadata and the pushed model.
        epochs: The largest number of passes over the train split.
    """
    example_gen = tfx.components.CsvExampleGen(
        input_base=str(csv_dir),
        input_config=tfx.proto.Input(
            splits=[tfx.proto.Input.Split(name=split, pattern=f"{split}.csv") for split in SPLITS]
        ),
    )
    statistics_gen = tfx.components.StatisticsGen(examples=example_gen.outputs["examples"])
    schema_gen = tfx.components.SchemaGen(statistics=statistics_gen.outputs["statistics"], infer_feature_shape=True)
    example_validator = tfx.components.ExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema_gen.outputs["schema"]
    )
    transform = tfx.components.Transform(
        examples=example_gen.outputs["examples"],
        schema=schema_gen.outputs["schema"],
        preprocessing_fn=f"{_HERE}.features.preprocessing_fn",
    )
    components = [example_gen, statistics_gen, schema_gen, example_validator, transform]
    for name in MODELS:
        trainer = tfx.components.Trainer(
            run_fn=f"{_HERE}.trainer.run_fn",
            examples=transform.outputs["transformed_examples"],
            transform_graph=transform.outputs["transform_graph"],
            schema=schema_gen.outputs["schema"],
            train_args=tfx.proto.TrainArgs(splits=["train"]),
            eval_args=tfx.proto.EvalArgs(splits=["eval"]),
            custom_config={"model": name, "epochs": epochs},
        ).with_id(f"Trainer.{name}")
        # Without the producer's name a Resolver would find the latest blessed model of any kind.
        resolver = tfx.dsl.Resolver(
            strategy_class=tfx.dsl.experimental.LatestBlessedModelStrategy,
            model=tfx.dsl.Channel(
                type=tfx.types.standard_artifacts.Model, producer_component_id=f"Trainer.{name}", output_key="model"
            ),
            model_blessing=tfx.dsl.Channel(
                type=tfx.types.standard_artifacts.ModelBlessing,
                producer_component_id=f"Evaluator.{name}",
                output_key="blessing",
            ),
        ).with_id(f"Resolver.{name}")
        evaluator = tfx.components.Evaluator(
            examples=example_gen.outputs["examples"],
            example_splits=["test"],
            model=trainer.outputs["model"],
            baseline_model=resolver.outputs["model"],
            eval_config=eval_config(),
        ).with_id(f"Evaluator.{name}")
        components += [trainer, resolver, evaluator]
        if name == PUSHED:
            components.append(
                tfx.components.Pusher(
                    model=trainer.outputs["model"],
                    model_blessing=evaluator.outputs["blessing"],
                    push_destination=tfx.proto.PushDestination(
                        filesystem=tfx.proto.PushDestination.Filesystem(base_directory=str(work / "pushed"))
                    ),
                )
            )
    return tfx.dsl.Pipeline(
        pipeline_name="straightforward",
        pipeline_root=str(work / "pipeline"),
        metadata_connection_config=tfx.orchestration.metadata.sqlite_metadata_connection_config(
            str(work / "metadata.db")
        ),
        components=components,
        # The runner that Beam's default falls back to in the end; the default tries to download another one first.
        beam_pipeline_args=["--runner=FnApiRunner", "--direct_running_mode=in_memory", "--direct_num_workers=1"],
    )
