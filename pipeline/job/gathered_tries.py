"""Tries that ML Metadata knows and the record beside the database lacks: of older versions, or of a deleted record."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.evidence.findings import EVIDENCE, PREDICTIONS_FILE, Findings
from components.evidence.tried import RUN, TRIAL_PROPERTY, WALK_FORWARD, make_trial, read_trial
from components.records import RecordError
from components.trials.record import Trial, TrialsError, append, read_record, record_path
from pipeline.job.workspace import WALKS, OutputError, workspace_lock

_GATHERED = "evidence"
"""What `asked` names the Evidence artifact by that a try of an older version was made of."""

_EVALUATION = "ModelEvaluation"
"""The type of what an Evaluator puts out: of all models, or of one in older versions."""


def gather_tries(connection: Any, database: Path, record: Path, kind: str = RUN) -> int:
    """Adds every try on a database that ML Metadata knows to its record.

    One whose evidence is gone, and that the record does not hold, makes the record one that may lack tries; so does a
    model that was evaluated and, as the run was stopped and never taken up again, not counted.

    Args:
        connection: of ML Metadata, a ConnectionConfig message.
        database: that was tried on.
        record: beside it.
        kind: of tries of an older version, which did not say.

    Returns:
        How many tries were new.

    Raises:
        TrialsError: the record cannot be read or written.
    """
    from ml_metadata.metadata_store import MetadataStore

    held = read_record(record)
    known = {trial.id for trial in held.trials} - {""}
    # Two workspaces may have the same place, but not of the same time.
    gathered = {(trial.asked.get(_GATHERED, ""), trial.time) for trial in held.trials}
    found: list[Trial] = []
    gone: list[str] = []
    store = MetadataStore(connection)
    if EVIDENCE not in {one.name for one in store.get_artifact_types()}:
        return 0
    for artifact in store.get_artifacts_by_type(EVIDENCE):
        if artifact.custom_properties[TRIAL_PROPERTY].string_value in known:
            continue
        made = _made(store, artifact)
        if made is None or not _same(made.database, database):
            continue
        place = "/".join(Path(artifact.uri).parts[-4:])
        if (place, made.time) in gathered:
            continue
        trial = _trial(Path(artifact.uri), made, place, kind)
        if trial is None:
            gone.append(f"the evidence of a run is gone: {place}, of {made.time}")
        else:
            found.append(trial)
    gone += _uncounted(store, database)
    return append(record, found, gaps=gone) if found or gone else 0


@dataclass(frozen=True)
class _Made:
    """How an Evidence artifact was made: with what, by which pipeline, of which database, when."""

    properties: Mapping[str, Any]
    pipeline: str
    database: str
    time: str


def _made(store: Any, artifact: Any) -> _Made | None:
    """None of an execution that did not end well, or that nothing is known of."""
    if not _ended_well(artifact):
        return None
    execution = _producer(store, artifact.id)
    if execution is None:
        return None
    examples = _inputs(store, execution, "examples")
    source = _producer(store, examples[0]) if examples else None
    if source is None:
        return None
    named = {context.type: context.name for context in store.get_contexts_by_execution(execution.id)}
    moment = dt.datetime.fromtimestamp(artifact.create_time_since_epoch / 1000, dt.UTC)
    return _Made(
        execution.custom_properties,
        named.get("pipeline", ""),
        source.custom_properties["input_base"].string_value,
        moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
    )


def _ended_well(artifact: Any) -> bool:
    """Whether the execution that makes an artifact has made it, wherever it is by now."""
    from ml_metadata.proto import metadata_store_pb2 as proto

    return artifact.state in (proto.Artifact.LIVE, proto.Artifact.UNKNOWN, proto.Artifact.DELETED)


def _uncounted(store: Any, database: Path) -> list[str]:
    """Names models of a database that an Evaluator judged before the newest Evidence, and that no Evidence did."""
    if _EVALUATION not in {one.name for one in store.get_artifact_types()}:
        return []
    counted: set[int] = set()
    newest = 0
    for artifact in store.get_artifacts_by_type(EVIDENCE):
        if _ended_well(artifact) and (execution := _producer(store, artifact.id)) is not None:
            counted |= set(_inputs(store, execution, "model"))
            newest = max(newest, execution.id)
    found = []
    for artifact in store.get_artifacts_by_type(_EVALUATION):
        execution = _producer(store, artifact.id)
        # A run that was stopped may still be taken up where it ended: until another one has gone past it.
        if execution is None or execution.id > newest or counted.issuperset(_inputs(store, execution, "model")):
            continue
        made = _made(store, artifact)
        if made is not None and _same(made.database, database):
            place = "/".join(Path(artifact.uri).parts[-4:])
            found.append(f"a run was stopped once a model was evaluated: {place}, of {made.time}")
    return found


def _inputs(store: Any, execution: Any, key: str) -> list[int]:
    """The artifacts that an execution read from the channels of a name, or, behind a point, of each model."""
    from ml_metadata.proto import metadata_store_pb2 as proto

    events = store.get_events_by_execution_ids([execution.id])
    return [
        one.artifact_id
        for one in events
        if one.type == proto.Event.INPUT and any(step.key.rpartition(".")[2] == key for step in one.path.steps)
    ]


def _producer(store: Any, artifact: int) -> Any:
    """The first execution that put an artifact out; a later one took it from the cache."""
    from ml_metadata.proto import metadata_store_pb2 as proto

    events = [one for one in store.get_events_by_artifact_ids([artifact]) if one.type == proto.Event.OUTPUT]
    executions = store.get_executions_by_id([min(one.execution_id for one in events)]) if events else []
    return executions[0] if executions else None


def _same(recorded: str, database: Path) -> bool:
    """Whether a run was made on a database, which may have been moved since with its workspace."""
    path = Path(recorded)
    if path == database.absolute() or path.resolve() == database.resolve():
        return True
    return path.name == database.name and not path.exists()


def _trial(folder: Path, made: _Made, place: str, kind: str) -> Trial | None:
    """The try that lies beside the findings, or one that is made of them; None where they are gone."""
    import pandas as pd

    if (written := read_trial(folder)) is not None:
        return written
    try:
        findings, predictions = Findings.read(folder), pd.read_parquet(folder / PREDICTIONS_FILE)
        asked = {
            "models": ", ".join(findings.models),
            "formatter": made.properties["formatter"].string_value,
            "seed": str(made.properties["seed"].int_value),
            "pipeline": made.pipeline,
            _GATHERED: place,
        }
        return make_trial(findings, predictions, made.properties["horizon"].int_value, asked, kind, made.time)
    except (OSError, RecordError, KeyError, ValueError):
        return None


def gather_workspace(workspace: Path, database: Path) -> int:
    """Adds what the runs and walks of a workspace tried on a database to its record, without TFX.

    Nothing is looked at while a run works there, which has done so itself.

    Raises:
        TrialsError: the record cannot be read or written, or ML Metadata cannot be read.
    """
    from ml_metadata.errors import StatusError

    new = 0
    for kind, home in ((RUN, [workspace]), (WALK_FORWARD, sorted(workspace.glob(f"{WALKS}/folds/*")))):
        for one in home:
            path = one / "tfx" / "metadata.db"
            if not path.is_file():
                continue
            try:
                with workspace_lock(one):
                    new += gather_tries(_sqlite(path), database, record_path(database), kind)
            except OutputError:
                continue
            except (RuntimeError, StatusError):
                raise TrialsError(
                    f"{path}: no database of ML Metadata, or a damaged one; move it away to list the tries of the "
                    "record alone"
                ) from None
    return new


def _sqlite(path: Path) -> Any:
    from ml_metadata.proto import metadata_store_pb2 as proto

    connection = proto.ConnectionConfig()
    connection.sqlite.filename_uri = str(path)
    connection.sqlite.connection_mode = proto.SqliteMetadataSourceConfig.READWRITE_OPENCREATE
    return connection
