"""`awesome kubeflow build` and `push`: a small checkout, the real podman with a storage of its own, a real registry."""

from __future__ import annotations

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import tarfile
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml
from command_line import COMMAND, refusal

from awesome_kubeflow.cluster import cluster_settings
from awesome_kubeflow.errors import ImageError
from awesome_kubeflow.images.build import IMAGES, Engine, build_image, reference, secret_files
from awesome_kubeflow.images.checkout import find_checkout

ROOT = Path(__file__).resolve().parents[2]
NEEDED = {"podman": "podman", "docker-registry": "docker-registry", "busybox": "busybox-static"}
"""Debian's packages by the program that they bring."""

BASE = """\
ARG BASE_IMAGE=nowhere.invalid/base:1
FROM ${BASE_IMAGE} AS base
LABEL kind=base
"""
OTHER = """\
ARG BASE_IMAGE=awesome-base
FROM ${BASE_IMAGE} AS build
COPY secret-words /words
FROM ${BASE_IMAGE} AS %s
ARG VERSION=unknown
ARG REVISION=unknown
LABEL version="${VERSION}" revision="${REVISION}"
COPY pyproject.toml /
"""


@dataclass(frozen=True)
class Shell:
    """Runs commands in a folder with certain variables."""

    folder: Path
    variables: dict[str, str]

    def awesome(self, *arguments: str) -> tuple[int, str, str]:
        command = [COMMAND, "kubeflow", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=self.variables, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def run(self, *command: str) -> str:
        done = subprocess.run(command, cwd=self.folder, env=self.variables, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def git(self, *arguments: str) -> str:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false")
        return self.run("git", *who, *arguments)


def write_checkout(folder: Path) -> Path:
    """A checkout whose images hold next to nothing."""
    docker = folder / "kubeflow" / "docker"
    docker.mkdir(parents=True)
    (folder / "pyproject.toml").write_text('[project]\nname = "awesome"\nversion = "0.7.1"\n')
    (folder / "secret-words").write_text("none\n")
    for image in IMAGES:
        (docker / f"{image}.Dockerfile").write_text(BASE if image == "base" else OTHER % image)
    return folder


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """A checkout in git, and no engine on the path."""
    git = shutil.which("git")
    assert git is not None
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "git").symlink_to(git)
    shell = Shell(write_checkout(tmp_path / "checkout"), {"PATH": str(programs), "HOME": str(tmp_path)})
    shell.git("init", "--quiet")
    shell.git("add", ".")
    shell.git("commit", "--quiet", "--message", "All")
    return shell


def write_engine(shell: Shell, name: str, script: str) -> None:
    """A program in place of an engine, for what one of them says that is not there."""
    file = Path(shell.variables["PATH"]) / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


# one version


def test_settings_overlays_and_builds_name_the_same_tag() -> None:
    version = find_checkout(ROOT / "kubeflow").version
    assert version == importlib.metadata.version("awesome")
    for name in ("stage", "prod"):
        cluster = cluster_settings({}, name)
        assert cluster.image == reference("training", None, version)
        overlay = ROOT / "kubeflow" / "manifests" / "overlays" / cluster.context / "kustomization.yaml"
        tags = {one["name"]: one["newTag"] for one in yaml.safe_load(overlay.read_text())["images"]}
        assert {tags["awesome-extractor"], tags["awesome-training"]} == {version}


def test_a_revision_says_whether_files_differ(shell: Shell) -> None:
    checkout = find_checkout(shell.folder / "kubeflow" / "docker")
    revision = shell.git("rev-parse", "HEAD")
    assert (checkout.root, checkout.version, checkout.revision()) == (shell.folder.resolve(), "0.7.1", revision)
    (shell.folder / "new").touch()
    assert checkout.revision() == f"{revision}-dirty"


def test_a_release_inside_another_repository_has_no_revision(shell: Shell) -> None:
    inner = find_checkout(write_checkout(shell.folder / "unpacked"))
    assert inner.revision() == "unknown"


# what is refused before an engine is asked


@pytest.mark.parametrize("command", ["build", "push"])
def test_it_needs_a_checkout(shell: Shell, tmp_path: Path, command: str) -> None:
    elsewhere = Shell(tmp_path, shell.variables)
    message = refusal(elsewhere.awesome(command, "--registry", "registry.example/team"))
    assert message.startswith(f"{tmp_path.resolve()}: is no checkout of awesome; run this in one")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--registry", "https://registry.example/team"),
            "--registry https://registry.example/team: is not a registry",
        ),
        (("--registry", "registry.example/"), "--registry registry.example/: is not a registry"),
        (("--registry", "registry.example/Team"), "--registry registry.example/Team: is not a registry"),
        (("--tag", "a b"), "--tag a b: is not a tag"),
        (("--image", "tensorflow"), "--image tensorflow: there is no such image; there are base, extractor, training"),
        (("--engine", "runc"), "--engine runc: there is no such engine; there are podman, docker"),
        (
            ("--secret", "password=x"),
            "--secret password=x: write it as NAME=FILE; the names are index, ca-certificates",
        ),
        (("--secret", "index=gone"), "--secret index: there is no file gone"),
        (("--image", "training", "--base-image", "debian:13"), "--base-image: is what base is built from; add --image"),
        ((), "no container engine: podman is not installed; docker is not installed"),
        (("--engine", "docker"), "no container engine: docker is not installed"),
    ],
)
def test_a_mistake_is_named(shell: Shell, arguments: tuple[str, ...], message: str) -> None:
    assert refusal(shell.awesome("build", *arguments)).startswith(message)


