"""A real S3 server (moto's) on 127.0.0.1, reached over a link that can break, and storages of all three kinds."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
import requests
from links import Link
from moto.server import ThreadedMotoServer
from places import COS_BUCKET, COS_HOST, PART, S3_BUCKET, SECRET, Place

from components.object_storage import StorageSettings


@pytest.fixture(scope="session")
def s3_port() -> Iterator[int]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    yield int(server.get_host_and_port()[1])
    server.stop()


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Keys that open nothing, no profile, no proxy, no metadata service, and no file system of another test."""
    for name in os.environ:
        if name.upper().startswith(("AWS_", "COS_", "AWESOME_", "FSSPEC_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "no-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    fsspec.AbstractFileSystem.clear_instance_cache()
    yield
    fsspec.AbstractFileSystem.clear_instance_cache()


@pytest.fixture
def link(s3_port: int) -> Iterator[Link]:
    link = Link(s3_port)
    yield link
    link.close()


@pytest.fixture
def make_place(s3_port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Place]]:
    """Makes an empty storage: "file", "s3", or "cos" with its bucket in the host's name as COS wants it."""
    links: list[Link] = []

    def make(kind: str) -> Place:
        if kind == "file":
            return Place(f"file://{tmp_path}/storage", StorageSettings())
        links.append(Link(s3_port))
        port = links[-1].port
        moto = f"http://127.0.0.1:{s3_port}"
        requests.post(f"{moto}/moto-api/reset").raise_for_status()
        if kind == "s3":
            requests.put(f"{moto}/{S3_BUCKET}").raise_for_status()
            settings = StorageSettings(s3_endpoint=f"http://127.0.0.1:{port}", part_size=PART, tries=1)
            return Place(f"s3://{S3_BUCKET}/awesome", settings, links[-1])
        requests.put(f"{moto}/{COS_BUCKET}").raise_for_status()
        _resolve_cos(monkeypatch)
        endpoint = f"http://{COS_HOST}:{port}"
        settings = StorageSettings(
            cos_region="ap-shanghai",
            cos_endpoint=endpoint,
            cos_key="AKIDcos",
            cos_secret=SECRET,
            part_size=PART,
            tries=1,
        )
        return Place(f"cos://{COS_BUCKET}/awesome", settings, links[-1])

    yield make
    for one in links:
        one.close()


def _resolve_cos(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes any bucket's host below COS_HOST to this machine; nothing else can be resolved."""
    resolve = socket.getaddrinfo

    def here(host: Any, *arguments: Any, **keywords: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name == COS_HOST or str(name).endswith(f".{COS_HOST}"):
            return resolve("127.0.0.1", *arguments, **keywords)
        assert name in ("127.0.0.1", "localhost"), f"a test asks for {name}"
        return resolve(host, *arguments, **keywords)

    monkeypatch.setattr(socket, "getaddrinfo", here)


@pytest.fixture(params=["file", "s3", "cos"])
def place(request: pytest.FixtureRequest, make_place: Callable[[str], Place]) -> Place:
    """An empty storage of each kind."""
    return make_place(request.param)


@pytest.fixture
def s3(make_place: Callable[[str], Place]) -> Place:
    return make_place("s3")


@pytest.fixture
def folder_storage(make_place: Callable[[str], Place]) -> Place:
    return make_place("file")
