"""The whole small pipeline as pods would run it: a process for each node, SQLite metadata, a folder for the volume."""

from __future__ import annotations

import json
import math
import re
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from command_line import clean_environment
from compiled_package import PULL, REPORT, compiled
from shown import assert_needs_nothing_from_elsewhere
from small_pipeline import CACHED, COMPLETE, SHARES, TRAINER, Cluster, Pod, storage_url

from awesome_kubeflow.cluster import cluster_settings

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning")]


def test_every_node_ran_and_is_complete(cluster: Cluster, first_run: dict[str, Pod]) -> None:
    assert first_run.keys() == {*cluster.package.nodes, PULL, REPORT}
    assert len(cluster.package.nodes) == 12
    for name in cluster.package.nodes:
        assert [state for _, state in cluster.executions(name, "first")] == [COMPLETE], name


def test_a_killed_pod_started_again_completes_the_same_execution(cluster: Cluster, first_run: dict[str, Pod]) -> None:
    killed = int((cluster.root / "killed").read_text())
    assert cluster.executions(TRAINER, "first") == [(killed, COMPLETE)]
    models = list((cluster.root / "tfx").glob("*/Trainer.linear/model/*"))
    assert [path.name for path in models] == [str(killed)]


def test_every_pod_logs_json_and_nothing_else(cluster: Cluster, first_run: dict[str, Pod]) -> None:
    for name, pod in first_run.items():
        for line in pod.log:
            assert {"time", "severity", "message"} <= json.loads(line).keys(), f"{name}: {line}"
        assert pod.last["node"] == cluster.package.tasks[name]["taskInfo"]["name"]
        assert pod.last["message"].startswith("done in ")


def test_every_pod_lists_what_it_wrote(first_run: dict[str, Pod]) -> None:
    for name, pod in first_run.items():
        listed = json.loads((pod.out / "output.json").read_text())["artifacts"]
        assert set(listed) == ({"html", "metrics"} if name in ("evaluator", "evidence") else {"html"})
        for key, value in listed.items():
            assert Path(value["artifacts"][0]["uri"]) == pod.out / key
            assert (pod.out / key).stat().st_size > 0


def test_pages_are_self_contained(first_run: dict[str, Pod]) -> None:
    assert_needs_nothing_from_elsewhere(first_run[REPORT].page)
    for name, pod in first_run.items():
        assert pod.page.startswith("<!DOCTYPE html>"), name
        assert "default-src 'none'" in pod.page
        if name != REPORT:
            assert "<script" not in pod.page
            assert "src=" not in pod.page.replace("default-src=", "")


def test_the_database_comes_from_the_storage_before_the_first_node(cluster: Cluster, first_run: dict[str, Pod]) -> None:
    assert cluster.package.tasks["featureexamplegen"]["dependentTasks"] == [PULL]
    page = first_run[PULL].page
    assert f"{SHARES} shares, the last session is " in page
    assert f"{cluster.root}/storage/features/" in page


def test_the_report_after_the_last_node_is_that_of_a_run(cluster: Cluster, first_run: dict[str, Pod]) -> None:
    from pipeline.runs.folder import read_report

    report = read_report(cluster.root / "runs" / "first")
    metrics = json.loads((first_run["evidence"].out / "metrics").read_text())
    model = report.models["linear"]
    assert (model.auc, model.auc_low, model.auc_high) == tuple(
        metrics[f"linear.auc{end}"] for end in ("", "_low", "_high")
    )
    assert report.audit is not None
    assert (report.champion, report.settings["horizon"]) == ("linear", 1)
    assert report.held_back == {}
    origin = "the run's parameter accept_suspicion"
    assert report.accepted == {check.name: origin for check in report.audit.suspicious}
    assert "alarm" in report.accepted
    assert report.pushed is not None
    assert Path(report.pushed).parent == cluster.root / "serving" / "awesome-window_returns-h1"
    assert first_run[REPORT].page == (cluster.root / "runs" / "first" / "report.html").read_text()


def test_models_go_to_the_storage_once(cluster: Cluster, first_run: dict[str, Pod]) -> None:
    from components.object_storage import Storage, StorageSettings, list_models

    def stored() -> list[tuple[str, float, bool]]:
        with Storage.at(storage_url(cluster.root), StorageSettings()) as storage:
            return [(one.facts.model, one.facts.auc, one.facts.champion) for one in list_models(storage).models]

    metrics = json.loads((first_run["evidence"].out / "metrics").read_text())
    assert stored() == [("linear", metrics["linear.auc"], True)]
    again = cluster.pod(REPORT, "first")
    assert again.code == 0
    assert any(json.loads(line)["message"] == "linear: already there" for line in again.log)
    assert len(stored()) == 1