def test_a_secret_file_has_a_name_that_engines_take(tmp_path: Path) -> None:
    for name in ("index.env", "a,b"):
        (tmp_path / name).touch()
    assert secret_files([f"index={tmp_path / 'index.env'}"]) == {"index": (tmp_path / "index.env").resolve()}
    with pytest.raises(ImageError, match="no comma"):
        secret_files([f"index={tmp_path / 'a,b'}"])


def test_an_engine_that_does_not_answer_says_why(shell: Shell) -> None:
    write_engine(shell, "podman", "echo 'Error: no space left' >&2; exit 125")
    write_engine(shell, "docker", "echo 'Cannot connect to the Docker daemon.' >&2; exit 1")
    assert refusal(shell.awesome("build")) == (
        "no container engine: podman does not answer (Error: no space left); "
        "docker does not answer (Cannot connect to the Docker daemon.)"
    )


def test_docker_is_taken_where_podman_does_not_answer(shell: Shell, tmp_path: Path) -> None:
    """As docker documents its options; no docker runs here."""
    write_engine(shell, "podman", "exit 125")
    digest = f"sha256:{'a' * 64}"
    note = f'[\\"other/awesome-training@sha256:bb\\", \\"registry.example/team/awesome-training@{digest}\\"]'
    write_engine(
        shell,
        "docker",
        f'echo "$@" >> {tmp_path}/asked; case "$*" in *RepoDigests*) echo "{note}";; *Size*) echo 2097152;; esac',
    )
    (tmp_path / "ca.pem").touch()
    where = ("--registry", "registry.example/team")
    secret = f"ca-certificates={tmp_path / 'ca.pem'}"
    code, out, _ = shell.awesome("build", *where, "--image", "training", "--secret", secret)
    assert code == 0
    assert re.fullmatch(r"registry.example/team/awesome-training:0.7.1: 2 MiB in \d+\.\d s\n", out)
    code, out, _ = shell.awesome("push", *where, "--image", "training")
    assert code == 0
    assert out.startswith(f"registry.example/team/awesome-training:0.7.1: {digest} in ")
    build, push = (line for line in (tmp_path / "asked").read_text().splitlines() if line[:5] in ("build", "push "))
    assert push == "push registry.example/team/awesome-training:0.7.1"
    assert build == (
        f"build --file {shell.folder}/kubeflow/docker/training.Dockerfile "
        "--tag registry.example/team/awesome-training:0.7.1 "
        "--build-arg BASE_IMAGE=registry.example/team/awesome-base:0.7.1 "
        f"--build-arg REVISION={shell.git('rev-parse', 'HEAD')} --build-arg VERSION=0.7.1 "
        f"--secret id=ca-certificates,src={tmp_path}/ca.pem {shell.folder}"
    )
    message = refusal(shell.awesome("push", *where, "--insecure"))
    assert "insecure-registries" in message


@pytest.mark.parametrize("quiet", [True, False])
def test_a_build_that_takes_too_long_is_ended_with_all_it_started(shell: Shell, tmp_path: Path, quiet: bool) -> None:
    write_engine(shell, "podman", f"{shutil.which('sleep')} 3600 & echo $! > {tmp_path}/child; wait")
    engine = Engine("podman", str(Path(shell.variables["PATH"]) / "podman"))
    with pytest.raises(ImageError, match="podman build of awesome-base:1 failed: it took more than 3 s and was ended"):
        build_image(
            engine,
            find_checkout(shell.folder),
            "base",
            "awesome-base:1",
            base=None,
            secrets={},
            timeout=3,
            quiet=quiet,
        )
    child = Path(f"/proc/{(tmp_path / 'child').read_text().strip()}/cmdline")
    while child.exists() and b"sleep" in child.read_bytes():
        time.sleep(0.05)


