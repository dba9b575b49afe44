"""From a plan to the configuration of a pipeline, for every runner alike."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from components.evidence.tried import RUN
from components.feature_example_gen.config import ExampleGenConfig
from components.whole_files import write_whole
from pipeline.code_digest import code_digest
from pipeline.naming import is_url
from pipeline.plan import Plan

if TYPE_CHECKING:
    from components.leak_audit.config import AuditConfig
    from models.trainer import TrainingConfig
    from pipeline.pipeline import PipelineConfig


def _schema(plan: Plan) -> tuple[Path, str]:
    """The curated schema's path and text; TFX's cache looks at the path, so it holds a digest of the content."""
    from google.protobuf import text_format

    from models.schema import schema_for

    columns = plan.formatter.example_columns
    schema = schema_for(plan.splits.horizons, plan.horizon, label=plan.label.name, columns=columns)
    text = text_format.MessageToString(schema)
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return plan.workspace / "tfx" / "schema" / digest / "schema.pbtxt", text


def write_schema(plan: Plan) -> Path:
    """Writes the curated schema for the plan's horizons, where it is not there yet; gives the file."""
    path, text = _schema(plan)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(path, text)
    return path


def pipeline_config(plan: Plan, write_files: bool = True, kind: str = RUN) -> PipelineConfig:
    """Everything `create_pipeline` needs; without `write_files`, whoever runs it writes the schema. Imports TFX.

    `kind` is that of the try that a run is (components/evidence/tried.py).
    """
    plan.check_single()
    from models.trainer import TrainingConfig
    from pipeline.pipeline import PipelineConfig

    plan.check_parts()
    plan.check_folders()
    settings = plan.settings
    code = code_digest(["models"])
    training = [
        TrainingConfig(
            model=name,
            version=chosen.version,
            hyperparameters=asdict(chosen.hyperparameters),
            formatter=plan.formatter.name,
            horizon=plan.horizon,
            seed=settings.seed,
            code=code,
            label=plan.label.name,
            devices=settings.training_devices,
        )
        for name, chosen in plan.models.items()
    ]
    return PipelineConfig(
        name=plan.name,
        root=str(plan.root.absolute()),
        examples=ExampleGenConfig(
            database=str(plan.database.absolute()),
            shares=settings.shares,
            splits=plan.splits,
            max_missing_sessions=settings.max_missing_sessions,
            code=code_digest(
                [
                    "components/day_wide",
                    "components/feature_example_gen",
                    "components/missing_sessions",
                    "components/plausibility",
                    "components/universe",
                    "models/day_wide",
                    "models/labels",
                ]
            ),
            extraction=plan.extraction,
            bounds=plan.bounds,
            label=plan.label.name,
            columns=plan.formatter.example_columns,
            panel="" if settings.panel is None else _panel(plan),
        ),
        schema=str((write_schema(plan) if write_files else _schema(plan)[0]).absolute()),
        training=training,
        serving=str(plan.serving.absolute()),
        evaluation_code=code_digest([f"components/{one}" for one in ("comparison", "evaluator", "evidence", "trials")]),
        kind=kind,
        beam_arguments=plan.engine.arguments,
        train_steps=settings.train_steps,
        cache=settings.cache,
        audit=_audit_config(plan, training[0]) if settings.audit else None,
        accept=settings.accept_suspicion,
    )


def _panel(plan: Plan) -> str:
    """The panel's URL, or the folder that it is: however it was named, it is the same for the cache."""
    url = plan.settings.panel or ""
    return url if is_url(url) else str(plan.database.absolute())


def _audit_config(plan: Plan, first: TrainingConfig) -> AuditConfig:
    """The audit of the first model: it costs a few trainings, and what leaks for one leaks for all."""
    from components.leak_audit.config import AuditConfig, AuditedModel

    settings = plan.settings
    return AuditConfig(
        models=(AuditedModel(first.model, first.version, first.hyperparameters),),
        formatter=first.formatter,
        horizon=first.horizon,
        seed=first.seed,
        embargo=plan.splits.embargo,
        train_steps=settings.train_steps,
        plausible_auc=settings.audit_plausible_auc,
        market=settings.market,
        database=str(plan.database.absolute()),
        splits=plan.splits,
        shares=settings.shares,
        max_missing_sessions=settings.max_missing_sessions,
        label=plan.label.name,
        code=f"{first.code} {code_digest(['components/leak_audit', 'components/evidence'])}",
    )