def test_the_try_goes_to_the_storage_with_the_model(cluster: Cluster, first_run: dict[str, Pod]) -> None:
    from components.object_storage import Storage, StorageSettings, list_models
    from components.object_storage.tries import NOT_PUSHED, stored_tries
    from pipeline.runs.folder import read_report

    with Storage.at(storage_url(cluster.root), StorageSettings()) as storage:
        [model] = list_models(storage).models
        record = stored_tries(storage, "awesome.db").record
    assert record is not None
    trial = record.trials[0]  # other runs of these tests come later
    assert ([one.name for one in trial.models], trial.asked["pipeline"]) == (["linear"], "awesome-window_returns-h1")
    tries = read_report(cluster.root / "runs" / "first").tries
    assert tries is not None
    assert (tries.own, [one.id for one in tries.tries]) == (trial.id, [trial.id])
    # The database was pushed without a record.
    assert (record.complete, record.gaps) == (False, (NOT_PUSHED,))
    assert (model.facts.tries, model.facts.tries_complete) == (1, False)


def test_a_report_of_a_run_that_has_not_ended_names_what_is_missing(
    cluster: Cluster, first_run: dict[str, Pod]
) -> None:
    refused = cluster.pod(REPORT, "never")
    assert refused.code == 1
    assert refused.last["message"].startswith("run never: the metadata store knows of no end of FeatureExampleGen, ")
    assert not (cluster.root / "runs" / "never").exists()


def test_the_page_of_the_examples_shows_the_splits(cluster: Cluster, first_run: dict[str, Pod]) -> None:
    page = first_run["featureexamplegen"].page
    with closing(sqlite3.connect(cluster.root / "awesome.db")) as store:
        first, last, sessions, shares = store.execute(
            "SELECT MIN(time), MAX(time), COUNT(DISTINCT time), COUNT(DISTINCT share_id) FROM FEATURE"
        ).fetchone()
    assert f"{shares} shares, {sessions} sessions from {first[:10]} to {last[:10]}, split by date." in page
    assert all(f'<th scope="row">{split}</th>' in page for split in ("train", "eval", "test"))


def test_pages_show_what_a_step_found(first_run: dict[str, Pod]) -> None:
    assert "Every split fits the schema." in first_run["examplevalidator"].page
    assert '<th scope="row">closes</th>' in first_run["statisticsgen"].page
    assert '<th scope="row">label_20</th>' in first_run["importschemagen"].page
    assert "<svg" in first_run[TRAINER].page
    assert "There is no earlier blessed model" in first_run["predecessor-linear"].page
    page = first_run["modelselector"].page
    assert "The champion is linear." in page
    assert re.search(r"accepted by the run&#39;s parameter accept_suspicion: (future canary, )?alarm\.", page)


def test_the_pusher_says_where_the_model_is(cluster: Cluster, first_run: dict[str, Pod]) -> None:
    [version] = (cluster.root / "serving" / "awesome-window_returns-h1").iterdir()
    assert f"The champion was pushed to {version}." in first_run["pusher"].page
    assert (version / "saved_model.pb").is_file()


def metrics_of(pod: Pod) -> dict[str, float]:
    """What the UI shows of a step, which is also what is handed on."""
    [entry] = json.loads((pod.out / "output.json").read_text())["artifacts"]["metrics"]["artifacts"]
    metrics: dict[str, float] = entry["metadata"]
    assert json.loads((pod.out / "metrics").read_text()) == metrics
    assert all(isinstance(value, float) and math.isfinite(value) for value in metrics.values())
    return metrics


