"""create_pipeline: how the steps are wired, for every runner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ml_metadata.proto import metadata_store_pb2
from tfx.components.pusher.component import Pusher
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.components.statistics_gen.component import StatisticsGen
from tfx.components.trainer.component import Trainer
from tfx.components.transform.component import Transform
from tfx.dsl.components.base.base_component import BaseComponent
from tfx.dsl.components.common.resolver import Resolver
from tfx.orchestration import pipeline as tfx_pipeline
from tfx.proto import pusher_pb2, trainer_pb2, transform_pb2
from tfx.types import Channel, standard_artifacts

from components.comparison.component import EvalAnswers
from components.errors import UserError
from components.evaluator.component import Evaluator
from components.evidence.component import Contender, Evidence
from components.evidence.tried import RUN
from components.example_validator.component import StoppingExampleValidator
from components.feature_example_gen.component import FeatureExampleGen
from components.feature_example_gen.config import ExampleGenConfig
from components.leak_audit.component import LeakAudit
from components.leak_audit.config import AuditConfig
from components.model_selector import predecessor
from components.model_selector.component import ModelSelector
from components.trials.record import record_path
from models.trainer import TrainingConfig
from pipeline.engine import DIRECT_RUNNER
from pipeline.evaluation import evaluation_config
from pipeline.paths import hides_packages

PREPROCESSING_FN = "models.preprocessing.preprocessing_fn"
RUN_FN = "models.trainer.run_fn"


@dataclass(frozen=True)
class PipelineConfig:
    """Everything a pipeline is made of.

    Attributes:
        name: of the pipeline; runs of one name share their cache and their blessed models.
        root: folder of the artifacts.
        examples: the store, the shares, the splits.
        schema: path of the schema (text).
        training: one for each model.
        serving: folder the champion is pushed to.
        evaluation_code: digest of the code of the metrics and of the hurdle, so that TFX's cache sees a change.
        kind: of try that a run is (components/evidence/tried.py).
        beam_arguments: how Beam runs.
        train_steps: of every model at most; 0 for the epochs alone.
        cache: take unchanged steps from earlier runs.
        audit: of the run; None for none.
        accept: checks of the audit whose suspicion keeps no model back.
    """

    name: str
    root: str
    examples: ExampleGenConfig
    schema: str
    training: Sequence[TrainingConfig]
    serving: str
    evaluation_code: str = ""
    kind: str = RUN
    beam_arguments: Sequence[str] = DIRECT_RUNNER
    train_steps: int = 0
    cache: bool = True
    audit: AuditConfig | None = None
    accept: Sequence[str] = ()


def create_pipeline(
    config: PipelineConfig, metadata: metadata_store_pb2.ConnectionConfig | None = None
) -> tfx_pipeline.Pipeline:
    """Wires the steps.

    Args:
        config: what the pipeline is made of.
        metadata: where ML Metadata keeps its records; None where the runner brings it.

    Returns:
        The pipeline; its components are new, as one may be part of one pipeline only.

    Raises:
        UserError: Beam is to start workers, and they would not find the project's packages.
    """
    horizon = config.examples.splits.horizon
    data = _data(config)
    first = config.training[0]
    example_gen, schema_gen, transform = data.example_gen, data.schema_gen, data.transform
    components = [*data.components]
    contenders = {}
    for training in config.training:
        trainer = _trainer(config, data, training)
        resolver = Resolver(
            strategy_class=predecessor.LatestBlessedPredecessor,
            **{
                predecessor.CANDIDATE: trainer.outputs["model_run"],
                # Without the producer's name another kind's model would be found.
                predecessor.MODEL: Channel(
                    type=standard_artifacts.Model, producer_component_id=trainer.id, output_key="model"
                ),
                predecessor.BLESSING: Channel(
                    type=standard_artifacts.ModelBlessing,
                    producer_component_id=Evidence.__name__,
                    output_key=f"{training.model}.blessing",
                ),
            },
        ).with_id(f"Predecessor.{training.model}")
        components += [trainer, resolver]
        contenders[training.model] = Contender(trainer.outputs["model"], resolver.outputs[predecessor.MODEL])

    components.append(
        Evaluator(
            examples=example_gen.outputs["examples"],
            schema=schema_gen.outputs["schema"],
            models={name: one.model for name, one in contenders.items()},
            eval_config=evaluation_config(tuple(contenders), horizon, config.evaluation_code, first.label),
        )
    )
    evidence = Evidence(
        examples=example_gen.outputs["examples"],
        transform_graph=transform.outputs["transform_graph"],
        contenders=contenders,
        formatter=first.formatter,
        horizon=horizon,
        seed=first.seed,
        code=f"{first.code} {config.evaluation_code}",
        trials=str(record_path(config.examples.database)),
        kind=config.kind,
        label=first.label,
    )
    components.append(evidence)
    audit = None
    if config.audit is not None:
        audit = LeakAudit(
            examples=example_gen.outputs["examples"],
            schema=schema_gen.outputs["schema"],
            transform_graph=transform.outputs["transform_graph"],
            evidence=evidence.outputs["evidence"],
            config=config.audit,
        )
        components.append(audit)
    selector = ModelSelector(
        {name: one.model for name, one in contenders.items()},
        evidence.outputs["evidence"],
        audit.outputs["audit"] if audit else None,
        config.accept,
    )
    pusher = Pusher(
        model=selector.outputs["model"],
        model_blessing=selector.outputs["blessing"],
        push_destination=pusher_pb2.PushDestination(
            filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=config.serving)
        ),
    )
    components += [selector, pusher]
    return _pipeline(config, components, metadata)


def create_data_pipeline(
    config: PipelineConfig, metadata: metadata_store_pb2.ConnectionConfig | None = None
) -> tfx_pipeline.Pipeline:
    """Wires the steps of `create_pipeline` before the first training alone; arguments and errors as there."""
    return _pipeline(config, _data(config).components, metadata)


def create_comparison(
    config: PipelineConfig, metadata: metadata_store_pb2.ConnectionConfig | None = None
) -> tfx_pipeline.Pipeline:
    """Wires the steps of a candidate that is compared with others: trained, and asked about the eval split.

    They are those of `create_pipeline`, which takes them from the cache where the candidate is the one chosen.

    Args:
        config: as there.
        metadata: as there.

    Raises:
        UserError: as there.
    """
    data = _data(config)
    first = config.training[0]
    trainers = {training.model: _trainer(config, data, training) for training in config.training}
    answers = EvalAnswers(
        examples=data.example_gen.outputs["examples"],
        transform_graph=data.transform.outputs["transform_graph"],
        models={name: trainer.outputs["model"] for name, trainer in trainers.items()},
        formatter=first.formatter,
        horizon=config.examples.splits.horizon,
        label=first.label,
        seed=first.seed,
        code=f"{first.code} {config.evaluation_code}",
    )
    return _pipeline(config, [*data.components, *trainers.values(), answers], metadata)


@dataclass(frozen=True)
class _Data:
    """The steps before the first training."""

    example_gen: FeatureExampleGen
    schema_gen: ImportSchemaGen
    transform: Transform
    components: Sequence[BaseComponent]


def _data(config: PipelineConfig) -> _Data:
    if any("multi_processing" in argument for argument in config.beam_arguments) and (why := hides_packages(Path())):
        raise UserError(why)
    example_gen = FeatureExampleGen(config.examples)
    statistics_gen = StatisticsGen(examples=example_gen.outputs["examples"])
    schema_gen = ImportSchemaGen(schema_file=config.schema)
    validator = StoppingExampleValidator(
        statistics=statistics_gen.outputs["statistics"], schema=schema_gen.outputs["schema"]
    ).with_id("ExampleValidator")
    first = config.training[0]
    transform = Transform(
        examples=example_gen.outputs["examples"],
        schema=schema_gen.outputs["schema"],
        preprocessing_fn=PREPROCESSING_FN,
        custom_config={"formatter": first.formatter, "code": first.code},
        # Models read the examples themselves, whole and through the graph: writing them once more would cost more.
        materialize=False,
        disable_statistics=True,
        splits_config=transform_pb2.SplitsConfig(analyze=["train"]),
    )
    transform.add_upstream_node(validator)
    return _Data(example_gen, schema_gen, transform, [example_gen, statistics_gen, schema_gen, validator, transform])


def _trainer(config: PipelineConfig, data: _Data, training: TrainingConfig) -> Trainer:
    return Trainer(
        run_fn=RUN_FN,
        examples=data.example_gen.outputs["examples"],
        transform_graph=data.transform.outputs["transform_graph"],
        train_args=trainer_pb2.TrainArgs(splits=["train"], num_steps=config.train_steps),
        eval_args=trainer_pb2.EvalArgs(splits=["eval"]),
        custom_config=training.to_custom_config(),
    ).with_id(f"Trainer.{training.model}")


def _pipeline(
    config: PipelineConfig,
    components: Sequence[BaseComponent],
    metadata: metadata_store_pb2.ConnectionConfig | None,
) -> tfx_pipeline.Pipeline:
    return tfx_pipeline.Pipeline(
        pipeline_name=config.name,
        pipeline_root=config.root,
        components=list(components),
        enable_cache=config.cache,
        metadata_connection_config=metadata,
        beam_pipeline_args=list(config.beam_arguments),
    )
