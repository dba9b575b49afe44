"""The runs of a workspace: listed, compared and pruned."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from judged_runs import NULL, model
from made_workspace import DAYS, add, answers
from shown import printed

from components.evidence.resampling import DayBlocks
from components.evidence.scores import ScoredModel
from pipeline.job.workspace import point_latest
from pipeline.report.compared_runs import print_compared_runs, render_compared_runs, sentences
from pipeline.report.listed_runs import list_runs
from pipeline.runs.folder import find_run, open_run
from pipeline.runs.results import ReportError
from pipeline.uses.compare import compare_runs
from pipeline.uses.prune import find_prunable, prune

Awesome = Callable[..., Any]


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "runs"
    folder.mkdir()
    return folder


def test_a_run_has_an_id_of_its_own_that_stays_where_its_workspace_is_moved(workspace: Path, awesome: Awesome) -> None:
    for name in ("run-01", "run-02"):
        add(workspace, name)
    ids = {run.name: run.id for run in list_runs(workspace)}
    assert len({*ids.values()}) == 2
    copy = workspace.parent / "elsewhere"
    shutil.copytree(workspace, copy)
    (copy / "run-01").rename(copy / "of another name")
    assert {run.name: run.id for run in list_runs(copy)} == {
        "of another name": ids["run-01"],
        "run-02": ids["run-02"],
    }
    assert find_run(copy, Path(ids["run-01"])) == copy / "of another name"
    unknown = Path("0" * 12)
    assert find_run(copy, unknown) == unknown
    listed = json.loads(awesome("runs", "--workspace", str(workspace), "--json").out)
    assert {run["name"]: run["id"] for run in listed} == ids
    assert all(one in awesome("runs", "--workspace", str(workspace)).out for one in ids.values())


def test_runs_are_listed_the_newest_first_and_a_broken_one_says_why(workspace: Path) -> None:
    add(workspace, "run-01", market=NULL)
    newest = add(workspace, "run-02", champion="linear", pushed="serving/1")
    (workspace / "broken").mkdir()
    (workspace / "broken" / "report.json").write_text("{}")
    point_latest(workspace, newest)
    second, first, broken = list_runs(workspace)
    assert (second.name, second.latest, second.pushed, second.best, second.auc) == (
        *("run-02", True, "linear", "linear"),
        0.51,
    )
    assert (first.name, first.latest, first.pushed, first.database) == ("run-01", False, "", "market null")
    assert "no model blessed" in first.verdict.lower()
    assert "is not a report" in broken.problem
    with pytest.raises(ReportError, match=r"is no folder of runs; name it \(--workspace\)"):
        list_runs(workspace / "nothing")


def test_a_paired_difference_is_that_of_the_common_rows(workspace: Path) -> None:
    weak, strong = answers(5, 0.0), answers(6, 2.0)
    a, b = add(workspace, "run-01", weak), add(workspace, "run-02", strong[len(strong) // 4 :])
    found = compare_runs([a, b])
    mine = found.runs[1]
    common = weak[len(weak) // 4 :]
    blocks = DayBlocks(common["time"].to_numpy(), horizon=1, seed=0)
    columns = common["label"].to_numpy(), common["forward_return"].to_numpy()
    first, second = (
        ScoredModel(columns[0], frame["linear"].to_numpy(), columns[1], blocks)
        for frame in (common, strong[len(strong) // 4 :])
    )
    assert (mine.common_rows, mine.common_days, mine.revised) == (len(common), DAYS * 3 // 4, 0)
    for metric in ("auc", "rank_ic", "brier"):
        assert mine.differences[metric] == second.difference(first, metric)
    assert mine.differences["auc"].low > 0
    assert any("which is better" in sentence for sentence in sentences(found))
    assert any("flatters" in sentence for sentence in sentences(found))
    page = render_compared_runs(found)
    assert "run-02" in page
    assert 'id="differences-title"' in page


def test_no_number_of_a_comparison_is_cut_at_80_columns(workspace: Path) -> None:
    names = ("2026-11-01T08-53-01", "2026-11-01T08-53-02")
    found = compare_runs([add(workspace, name, answers(seed, 1.0)) for seed, name in enumerate(names)])
    text = printed(80, print_compared_runs, found)
    assert max(map(len, text.splitlines())) <= 80
    assert all(name in text for name in names)
    for run in found.runs:
        for figures in (run.figures, run.differences):
            for metric in ("auc", "rank_ic") if figures else ():
                assert f"{figures[metric].low:.3f} {figures[metric].high:.3f}" in text


def test_rows_of_another_outcome_are_left_out_and_counted(workspace: Path) -> None:
    before, after = answers(5, 0.5), answers(6, 0.5)
    after.loc[:11, "forward_return"] += 0.01
    found = compare_runs([add(workspace, "run-01", before), add(workspace, "run-02", after)])
    assert (found.runs[1].revised, found.runs[1].common_rows) == (12, len(before) - 12)
    assert any("12 rows are left out, whose outcome is another one" in one for one in sentences(found))


@pytest.mark.parametrize(
    ("changes", "frame", "why"),
    [
        ({"settings": {"horizon": 5, "formatter": "window_returns"}}, answers(6, 0), "5 sessions ahead, not 1"),
        ({}, answers(6, 0, first="2025-01-01"), "shares no row"),
        ({}, answers(6, 0, days=1), "1 common test days are too few"),
    ],
)
def test_what_cannot_be_compared_says_why(
    workspace: Path, changes: dict[str, Any], frame: pd.DataFrame, why: str
) -> None:
    a, b = add(workspace, "run-01", answers(5, 0)), add(workspace, "run-02", frame, **changes)
    found = compare_runs([a, b])
    assert why in found.runs[1].incomparable
    assert not found.runs[1].differences
    assert "cannot be set beside" in " ".join(sentences(found))
    assert render_compared_runs(found)


def test_of_different_labels_the_order_of_the_shares_alone_is_compared(workspace: Path) -> None:
    settings = {"formatter": "window_returns", "horizon": 1, "label": "outperform"}
    a, b = add(workspace, "run-01", answers(5, 0)), add(workspace, "run-02", answers(6, 1), settings=settings)
    found = compare_runs([a, b])
    assert list(found.runs[1].differences) == ["rank_ic"]
    assert found.settings["label"] == ("", "outperform")


def test_mistakes_are_named(workspace: Path) -> None:
    a, b = add(workspace, "run-01", answers(5, 0)), add(workspace, "run-02")
    with pytest.raises(ReportError, match="needs at least two"):
        compare_runs([a])
    with pytest.raises(ReportError, match="named twice"):
        compare_runs([a, a])
    with pytest.raises(ReportError, match="the predictions are not beside"):
        compare_runs([a, b])
    with pytest.raises(ReportError, match="has no model 'rnn'"):
        compare_runs([a, b], "rnn")


def artifact(workspace: Path, name: str) -> str:
    folder = workspace / "tfx" / "awesome-h1" / name
    folder.mkdir(parents=True)
    (folder / "data").write_text("x" * 1000)
    return str(folder)


def test_what_only_old_runs_name_goes_and_what_is_needed_stays(workspace: Path) -> None:
    shared, old, blessed, new = (artifact(workspace, f"Trainer.linear/model/{n}") for n in range(4))
    examples = [artifact(workspace, f"FeatureExampleGen/examples/{n}") for n in range(4)]
    uris = [old, blessed, shared, new]
    folders = [
        add(
            workspace,
            f"run-{n + 1:02d}",
            models={"linear": model(0.51, blessed=n == 1, model_uri=uris[n])},
            artifacts={"examples": examples[min(n, 2)]},
        )
        for n in range(4)
    ]
    add(workspace, "run-05", models={"linear": model(0.51, model_uri=shared)}, artifacts={"examples": examples[3]})
    point_latest(workspace, folders[3])
    found = find_prunable(workspace, 1)
    assert [path.name for path in found.runs] == ["run-01", "run-02", "run-03"]
    # The third run's model is the fifth's as well, the second's was blessed last, and the fourth has the third's data.
    assert {str(path) for path in found.artifacts} == {old, examples[0], examples[1]}
    assert found.size > 3000
    assert all(Path(uri).is_dir() for uri in (old, shared))
    assert prune(workspace, 1) == found
    assert sorted(path.name for path in workspace.iterdir() if path.is_dir()) == ["latest", "run-04", "run-05", "tfx"]
    assert not Path(old).exists()
    assert all(Path(uri).is_dir() for uri in (shared, blessed, new, examples[2], examples[3]))
    assert open_run(workspace / "latest").report.created == "2026-11-04T08:00:00Z"
    assert find_prunable(workspace, 1).runs == ()


def test_the_cache_knows_what_is_gone(workspace: Path) -> None:
    from ml_metadata.metadata_store import metadata_store
    from ml_metadata.proto import metadata_store_pb2 as proto

    old, new = artifact(workspace, "Trainer.linear/model/1"), artifact(workspace, "Trainer.linear/model/2")
    config = proto.ConnectionConfig()
    config.sqlite.filename_uri = str(workspace / "tfx" / "metadata.db")
    store = metadata_store.MetadataStore(config)
    kind = store.put_artifact_type(proto.ArtifactType(name="Model"))
    store.put_artifacts([proto.Artifact(type_id=kind, uri=uri, state=proto.Artifact.LIVE) for uri in (old, new)])
    for n, uri in enumerate((old, new)):
        add(workspace, f"run-{n + 1:02d}", models={"linear": model(0.51, model_uri=uri)}, artifacts={"examples": ""})
    prune(workspace, 1)
    states = {one.uri: one.state for one in metadata_store.MetadataStore(config).get_artifacts()}
    assert states == {old: proto.Artifact.DELETED, new: proto.Artifact.LIVE}


def test_the_commands_read_well_at_80_columns(awesome: Awesome, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    for command in (["runs"], ["runs", "prune"], ["runs", "prune", "--yes"]):
        assert "runs is no folder of runs" in awesome(*command).refusal
    home = folder / "runs"
    home.mkdir()
    assert "no finished run in runs yet" in awesome("runs").out
    add(home, "run-01", answers(5, 0))
    point_latest(home, add(home, "run-02", answers(6, 1)))
    add(home, "2026-12-01T10-20-38", answers(7, 0))
    done = awesome("runs")
    assert done.code == 0
    assert "run-02 (latest)" in done.out
    for run in json.loads(awesome("runs", "--json").out):
        assert set(run["verdict"].split()) <= set(done.out.split())
    shutil.rmtree(home / "2026-12-01T10-20-38")
    assert max(map(len, done.out.splitlines())) <= 80
    assert [run["name"] for run in json.loads(awesome("runs", "--json").out)] == ["run-02", "run-01"]
    done = awesome("compare", "run-01", "latest")
    assert done.code == 0, done.err
    assert max(map(len, done.out.splitlines())) <= 80
    assert "The page: runs/compare.html" in done.out
    assert (home / "compare.html").is_file()
    assert json.loads(awesome("compare", "run-01", "run-02", "--json").out)["runs"][1]["common_days"] == DAYS
    elsewhere = awesome("compare", "runs/run-01", "runs/run-02", "--workspace", "other")
    assert (elsewhere.code, (folder / "other" / "compare.html").is_file()) == (0, True)
    assert "would go; do it with --yes" in awesome("runs", "prune", "--keep", "1").out
    assert (home / "run-01").is_dir()
    assert "removed 1 of 2 runs" in awesome("runs", "prune", "--keep", "1", "--yes").out
    assert not (home / "run-01").exists()
    assert "nothing to remove" in awesome("runs", "prune", "--keep", "1").out


def test_a_workspace_is_taken_in_front_of_the_subcommand_too(awesome: Awesome, folder: Path) -> None:
    for name in ("runs", "other"):
        (folder / name).mkdir()
        for run in ("run-01", "run-02"):
            add(folder / name, run)
    assert awesome("runs", "--workspace", "other", "prune", "--keep", "1", "--yes").code == 0
    assert not (folder / "other" / "run-01").exists()
    assert (folder / "runs" / "run-01").is_dir()


def test_the_latest_run_is_taken_alike(awesome: Awesome, folder: Path) -> None:
    for command in ("evaluate", "backtest", "audit", "explain", "tensorboard"):
        done = awesome(command)
        assert (done.code, done.out) == (1, "")
        assert "runs has no finished run; make one with `awesome run`, or name its folder" in done.err
    home = folder / "elsewhere"
    home.mkdir()
    point_latest(home, add(home, "run-01"))
    (folder / "awesome.toml").write_text('workspace = "elsewhere"\n')
    assert "linear" in awesome("evaluate").out
    assert "linear" in awesome("evaluate", "run-01").out
