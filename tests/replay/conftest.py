"""A replay server of a small market."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from asking import MARKET

from components.extractor.replay import ReplayServer


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer(MARKET) as server:
        yield server
