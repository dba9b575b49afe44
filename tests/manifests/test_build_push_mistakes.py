"""`awesome kubeflow build` and `push`: what they refuse, and engines that are stood in for."""

from __future__ import annotations

import importlib.metadata
import re
import shutil
import time
from pathlib import Path

import pytest
import yaml
from command_line import refusal
from small_checkout import Shell, write_checkout, write_engine

from awesome_kubeflow.cluster import cluster_settings
from awesome_kubeflow.errors import ImageError
from awesome_kubeflow.images.build import build_image, reference, secret_files
from awesome_kubeflow.images.checkout import find_checkout
from awesome_kubeflow.images.engine import Engine

ROOT = Path(__file__).resolve().parents[2]


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
    checkout = find_checkout(shell.folder)
    with pytest.raises(ImageError, match="podman build of awesome-base:1 failed: it took more than 3 s and was ended"):
        build_image(engine, checkout, "base", "awesome-base:1", base=None, secrets={}, timeout=3, quiet=quiet)
    child = Path(f"/proc/{(tmp_path / 'child').read_text().strip()}/cmdline")
    while child.exists() and b"sleep" in child.read_bytes():
        time.sleep(0.05)
