"""From settings to the configuration of a pipeline, for every runner alike."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import UserError
from components.feature_example_gen.config import ExampleGenConfig, Extraction
from components.feature_example_gen.splits import SplitSettings
from models.architecture import Architecture
from models.features import NEXT_SESSION
from models.formatters import get_formatter
from models.registry import get_architecture
from pipeline.code_digest import code_digest
from pipeline.settings import Settings

if TYPE_CHECKING:
    from components.leak_audit.config import AuditConfig
    from models.trainer import TrainingConfig
    from pipeline.pipeline import PipelineConfig


class ModelChoiceError(UserError):
    """A model, a version, a formatter or a hyperparameter that does not exist."""


def chosen_models(settings: Settings) -> dict[str, tuple[Architecture, int]]:
    """The architectures and versions named in the settings.

    Args:
        settings: `models` holds names such as rnn or rnn:1.

    Returns:
        Architecture and version by architecture name, in the order given.

    Raises:
        ModelChoiceError: a name or version does not exist, or one architecture is named twice.
    """
    chosen: dict[str, tuple[Architecture, int]] = {}
    for text in settings.models:
        name, _, version = text.partition(":")
        try:
            architecture = get_architecture(name)
        except ValueError as error:
            raise ModelChoiceError(str(error)) from None
        number = architecture.default_version if not version else int(version) if version.isdigit() else -1
        if number not in architecture.versions:
            raise ModelChoiceError(
                f"model {name} has no version {version!r}; there are {', '.join(map(str, architecture.versions))}"
            )
        if name in chosen:
            raise ModelChoiceError(f"model {name} is named twice; a run trains one version of each")
        chosen[name] = (architecture, number)
    return chosen


def split_settings(settings: Settings) -> SplitSettings:
    """The settings of the splits.

    Args:
        settings: the trained horizon is added to the horizons, and the next session, which a backtest needs.

    Raises:
        SplitError: they make no sense.
    """
    return SplitSettings(
        fractions=settings.split_fractions,
        dates=settings.split_dates,
        embargo=settings.embargo,
        horizons=tuple(sorted({NEXT_SESSION, *settings.horizons, settings.horizon})),
        horizon=settings.horizon,
        start=settings.split_start,
        end=settings.split_end,
    )


def check_choices(settings: Settings) -> None:
    """Refuses what can be refused before anything heavy is imported.

    Args:
        settings: all of them.

    Raises:
        ModelChoiceError: models, versions, formatter or hyperparameters do not exist.
        SplitError: the splits make no sense.
    """
    chosen_models(settings)
    try:
        get_formatter(settings.formatter)
    except ValueError as error:
        raise ModelChoiceError(str(error)) from None
    for name, values in settings.hyperparameters.items():
        try:
            get_architecture(name).hyperparameters.updated(values)
        except ValueError as error:
            raise ModelChoiceError(f"hyperparameters.{name}: {error}") from None
    split_settings(settings)


def database_path(settings: Settings) -> Path:
    """The store a run reads: the synthetic market's own file, or `db`."""
    if settings.market is None:
        return settings.db
    name = f"{settings.market}-{settings.market_shares}x{settings.market_sessions}-seed{settings.seed}.db"
    return settings.workspace / "markets" / name


def pipeline_name(settings: Settings) -> str:
    """One name for all runs that may be compared: same data, formatter and horizon; see `name_of`."""
    path = database_path(settings).absolute()
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", path.stem)
    if settings.market is None and path.parent != Path.cwd():
        # Two databases of one name in different folders are different data.
        stem += f"-{hashlib.sha256(str(path.parent).encode()).hexdigest()[:6]}"
    return name_of(stem, settings)


def name_of(stem: str, settings: Settings) -> str:
    """A pipeline's name, of a local run as of one on a cluster.

    Runs of one name share their predecessors, and a model for 20 days is none for one of a single day. Nor is one of a
    stretch of days for one of another stretch: it may have been trained on the days that the other is tested on.

    Args:
        stem: what stands for the data.
        settings: formatter, horizon and the splits' dates.
    """
    name = f"{stem}-{settings.formatter}-h{settings.horizon}"
    if settings.split_start is not None or settings.split_end is not None:
        cut = (settings.split_start, settings.split_dates or settings.split_fractions, settings.split_end)
        name += f"-{hashlib.sha256(repr(cut).encode()).hexdigest()[:6]}"
    return name


