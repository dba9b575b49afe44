"""ML Metadata in MariaDB, as in a cluster: pods that begin at the same instant, a killed one, a repeated one."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from command_line import clean_environment
from compiled_package import Package
from mariadb import MariaDB, mariadb_server
from small_pipeline import COMPLETE, RUNNING, compile_small

pytestmark = [pytest.mark.slow, pytest.mark.host, pytest.mark.filterwarnings("ignore::FutureWarning")]

FIRST, SECOND = "FeatureExampleGen", "ImportSchemaGen"
"""The two nodes that wait for nothing: on an empty store each of them makes its tables."""


@dataclass(frozen=True)
class Store:
    """A server, the package of the linear model, and a folder that stands for the volume."""

    server: MariaDB
    package: Package
    root: Path

    def job(self, node: str, run_id: str, **parameters: str) -> dict[str, Any]:
        out = self.root / "kfp" / run_id / node
        out.mkdir(parents=True, exist_ok=True)
        return {
            "log": str(out / "log"),
            "arguments": self.package.command(node.lower().replace(".", "-"), run_id, out, parameters),
        }

    def start(self, script: list[str], environment: dict[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *script], env=clean_environment(**environment), cwd=self.root, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def run(self, jobs: list[dict[str, Any]], environment: dict[str, str]) -> None:
        """Runs pods that begin at the same instant; each must end well."""
        path = self.root / "jobs.json"
        path.write_text(json.dumps(jobs))
        process = self.start([str(Path(__file__).with_name("concurrent_pods.py")), str(path)], environment)
        out, error = process.communicate()
        assert process.returncode == 0, error
        codes = json.loads(out.splitlines()[-1])
        lines = [Path(job["log"]).read_text().splitlines()[-1] for job in jobs]
        assert codes == [0] * len(jobs), lines


@pytest.fixture(scope="module")
def store(no_settings: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    root = tmp_path_factory.mktemp("store")
    with mariadb_server(tmp_path_factory.mktemp("mariadb")) as server:
        yield Store(server, compile_small(root), root)


@pytest.fixture(scope="module")
def at_once(store: Store) -> str:
    """A store that was empty when eight pods came to it at the same instant: two branches of each of four runs."""
    environment = store.server.create("at_once")
    jobs = [store.job(node, f"run{number}", cache="false") for number in range(4) for node in (FIRST, SECOND)]
    store.run(jobs, environment)
    return "at_once"


def test_pods_that_begin_at_once_on_an_empty_store_all_complete(store: Store, at_once: str) -> None:
    executions = store.server.executions(at_once)
    assert {key: [state for _, state in found] for key, found in executions.items()} == {
        (f"run{number}", node): [COMPLETE] for number in range(4) for node in (FIRST, SECOND)
    }


def test_what_pods_share_is_recorded_once_and_what_they_made_apart(store: Store, at_once: str) -> None:
    def ask(query: str) -> list[tuple[str, ...]]:
        return store.server.rows(at_once, query)

    assert ask("SELECT type_kind, name FROM Type GROUP BY 1, 2 HAVING COUNT(*) > 1") == []
    assert ask("SELECT type_id, name FROM Context GROUP BY 1, 2 HAVING COUNT(*) > 1") == []
    assert ask("SELECT COUNT(*) FROM Context c JOIN Type t ON t.id = c.type_id WHERE t.name = 'pipeline'") == [("1",)]
    # An artifact of its own, in a folder of its own, for each execution.
    assert ask("SELECT COUNT(*), COUNT(DISTINCT uri), SUM(state = 2) FROM Artifact") == [("8", "8", "8")]
    folders = [Path(uri) for (uri,) in ask("SELECT uri FROM Artifact")]
    assert all(any(folder.iterdir()) for folder in folders)
    assert ask("SELECT execution_id FROM Event WHERE type = 4 GROUP BY 1 HAVING COUNT(*) != 1") == []


def test_the_next_step_of_each_run_reads_that_runs_own_examples(store: Store, at_once: str) -> None:
    jobs = [store.job("StatisticsGen", f"run{number}", cache="false") for number in range(2)]
    store.run(jobs, store.server.environment(at_once))
    executions = store.server.executions(at_once)
    for number in range(2):
        [(examples, _)] = executions[f"run{number}", FIRST]
        [(statistics, state)] = executions[f"run{number}", "StatisticsGen"]
        assert state == COMPLETE
        assert store.server.rows(
            at_once,
            f"""
            SELECT o.execution_id FROM Event i JOIN Event o ON o.artifact_id = i.artifact_id AND o.type = 4
            WHERE i.execution_id = {statistics} AND i.type = 3
            """,
        ) == [(str(examples),)]


def test_a_killed_pod_and_a_repeated_resolver_take_up_their_own_execution(store: Store) -> None:
    environment = store.server.create("killed")
    job = store.job(FIRST, "run", cache="false")
    entrypoint = ["-m", "awesome_kubeflow.entrypoint", *job["arguments"]]
    process = store.start(entrypoint, environment)
    try:
        while not (found := store.server.rows("killed", "SHOW TABLES LIKE 'Execution'")) or not (
            found := store.server.rows("killed", f"SELECT id FROM Execution WHERE last_known_state = {RUNNING}")
        ):
            assert process.poll() is None, process.communicate()[1]
            time.sleep(0.01)
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    assert process.returncode == -signal.SIGKILL
    [(execution,)] = found
    store.run([job], environment)
    assert store.server.executions("killed")["run", FIRST] == [(int(execution), COMPLETE)]

    resolver = store.job("Predecessor.linear", "run", cache="false")
    store.run([resolver], environment)
    once = store.server.executions("killed")["run", "Predecessor.linear"]
    store.run([resolver], environment)
    assert store.server.executions("killed")["run", "Predecessor.linear"] == once
    assert [state for _, state in once] == [COMPLETE]
