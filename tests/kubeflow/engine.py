"""podman for the tests: its settings, the training image from Debian's packages, and its socket for KFP's runner."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from command_line import clean_environment
from mariadb import need

ROOT = Path(__file__).resolve().parents[2]
DEBIAN = "localhost/awesome-debian:13"
TAG = "tests"
BASE = f"localhost/awesome-base:{TAG}"
IMAGE = f"localhost/awesome-training:{TAG}"
PACKAGES = f"localhost/awesome-training-packages:{TAG}"
EXTRACTOR = f"localhost/awesome-extractor:{TAG}"
TESTS_IMAGE = f"localhost/awesome-training-tests:{TAG}"

_BUILD_SECONDS = 1800


def need_podman() -> None:
    """Ends the test where images cannot be built."""
    need("podman", "debootstrap")
    if os.getuid() != 0:
        (pytest.fail if os.environ.get("CI") else pytest.skip)("debootstrap needs root")


@dataclass(frozen=True)
class Engine:
    """podman with settings of its own in the environment, and a folder for what belongs to the tests."""

    environment: dict[str, str]
    folder: Path

    def podman(self, *arguments: str, check: bool = True, timeout: float = 600) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            ["podman", *arguments], env=self.environment, capture_output=True, text=True, timeout=timeout
        )
        assert not check or done.returncode == 0, f"podman {' '.join(arguments)[:200]}: {done.stderr[-3000:]}"
        return done

    def build(self) -> None:
        """Builds every image as a user does; what has not changed comes from podman's cache."""
        if self.podman("image", "exists", DEBIAN, check=False).returncode:
            _run(["sh", "kubeflow/docker/debian-base.sh", DEBIAN], self.environment, 600)
        secrets = self._secrets()
        _run(
            [sys.executable, "-c", "from pipeline.cli import main; main()", "kubeflow", "build", "--registry",
             "localhost", "--tag", TAG, "--engine", "podman", "--base-image", DEBIAN,
             *(f"--secret={name}={path}" for name, path in secrets.items())],
            self.environment, _BUILD_SECONDS,
        )  # fmt: skip
        given = [f"--secret=id={name},src={path}" for name, path in secrets.items()]
        self.podman(
            "build", "-f", str(ROOT / "kubeflow/docker/training.Dockerfile"), "--target", "packages",
            "--build-arg", f"BASE_IMAGE={BASE}", "-t", PACKAGES, *given, str(ROOT), timeout=_BUILD_SECONDS,
        )  # fmt: skip
        self.podman(
            "build", "-f", str(ROOT / "tests/kubeflow/tests.Dockerfile"), "--build-arg", f"PACKAGES_IMAGE={PACKAGES}",
            "--build-arg", f"TRAINING_IMAGE={IMAGE}", "-t", TESTS_IMAGE, *given, str(ROOT), timeout=_BUILD_SECONDS,
        )  # fmt: skip

    def _secrets(self) -> dict[str, Path]:
        """A mirror of PyPI and certificates, where this machine has such."""
        secrets = {}
        if index := os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL"):
            secrets["index"] = self.folder / "index.env"
            secrets["index"].write_text(f"UV_DEFAULT_INDEX={index}\n")
        if certificates := os.environ.get("SSL_CERT_FILE"):
            secrets["ca-certificates"] = Path(certificates)
        return secrets

    @contextmanager
    def bridge(self) -> Iterator[str]:
        """The address under which containers see this machine; it exists while one of them is there."""
        container = self.podman("run", "-d", "--network", "podman", IMAGE, "sleep", "infinity").stdout.strip()
        try:
            [network] = json.loads(self.podman("network", "inspect", "podman").stdout)
            yield str(network["subnets"][0]["gateway"])
        finally:
            self.podman("rm", "-f", "-t", "0", container)

    @contextmanager
    def service(self, variables: dict[str, str], root: Path) -> Iterator[str]:
        """The engine's socket, as DOCKER_HOST takes it; every container has the variables in its environment.

        KFP's runner leaves its containers, which see `root`: they are removed in the end.
        """
        folder = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
        settings = folder / "containers.conf"
        settings.write_text(engine_settings(variables))
        url = f"unix://{folder}/socket"
        with (self.folder / "service.log").open("w") as log:
            server = subprocess.Popen(
                ["podman", "system", "service", "--time=0", url],
                env=self.environment | {"CONTAINERS_CONF": str(settings)}, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        try:
            while not (folder / "socket").exists():
                assert server.poll() is None, (self.folder / "service.log").read_text()
                time.sleep(0.1)
            yield url
        finally:
            server.terminate()
            server.wait()
            shutil.rmtree(folder)
            if left := self.podman("ps", "--all", "--quiet", "--filter", f"volume={root}").stdout.split():
                self.podman("rm", "--force", "--time", "0", *left)


def engine_settings(variables: dict[str, str]) -> str:
    """podman's settings: what it needs within a virtual machine without a desktop, and variables for containers."""
    listed = ", ".join(json.dumps(f"{name}={value}") for name, value in variables.items())
    runtime = 'runtime = "runc"\n' if shutil.which("runc", path=f"{os.environ['PATH']}:/usr/sbin") else ""
    return f'[containers]\ndefault_ulimits = []\nnetns = "host"\nenv = [{listed}]\n[engine]\n{runtime}'


def own_engine(folder: Path) -> Engine:
    """podman with the tests' settings."""
    settings = folder / "containers.conf"
    settings.write_text(engine_settings({}))
    return Engine(clean_environment(CONTAINERS_CONF=str(settings)), folder)


def _run(command: list[str], environment: dict[str, str], timeout: float) -> None:
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=timeout)
    assert done.returncode == 0, f"{' '.join(command)[:200]}: {done.stdout[-2000:]}{done.stderr[-3000:]}"
