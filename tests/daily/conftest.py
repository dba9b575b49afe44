from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lived import World, market

from components.extractor.replay import ReplayServer


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[ReplayServer]:
    monkeypatch.setenv("AWESOME_SOURCES_RATE", "1000")
    monkeypatch.setenv("AWESOME_SOURCES_BACKOFF", "0.01")
    monkeypatch.setenv("AWESOME_SOURCES_ATTEMPTS", "2")
    with ReplayServer(market()) as server:
        monkeypatch.setenv("AWESOME_SOURCES_URL", server.url)
        yield server


@pytest.fixture
def world(folder: Path, server: ReplayServer) -> World:
    return World(folder, server)
