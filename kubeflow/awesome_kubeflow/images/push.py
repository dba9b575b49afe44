"""Images to a registry."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from pathlib import Path

from awesome_kubeflow.errors import ImageError
from awesome_kubeflow.images.engine import SHORT_SECONDS, Engine, run_engine


@dataclass(frozen=True)
class PushedImage:
    """An image that a registry has.

    Attributes:
        reference: registry, name and tag.
        digest: of the manifest in the registry, sha256:...
        seconds: that the push took.
    """

    reference: str
    digest: str
    seconds: float


def push_image(
    engine: Engine, name: str, folder: Path, *, timeout: float, insecure: bool = False, quiet: bool = False
) -> PushedImage:
    """Pushes one image.

    Args:
        engine: that has the image.
        name: its reference, with a registry.
        folder: an empty one, for what the engine writes down of the push.
        timeout: seconds.
        insecure: whether the registry may speak HTTP, or have a certificate that nobody vouches for. Docker asks its
            daemon's configuration instead.
        quiet: as in `build_image`.

    Returns:
        What was pushed.

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
    return PushedImage(name, digest, seconds)


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
