"""Plain files with declarations: found by their name in every process, and refused in one line."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from models import plugged
from models.errors import PluginError
from models.formatters import FORMATTERS
from models.plugins import take_files
from models.registry import ARCHITECTURES
from pipeline.code_digest import code_digest

MODEL = """
from models.architecture import Architecture, Hyperparameters


def build(inputs, hyperparameters):
    return 7


ARCHITECTURE = Architecture("mine", "a model of mine", {1: build}, 1, Hyperparameters())
"""

LABEL = """
from models.labels import Label, Words

LABEL = Label("best", "the best", Words(*'abcdef'), max, 2)
"""


@pytest.fixture(autouse=True)
def no_files(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test leaves its files to the next one; modules of one name are those of one test."""
    monkeypatch.setenv("_AWESOME_PLUGINS", "[]")
    for name in [one for one in sys.modules if one.startswith("models.plugged.")]:
        monkeypatch.delitem(sys.modules, name)


def write(folder: Path, name: str, text: str = MODEL) -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_what_a_file_declares_is_there_until_other_files_are_taken(tmp_path: Path) -> None:
    path = write(tmp_path, "my-model.py")
    before = list(ARCHITECTURES)
    assert "mine" not in before

    take_files([path])
    assert list(ARCHITECTURES) == [*before, "mine"]
    assert ARCHITECTURES["mine"].versions[1].__module__ == "models.plugged.my_model"
    assert ARCHITECTURES.package_of("mine") == "my-model.py"
    assert FORMATTERS.package_of("window_returns") == ""
    assert list(tmp_path.iterdir()) == [path]  # no bytecode beside a user's file

    take_files([])
    assert list(ARCHITECTURES) == before


def test_another_file_of_the_same_name_is_not_taken_for_the_one_before(tmp_path: Path) -> None:
    take_files([write(tmp_path, "twice.py")])
    assert "mine" in ARCHITECTURES

    take_files([write(tmp_path / "other", "twice.py", MODEL.replace('"mine"', '"theirs"'))])
    assert list(ARCHITECTURES)[-1] == "theirs"
    assert "mine" not in ARCHITECTURES


def test_a_file_that_was_changed_is_imported_anew(tmp_path: Path) -> None:
    path = write(tmp_path, "edited.py")
    take_files([path])
    first = ARCHITECTURES["mine"]
    take_files([path])
    assert ARCHITECTURES["mine"] is first

    path.write_text(MODEL.replace("return 7", "return 8"))
    take_files([path])
    assert answer(ARCHITECTURES["mine"].versions[1]) == 8
    path.write_text(MODEL.replace("return 7", "return ("))
    with pytest.raises(PluginError, match=r"edited\.py"):
        take_files([path])
    path.write_text(MODEL)
    take_files([path])
    assert answer(ARCHITECTURES["mine"].versions[1]) == 7


def answer(builder: Any) -> int:
    return int(builder(None, None))


def test_a_spawned_process_finds_what_was_pickled_by_its_name(tmp_path: Path) -> None:
    take_files([write(tmp_path, "spawned.py")])
    build = ARCHITECTURES["mine"].versions[1]
    assert b"models.plugged.spawned" in pickle.dumps(build)

    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(answer, (build,)) == 7