# the real podman and a real registry


@pytest.fixture
def podman(shell: Shell, tmp_path: Path) -> Shell:
    """The shell with podman, its images in the test's own folder, and a base `tiny:1` of one program."""
    missing = [package for program, package in NEEDED.items() if shutil.which(program) is None]
    if missing and not os.environ.get("CI"):
        pytest.skip(f"not installed: Debian's {', '.join(missing)}")
    assert not missing
    runtime = 'runtime = "runc"' if shutil.which("runc") else ""
    storage = f'[storage]\ndriver = "vfs"\ngraphroot = "{tmp_path}/images"\nrunroot = "{tmp_path}/run"\n'
    containers = (
        f'[containers]\ndefault_ulimits = []\nnetns = "host"\n[engine]\ncgroup_manager = "cgroupfs"\n{runtime}\n'
    )
    (tmp_path / "storage.conf").write_text(storage)
    (tmp_path / "containers.conf").write_text(containers)
    with tarfile.open(tmp_path / "tiny.tar", "w") as tar:
        tar.add(str(shutil.which("busybox")), "bin/busybox")
    variables = shell.variables | {
        "PATH": os.environ["PATH"],
        "CONTAINERS_STORAGE_CONF": str(tmp_path / "storage.conf"),
        "CONTAINERS_CONF": str(tmp_path / "containers.conf"),
    }
    shell = Shell(shell.folder, variables)
    try:
        shell.run("podman", "import", str(tmp_path / "tiny.tar"), "tiny:1")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"podman cannot keep images here: {error.stderr.strip()}")
    return shell


@pytest.fixture
def registry(tmp_path: Path) -> Iterator[str]:
    """The address of an empty registry that speaks HTTP."""
    config = tmp_path / "registry.json"
    storage = {"filesystem": {"rootdirectory": str(tmp_path / "registry")}}
    config.write_text(json.dumps({"version": "0.1", "storage": storage, "http": {"addr": "127.0.0.1:0"}}))
    log = tmp_path / "registry.log"
    with log.open("w") as file:
        process = subprocess.Popen(["docker-registry", "serve", str(config)], stdout=file, stderr=file)
    try:
        while (found := re.search(r"listening on (127\.0\.0\.1:\d+)", log.read_text())) is None:
            assert process.poll() is None, log.read_text()
            time.sleep(0.05)
        yield found[1]
    finally:
        process.terminate()
        process.wait()


def fetch(address: str, path: str) -> tuple[str, dict[str, str]]:
    accept = "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
    request = urllib.request.Request(f"http://{address}/v2/{path}", headers={"Accept": accept})
    with urllib.request.urlopen(request) as answer:
        return answer.read().decode(), {key.lower(): value for key, value in answer.headers.items()}


@pytest.mark.slow
def test_what_is_built_reaches_the_registry(podman: Shell, registry: str) -> None:
    where = ("--registry", f"{registry}/team")
    assert refusal(podman.awesome("push", *where)) == (
        f"podman has no image {registry}/team/awesome-extractor:0.7.1; "
        f"`awesome kubeflow build --registry {registry}/team --tag 0.7.1` makes it"
    )

    code, out, err = podman.awesome("build", *where, "--base-image", "tiny:1")
    assert code == 0, err
    lines = [re.sub(r" in \d+\.\d s$", "", line) for line in out.splitlines()]
    assert [line.partition(": ")[0] for line in lines] == [f"{registry}/team/awesome-{one}:0.7.1" for one in IMAGES]
    assert all(re.search(r": \d+ MiB$", line) for line in lines)
    assert "LABEL kind=base" in err  # podman's own output
    assert "not consumed" not in err

    revision = podman.git("rev-parse", "HEAD")
    labels = podman.run(
        "podman", "image", "inspect", "--format", "{{json .Labels}}", f"{registry}/team/awesome-training:0.7.1"
    )
    assert json.loads(labels).items() >= {"kind": "base", "version": "0.7.1", "revision": revision}.items()

    message = refusal(podman.awesome("push", *where, "--quiet"))
    assert message.startswith(f"podman push of {registry}/team/awesome-extractor:0.7.1 failed: Error: ")
    assert message.endswith(f"`podman login {registry}`; one that speaks HTTP needs --insecure")

    code, out, err = podman.awesome("push", *where, "--insecure", "--quiet")
    assert (code, err) == (0, "")
    pushed = dict(re.findall(r"^\S+/(awesome-\w+):0\.7\.1: (sha256:[0-9a-f]{64}) in \d+\.\d s$", out, re.MULTILINE))
    assert list(pushed) == ["awesome-extractor", "awesome-training"]
    for name, digest in pushed.items():
        text, headers = fetch(registry, f"team/{name}/manifests/0.7.1")
        assert headers["docker-content-digest"] == digest
        config, _ = fetch(registry, f"team/{name}/blobs/{json.loads(text)['config']['digest']}")
        assert json.loads(config)["config"]["Labels"]["revision"] == revision
    assert json.loads(fetch(registry, "_catalog")[0])["repositories"] == [f"team/{name}" for name in pushed]

    lines = out.partition("under images:\n")[2].partition("\n\n")
    assert yaml.safe_load(lines[0]) == [
        {"name": name, "newName": f"{registry}/team/{name}", "newTag": "0.7.1"} for name in pushed
    ]
    assert f'[clusters.stage]\n  image = "{registry}/team/awesome-training:0.7.1"\n' in lines[2]