def serving_folder(settings: Settings) -> Path:
    """Where the champion is pushed to, in numbered versions."""
    return settings.workspace / "serving" / pipeline_name(settings)


def metadata_path(settings: Settings) -> Path:
    """The SQLite file of ML Metadata."""
    return settings.workspace / "tfx" / "metadata.db"


def _schema(settings: Settings) -> tuple[Path, str]:
    """The curated schema's path and text; TFX's cache looks at the path, so it holds a digest of the content."""
    from google.protobuf import text_format

    from models.schema import schema_for

    splits = split_settings(settings)
    text = text_format.MessageToString(schema_for(splits.horizons, splits.horizon))
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return settings.workspace / "tfx" / "schema" / digest / "schema.pbtxt", text


def write_schema(settings: Settings) -> Path:
    """Writes the curated schema for the settings' horizons.

    Args:
        settings: horizons and workspace.

    Returns:
        The file.
    """
    path, text = _schema(settings)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(".partial")
        partial.write_text(text)
        os.replace(partial, path)
    return path


def extracts(settings: Settings) -> bool:
    """Whether the first step brings the database up to date; a synthetic market is complete as it is made."""
    return settings.source is not None and settings.market is None


def _extraction(settings: Settings) -> Extraction | None:
    if not extracts(settings):
        return None
    from pipeline.extraction import extraction_plan, http_settings

    return Extraction(extraction_plan(settings), http_settings(settings))


def pipeline_config(settings: Settings, write_files: bool = True) -> PipelineConfig:
    """Everything `create_pipeline` needs. Imports TFX.

    Args:
        settings: all of them.
        write_files: write the schema; without it, whoever runs the pipeline does.

    Raises:
        UserError: as in `check_choices`.
    """
    from models.trainer import TrainingConfig
    from pipeline.pipeline import PipelineConfig

    check_choices(settings)
    code = code_digest(["models"])
    training = [
        TrainingConfig(
            model=name,
            version=version,
            hyperparameters=asdict(architecture.hyperparameters.updated(settings.hyperparameters.get(name, {}))),
            formatter=settings.formatter,
            horizon=settings.horizon,
            seed=settings.seed,
            code=code,
        )
        for name, (architecture, version) in chosen_models(settings).items()
    ]
    name = pipeline_name(settings)
    return PipelineConfig(
        name=name,
        root=str((settings.workspace / "tfx" / name).absolute()),
        examples=ExampleGenConfig(
            database=str(database_path(settings).absolute()),
            shares=settings.shares,
            splits=split_settings(settings),
            code=code_digest(["components/feature_example_gen"]),
            extraction=_extraction(settings),
        ),
        schema=str((write_schema(settings) if write_files else _schema(settings)[0]).absolute()),
        training=training,
        serving=str(serving_folder(settings).absolute()),
        evaluation_code=code_digest(["components/evidence"]),
        train_steps=settings.train_steps,
        cache=settings.cache,
        audit=_audit_config(settings, training[0]) if settings.audit else None,
    )


def _audit_config(settings: Settings, first: TrainingConfig) -> AuditConfig:
    """The audit of the first model: it costs a few trainings, and what leaks for one leaks for all."""
    from components.leak_audit.config import AuditConfig, AuditedModel

    return AuditConfig(
        models=(AuditedModel(first.model, first.version, first.hyperparameters),),
        formatter=first.formatter,
        horizon=first.horizon,
        seed=first.seed,
        embargo=settings.embargo,
        train_steps=settings.train_steps,
        plausible_auc=settings.audit_plausible_auc,
        market=settings.market,
        database=str(database_path(settings).absolute()),
        code=f"{first.code} {code_digest(['components/leak_audit', 'components/evidence'])}",
    )
