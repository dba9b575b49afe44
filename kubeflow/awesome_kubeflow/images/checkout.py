"""The checkout that a command works on: its Dockerfiles, its manifests, its version and its revision."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from awesome_kubeflow.errors import CheckoutError
from awesome_kubeflow.images.programs import run_program

UNKNOWN = "unknown"
_GIT_SECONDS = 30


@dataclass(frozen=True)
class Checkout:
    """A checkout of the project: its folder, also the build context of images, and the version in pyproject.toml."""

    root: Path
    version: str

    @property
    def dockerfiles(self) -> Path:
        """The folder of the images' Dockerfiles."""
        return self.root / "kubeflow" / "docker"

    @property
    def overlays(self) -> Path:
        """The folder of the overlays, one for each context of kubectl."""
        return self.root / "kubeflow" / "manifests" / "overlays"

    def revision(self) -> str:
        """The git revision, with `-dirty` where files differ from it; `unknown` where git cannot tell."""
        found = self._git("rev-parse", "--show-toplevel", "HEAD")
        # A release that was unpacked inside another repository has not that one's revision.
        if found is None or Path(found.split("\n")[0]).resolve() != self.root:
            return UNKNOWN
        changes = self._git("status", "--porcelain")
        return found.split("\n")[1] + ("" if changes == "" else "-dirty")

    def _git(self, *arguments: str) -> str | None:
        done = run_program(["git", "-C", str(self.root), *arguments], _GIT_SECONDS)
        return done.out.strip() if done.code == 0 else None


def find_checkout(start: Path) -> Checkout:
    """The checkout that a folder lies in.

    Raises:
        CheckoutError: it lies in none.
    """
    start = start.resolve()
    for folder in (start, *start.parents):
        file = folder / "pyproject.toml"
        if not file.is_file() or not (folder / "kubeflow").is_dir():
            continue
        text = file.read_text(encoding="utf-8", errors="replace")
        version = re.search(r'^version = "([^"]+)"$', text, re.MULTILINE)
        if version is not None and re.search(r'^name = "awesome"$', text, re.MULTILINE):
            return Checkout(folder, version[1])
    raise CheckoutError(f"{start}: is no checkout of awesome; run this in one, where kubeflow/docker and manifests are")
