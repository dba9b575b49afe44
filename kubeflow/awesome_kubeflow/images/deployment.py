"""An overlay of kubeflow/manifests and the cluster it is for: what differs, and the overlay applied, by kubectl."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from awesome_kubeflow.errors import DeployError
from awesome_kubeflow.images.checkout import Checkout
from awesome_kubeflow.images.programs import run_program

_REQUEST_SECONDS = 20
_SECONDS = 300
"""For all requests of one kubectl together."""

_COMPARED = re.compile(r"^diff .*/LIVE-\d+/(\S+) \S+$")
_LONGEST = 400


@dataclass(frozen=True)
class Target:
    """An overlay, the context of kubectl that has its name, and the path of kubectl."""

    kubectl: str
    context: str
    overlay: Path


@dataclass(frozen=True)
class Differences:
    """What an overlay would change in a cluster.

    Attributes:
        text: as `kubectl diff` prints it; the values of Secrets are masked.
        new: objects that the cluster has not, as version.kind.namespace.name.
        changed: objects that it has otherwise.
    """

    text: str
    new: tuple[str, ...]
    changed: tuple[str, ...]


@dataclass(frozen=True)
class _Answer:
    """What kubectl left; `warnings` are the server's."""

    code: int | None
    out: str
    reason: str
    warnings: tuple[str, ...]


def find_target(checkout: Checkout, context: str) -> Target:
    """The overlay for a context of kubectl.

    Raises:
        DeployError: there is no such overlay or context, or no kubectl.
    """
    overlays = sorted(file.parent.name for file in checkout.overlays.glob("*/kustomization.yaml"))
    if context not in overlays:
        raise DeployError(f"--context {context}: {checkout.overlays} has no such overlay; there are {_list(overlays)}")
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        raise DeployError("kubectl is not installed: see kubernetes.io/docs/tasks/tools, or Debian's kubernetes-client")
    known = _run([kubectl, "config", "get-contexts", "--output", "name"])
    if known.code != 0:
        raise DeployError(f"kubectl does not list its contexts: {known.reason}")
    if context not in known.out.split():
        raise DeployError(
            f"--context {context}: kubectl knows no such context (KUBECONFIG, ~/.kube/config); "
            f"there are {_list(known.out.split())}"
        )
    return Target(kubectl, context, checkout.overlays / context)


def check_cluster(target: Target) -> None:
    """Asks the cluster for its version, as the cheapest request there is.

    Raises:
        DeployError: it does not answer, or refuses.
    """
    answer = _kubectl(target, "get", "--raw", "/version")
    if answer.code != 0:
        raise DeployError(f"the cluster of {target.context} does not answer: {answer.reason}")


def differences(target: Target) -> Differences | None:
    """What applying the overlay would change. The server tells, so defaults and admission count; it keeps nothing.

    Returns:
        The differences; None where the cluster is current.

    Raises:
        DeployError: kubectl or the cluster refuses; a namespace that is missing is named with what creates it.
    """
    answer = _kubectl(target, "diff", "--kustomize", str(target.overlay))
    if answer.code == 0:
        return None
    # 1 says that there are differences, what is above says that they could not be found out. Older kubectl says 1 for
    # some errors as well, and then shows no difference.
    if answer.code != 1 or not answer.out.strip():
        raise _refusal(target, "compared with", answer)
    new: list[str] = []
    changed: list[str] = []
    lines = answer.out.splitlines()
    for number, line in enumerate(lines):
        if found := _COMPARED.match(line):
            hunk = next((text for text in lines[number + 1 : number + 4] if text.startswith("@@")), "")
            (new if hunk.startswith("@@ -0,0 ") else changed).append(found[1])
    return Differences(answer.out, tuple(new), tuple(changed))


def apply(target: Target) -> tuple[str, ...]:
    """Applies the overlay.

    Returns:
        A line for each object that changed, as kubectl prints it, and the warnings of the server.

    Raises:
        DeployError: kubectl or the cluster refuses; what had been applied before stays, and is named.
    """
    answer = _kubectl(target, "apply", "--kustomize", str(target.overlay))
    lines = [line for line in answer.out.splitlines() if line.strip() and not line.endswith(" unchanged")]
    if answer.code != 0:
        raise _refusal(target, "applied to", answer, f"; applied before: {', '.join(lines)}" if lines else "")
    return (*lines, *answer.warnings)


def _refusal(target: Target, what: str, answer: _Answer, more: str = "") -> DeployError:
    missing = re.search(r'namespaces "([^"]+)" not found', answer.reason)
    if missing is not None:
        create = f"kubectl --context {target.context} create namespace {missing[1]}"
        return DeployError(
            f"{target.context} has no namespace {missing[1]}: `{create}` first (see manifests/README.md)"
        )
    return DeployError(f"overlay {target.context} cannot be {what} its cluster: {answer.reason}{more}")


def _kubectl(target: Target, *arguments: str) -> _Answer:
    options = ("--context", target.context, f"--request-timeout={_REQUEST_SECONDS}s")
    return _run([target.kubectl, *options, *arguments])


def _run(command: list[str]) -> _Answer:
    done = run_program(command, _SECONDS)
    said = [line.strip() for line in done.err.splitlines() if line.strip()]
    warnings = tuple(line for line in said if line.startswith("Warning: "))
    # Not why it failed: kustomize's own warnings, and the log of each try.
    errors = [line for line in said if not re.match(r"# Warning|Warning: |[EWI]\d{4} ", line)]
    reason = "; ".join(dict.fromkeys(line.removeprefix("error: ") for line in errors)) or f"exit code {done.code}"
    reason = reason if len(reason) <= _LONGEST else f"{reason[:_LONGEST]}..."
    return _Answer(done.code, done.out, reason, warnings)


def _list(names: list[str]) -> str:
    return ", ".join(names) or "none"
