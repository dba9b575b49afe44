"""A small market and the linear model's pipeline, compiled for a folder that stands for the cluster's volume."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from command_line import clean_environment
from compiled_package import Package, compiled

from awesome_kubeflow.cluster import cluster_settings

SHARES, SESSIONS = 8, 700
COMPLETE, RUNNING, CACHED = 3, 2, 5
"""States in ML Metadata's Execution."""

TRAINER = "trainer-linear"


def write_small_market(root: Path) -> None:
    """Writes the feature store where the pipeline of `compile_small` reads it."""
    from components.synthetic_market import generate, write_market

    write_market(generate("reversal_easy", shares=SHARES, sessions=SESSIONS, seed=0), root / "awesome.db")


def storage_url(root: Path) -> str:
    return f"file://{root}/storage"


def store_small_market(root: Path) -> None:
    """Moves the feature store to where the package's first task pulls it from."""
    from components.object_storage import Storage, StorageSettings, push_database
    from pipeline.uses.publish import code_version

    (root / "storage").mkdir()
    with Storage.at(storage_url(root), StorageSettings()) as storage:
        push_database(storage, root / "awesome.db", code_version())
    (root / "awesome.db").unlink()


def compile_small(root: Path) -> Package:
    """Writes the market and the package."""
    write_small_market(root)
    cluster = cluster_settings({"stage": {"data_folder": str(root)}}, "stage")
    # The market has more signal than real prices ever had, which is what it counts as here.
    accepted = ("alarm", "future canary")
    return compiled(root / "package.yaml", cluster, models=("linear",), accept_suspicion=accepted)


@dataclass(frozen=True)
class Pod:
    """A process that ended: its exit code, the lines of its log, the folder of its outputs."""

    code: int
    log: list[str]
    out: Path

    @property
    def page(self) -> str:
        return (self.out / "html").read_text()

    @property
    def last(self) -> dict[str, Any]:
        return dict(json.loads(self.log[-1]))


@dataclass(frozen=True)
class Cluster:
    """The package of the linear model alone, and a folder that stands for the volume and has the store."""

    package: Package
    root: Path

    @property
    def store(self) -> Path:
        return self.root / "metadata.db"

    def start(self, task: str, run_id: str, **parameters: str) -> tuple[subprocess.Popen[str], Path]:
        out = self.root / "kfp" / run_id / task
        out.mkdir(parents=True, exist_ok=True)
        python, *command = self.package.program(task)
        assert python == "python"
        secret = self.root / "secret"
        secret.mkdir(exist_ok=True)
        (secret / "AWESOME_STORAGE_URL").write_text(storage_url(self.root) + "\n")
        variables = {
            "AWESOME_NODE_METADATA_SQLITE": str(self.store),
            "AWESOME_NODE_STORAGE_SECRET": str(secret),
        }
        with (out / "log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, *command, *self.package.command(task, run_id, out, parameters)],
                stdout=log, stderr=subprocess.STDOUT, text=True, cwd=self.root,
                env=clean_environment(**variables),
            )  # fmt: skip
        return process, out

    def pod(self, task: str, run_id: str, **parameters: str) -> Pod:
        process, out = self.start(task, run_id, **parameters)
        code = process.wait()
        return Pod(code, (out / "log").read_text().splitlines(), out)

    def executions(self, task: str, run_id: str) -> list[tuple[int, int]]:
        """Id and state of a node's executions in a run."""
        node = self.package.tasks[task]["taskInfo"]["name"]
        query = """
            SELECT e.id, e.last_known_state FROM Execution e
            JOIN Association a ON a.execution_id = e.id JOIN Context c ON c.id = a.context_id AND c.name = ?
            JOIN Association b ON b.execution_id = e.id JOIN Context d ON d.id = b.context_id AND d.name LIKE ?
        """
        with closing(sqlite3.connect(self.store)) as store:
            return sorted(store.execute(query, (run_id, f"%.{node}")).fetchall())


def kill_in_the_middle(cluster: Cluster, task: str) -> None:
    """Kills a pod once ML Metadata knows that it runs and its executor is at work."""
    process, out = cluster.start(task, "first")
    try:
        while "rows to train" not in (out / "log").read_text():
            assert process.poll() is None, (out / "log").read_text()
            time.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert process.returncode == -signal.SIGKILL
    [(execution, state)] = cluster.executions(task, "first")
    assert state == RUNNING
    (cluster.root / "killed").write_text(str(execution))


def run_every_node(cluster: Cluster) -> dict[str, Pod]:
    """Every node, in the order of the edges; the Trainer was killed in the middle once, and started again."""
    pods: dict[str, Pod] = {}
    tasks = cluster.package.tasks
    while len(pods) < len(tasks):
        [name, *_] = [
            name for name in sorted(tasks)
            if name not in pods and all(other in pods for other in tasks[name].get("dependentTasks", []))
        ]  # fmt: skip
        if name == TRAINER:
            kill_in_the_middle(cluster, name)
        pods[name] = cluster.pod(name, "first")
        assert pods[name].code == 0, "\n".join(pods[name].log[-3:])
    return pods