def test_a_process_without_settings_takes_the_files_of_the_environment(tmp_path: Path) -> None:
    write(tmp_path, "poured.py")
    environment = {name: value for name, value in os.environ.items() if "AWESOME" not in name}
    shown = subprocess.check_output(
        [sys.executable, "-c", "from models.registry import ARCHITECTURES; print(ARCHITECTURES.package_of('mine'))"],
        env=environment | {"AWESOME_PLUGINS": f"{tmp_path}/poured.py, ", "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=tmp_path,
        text=True,
    )
    assert shown == "poured.py\n"


def test_the_digest_is_that_of_what_the_file_declares(tmp_path: Path) -> None:
    packages = ("models", "components/evidence", "components/leak_audit")

    def digests() -> list[str]:
        return [code_digest([package]) for package in packages]

    without = digests()
    path = write(tmp_path, "counted.py")
    take_files([path])
    first = digests()
    path.write_text(f"{MODEL}# another\n")
    second = digests()

    assert len({without[0], first[0], second[0]}) == 3
    assert without[1:] == first[1:] == second[1:]


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("syntax.py", "a = (\n", "/syntax.py, line 1: '(' was never closed; correct it or leave the file out"),
        ("raising.py", "raise KeyError('a\\nb')", r"/raising.py cannot be loaded (KeyError: 'a\nb'); correct it or"),
        (
            "leaving.py",
            "raise SystemExit(3)",
            "/leaving.py cannot be loaded (SystemExit: 3); correct it or leave it out",
        ),
        (
            "empty.py",
            "a = 1",
            "/empty.py declares nothing: give a declaration one of the names ARCHITECTURE, FORMATTER, ",
        ),
        (
            "listed.py",
            MODEL.replace("{1: build}", "[build]"),
            "/listed.py cannot be loaded (TypeError: model mine: versions is of type list, not dict); correct it",
        ),
        (
            "second.py",
            MODEL.replace("}, 1,", "}, 2,"),
            "/second.py cannot be loaded (ValueError: model mine: default_version 2 is none of the versions 1); ",
        ),
        (
            "plain.py",
            MODEL.replace("Hyperparameters())", "{})"),
            "/plain.py cannot be loaded (TypeError: model mine: hyperparameters is of type dict, not Hyper",
        ),
        (
            "wordless.py",
            LABEL.replace("Words(*'abcdef')", "'abc'"),
            "/wordless.py cannot be loaded (TypeError: label best: words is of type str, not Words); correct it",
        ),
        (
            "level.py",
            LABEL.replace("max", "3"),
            "/level.py cannot be loaded (TypeError: label best: level is of type int, not a function); correct",
        ),
        (
            "few.py",
            LABEL.replace("max, 2", "max, 0"),
            "/few.py cannot be loaded (ValueError: label best: least_shares is 0, not a number from 1 on); correct",
        ),
        ("__init__.py", MODEL, "/__init__.py: is a package's; install that, or name a file that stands by itself"),
        ("no_python.txt", "", "/no_python.txt: is no Python file; its name must end in .py"),
        ("nowhere/", "", "/nowhere: is a folder, not a file"),
    ],
)
def test_a_file_that_cannot_be_used_is_one_line(tmp_path: Path, name: str, text: str, why: str) -> None:
    path = tmp_path / name
    if name.endswith("/"):
        path.mkdir()
    else:
        write(tmp_path, name, text)
    with pytest.raises(PluginError) as refused:
        take_files([path])
    assert str(refused.value).startswith(f"{tmp_path}{why}")
    assert "\n" not in str(refused.value)


def test_files_that_are_missing_or_share_a_name_are_refused_and_the_old_ones_kept(tmp_path: Path) -> None:
    first, second = write(tmp_path, "kept.py"), write(tmp_path / "other", "kept.py")
    take_files([first, first])
    for files, why in (
        ([first, second], "has the same name; rename one of them"),
        ([tmp_path / "no.py"], "no such file"),
    ):
        with pytest.raises(PluginError, match=why):
            take_files(files)
        assert list(plugged.files().values()) == [first]


@pytest.mark.parametrize(
    ("declared", "why"),
    [
        ("ARCHITECTURE = 3", "is no Architecture"),
        (MODEL.replace('"mine"', '"rnn"'), "is called 'rnn', and that name is"),
    ],
)
def test_a_declaration_that_cannot_be_used_names_its_file(tmp_path: Path, declared: str, why: str) -> None:
    path = write(tmp_path, f"declared_{len(declared)}.py", declared)
    take_files([path])
    with pytest.raises(PluginError, match=f"^ARCHITECTURE of {path} {why}"):
        ARCHITECTURES.check()
    assert "rnn" in ARCHITECTURES
