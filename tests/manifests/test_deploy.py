"""`awesome kubeflow deploy`: the real kubectl, and a server on this machine in place of a cluster."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from command_line import COMMAND, refusal
from kubernetes_api import Cluster, kubernetes_api, write_kubeconfig
from overlays import needs_kubectl

ROOT = Path(__file__).resolve().parents[2]
STAGE, PROD = "training-stage", "training-prod"
SHARES = "/api/v1/namespaces/kubeflow/configmaps/awesome-shares"
OBJECTS = 17

pytestmark = needs_kubectl


@dataclass
class Shell:
    """Runs `awesome kubeflow deploy` for a cluster."""

    cluster: Cluster
    variables: dict[str, str] = field(default_factory=dict)

    def deploy(self, *arguments: str, answer: str | None = None, folder: Path = ROOT) -> tuple[int, str, str]:
        """Exit code, output, errors; `answer` is typed on a terminal, without one there is no terminal."""
        command = [COMMAND, "kubeflow", "deploy", *arguments]
        stdin: int = subprocess.DEVNULL
        terminal: tuple[int, ...] = ()
        if answer is not None:
            terminal = pty.openpty()
            os.write(terminal[0], answer.encode())
            stdin = terminal[1]
        try:
            done = subprocess.run(command, cwd=folder, env=self.variables, stdin=stdin, capture_output=True, text=True)
        finally:
            for one in terminal:
                os.close(one)
        return done.returncode, done.stdout, done.stderr


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[Shell]:
    """A cluster behind training-stage, none behind training-prod, and a context that has no overlay."""
    with kubernetes_api() as (cluster, address):
        contexts = {STAGE: address, PROD: "http://127.0.0.1:1", "laptop": address}
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("AWESOME_", "KUBE"))}
        config = write_kubeconfig(tmp_path / "config", contexts)
        # kubectl keeps what it has learnt of a server in HOME, by address.
        yield Shell(cluster, kept | {"KUBECONFIG": str(config), "HOME": str(tmp_path), "COLUMNS": "200"})


@pytest.fixture
def deployed(shell: Shell) -> Shell:
    code, _, err = shell.deploy("--context", STAGE, "--yes")
    assert (code, err) == (0, "")
    shell.cluster.writes.clear()
    return shell


def test_everything_is_new_to_an_empty_cluster(shell: Shell) -> None:
    code, out, err = shell.deploy("--context", STAGE, "--yes")
    assert (code, err) == (0, "")
    shown, _, applied = out.partition(f"\n\n{STAGE}: {OBJECTS} new, 0 changed\n")
    assert "+    sh600519\n" in shown
    assert "configmap/awesome-shares created" in applied.splitlines()
    assert "statefulset.apps/awesome-metadata created" in applied.splitlines()
    assert len(applied.splitlines()) == len(shell.cluster.objects) == len(shell.cluster.writes) == OBJECTS
    assert {method for method, _ in shell.cluster.writes} == {"POST"}


def test_a_dry_run_leaves_the_cluster_alone(shell: Shell) -> None:
    code, out, err = shell.deploy("--context", STAGE, "--dry-run")
    assert (code, err) == (0, "")
    assert out.endswith(f"\n{STAGE}: {OBJECTS} new, 0 changed\n")
    assert shell.cluster.dry_runs == OBJECTS
    assert shell.cluster.writes == []


@pytest.mark.parametrize("option", ["--yes", "--dry-run"])
def test_a_current_cluster_is_left_alone(deployed: Shell, option: str) -> None:
    assert deployed.deploy("--context", STAGE, option) == (0, f"{STAGE} is current\n", "")
    assert deployed.cluster.writes == []


def test_only_what_differs_is_shown_and_applied(deployed: Shell) -> None:
    deployed.cluster.objects[SHARES]["data"]["shares"] = "sh600519\nsh600036\n"
    code, out, err = deployed.deploy("--context", STAGE, answer="y\n")
    assert code == 0
    assert "Apply to training-stage? [y/N]" in err
    changes = [line for line in out.splitlines() if line.startswith(("+ ", "- "))]
    assert changes == ["-    sh600036", "+    sz000001", "+    hk00700"]
    assert out.endswith(f"\n{STAGE}: 0 new, 1 changed\nconfigmap/awesome-shares configured\n")
    assert deployed.cluster.writes == [("PATCH", SHARES)]
    assert deployed.cluster.objects[SHARES]["data"]["shares"] == "sh600519\nsz000001\nhk00700\n"


@pytest.mark.parametrize("answer", ["n\n", "\n", "\x04"])
def test_nothing_is_applied_without_a_yes(deployed: Shell, answer: str) -> None:
    deployed.cluster.objects[SHARES]["data"]["shares"] = "sh600519\n"
    code, out, err = deployed.deploy("--context", STAGE, answer=answer)
    assert code == 130
    assert "awesome: stopped" in err
    assert out.endswith(f"\n{STAGE}: 0 new, 1 changed\n")
    assert deployed.cluster.writes == []


def test_without_a_terminal_it_does_not_ask(shell: Shell) -> None:
    message = refusal(shell.deploy("--context", STAGE))
    assert message == "there is no terminal to ask on: --yes applies without asking, --dry-run only shows"
    assert shell.cluster.dry_runs == 0


def test_a_missing_namespace_is_named_with_what_creates_it(shell: Shell) -> None:
    shell.cluster.namespaces.clear()
    message = refusal(shell.deploy("--context", STAGE, "--yes"))
    assert "training-stage has no namespace kubeflow" in message
    assert "`kubectl --context training-stage create namespace kubeflow`" in message


def test_a_cluster_that_does_not_answer_is_named(shell: Shell) -> None:
    message = refusal(shell.deploy("--context", PROD, "--yes"))
    assert message.startswith("the cluster of training-prod does not answer: ")
    assert "127.0.0.1:1" in message


def test_what_was_applied_before_a_refusal_is_named(deployed: Shell) -> None:
    for name in ("configmaps/awesome-shares", "configmaps/awesome-training"):
        del deployed.cluster.objects[f"/api/v1/namespaces/kubeflow/{name}"]
    deployed.cluster.refused["awesome-training"] = "the quota is used up"
    code, out, err = deployed.deploy("--context", STAGE, "--yes")
    assert code == 1
    assert f"{STAGE}: 2 new, 0 changed" in out
    [line] = err.splitlines()
    assert line.startswith(f"awesome: overlay {STAGE} cannot be applied to its cluster: ")
    assert "the quota is used up" in line
    assert line.endswith("; applied before: configmap/awesome-shares created")


@pytest.mark.parametrize("context", ["training-moon", "laptop", "../overlays/training-stage"])
def test_an_unknown_overlay_is_named(shell: Shell, context: str) -> None:
    told = refusal(shell.deploy("--context", context, "--yes"))
    assert told.startswith(f"--context {context}: ")
    assert told.endswith(f"has no such overlay; there are {PROD}, {STAGE}")


def test_an_unknown_context_is_named(shell: Shell, tmp_path: Path) -> None:
    write_kubeconfig(tmp_path / "config", {"laptop": "http://127.0.0.1:1"})
    told = refusal(shell.deploy("--context", STAGE, "--yes"))
    assert told.startswith(f"--context {STAGE}: kubectl knows no such context")
    assert told.endswith("there are laptop")


def test_a_missing_kubectl_is_named(shell: Shell, tmp_path: Path) -> None:
    shell.variables["PATH"] = str(tmp_path)
    assert refusal(shell.deploy("--context", STAGE, "--yes")).startswith("kubectl is not installed")


def test_it_needs_a_checkout(shell: Shell, tmp_path: Path) -> None:
    message = refusal(shell.deploy("--context", STAGE, "--yes", folder=tmp_path))
    assert message.startswith(f"{tmp_path.resolve()}: is no checkout of awesome")
