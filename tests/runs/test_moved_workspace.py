"""A workspace that was moved or copied: what its runs name is its own, never the original's."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from judged_runs import model, report

from pipeline.job.workspace import point_latest
from pipeline.runs.folder import find_run, open_run, read_report, save_report
from pipeline.runs.results import ReportError

STEP = Path("tfx", "awesome-window_returns-h1")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with a database and a workspace of one run."""
    home = tmp_path / "original"
    artifacts = home / "runs" / STEP
    for step in ("Trainer.linear/model/7", "Trainer.linear/model_run/7", "Evaluator.linear/evaluation/9"):
        (artifacts / step).mkdir(parents=True)
    (artifacts / "Trainer.linear/model/7/Format-Serving").mkdir()
    (artifacts / "FeatureExampleGen/examples/1").mkdir(parents=True)
    (home / "awesome.db").touch()
    linear = model(
        0.5,
        model_uri=str(artifacts / "Trainer.linear/model/7"),
        model_run_uri=str(artifacts / "Trainer.linear/model_run/7"),
        evaluation_uri=str(artifacts / "Evaluator.linear/evaluation/9"),
    )
    made = report({"linear": linear}, artifacts={"examples": str(artifacts / "FeatureExampleGen/examples/1")})
    made = replace(made, data=replace(made.data, database=str(home / "awesome.db")))
    folder = home / "runs" / "one"
    folder.mkdir()
    save_report(made, folder / "report.json")
    point_latest(home / "runs", folder)
    return home


def named(folder: Path) -> list[Path]:
    run = open_run(folder)
    paths = [run.training_log("linear"), run.evaluation("linear"), run.artifact("examples")]
    return [run.saved_model("linear"), run.database, *map(Path, paths)]


def test_a_copy_names_what_is_in_it(project: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(project, copy, symlinks=True)
    for home in (project, copy):
        latest = find_run(home / "runs", None)
        assert latest.resolve() == home / "runs" / "one"
        assert all(path.is_relative_to(home) for path in named(latest))


def test_a_copy_of_another_name_names_the_market_in_it(project: Path, tmp_path: Path) -> None:
    runs = project / "runs"
    made = read_report(runs / "one")
    market = replace(made, data=replace(made.data, database=str(runs / "markets" / "null.db")))
    save_report(market, runs / "one" / "report.json")
    shutil.copytree(runs, tmp_path / "copied", symlinks=True)
    assert open_run(tmp_path / "copied" / "one").database == tmp_path / "copied" / "markets" / "null.db"
    assert open_run(runs / "one").database == runs / "markets" / "null.db"


def test_what_a_copy_lacks_is_not_taken_from_the_original(project: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(project, copy, symlinks=True)
    shutil.rmtree(copy / "runs" / STEP / "Trainer.linear")
    run = open_run(copy / "runs" / "one")
    with pytest.raises(ReportError, match=r"the model linear at .*/copy/runs/.* is gone"):
        run.saved_model("linear")


def test_a_moved_workspace_is_whole(project: Path, tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere" / "moved"
    moved.parent.mkdir()
    project.rename(moved)
    assert all(path.is_relative_to(moved) and path.exists() for path in named(find_run(moved / "runs", Path("one"))))


def test_a_run_that_was_written_elsewhere_keeps_its_workspace(project: Path, tmp_path: Path) -> None:
    aside = tmp_path / "aside"
    shutil.copytree(project / "runs" / "one", aside)
    assert all(path.is_relative_to(project) for path in named(aside))


def test_ml_metadata_names_what_lies_in_a_copy(project: Path, tmp_path: Path) -> None:
    from ml_metadata.metadata_store import metadata_store
    from ml_metadata.proto import metadata_store_pb2 as proto

    from pipeline.job.relocation import relocate

    def connection(home: Path) -> proto.ConnectionConfig:
        config = proto.ConnectionConfig()
        config.sqlite.filename_uri = str(home / "runs/tfx/metadata.db")
        return config

    store = metadata_store.MetadataStore(connection(project))
    kind = store.put_artifact_type(proto.ArtifactType(name="Model"))
    here = str(project / "runs" / STEP / "Trainer.linear/model/7")
    gone = str(project / "runs" / STEP / "Trainer.linear/model/3")
    artifact = proto.Artifact(type_id=kind, uri=here)
    artifact.custom_properties["current_model"].string_value = here
    artifact.custom_properties["baseline"].string_value = "none/of/a/workspace"
    store.put_artifacts([artifact, proto.Artifact(type_id=kind, uri=gone)])
    assert relocate(connection(project), project / "runs") == 0
    copy = tmp_path / "copy"
    shutil.copytree(project, copy, symlinks=True)
    assert relocate(connection(copy), copy / "runs") == 1
    mine, lost = metadata_store.MetadataStore(connection(copy)).get_artifacts()
    assert mine.uri == str(copy / "runs" / STEP / "Trainer.linear/model/7")
    assert mine.custom_properties["current_model"].string_value == mine.uri
    assert mine.custom_properties["baseline"].string_value == "none/of/a/workspace"
    assert lost.uri == gone
    assert relocate(connection(copy), copy / "runs") == 0


def test_a_workspace_without_a_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(ReportError, match=r"has no finished run; make one with `awesome run`"):
        find_run(tmp_path, None)
