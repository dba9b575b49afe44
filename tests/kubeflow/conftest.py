"""The default pipeline compiled for the stage cluster, and a small one run node by node; each once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from compiled_package import Package, compiled, compiled_ir
from small_pipeline import Cluster, Pod, compile_small, run_every_node, store_small_market


@pytest.fixture(scope="session")
def no_settings() -> Iterator[None]:
    """Nothing of the shell's settings reaches the package."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            if name.upper().startswith("AWESOME_"):
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def default_ir(no_settings: None, tmp_path_factory: pytest.TempPathFactory) -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("empty"))
        return compiled_ir()


@pytest.fixture(scope="session")
def default_package(no_settings: None, tmp_path_factory: pytest.TempPathFactory) -> Package:
    folder = tmp_path_factory.mktemp("package")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return compiled(folder / "default.yaml")


@pytest.fixture(scope="session")
def cluster(no_settings: None, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    root = tmp_path_factory.mktemp("volume")
    package = compile_small(root)
    store_small_market(root)
    return Cluster(package, root)


@pytest.fixture(scope="session")
def first_run(cluster: Cluster) -> dict[str, Pod]:
    """Every node, in the order of the edges; the Trainer was killed in the middle once, and started again."""
    return run_every_node(cluster)
