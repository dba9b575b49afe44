"""The way from a bare checkout to a running project: tools/, Makefile, .ci/run, .pre-commit-config.yaml."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import check_python
import get_uv
import pytest

ROOT = Path(__file__).resolve().parents[2]
LINTERS = ["ruff check", "ruff format --check", "mypy", "lint-imports"]


def _program(text: str) -> str:
    return f"#!/bin/sh\n{text}\n"


def _offer_uv(folder: Path, program: str) -> None:
    """Make a wheel of a uv which is a shell script."""
    folder.mkdir()
    name = f"uv-{get_uv.UV_VERSION}"
    with zipfile.ZipFile(folder / f"{name}-py3-none-any.whl", "w") as archive:
        script = zipfile.ZipInfo(f"{name}.data/scripts/uv")
        script.external_attr = 0o100755 << 16
        archive.writestr(script, _program(program))
        metadata = f"Metadata-Version: 2.1\nName: uv\nVersion: {get_uv.UV_VERSION}\n"
        archive.writestr(f"{name}.dist-info/METADATA", metadata)
        archive.writestr(f"{name}.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{name}.dist-info/RECORD", "")


def _write_program(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_program(text), encoding="utf-8")
    path.chmod(0o755)
    return path


@dataclass(frozen=True)
class Checkout:
    """A copy of the files that set the project up, with an environment of its own."""

    root: Path
    environment: dict[str, str]

    def run(self, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command in the checkout."""
        return subprocess.run(
            command,
            cwd=self.root,
            env={**self.environment, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    root = tmp_path / "a checkout"  # the blank is meant
    shutil.copytree(ROOT / "tools", root / "tools", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, root / name)
    path = [folder for folder in os.get_exec_path() if not (Path(folder) / "uv").exists()]
    home = tmp_path / "home"
    home.mkdir()
    return Checkout(root, {"PATH": os.pathsep.join(path), "HOME": str(home), "PYTHONDONTWRITEBYTECODE": "1"})


# uv


def test_the_pinned_uv_is_one_that_pyproject_accepts(tmp_path: Path) -> None:
    _write_program(tmp_path / "uv", f"echo uv {get_uv.UV_VERSION}")
    assert get_uv.find_uv([str(tmp_path)]) == tmp_path / "uv"


def test_a_broken_shim_and_an_old_uv_are_passed_over(tmp_path: Path) -> None:
    _write_program(tmp_path / "shim" / "uv", "echo uv 9.9.9; exit 127")
    _write_program(tmp_path / "old" / "uv", "echo 'uv 0.4.30 (61ed2a236 2024-11-04)'")
    good = _write_program(tmp_path / "good" / "uv", "echo 'uv 0.10.0 (x86_64-unknown-linux-gnu)'")
    folders = [str(tmp_path / name) for name in ("missing", "shim", "old", "good")]
    assert get_uv.find_uv(folders) == good
    assert get_uv.find_uv(folders[:3]) is None


def test_uv_is_installed_once_and_afresh_where_it_does_not_run(checkout: Checkout, tmp_path: Path) -> None:
    _offer_uv(tmp_path / "wheels", f"echo uv {get_uv.UV_VERSION}")
    cut_off = _write_program(checkout.root / ".tools" / f"uv-{get_uv.UV_VERSION}" / "bin" / "uv", "exit 1")
    for said in (f"awesome: installing uv {get_uv.UV_VERSION} into .tools/ (once)\n", ""):
        done = checkout.run(
            sys.executable, "tools/get_uv.py", PIP_NO_INDEX="1", PIP_FIND_LINKS=(tmp_path / "wheels").as_uri()
        )
        assert (done.returncode, done.stdout, done.stderr) == (0, f"{cut_off}\n", said)


def test_without_a_network_it_says_so_in_one_line(checkout: Checkout) -> None:
    index = "mine=http://me:secret@127.0.0.1:9/mirror"  # as uv takes it
    done = checkout.run(sys.executable, "tools/get_uv.py", PIP_RETRIES="1", UV_DEFAULT_INDEX=index)
    assert (done.returncode, done.stdout) == (1, "")
    _, line = done.stderr.splitlines()
    assert re.fullmatch(r"awesome: uv \S+ cannot be installed, check the network .*refused.*: /mirror/uv/", line)
    assert "secret" not in line


def test_a_python_without_venv_says_what_to_install(checkout: Checkout) -> None:
    script = "import sys; sys.path.insert(0, 'tools'); sys.modules['ensurepip'] = None; import get_uv; get_uv.main()"
    done = checkout.run(sys.executable, "-c", script)
    assert done.stderr.splitlines()[1:] == [
        f"awesome: {sys.executable} has no venv: install it (Debian: apt-get install python3-venv), or uv"
    ]


# The interpreter


@pytest.mark.parametrize("version", [(2, 7), (3, 10), (3, 14), (4, 0)])
@pytest.mark.parametrize("other", [True, False])
def test_another_python_is_refused_with_what_was_found_and_what_is_needed(
    version: tuple[int, int], other: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    _write_program(tmp_path / "python3.11", "exit 127")  # a shim
    if other:
        _write_program(tmp_path / "python3.12", "exit 0")
    what = "choose another with `make PYTHON=python3.12" if other else "install one and choose it with `make PYTHON="
    line = check_python.refusal(version, (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert line.startswith(
        f"Python {version[0]}.{version[1]} found ({sys.executable}), Python 3.11 to 3.13 needed: {what}"
    )


@pytest.mark.parametrize("minor", [11, 12, 13])
def test_the_pythons_of_the_range_are_taken(minor: int) -> None:
    assert check_python.refusal((3, minor), (ROOT / "pyproject.toml").read_text(encoding="utf-8")) is None


@pytest.mark.parametrize(
    ("version", "system", "machine", "glibc", "words"),
    [
        ((3, 11), "Linux", "x86_64", (2, 31), []),
        ((3, 12), "Linux", "x86_64", (2, 39), []),
        ((3, 12), "Linux", "x86_64", (2, 36), ["glibc 2.39", "2.36", "python3.11"]),
        ((3, 11), "Linux", "x86_64", (), ["Alpine"]),
        ((3, 11), "Linux", "aarch64", (2, 36), ["aarch64"]),
        ((3, 11), "Darwin", "arm64", (), ["python3.12"]),
        ((3, 12), "Darwin", "arm64", (), []),
        ((3, 13), "Darwin", "x86_64", (), ["python3.11"]),
        ((3, 11), "Windows", "AMD64", (), ["WSL"]),
    ],
)
def test_a_failed_installation_is_explained_by_the_machine(
    version: tuple[int, int], system: str, machine: str, glibc: tuple[int, ...], words: list[str]
) -> None:
    lines = check_python.hints(version, system, machine, glibc, compiler=True, headers=True)
    assert len(lines) == bool(words)
    assert all(word in lines[0] for word in words)


def test_a_missing_compiler_and_missing_headers_are_named() -> None:
    lines = check_python.hints((3, 11), "Linux", "x86_64", (2, 36), compiler=False, headers=False)
    assert [re.search(r"g\+\+|python3-dev", line) is not None for line in lines] == [True, True]


# make

_FAKE_UV = """
if [ "$1" = --version ]; then echo "uv 0.13.9"; exit; fi
echo "uv $*" >> log
echo "$UV_PYTHON_DOWNLOADS $UV_PROJECT_ENVIRONMENT ${VIRTUAL_ENV-unset} ${UV_PYTHON-unset}" >> log
mkdir -p .venv/bin
for name in awesome ruff mypy lint-imports pytest python; do
  printf '#!/bin/sh\\necho "%s $*" >> log\\ntest ! -e fail-%s\\n' $name $name > .venv/bin/$name
  chmod +x .venv/bin/$name
done
test ! -e fail-uv
"""


@pytest.fixture
def fake(checkout: Checkout, tmp_path: Path) -> Checkout:
    """A checkout whose uv writes down what it is asked, and installs programs that do the same."""
    _write_program(tmp_path / "bin" / "uv", _FAKE_UV)
    path = f"{tmp_path / 'bin'}{os.pathsep}{checkout.environment['PATH']}"
    return Checkout(checkout.root, {**checkout.environment, "PATH": path})


def _log(checkout: Checkout) -> list[str]:
    return (checkout.root / "log").read_text(encoding="utf-8").splitlines()


def test_make_run_installs_the_lock_and_runs_the_main_job(fake: Checkout) -> None:
    python = f"PYTHON={sys.executable}"
    done = fake.run(
        "make", python, "run", "ARGS=--seed 7", VIRTUAL_ENV="/elsewhere", UV_PYTHON="3.8", UV_PYTHON_DOWNLOADS=""
    )
    assert done.returncode == 0, done.stderr
    assert _log(fake) == [
        f"uv sync --frozen --python {sys.executable} --all-extras --no-dev --inexact",
        "never .venv unset unset",
        "awesome run --seed 7",
    ]


def test_make_test_runs_every_check_and_every_test(fake: Checkout) -> None:
    done = fake.run("make", f"PYTHON={sys.executable}", "test")
    assert done.returncode == 0, done.stderr
    log = _log(fake)
    assert (
        log[0] == f"uv sync --frozen --python {sys.executable} --all-extras --group dev --group docs --group notebooks"
    )
    within = "python tests/kubeflow/within_image.py -n auto"
    assert [line.strip() for line in log[2:]] == [*LINTERS, "pytest -n auto", within]


@pytest.mark.parametrize(
    ("target", "program"),
    [("run", "uv"), ("run", "awesome"), ("test", "mypy"), ("test", "pytest"), ("test", "python"), ("image", "python")],
)
def test_make_stops_at_the_first_failure(fake: Checkout, target: str, program: str) -> None:
    (fake.root / f"fail-{program}").touch()
    done = fake.run("make", f"PYTHON={sys.executable}", target)
    assert done.returncode != 0
    ran = [line.split()[0] for line in _log(fake) if not line.startswith("never")]
    assert ran[-1] == program
    assert ("awesome: installation failed: " in done.stderr) == (program == "uv")


def test_make_without_a_python_says_so(fake: Checkout) -> None:
    done = fake.run("make", "PYTHON=python3.99", "run")
    assert done.returncode != 0
    assert done.stderr.splitlines()[0] == "awesome: no python3.99 found: install Python 3.11 to 3.13"
    assert not (fake.root / "log").exists()


def test_make_alone_lists_every_target(fake: Checkout) -> None:
    done = fake.run("make")
    assert done.returncode == 0, done.stderr
    listed = {line.split()[1] for line in done.stdout.splitlines()}
    assert {"help", "run", "test", "image", "fast", "lint", "docs", "lab", "clean"} == listed
    assert not (fake.root / "log").exists()


def test_make_clean_keeps_what_is_the_users(fake: Checkout) -> None:
    for name in (".venv/bin", ".tools", "build", "runs/1", "awesome.egg-info"):
        (fake.root / name).mkdir(parents=True)
    (fake.root / "awesome.db").touch()
    assert fake.run("make", "clean").returncode == 0
    assert {path.name for path in fake.root.iterdir()} == {"Makefile", "pyproject.toml", "tools", "runs", "awesome.db"}


def test_pre_commit_runs_the_linters_of_make_test() -> None:
    config = (ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8")
    assert re.findall(r"^ +entry: \.venv/bin/(.+)$", config, re.MULTILINE) == LINTERS


# .ci/run


@pytest.fixture
def machine(tmp_path: Path) -> Checkout:
    """A checkout with .ci/run on a machine whose programs write down how they are called."""
    root, programs = tmp_path / "checkout", tmp_path / "bin"
    (root / ".ci").mkdir(parents=True)
    shutil.copy(ROOT / ".ci" / "run", root / ".ci" / "run")
    programs.mkdir()
    for name in ("bash", "dirname"):
        (programs / name).symlink_to(str(shutil.which(name)))
    needed = "sqlite3 chromium kubectl podman runc debootstrap docker-registry busybox mariadbd c++ java mvn python3"
    for name in needed.split():
        _write_program(programs / name, "exit 0")
    _write_program(programs / "id", "echo 0")
    _write_program(programs / "make", 'echo "make $* CI=$CI" >> log; if read line; then echo asked >> log; fi')
    _write_program(programs / "apt-get", 'echo "apt-get $* $DEBIAN_FRONTEND" >> log')
    return Checkout(root, {"PATH": str(programs)})


def test_ci_runs_the_readmes_test_command(machine: Checkout) -> None:
    done = machine.run(str(machine.root / ".ci" / "run"), CI="")
    assert done.returncode == 0, done.stderr
    assert _log(machine) == ["make test CI=true"]


def test_ci_installs_as_root_what_is_missing(machine: Checkout) -> None:
    programs = Path(machine.environment["PATH"])
    (programs / "chromium").unlink()
    (programs / "podman").unlink()
    _write_program(programs / "python3", "exit 1")  # no Python.h, no venv
    done = machine.run(".ci/run")
    assert done.returncode == 0, done.stderr
    assert _log(machine) == [
        "apt-get update -qq noninteractive",
        "apt-get install -qq -y --no-install-recommends chromium podman containernetworking-plugins python3-dev "
        "python3-venv noninteractive",
        "make test CI=true",
    ]


def test_ci_without_root_names_what_is_missing(machine: Checkout) -> None:
    programs = Path(machine.environment["PATH"])
    (programs / "sqlite3").unlink()
    _write_program(programs / "id", "echo 1000")
    done = machine.run(".ci/run")
    assert done.returncode == 1
    assert done.stderr.splitlines() == [
        ".ci/run: not installed: sqlite3. Install these Debian packages, or run as root on Debian."
    ]
    assert not (machine.root / "log").exists()
