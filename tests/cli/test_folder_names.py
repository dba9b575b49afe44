"""Folders whose names TFX would take for patterns are refused at once; all other names go through."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Awesome = Callable[..., Any]

RUNS = [("run",), ("walkforward", "--folds", "2")]
WHY = "which TFX takes for a pattern of several names; work in a folder without [ ] * ? and \\"


@pytest.fixture
def db(market_db: Path) -> str:
    return str(market_db)


@pytest.mark.parametrize("command", RUNS)
@pytest.mark.parametrize("sign", ["[v2]", "]", "*", "?", "a\\b"])
@pytest.mark.parametrize("option", ["workspace", "output"])
def test_a_folder_that_is_named(
    awesome: Awesome, folder: Path, db: str, command: tuple[str, ...], sign: str, option: str
) -> None:
    name = f"my {sign} folder/deeper"
    refusal = awesome(*command, "--db", db, f"--{option}", name).refusal
    assert refusal.startswith(f"{option} (from --{option}): {folder / name} holds ")
    assert refusal.endswith(f"{WHY}, or name another --{option}")
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("command", RUNS)
def test_the_folder_in_which_the_command_is_typed(
    awesome: Awesome, folder: Path, db: str, command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    here = folder / "[Dev] prices"
    here.mkdir()
    monkeypatch.chdir(here)
    refusal = awesome(*command, "--db", db).refusal
    assert refusal.startswith(f"workspace (from default): {here}/runs holds [ ] in its name, {WHY}")
    assert list(here.iterdir()) == []
    # Prices can be kept there all the same, and a run can work elsewhere.
    assert awesome("market", "reversal_easy", "--shares", "2", "--sessions", "30").code == 0
    elsewhere = awesome(*command, "--db", db, "--workspace", str(folder / "plain")).refusal
    assert "in its name" not in elsewhere


def test_a_folder_of_the_environment_or_the_file(
    awesome: Awesome, folder: Path, db: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("awesome.toml").write_text('workspace = "runs*"\n')
    assert awesome("run", "--db", db).refusal.startswith(f"workspace (from awesome.toml): {folder}/runs* holds * in")
    monkeypatch.setenv("AWESOME_WORKSPACE", "runs?")
    assert awesome("run", "--db", db).refusal.startswith(f"workspace (from AWESOME_WORKSPACE): {folder}/runs? holds ?")
    assert awesome("config").code == 0


def test_a_link_counts_by_the_name_that_is_used(awesome: Awesome, folder: Path, db: str) -> None:
    (folder / "real [1]").mkdir()
    (folder / "plain").symlink_to(folder / "real [1]")
    (folder / "link [1]").symlink_to(folder / "real [1]")
    assert "pip install '.[pipeline]'" in awesome("run", "--db", db, "--workspace", "plain").refusal
    assert "holds [ ] in its name" in awesome("run", "--db", db, "--workspace", "link [1]").refusal


def test_other_signs_are_names_like_any(awesome: Awesome, folder: Path, db: str) -> None:
    for name in ("{a,b}", "a b", "100 %", "#1", "ü 它", 'O\'Neil "x"', "$HOME ~ !", "(1) & 2;", "=+@^"):
        assert "pip install '.[pipeline]'" in awesome("run", "--db", db, "--workspace", name).refusal, name


def test_experiments_are_refused_before_anything_is_made(awesome: Awesome, folder: Path) -> None:
    refusal = awesome("experiments", "--output", "x[1]").refusal
    assert refusal.startswith(f"--output x[1]: {folder}/x[1] holds [ ] in its name, {WHY}")
    assert os.listdir(folder) == []


def test_a_folder_of_a_clusters_volume(awesome: Awesome, folder: Path) -> None:
    Path("awesome.toml").write_text('[clusters.stage]\ndata_folder = "/data[1]"\n')
    refusal = awesome("kubeflow", "compile").refusal
    assert "clusters.stage" in refusal
    assert "data_folder" in refusal
    assert "/data[1] holds [ ] in its name" in refusal
