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


def test_the_page_of_the_first_step_lists_what_looks_wrong(tmp_path: Path) -> None:
    from awesome_kubeflow.steps.feature_example_gen import suspects_table
    from components.plausibility import SUSPECTS_FILE, Grade, Suspect, SuspectRecord

    assert suspects_table(str(tmp_path)) == ()
    wrong = Suspect("A", "2020-08-31", -0.75, Grade.WRONG, "a 4-for-1 split")
    (tmp_path / SUSPECTS_FILE).write_text(SuspectRecord((wrong,), shares=2, returns=20).to_json())
    [table] = suspects_table(str(tmp_path))
    assert table.rows == (("A", "2020-08-31", "-75.0 %", "wrong", "a 4-for-1 split"),)
    assert "1 wrong" in table.note