def test_metrics_are_numbers_and_those_of_the_tables(first_run: dict[str, Pod]) -> None:
    judged, evaluated = metrics_of(first_run["evidence"]), metrics_of(first_run["evaluator"])
    area, low, high = (judged[f"linear.auc{end}"] for end in ("", "_low", "_high"))
    assert low < area < high
    # The market's signal is strong: a coin's AUC would be within 0.04 of a half.
    assert area > 0.54
    assert judged["linear.blessed"] == 1
    assert evaluated["linear.auc_exact"] == pytest.approx(area, abs=1e-6)
    assert f"<td>{area:.3f} ({low:.3f} to {high:.3f})</td>" in first_run["evidence"].page
    assert f'<th scope="row">linear</th><td>{area:.3f}</td>' in first_run["evaluator"].page
    for baseline in ("logistic_regression", "lightgbm"):
        assert judged[f"{baseline}.auc"] > 0.5
        assert f'<th scope="row">{baseline}</th>' in first_run["evidence"].page


def test_a_second_run_hits_the_cache_and_a_changed_one_does_not(cluster: Cluster, first_run: dict[str, Pod]) -> None:
    # Two runs of one package, one after the other for the store's sake: SQLite takes one writer.
    same = cluster.pod("featureexamplegen", "second")
    assert same.code == 0
    assert same.last["message"].startswith("taken from the cache in ")
    assert ", from the cache" in same.page
    [(_, state)] = cluster.executions("featureexamplegen", "second")
    assert state == CACHED
    other = cluster.pod("featureexamplegen", "third", shares="S000,S001")
    assert other.code == 0
    assert "2 shares, " in other.page
    [(_, state)] = cluster.executions("featureexamplegen", "third")
    assert state == COMPLETE


def test_a_node_that_fails_says_why_on_its_last_line_and_a_retry_completes_it(cluster: Cluster) -> None:
    task, prices = "featureexamplegen", cluster.root / "awesome.db"
    prices.rename(away := cluster.root / "away.db")
    failed = cluster.pod(task, "failing", cache="false")
    away.rename(prices)
    assert failed.code == 1
    assert failed.last["severity"] == "ERROR"
    assert str(prices) in failed.last["message"]
    assert len(failed.last["message"].splitlines()) == 1
    assert not (failed.out / "output.json").exists()
    [(execution, state)] = cluster.executions(task, "failing")
    assert state != COMPLETE
    assert cluster.pod(task, "failing", cache="false").code == 0
    assert cluster.executions(task, "failing") == [(execution, COMPLETE)]


def test_a_pod_whose_flink_is_away_says_so_before_its_step(cluster: Cluster, tmp_path: Path) -> None:
    stage = cluster_settings({"stage": {"data_folder": str(cluster.root)}}, "stage")
    flags = {"beam_runner": "flink", "flink_master": "127.0.0.1:1"}
    package = compiled(tmp_path / "package.yaml", stage, models=("linear",), **flags)
    away = Cluster(package, cluster.root)
    # What needs no Beam asks nobody.
    assert away.pod("importschemagen", "away").code == 0
    refused = away.pod("statisticsgen", "away")
    assert refused.code == 1
    assert refused.last["message"].startswith("flink_master: nothing answers at 127.0.0.1:1")
    assert away.executions("statisticsgen", "away") == []


def test_what_can_be_refused_early_is_refused_before_tensorflow(cluster: Cluster, tmp_path: Path) -> None:
    """In this process: no environment, and arguments that are no slice."""
    arguments = cluster.package.command("pusher", "run", tmp_path, {})

    def refusal(given: list[str], **extra: str) -> dict[str, Any]:
        done = subprocess.run(
            [sys.executable, "-X", "importtime", "-m", "awesome_kubeflow.entrypoint", *given],
            env=clean_environment(**extra), capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 1
        assert "tensorflow" not in done.stderr
        return dict(json.loads([line for line in done.stderr.splitlines() if line.startswith("{")][-1]))

    both = {"AWESOME_NODE_METADATA_SQLITE": "a", "AWESOME_NODE_METADATA_HOST": "b"}
    with ThreadPoolExecutor(2) as pool:
        refused = list(
            pool.map(
                lambda one: refusal(one[0], **one[1])["message"],
                [
                    (arguments, {}),
                    (arguments, both),
                    (arguments, {"AWESOME_NODE_METADATA_PORT": "x"}),
                    ([*arguments[:-1], "{}"], {}),
                ],
            )
        )
    assert refused[0].startswith("environment: name the metadata store, by AWESOME_NODE_METADATA_HOST")
    assert refused[1] == refused[0]
    assert refused[2].startswith("AWESOME_NODE_METADATA_PORT: ")
    assert refused[3].startswith("--executor-input: is not what Kubeflow Pipelines gives")
