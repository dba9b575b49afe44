"""`awesome kubeflow build` and `push`: a small checkout, the real podman with a storage of its own, a real registry."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tarfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from command_line import refusal
from small_checkout import BASE, Shell

from awesome_kubeflow.images.build import IMAGES

NEEDED = {"podman": "podman", "docker-registry": "docker-registry", "busybox": "busybox-static"}
"""Debian's packages by the program that they bring."""


pytestmark = [pytest.mark.slow, pytest.mark.host]


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
