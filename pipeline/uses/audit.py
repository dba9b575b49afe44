"""Audits a finished run: finds what it left through ML Metadata, and puts it before the leak audit."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.evidence.metric import AUC
from components.leak_audit.results import AUDIT_FILE, AuditError, AuditReport
from pipeline.report.verdict import plausible_auc
from pipeline.runs.folder import FinishedRun, open_run, write_text
from pipeline.runs.results import RunReport

if TYPE_CHECKING:
    from components.feature_example_gen.config import ExampleGenConfig
    from components.leak_audit.config import AuditConfig
    from models.trainer import TrainingConfig


@dataclass(frozen=True)
class _Trained:
    """What a Trainer was given, and where its inputs came from."""

    training: TrainingConfig
    train_steps: int
    examples: str
    transform_graph: str
    schema: str
    generation: ExampleGenConfig
    fingerprint: str


def audit_run(
    run: Path,
    models: Sequence[str],
    auc: float | None,
    progress: Callable[[str], None] | None = None,
    full: bool = False,
) -> AuditReport:
    """Audits a run again, and writes audit.json into its folder.

    Args:
        run: its folder, or its report.json.
        models: those of its models that are trained again; the first one if none is named.
        auc: an honest AUC above which a leak is suspected; None for what the run was told.
        progress: is told the name of each check before it is made.
        full: whether checks that look at a sample of the database look at all of it.

    Raises:
        ReportError: there is no report, it has no such model, or audit.json cannot be written.
        AuditError: what the run left is gone.
    """
    opened = open_run(run)
    report, names = opened.report, list(opened.models(models))[: None if models else 1]
    metadata = _metadata_file(run, report, names[0])

    from pipeline.job.quiet import import_tensorflow

    import_tensorflow()  # first, as what is imported next brings it along, with all that its libraries log
    from pipeline.job.relocation import relocate
    from pipeline.job.steps import sqlite_metadata

    relocate(sqlite_metadata(str(metadata)), metadata.parents[1])
    from components.leak_audit.audit import audit
    from components.leak_audit.executor import read_schema

    trained = [_trained(metadata, report.models[name].model_uri) for name in names]
    first = trained[0]
    made = audit(
        first.examples,
        read_schema(first.schema),
        first.transform_graph,
        {name: model.area for name, model in report.models.items()},
        _config(trained, opened, auc, full),
        progress,
        {name: figures[AUC] for name, figures in report.baselines.items() if AUC in figures},
    )
    write_text(opened.folder / AUDIT_FILE, made.to_json())
    return made


def _metadata_file(run: Path, report: RunReport, name: str) -> Path:
    """ML Metadata of the workspace that the run's models lie in: WORKSPACE/tfx/NAME/Trainer.MODEL/model/NUMBER."""
    model = Path(report.models[name].model_uri)
    path = model.parents[3] / "metadata.db" if len(model.parents) > 3 else model
    if not model.is_dir() or not path.is_file():
        raise AuditError(f"{run}: what the run left is not at {model}; audit it where it ran, or run again")
    return path


def _trained(metadata_file: Path, model_uri: str) -> _Trained:
    from tfx.components.example_gen import utils
    from tfx.orchestration import metadata

    from components.feature_example_gen.config import ExampleGenConfig
    from models.trainer import TrainingConfig
    from pipeline.job.steps import sqlite_metadata

    with metadata.Metadata(sqlite_metadata(str(metadata_file))) as handle:
        trainer = _Execution(handle.store, model_uri)
        transform = _Execution(handle.store, trainer.inputs["transform_graph"])
        example_gen = _Execution(handle.store, trainer.inputs["examples"])
        return _Trained(
            training=TrainingConfig(**json.loads(trainer.properties["custom_config"])),
            train_steps=int(json.loads(trainer.properties["train_args"]).get("num_steps", 0)),
            examples=trainer.inputs["examples"],
            transform_graph=trainer.inputs["transform_graph"],
            schema=transform.inputs["schema"],
            generation=ExampleGenConfig.from_exec_properties(example_gen.properties),
            fingerprint=example_gen.properties.get(utils.FINGERPRINT_PROPERTY_NAME, ""),
        )


class _Execution:
    """The execution that made an artifact: what it was told, and the folders of what it read."""

    def __init__(self, store: Any, uri: str) -> None:
        from ml_metadata.proto import metadata_store_pb2

        artifacts = store.get_artifacts_by_uri(uri)
        events = store.get_events_by_artifact_ids([artifact.id for artifact in artifacts]) if artifacts else []
        made = [event.execution_id for event in events if event.type == metadata_store_pb2.Event.OUTPUT]
        if not made:
            raise AuditError(f"{uri}: the pipeline's metadata does not know where it comes from; run again")
        # The first one made it; the later ones found it in the cache.
        [execution] = store.get_executions_by_id([min(made)])
        self.properties = {key: value.string_value for key, value in execution.custom_properties.items()}
        read = [
            event
            for event in store.get_events_by_execution_ids([execution.id])
            if event.type == metadata_store_pb2.Event.INPUT
        ]
        by_id = {one.id: one.uri for one in store.get_artifacts_by_id([event.artifact_id for event in read])}
        self.inputs = {
            step.key: by_id[event.artifact_id] for event in read for step in event.path.steps if step.HasField("key")
        }


def _config(trained: Sequence[_Trained], run: FinishedRun, auc: float | None, full: bool) -> AuditConfig:
    from components.leak_audit.config import AuditConfig, AuditedModel

    first, generation, report = trained[0], trained[0].generation, run.report
    return AuditConfig(
        models=tuple(
            AuditedModel(one.training.model, one.training.version, one.training.hyperparameters) for one in trained
        ),
        formatter=first.training.formatter,
        horizon=first.training.horizon,
        seed=first.training.seed,
        embargo=generation.splits.embargo,
        train_steps=first.train_steps,
        plausible_auc=plausible_auc(report.settings) if auc is None else auc,
        market=None if report.market is None else report.market.scenario,
        database=str(run.database),
        splits=generation.splits,
        shares=generation.shares,
        max_missing_sessions=generation.max_missing_sessions,
        label=first.training.label,
        fingerprint=first.fingerprint,
        last_session=report.data.last,
        full=full,
    )
