"""A checkout whose images hold next to nothing, and commands run in it."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from command_line import COMMAND

from awesome_kubeflow.images.build import IMAGES

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


def write_engine(shell: Shell, name: str, script: str) -> None:
    """A program in place of an engine, for what one of them says that is not there."""
    file = Path(shell.variables["PATH"]) / name
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
