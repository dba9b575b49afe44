"""docs/own-parts.md, followed to the letter as far as that takes no training; the package's tests train."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from command_line import COMMAND, clean_environment

from models.plugins import GROUPS

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "own-parts.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)


def test_the_pages_model_is_there_by_option_and_by_setting(tmp_path: Path) -> None:
    (tmp_path / "mymodel.py").write_text(blocks("python")[0])
    listed, _ = blocks("sh")[0].splitlines()
    settings = blocks("toml")[0]

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [COMMAND, *arguments], env=clean_environment(COLUMNS="200"), cwd=tmp_path, capture_output=True, text=True
        )

    by_option = run(*listed.split()[1:])
    assert "\nshallow  one small layer; version 1 (default); from mymodel.py\n" in by_option.stdout
    (tmp_path / "awesome.toml").write_text(settings)
    assert run("models").stdout == by_option.stdout
    assert run("predict", "--db", "none.db").stderr.count("shallow") == 0  # its name and its hyperparameters are known
    (tmp_path / "awesome.toml").write_text(settings.replace("plugins", "# plugins"))
    assert "model 'shallow' does not exist" in run("predict", "--db", "none.db").stderr


def test_the_page_names_every_kind() -> None:
    for group in GROUPS.values():
        assert f"`{group.entry_points}`" in PAGE
        if group.constant and group.entry_points != "awesome.steps":
            assert f"| `{group.constant}` |" in PAGE
