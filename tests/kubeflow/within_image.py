"""The tests that can differ between the lines of TFX, within the training image: TFX 1.21 on Python 3.13.

    python tests/kubeflow/within_image.py [ARGUMENTS OF PYTEST]

The image is built as a user builds it, with what the tests need upon it, and gets a copy of the checkout. Where this
machine has the image's TFX itself, its own tests have said it all. Without podman, debootstrap and root nothing can be
built: CI fails, any other machine is told so in a line.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from engine import ROOT, TESTS_IMAGE, Engine, need_podman, own_engine

from awesome_kubeflow.cluster import IMAGE_TFX

NO_TESTS = 5
"""What pytest returns where its arguments leave nothing to run."""

PROCESSES = "-n"
"""The option that the Makefile always gives: it chooses no tests."""


def copy_checkout(path: Path) -> None:
    """Packs the files of the checkout, without what was installed or written there."""
    names = subprocess.check_output(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, text=True
    )
    with tarfile.open(path, "w") as archive:
        for name in names.rstrip("\0").split("\0"):
            if (ROOT / name).exists():
                archive.add(ROOT / name, name)


def run_tests(engine: Engine, folder: Path, arguments: list[str]) -> int:
    """Runs pytest in a container on a copy of the checkout; returns its exit code."""
    archive = folder / "checkout.tar"
    copy_checkout(archive)
    variables = ["-e", "PYTHONPATH=/tmp/checkout:/tmp/checkout/kubeflow"]
    # There, as here, CI takes a missing program for a failure.
    variables += ["-e", "CI"] if os.environ.get("CI") else []
    command = [
        "podman", "run", "--rm", "-v", f"{archive}:/checkout.tar:ro", "-w", "/tmp", *variables, TESTS_IMAGE,
        "sh", "-c", "mkdir checkout && tar -xf /checkout.tar -C checkout && cd checkout && "
        'exec python -m pytest -p no:cacheprovider -m "not host" "$@"', "pytest", *arguments,
    ]  # fmt: skip
    return subprocess.run(command, env=engine.environment, stdin=subprocess.DEVNULL).returncode


def main(arguments: list[str]) -> int:
    """Runs the command line described above; returns the exit code."""
    if version("tfx") == IMAGE_TFX:
        print(f"within_image.py: this machine has TFX {IMAGE_TFX} itself: nothing is left to test within the image")
        return 0
    try:
        need_podman()
    except pytest.skip.Exception as reason:
        print(f"within_image.py: the tests on TFX {IMAGE_TFX} are left out: {reason}")
        return 0
    except pytest.fail.Exception as reason:
        print(f"within_image.py: {reason}", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # the user of the image is another
        engine = own_engine(Path(folder))
        engine.build()
        code = run_tests(engine, Path(folder), arguments)
    chosen = arguments[2:] if arguments[:1] == [PROCESSES] else arguments
    return 0 if code == NO_TESTS and chosen else code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
