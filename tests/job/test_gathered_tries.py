"""What ML Metadata knows of tries goes to the record beside the database, once."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from components.evidence.comparing import compare
from components.evidence.findings import PREDICTIONS_FILE
from components.evidence.tried import TRIAL_PROPERTY, WALK_FORWARD, judged, write_trial
from components.trials.record import NO_RECORD, Trial, TrialsError, append, read_record, record_path
from pipeline.job.gathered_tries import gather_tries, gather_workspace

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

Write = Callable[..., Trial]


class Workspace:
    """A workspace as far as ML Metadata and its Evidence artifacts go."""

    def __init__(self, folder: Path) -> None:
        from ml_metadata.metadata_store import MetadataStore
        from ml_metadata.proto import metadata_store_pb2 as proto

        self.folder, self.proto = folder, proto
        (folder / "tfx").mkdir(parents=True)
        self.connection = proto.ConnectionConfig()
        self.connection.sqlite.filename_uri = str(folder / "tfx" / "metadata.db")
        self.store = MetadataStore(self.connection)
        self.types = {
            name: self.store.put_artifact_type(proto.ArtifactType(name=name))
            for name in ("Examples", "Model", "ModelEvaluation", "Evidence")
        }
        self.node = self.store.put_execution_type(proto.ExecutionType(name="node"))
        self.pipeline = self.store.put_context_type(proto.ContextType(name="pipeline"))
        self.pushed = 0

    def _artifact(self, kind: str, uri: str, **texts: str) -> int:
        artifact = self.proto.Artifact(type_id=self.types[kind], uri=uri, state=self.proto.Artifact.LIVE)
        for name, text in texts.items():
            artifact.custom_properties[name].string_value = text
        [made] = self.store.put_artifacts([artifact])
        return int(made)

    def _execution(self, inputs: dict[str, int], outputs: list[int], **values: Any) -> int:
        execution = self.proto.Execution(type_id=self.node)
        for name, value in values.items():
            kind = "int_value" if isinstance(value, int) else "string_value"
            setattr(execution.custom_properties[name], kind, value)
        [made] = self.store.put_executions([execution])
        named = [(key, artifact, self.proto.Event.INPUT) for key, artifact in inputs.items()]
        named += [("output", artifact, self.proto.Event.OUTPUT) for artifact in outputs]
        for key, artifact, event in named:
            one = self.proto.Event(artifact_id=artifact, execution_id=made, type=event)
            one.path.steps.add().key = key
            self.store.put_events([one])
        return int(made)

    def evaluated(self, database: Path, *beside: str, older: bool = False) -> tuple[int, int]:
        """Leaves what a run leaves that is stopped behind the Evaluator: its examples and its model, linear.

        Other models are judged in the same pass; an older version had an Evaluator for each, and a predecessor.
        """
        examples, model = self._artifact("Examples", "examples"), self._artifact("Model", "model")
        self._execution({}, [examples], input_base=str(database))
        node = "Evaluator.linear" if older else "Evaluator"
        evaluation = self._artifact("ModelEvaluation", f"runs/tfx/p/{node}/evaluation/7")
        models = {f"{name}.model": self._artifact("Model", name) for name in beside} | {"linear.model": model}
        if older:
            models = {"model": model, "baseline_model": self.pushed}
        made = self._execution({"examples": examples, **models}, [evaluation])
        self._of_pipeline(made, f"pipeline of evaluation {made}")
        return examples, model

    def run(
        self,
        database: Path,
        number: int,
        older: bool = False,
        seed: int | None = None,
        evaluated: tuple[int, int] | None = None,
    ) -> Trial:
        """Leaves what a run leaves: by an older version, no try beside the findings."""
        folder = self.folder / "tfx" / "p" / "Evidence" / "evidence" / str(number)
        folder.mkdir(parents=True)
        predictions = made_predictions(number if seed is None else seed)
        findings, trial = compare(predictions, ["linear"], [], horizon=1, seed=0)
        findings.write(folder)
        predictions.to_parquet(folder / PREDICTIONS_FILE)
        trial = judged(trial, findings, {"models": "linear"})
        if not older:
            write_trial(trial, folder)
        examples, model = self.evaluated(database) if evaluated is None else evaluated
        evidence = self._artifact("Evidence", str(folder), **({} if older else {TRIAL_PROPERTY: trial.id}))
        self.pushed = model
        inputs = {"examples": examples, "linear.model": model}
        made = self._execution(inputs, [evidence], formatter="closes", horizon=1, seed=5)
        self._of_pipeline(made, f"pipeline-{number}")
        return trial

    def _of_pipeline(self, execution: int, name: str) -> None:
        [context] = self.store.put_contexts([self.proto.Context(type_id=self.pipeline, name=name)])
        association = self.proto.Association(execution_id=execution, context_id=context)
        self.store.put_attributions_and_associations([], [association])


def made_predictions(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    days, shares = 60, 4
    return pd.DataFrame(
        {
            "time": np.repeat(pd.bdate_range("2024-01-01", periods=days).to_numpy(), shares),
            "share_id": [f"S{share}" for share in range(shares)] * days,
            "label": rng.integers(0, 2, days * shares),
            "forward_return": rng.normal(size=days * shares),
            "next_return": rng.normal(size=days * shares),
            "linear": rng.uniform(0.4, 0.6, days * shares),
        }
    )


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "runs")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "awesome.db"
    path.touch()
    return path


def test_a_record_that_was_deleted_is_made_again_but_not_called_complete(workspace: Workspace, database: Path) -> None:
    trials = [workspace.run(database, number) for number in (1, 2)]
    assert gather_tries(workspace.connection, database, record_path(database)) == 2
    record = read_record(record_path(database))
    assert list(record.trials) == trials
    assert record.gaps == (NO_RECORD,)
    assert gather_tries(workspace.connection, database, record_path(database)) == 0
    assert read_record(record_path(database)) == record


def test_a_try_of_an_older_version_is_made_of_its_findings_and_predictions(
    workspace: Workspace, database: Path
) -> None:
    made = workspace.run(database, 1, older=True)
    assert gather_tries(workspace.connection, database, record_path(database), WALK_FORWARD) == 1
    [trial] = read_record(record_path(database)).trials
    assert (trial.id, trial.days, trial.kind, trial.horizon) == (made.id, made.days, WALK_FORWARD, 1)
    assert {name: trial.asked[name] for name in ("models", "formatter", "seed", "pipeline")} == {
        "models": "linear", "formatter": "closes", "seed": "5", "pipeline": "pipeline-1",
    }  # fmt: skip
    [model] = trial.models
    assert model.influence.values.sum() == pytest.approx(model.auc - 0.5, abs=1e-6)
    shutil.rmtree(workspace.folder / "tfx" / "p")
    assert gather_tries(workspace.connection, database, record_path(database)) == 0
    assert read_record(record_path(database)).gaps == (NO_RECORD,)


def test_runs_of_an_older_version_in_two_workspaces_are_two_tries(
    workspace: Workspace, database: Path, tmp_path: Path
) -> None:
    workspace.run(database, 1, older=True)
    assert gather_tries(workspace.connection, database, record_path(database)) == 1
    time.sleep(1.1)  # ML Metadata dates what it holds, and a record does so to the second
    other = Workspace(tmp_path / "other")
    other.run(database, 1, older=True, seed=2)
    for new in (1, 0):
        assert gather_tries(other.connection, database, record_path(database)) == new
    assert len(read_record(record_path(database)).trials) == 2


def test_evidence_that_is_gone_makes_the_count_a_lower_bound_once(workspace: Workspace, database: Path) -> None:
    kept, lost = workspace.run(database, 1), workspace.run(database, 2)
    append(record_path(database), [kept], complete=True)
    shutil.rmtree(workspace.folder / "tfx" / "p" / "Evidence" / "evidence")
    for _ in range(2):
        assert gather_tries(workspace.connection, database, record_path(database)) == 0
    record = read_record(record_path(database))
    assert record.trials == (kept,)
    [gap] = record.gaps
    assert gap.startswith("the evidence of a run is gone: p/Evidence/evidence/2")
    append(record_path(database), [lost])


@pytest.mark.parametrize(("older", "node"), [(False, "Evaluator"), (True, "Evaluator.linear")])
def test_a_run_that_was_stopped_behind_the_evaluator_makes_the_count_a_lower_bound(
    workspace: Workspace, database: Path, older: bool, node: str
) -> None:
    record = record_path(database)
    append(record, [], complete=True)
    workspace.run(database, 1)
    workspace.evaluated(database, older=older)
    assert gather_tries(workspace.connection, database, record) == 1
    assert read_record(record).gaps == ()  # it may still be taken up

    workspace.run(database, 2)

    assert gather_tries(workspace.connection, database, record) == 1
    [gap] = read_record(record).gaps
    assert gap.startswith(f"a run was stopped once a model was evaluated: p/{node}/evaluation/7")


def test_of_the_models_that_a_stopped_run_judged_one_that_a_later_run_takes_again_hides_no_other(
    workspace: Workspace, database: Path
) -> None:
    record = record_path(database)
    append(record, [], complete=True)
    of_linear = workspace.evaluated(database, "dnn", "rnn")

    workspace.run(database, 1, evaluated=of_linear)

    assert gather_tries(workspace.connection, database, record) == 1
    [gap] = read_record(record).gaps
    assert gap.startswith("a run was stopped once a model was evaluated: p/Evaluator/evaluation/7")


def test_a_run_that_was_taken_up_again_is_counted_and_nothing_else(workspace: Workspace, database: Path) -> None:
    record = record_path(database)
    append(record, [], complete=True)
    workspace.run(database, 1, evaluated=workspace.evaluated(database))
    workspace.run(database, 2)
    assert gather_tries(workspace.connection, database, record) == 2
    assert read_record(record).gaps == ()


def test_a_run_on_another_database_is_no_try_on_this_one(workspace: Workspace, database: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "awesome.db"
    other.parent.mkdir()
    other.touch()
    workspace.run(other, 1)
    assert gather_tries(workspace.connection, database, record_path(database)) == 0
    assert not record_path(database).exists()
    other.unlink()  # it was moved: the names tell that this is it
    assert gather_tries(workspace.connection, database, record_path(database)) == 1


def test_the_walks_of_a_workspace_are_looked_at_too(workspace: Workspace, database: Path) -> None:
    workspace.run(database, 1)
    Workspace(workspace.folder / "walkforward" / "folds" / "a").run(database, 2, older=True)
    assert gather_workspace(workspace.folder, database) == 2
    assert [trial.kind for trial in read_record(record_path(database)).trials] == ["run", "walk-forward"]
    assert gather_workspace(workspace.folder / "nowhere", database) == 0


def test_damaged_metadata_is_named(workspace: Workspace, database: Path) -> None:
    path = workspace.folder / "tfx" / "metadata.db"
    path.write_bytes(b"garbage" * 1000)
    with pytest.raises(TrialsError, match=f"^{path}: no database of ML Metadata, or a damaged one; move it away"):
        gather_workspace(workspace.folder, database)
