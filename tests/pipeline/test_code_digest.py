"""The digest sees a change of code, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import code_digest as module
from pipeline.code_digest import code_digest


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in {"models/a.py": "a = 1\n", "models/sub/b.py": "b = 2\n", "pipeline/c.py": "c = 3\n"}.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(module, "_ROOT", tmp_path)
    return tmp_path


def test_it_is_the_same_for_the_same_code(tree: Path) -> None:
    digest = code_digest(["models"])
    assert len(digest) == 16
    int(digest, 16)
    (tree / "models" / "__pycache__").mkdir()
    (tree / "models" / "__pycache__" / "a.pyc").write_bytes(b"0")
    (tree / "models" / "schema.pbtxt").write_text("feature {}")
    (tree / "pipeline" / "c.py").write_text("c = 4\n")
    assert code_digest(["models"]) == digest


@pytest.mark.parametrize("change", ["edit", "add", "remove", "rename", "move text"])
def test_it_sees_every_change(tree: Path, change: str) -> None:
    before = code_digest(["models"])
    a, b = tree / "models" / "a.py", tree / "models" / "sub" / "b.py"
    if change == "edit":
        b.write_text("b = 3\n")
    elif change == "add":
        (tree / "models" / "z.py").touch()
    elif change == "remove":
        a.unlink()
    elif change == "rename":
        a.rename(tree / "models" / "aa.py")
    else:
        a.write_text("a = 1\nb")
        b.write_text(" = 2\n")
    assert code_digest(["models"]) != before


def test_it_sees_the_code_of_other_packages(tree: Path, install: Callable[[str, str, str], Path]) -> None:
    alone = code_digest(["models"])
    file = install("awesome.formatters", "mine = weather:FORMATTER", "raise RuntimeError")
    added = code_digest(["models"])
    file.write_text("raise ValueError")

    assert len({alone, added, code_digest(["models"])}) == 3
    assert code_digest(["pipeline"]) == code_digest(["pipeline/c.py"])


def test_the_projects_own_packages_have_one() -> None:
    packages = ("models", "components/feature_example_gen", "components/evidence")
    empty = code_digest(["no_such_package"])
    digests = [code_digest([package]) for package in packages]
    assert len({empty, *digests}) == 4  # a package that was renamed would have the digest of nothing
