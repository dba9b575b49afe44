"""kubeflow/docker: what can be said of the images without building them."""

from __future__ import annotations

import fnmatch
import os
import re
import shutil
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKER = ROOT / "kubeflow" / "docker"
IMAGES = ("base", "extractor", "training")
SCRIPT = DOCKER / "extract-then-succeed.sh"


@dataclass(frozen=True)
class Instruction:
    name: str
    arguments: str


def instructions(image: str) -> list[Instruction]:
    text = (DOCKER / f"{image}.Dockerfile").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    joined = re.sub(r"\\\n", " ", "\n".join(lines))
    return [Instruction(*line.split(maxsplit=1)) for line in joined.splitlines() if line.strip()]


def of_name(image: str, name: str) -> list[str]:
    return [one.arguments for one in instructions(image) if one.name == name]


def ignored(path: str) -> bool:
    """Whether .dockerignore keeps a path of the checkout from the builder."""
    parts = path.split("/")
    candidates = ["/".join(parts[: end + 1]) for end in range(len(parts))]
    out = False
    for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        pattern = line.removeprefix("!")
        deep = pattern.removeprefix("**/")
        for one in candidates:
            where = one.rpartition("/")[2] if pattern != deep else one
            if fnmatch.fnmatchcase(where, deep) and where.count("/") == deep.count("/"):
                out = not line.startswith("!")
                break
    return out


@pytest.mark.parametrize("image", IMAGES)
def test_base_image_is_an_argument_and_stages_are_named(image: str) -> None:
    first = instructions(image)[0]
    assert first.name == "ARG"
    assert first.arguments.startswith("BASE_IMAGE=")
    stages = [line.split(" AS ") for line in of_name(image, "FROM")]
    base = "${BASE_IMAGE}"
    assert stages == (
        [[base, "base"]] if image == "base" else [[base, "packages"], ["packages", "project"], [base, image]]
    )


@pytest.mark.parametrize("image", IMAGES)
def test_no_image_ends_as_root(image: str) -> None:
    last = max(n for n, one in enumerate(instructions(image)) if one.name == "FROM")
    users = [one.arguments for one in instructions(image)[last:] if one.name == "USER"]
    assert users == (["10001:10001"] if image == "base" else [])  # the others take it over from the base


@pytest.mark.parametrize("image", IMAGES)
def test_what_is_copied_exists_and_reaches_the_builder(image: str) -> None:
    copied = 0
    for line in of_name(image, "COPY"):
        words = [word for word in line.split() if not word.startswith("--")]
        if "--from=" in line:
            stage = line.partition("--from=")[2].split()[0]
            assert words == [{"packages": "/opt/awesome", "project": "/opt/project"}[stage], "/opt/awesome"]
            continue
        for source in words[:-1]:
            assert (ROOT / source).exists(), source
            assert not ignored(source), source
            copied += 1
    assert copied or image == "base"


@pytest.mark.parametrize("image", ["extractor", "training"])
def test_every_package_of_the_project_is_copied(image: str) -> None:
    sources = {word for line in of_name(image, "COPY") for word in line.split()}
    found = re.search(r"\[tool\.setuptools\.packages\.find\].*?include = (\[.*?\])", _pyproject(), re.DOTALL)
    assert found is not None
    for package in re.findall(r'"(\w+)\*"', found[1]):
        folder = package if (ROOT / package).is_dir() else "kubeflow"
        assert folder in sources, package


def _pyproject() -> str:
    return (ROOT / "pyproject.toml").read_text(encoding="utf-8")


def test_what_runs_where_nothing_is_said() -> None:
    """A step brings its whole command: KFP's local runner would hand it to an entry point as arguments."""
    assert of_name("extractor", "ENTRYPOINT") + of_name("extractor", "CMD") == ['["awesome"]', '["--help"]']
    assert of_name("training", "ENTRYPOINT") + of_name("training", "CMD") == ['["awesome", "--help"]']


@pytest.mark.parametrize("image", ["extractor", "training"])
def test_the_layer_of_the_packages_outlives_a_change_of_the_project(image: str) -> None:
    """What changes with a build, its labels and the project, comes after what changes with the lock alone."""
    names = [one.name + " " + one.arguments for one in instructions(image)]
    last = max(n for n, one in enumerate(names) if one.startswith("FROM"))
    assert names[last + 1] == "COPY --from=packages /opt/awesome /opt/awesome"
    packages = names.index("FROM packages AS project")
    copied = {word for line in names[:packages] if line.startswith("COPY") for word in line.split()[1:-1]}
    assert copied == {"tools/get_uv.py", "kubeflow/docker/install.sh", "pyproject.toml", "uv.lock"}


