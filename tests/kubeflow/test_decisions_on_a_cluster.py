"""What is decided of prices reaches a cluster with the database, or by its own settings; a package holds none."""

from __future__ import annotations

from pathlib import Path

import pytest

from awesome_kubeflow.cli.compile import write_package
from components.errors import UserError
from pipeline.plan import resolve
from pipeline.settings import Settings


def test_a_package_refuses_decisions_that_it_cannot_hold(tmp_path: Path) -> None:
    plan = resolve(Settings(accept=("A:2020-08-31",)))
    with pytest.raises(UserError, match=r"accept A:2020-08-31: a package holds no decisions.*awesome db push"):
        write_package(plan, tmp_path / "package.yaml")
    assert not (tmp_path / "package.yaml").exists()
