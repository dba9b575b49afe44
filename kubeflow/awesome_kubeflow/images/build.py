"""The images of kubeflow/docker: their names, and how they are built from a checkout and pushed to a registry."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from awesome_kubeflow.errors import ImageError
from awesome_kubeflow.images.checkout import Checkout
from awesome_kubeflow.images.engine import SHORT_SECONDS, Engine, run_engine

BASE = "base"
IMAGES = (BASE, "extractor", "training")
"""In the order in which one stands on another."""

PUSHED = ("extractor", "training")
"""What a cluster pulls; the base is a part of both."""

SECRETS = ("index", "ca-certificates")
"""What install.sh takes: a file of variables such as UV_DEFAULT_INDEX, and certificates to trust."""

_REGISTRY = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]*(:\d+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")


def reference(image: str, registry: str | None, tag: str) -> str:
    """The name under which an image is built and pushed.

    Args:
        image: one of IMAGES.
        registry: such as registry.example/team; None for a name of this machine only.
        tag: such as 0.1.0.

    Raises:
        ImageError: registry or tag cannot be part of a name.

    >>> reference("training", "registry.example/team", "1.0.0")
    'registry.example/team/awesome-training:1.0.0'
    """
    if registry is not None and not _REGISTRY.fullmatch(registry):
        raise ImageError(f"--registry {registry}: is not a registry such as registry.example/team (without https://)")
    if not _TAG.fullmatch(tag):
        raise ImageError(f"--tag {tag}: is not a tag such as 0.1.0")
    return f"{'' if registry is None else registry + '/'}awesome-{image}:{tag}"


def chosen_images(names: Iterable[str], default: Sequence[str]) -> tuple[str, ...]:
    """The images of these names, or without any the default ones, in the order in which they are built.

    Raises:
        ImageError: there is no such image.
    """
    names = tuple(names)
    for name in names:
        if name not in IMAGES:
            raise ImageError(f"--image {name}: there is no such image; there are {', '.join(IMAGES)}")
    return tuple(image for image in IMAGES if image in (names or default))


def secret_files(given: Iterable[str]) -> dict[str, Path]:
    """Build secrets by name, from NAME=FILE as on the command line.

    Raises:
        ImageError: there is no such secret or file.
    """
    files = {}
    for one in given:
        name, _, file = one.partition("=")
        if name not in SECRETS or not file:
            raise ImageError(f"--secret {one}: write it as NAME=FILE; the names are {', '.join(SECRETS)}")
        if not Path(file).is_file() or "," in file:
            raise ImageError(f"--secret {name}: there is no file {file} that an engine takes (no comma in its name)")
        files[name] = Path(file).resolve()
    return files


def build_image(
    engine: Engine,
    checkout: Checkout,
    image: str,
    name: str,
    *,
    base: str | None,
    secrets: Mapping[str, Path],
    timeout: float,
    quiet: bool = False,
) -> tuple[int, float]:
    """Builds one image.

    Args:
        engine: that builds.
        checkout: what is built: its Dockerfile, its files, version and revision.
        image: one of IMAGES.
        name: the reference that it gets.
        base: what it is built from; None for the Dockerfile's own default.
        secrets: files by the secret's name; they are mounted while packages are installed, and stay in no image.
        timeout: seconds.
        quiet: keep the engine's output for a failure only; it goes to the error stream otherwise.

    Returns:
        The image's size in bytes, with all of its layers, and the seconds that the build took.

    Raises:
        ImageError: the engine fails, or it takes too long.
    """
    dockerfile = checkout.dockerfiles / f"{image}.Dockerfile"
    try:
        declared = set(re.findall(r"^\s*ARG\s+(\w+)", dockerfile.read_text(encoding="utf-8"), re.MULTILINE))
    except OSError as error:
        raise ImageError(f"{dockerfile}: cannot be read ({error.strerror})") from None
    arguments = {"VERSION": checkout.version, "REVISION": checkout.revision()}
    if base is not None:
        arguments["BASE_IMAGE"] = base
    command = [engine.program, "build", "--file", str(dockerfile), "--tag", name]
    # Engines warn of arguments that a Dockerfile does not take. The base takes no revision: with each new one, all that
    # stands on it would be installed anew.
    for key in sorted(arguments.keys() & declared):
        command += ["--build-arg", f"{key}={arguments[key]}"]
    for key, file in secrets.items():
        command += ["--secret", f"id={key},src={file}"]
    started = time.monotonic()
    failure, _ = run_engine([*command, str(checkout.root)], timeout, capture=quiet)
    seconds = time.monotonic() - started
    if failure is not None:
        more = "; without --quiet it shows more" if quiet else ""
        raise ImageError(f"{engine.name} build of {name} failed: {failure}{more}")
    failure, size = run_engine([engine.program, "image", "inspect", "--format", "{{.Size}}", name], SHORT_SECONDS)
    if failure is not None or not size.strip().isdigit():
        raise ImageError(f"{engine.name} does not know {name}, which it has just built: {failure or size.strip()}")
    return int(size), seconds


def push_image(
    engine: Engine, name: str, folder: Path, *, timeout: float, insecure: bool = False, quiet: bool = False
) -> tuple[str, float]:
    """Pushes one image.

    Args:
        engine: that has the image.
        name: the reference, with a registry.
        folder: an empty one, for what the engine writes down of the push.
        timeout: seconds.
        insecure: whether the registry may speak HTTP, or have a certificate that nobody vouches for. Docker asks its
            daemon's configuration instead.
        quiet: as in `build_image`.

    Returns:
        The digest of the manifest in the registry, sha256:..., and the seconds that the push took.

    Raises:
        ImageError: the engine fails, or it takes too long.
    """
    registry = name.partition("/")[0]
    if insecure and engine.name == "docker":
        raise ImageError(f"--insecure: docker takes it from its daemon; name {registry} there, in insecure-registries")
    command = [engine.program, "push"]
    digest_file = folder / "digest"
    if engine.name == "podman":
        # What podman has is not compressed as what it pushes, so only the push itself knows the digest.
        command += ["--digestfile", str(digest_file), *(["--tls-verify=false"] if insecure else [])]
    started = time.monotonic()
    failure, _ = run_engine([*command, name], timeout, capture=quiet)
    seconds = time.monotonic() - started
    if failure is not None:
        hint = "" if insecure or engine.name == "docker" else "; one that speaks HTTP needs --insecure"
        raise ImageError(
            f"{engine.name} push of {name} failed: {failure}; an account needs `{engine.name} login {registry}`{hint}"
        )
    digest = digest_file.read_text().strip() if digest_file.is_file() else _repository_digest(engine, name)
    return digest, seconds


def _repository_digest(engine: Engine, name: str) -> str:
    """The digest that docker notes of an image after its push."""
    command = [engine.program, "image", "inspect", "--format", "{{json .RepoDigests}}", name]
    failure, text = run_engine(command, SHORT_SECONDS)
    repository = name.rpartition(":")[0]
    digests = json.loads(text or "[]") if failure is None else []
    for one in digests or []:
        if one.startswith(f"{repository}@"):
            return str(one.partition("@")[2])
    raise ImageError(f"{engine.name} pushed {name} and does not know its digest: {failure or 'it notes none'}")
