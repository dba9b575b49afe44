"""What the tests of the leak audit leave behind."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def graphs_are_gone() -> Iterator[None]:
    """Graphs are to be gone before TensorFlow's library is torn down."""
    yield
    gc.collect()