def test_extras_are_those_of_the_project() -> None:
    def installed(image: str) -> list[str]:
        found = [line.partition("install.sh packages ")[2].split() for line in of_name(image, "RUN")]
        return next(words for words in found if words)

    extras = set(re.findall(r"^(\w+) = \[$", _pyproject().split("[project.optional-dependencies]")[1], re.MULTILINE))
    assert installed("extractor") == ["extract", "storage"]
    assert installed("training") == ["$EXTRAS"]
    chosen = next(line for line in of_name("training", "ARG") if line.startswith("EXTRAS="))
    named = set(chosen.removeprefix("EXTRAS=").strip('"').split())
    assert {"pipeline", "extract", "storage"} <= named <= extras


def test_packages_are_locked_and_compiled() -> None:
    text = (DOCKER / "install.sh").read_text(encoding="utf-8")
    for needed in ("export --quiet --frozen", "--require-hashes", "UV_COMPILE_BYTECODE=1", "UV_NO_CACHE=1"):
        assert needed in text


@pytest.mark.parametrize("image", IMAGES)
def test_no_secret_or_mirror_stays_in_an_image(image: str) -> None:
    kept = " ".join([*of_name(image, "ENV"), *of_name(image, "ARG"), *of_name(image, "COPY"), *of_name(image, "LABEL")])
    assert not re.search(r"(?i)password|secret|token|api_key|index|https?://", kept)
    for line in of_name(image, "RUN"):
        if "install.sh" in line:
            assert "--mount=type=secret,id=index" in line
            assert "--mount=type=secret,id=ca-certificates" in line


@pytest.mark.parametrize(
    ("path", "out"),
    [
        (".git/config", True),
        (".venv/bin/python", True),
        ("runs/latest/report.json", True),
        ("awesome.db", True),
        ("components/extractor/old.db", True),
        ("components/extractor/old.db-wal", True),
        ("pipeline/__pycache__/run.cpython-313.pyc", True),
        ("pipeline/.env", True),
        ("awesome.toml", True),
        ("kubeflow/manifests/README.md", True),
        ("tests/manifests/test_images.py", True),
        ("pipeline/job/run.py", False),
        ("kubeflow/docker/install.sh", False),
        ("uv.lock", False),
    ],
)
def test_only_the_project_goes_to_the_builder(path: str, out: bool) -> None:
    assert ignored(path) is out


# extract-then-succeed


@pytest.fixture
def pod(tmp_path: Path) -> dict[str, str]:
    """The environment of a container whose `awesome` does as the variable CODE and the file `awesome` say."""
    sleep = shutil.which("sleep")
    assert sleep is not None
    program = tmp_path / "bin" / "awesome"
    program.parent.mkdir()
    program.write_text(
        "#!/bin/sh\n"
        'echo "$@" > "$TMPDIR/arguments"\n'
        "trap 'echo \"stopped: 1 new, 2 failed\"; exit 3' TERM\n"
        f'if [ "$CODE" = wait ]; then : > "$TMPDIR/started"; while :; do {sleep} 0.05; done; fi\n'
        "echo 'share  status'\n"
        "echo '3 shares: 1 new, 2 failed'\n"
        'exit "$CODE"\n'
    )
    program.chmod(0o755)
    path = f"{program.parent}{os.pathsep}{os.defpath}"
    return {"PATH": path, "TMPDIR": str(tmp_path), "TERMINATION_LOG": str(tmp_path / "message")}


@pytest.mark.parametrize(
    ("code", "seen", "message"),
    [
        (0, 0, "exit code 0: all shares are current\n3 shares: 1 new, 2 failed\n"),
        (
            3,
            0,
            "exit code 3: a part: some shares are behind or failed, or a return is wrong\n3 shares: 1 new, 2 failed\n",
        ),
        (4, 4, "exit code 4: nothing could be had\n3 shares: 1 new, 2 failed\n"),
        (1, 1, None),
        (2, 2, None),
    ],
)
def test_a_part_counts_as_success(pod: dict[str, str], code: int, seen: int, message: str | None) -> None:
    done = subprocess.run(
        ["sh", str(SCRIPT), "--source", "tencent"], env=pod | {"CODE": str(code)}, capture_output=True, text=True
    )
    assert done.returncode == seen, done.stderr
    assert done.stdout == "share  status\n3 shares: 1 new, 2 failed\n"
    written = Path(pod["TERMINATION_LOG"])
    assert (written.read_text() if written.exists() else None) == message
    assert Path(pod["TMPDIR"], "arguments").read_text() == "extract --source tencent\n"


def test_the_extractor_is_told_to_stop(pod: dict[str, str]) -> None:
    process = subprocess.Popen(["sh", str(SCRIPT)], env=pod | {"CODE": "wait"}, stdout=subprocess.PIPE, text=True)
    try:
        while not Path(pod["TMPDIR"], "started").exists():
            assert process.poll() is None
            time.sleep(0.02)
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate()
    finally:
        process.kill()
        process.wait()
    assert out == "stopped: 1 new, 2 failed\n"
    assert process.returncode == 0
    assert Path(pod["TERMINATION_LOG"]).read_text().startswith("exit code 3")