@pytest.mark.slow
def test_one_image_stands_on_the_base_that_is_there(podman: Shell) -> None:
    alone = ("build", "--image", "extractor", "--tag", "2", "--quiet")
    assert refusal(podman.awesome(*alone)) == (
        "awesome-base:2 is not built, and extractor stands on it; add --image base"
    )
    code, out, err = podman.awesome(*alone, "--image", "base", "--base-image", "tiny:1")
    assert (code, err) == (0, "")
    assert [line.partition(": ")[0] for line in out.splitlines()] == ["awesome-base:2", "awesome-extractor:2"]
    (podman.folder / "pyproject.toml").write_text('[project]\nname = "awesome"\nversion = "0.7.2"\n')
    code, out, err = podman.awesome(*alone)
    assert (code, err) == (0, "")
    assert out.startswith("awesome-extractor:2: ")
    labels = podman.run("podman", "image", "inspect", "--format", "{{json .Labels}}", "awesome-extractor:2")
    assert json.loads(labels)["version"] == "0.7.2"
    assert json.loads(labels)["revision"].endswith("-dirty")


@pytest.mark.slow
def test_a_build_that_fails_says_which(podman: Shell) -> None:
    file = podman.folder / "kubeflow" / "docker" / "extractor.Dockerfile"
    file.write_text(file.read_text() + "COPY not-there /\n")
    build = ("build", "--base-image", "tiny:1")
    message = "awesome: podman build of awesome-extractor:0.7.1 failed: "
    code, out, err = podman.awesome(*build)
    assert (code, out.count("\n")) == (1, 1)  # the base
    assert "not-there" in err
    assert re.fullmatch(re.escape(message) + r"exit code \d+, its own words are above", err.splitlines()[-1])
    code, _, err = podman.awesome(*build, "--quiet")
    assert code == 1
    [line] = err.splitlines()
    assert line.startswith(message)
    assert "not-there" in line
    assert line.endswith("; without --quiet it shows more")


@pytest.mark.slow
def test_a_secret_is_there_while_it_is_built_and_not_after(podman: Shell, tmp_path: Path) -> None:
    probe = tmp_path / "probe"
    probe.write_text('FROM tiny:1\nRUN ["/bin/busybox", "true"]\n')
    try:
        podman.run("podman", "build", "--file", str(probe), str(tmp_path / "bin"))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"podman cannot run containers here: {error.stderr.strip()}")
    (tmp_path / "index.env").write_text("UV_DEFAULT_INDEX=https://user:hunter2@mirror.example/simple\n")
    file = podman.folder / "kubeflow" / "docker" / "base.Dockerfile"
    step = 'RUN --mount=type=secret,id=index ["/bin/busybox", "wc", "-c", "/run/secrets/index"]\n'
    file.write_text(BASE + step)
    secret = ("--secret", f"index={tmp_path / 'index.env'}")
    code, out, err = podman.awesome("build", "--image", "base", "--base-image", "tiny:1", *secret)
    assert code == 0, err
    assert "60 /run/secrets/index" in err
    assert "hunter2" not in out + err
    podman.run("podman", "save", "--output", str(tmp_path / "image.tar"), "awesome-base:0.7.1")
    with tarfile.open(tmp_path / "image.tar") as image:
        contents = [file.read() for one in image if (file := image.extractfile(one)) is not None]
    assert any(b"busybox" in content for content in contents)
    assert not [content for content in contents if b"hunter2" in content]
