"""A pushed model, and a server of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from pushed import MODEL, push
from running import Running, running


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """The folder of a model's versions, with version 3 in it."""
    folder = tmp_path / MODEL
    push(folder, 3)
    return folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server of version 3, for tests that leave it as it is."""
    folder = tmp_path_factory.mktemp("serving") / MODEL
    push(folder, 3)
    with running(folder) as here:
        yield here
