"""What one file declares, or an installed package adds, is found; what cannot be loaded is one clear line."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import invalidate_caches
from pathlib import Path

import pytest

from models.errors import PluginError
from models.plugins import LAST, Registry, outside_code

GROUP = "awesome.tested"
Install = Callable[[str, str, str], Path]


@dataclass(frozen=True)
class Thing:
    name: str
    order: int = LAST


@pytest.fixture
def things(tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Registry[Thing]:
    """A package with two declarations and a file that must not be imported."""
    package = f"things_{request.node.name.partition('[')[0]}"
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / package).mkdir()
    head = f"from {__name__} import Thing\n"
    for name, text in {
        "__init__": "",
        "early": head + "THING = Thing('late in the alphabet', order=1)\n",
        "late": head + "THING: Thing = Thing('a', order=2)\n",
        "heavy": "raise RuntimeError('THING = is not how this line begins')\n",
    }.items():
        (tmp_path / package / f"{name}.py").write_text(text)
    return Registry(package, "THING", Thing, GROUP)


def test_files_that_declare_are_found_in_their_order_and_no_other_is_imported(things: Registry[Thing]) -> None:
    assert list(things) == ["late in the alphabet", "a"]
    assert things["a"] == Thing("a", 2)


def test_what_a_package_adds_comes_behind_those_with_an_order(things: Registry[Thing], install: Install) -> None:
    install(GROUP, "mine = my_thing:MINE", f"from {__name__} import Thing\nMINE = Thing('Mine')\n")

    assert list(things) == ["late in the alphabet", "a", "Mine"]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise ValueError('two\\nlines')", r"cannot be loaded \(ValueError: two lines\)"),
        ("import no_such_module_anywhere", "ModuleNotFoundError"),
        ("raise SystemExit(3)", r"cannot be loaded \(SystemExit: 3\)"),
        ("OTHER = 1", "AttributeError"),
        ("MINE = 1", "is no Thing"),
        ("from {name} import Thing\nMINE = Thing('a')", "the name 'a' is taken"),
    ],
)
def test_what_cannot_be_taken_is_one_line_that_names_its_package(
    things: Registry[Thing], install: Install, code: str, why: str
) -> None:
    module = f"broken_{len(code)}"
    install(GROUP, f"mine = {module}:MINE", code.format(name=__name__))

    with pytest.raises(PluginError, match=why) as refused:
        len(things)

    assert f"the entry point mine = {module}:MINE (awesome.tested) of {module}" in str(refused.value)
    assert "; correct or uninstall its package" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_code_of_a_package_is_found_without_importing_it(install: Install) -> None:
    path = install(GROUP, "mine = unsound:MINE", "raise RuntimeError")

    assert outside_code(GROUP) == [path]
    path.unlink()
    invalidate_caches()
    with pytest.raises(PluginError, match="there is no code of unsound"):
        outside_code(GROUP)


def awesome(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from pipeline.cli import main; main()", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_commands_know_the_models_and_formatters_of_other_packages(install: Install) -> None:
    declared = "from models.{} import {}\n".format
    model = "ARCHITECTURE = Architecture('mean', 'the mean', {1: None}, 1, Hyperparameters())"
    site = install(
        "awesome.models",
        "mean = my_mean:ARCHITECTURE",
        declared("architecture", "Architecture, Hyperparameters") + model,
    ).parent
    formatter = "FORMATTER = DataFormatter('share', 'only the share', (SHARE,))"
    install("awesome.formatters", "x = my_share:FORMATTER", declared("formatters", "SHARE, DataFormatter") + formatter)

    models, formatters = awesome(site, "models"), awesome(site, "formatters")

    assert (models.returncode, formatters.returncode) == (0, 0), models.stderr + formatters.stderr
    assert models.stdout.index("\nmean  the mean; version 1") > models.stdout.index("\nrnn ")
    assert formatters.stdout.index("\nshare  only the share") > formatters.stdout.index("\ncloses_with_time ")


def test_a_package_that_is_broken_is_one_line_and_no_matter_to_other_commands(install: Install) -> None:
    site = install("awesome.models", "mean = bad:ARCHITECTURE", "1 / 0").parent

    models, formatters = awesome(site, "models"), awesome(site, "formatters")

    assert (models.returncode, models.stdout, formatters.returncode) == (1, "", 0)
    assert models.stderr == (
        "awesome: the entry point mean = bad:ARCHITECTURE (awesome.models) of bad cannot be loaded "
        "(ZeroDivisionError: division by zero); correct or uninstall its package\n"
    )
