"""What one file declares, or an installed package adds, is found; what cannot be loaded is one clear line."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import invalidate_caches
from pathlib import Path

import pytest

from models.errors import PluginError
from models.outside import outside
from models.plugins import GROUPS, LAST, Group, Registry

GROUP = "awesome.tested"
ROOT = Path(__file__).resolve().parents[2]
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
    return Registry(Group(GROUP, package, "THING"), Thing)


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
        ("from {name} import Thing\nMINE = Thing('a')", "is called 'a', and that name is taken"),
        ("from {name} import Thing\nMINE = Thing('a, b')", "is called 'a, b'; a name is of letters"),
        ("from {name} import Thing\nMINE = Thing(3)", "is called 3; a name is of letters"),
        ("from {name} import Thing\nMINE = Thing('b', '1')", "has the order '1', which is no whole number"),
        (
            "from {name} import Thing\nclass Mine(Thing):\n  name = property(lambda self: 1 / 0)\n"
            "  __init__ = lambda self: None\nMINE = Mine()",
            r"has no name that could be read \(ZeroDivisionError: division by zero\)",
        ),
    ],
)
def test_what_cannot_be_taken_is_one_line_that_names_its_package(
    things: Registry[Thing], install: Install, code: str, why: str
) -> None:
    module = f"broken_{abs(hash(code))}"
    install(GROUP, f"mine = {module}:MINE", code.format(name=__name__))

    with pytest.raises(PluginError, match=why) as refused:
        things.check()

    assert f"the entry point mine = {module}:MINE (awesome.tested) of {module} 1 " in str(refused.value)
    assert "; correct or uninstall its package" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert things.broken == (str(refused.value),)
    assert list(things) == ["late in the alphabet", "a"]
    assert things.choices() == f"late in the alphabet, a; {refused.value}"


def test_the_code_of_a_package_is_found_without_importing_it(install: Install) -> None:
    path = install(GROUP, "mine = unsound:MINE", "raise RuntimeError")

    [one] = outside(GROUP)
    assert one.code() == [path]
    path.unlink()
    invalidate_caches()
    with pytest.raises(PluginError, match="has no code of unsound that could be read"):
        one.code()


def test_a_package_is_known_by_its_version_and_the_digest_of_its_code(
    things: Registry[Thing], install: Install
) -> None:
    code = f"from {__name__} import Thing\nMINE = Thing('Mine')\n"
    path = install(GROUP, "mine = known:MINE", code)

    [origin] = things.origins()
    assert origin == f"known 1 ({hashlib.sha256(b'known.py' + bytes(1) + code.encode() + bytes(1)).hexdigest()[:16]})"
    assert (things.origins("Mine"), things.origins("a")) == ((origin,), ())
    assert (things.package_of("Mine"), things.package_of("a")) == ("known 1", "")
    path.write_text(f"{code}# changed\n")
    assert things.origins() != (origin,)


def test_the_groups_stand_in_the_contributors_table() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    named = dict(re.findall(r"^\| [^|]+ \| one new file of `([\w/]+)/` \| \S+ an? `?(\w+)", text, re.MULTILINE))
    for name, group in GROUPS.items():
        assert f"`{name}`" in text
        if group.constant:
            assert named.get(group.package.replace(".", "/"), group.constant) == group.constant


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
    mean = "\nmean  the mean; version 1 (default); from my_mean 1\n"
    assert models.stdout.index(mean) > models.stdout.index("\nrnn ")
    share = "\nshare  only the share; from my_share 1\n"
    assert formatters.stdout.index(share) > formatters.stdout.index("\ncloses_with_time ")
    assert "; from " not in models.stdout.replace(mean, "")


def test_a_package_that_is_broken_is_one_line_and_no_matter_to_other_commands(install: Install) -> None:
    site = install("awesome.models", "mean = bad:ARCHITECTURE", "1 / 0").parent

    models, formatters, helped = awesome(site, "models"), awesome(site, "formatters"), awesome(site, "--help")
    unnamed = awesome(site, "predict", "--db", str(site / "none.db"))
    unknown = awesome(site, "predict", "--formatter", "mine")

    line = (
        "the entry point mean = bad:ARCHITECTURE (awesome.models) of bad 1 cannot be loaded "
        "(ZeroDivisionError: division by zero); correct or uninstall its package\n"
    )
    assert (models.returncode, models.stderr) == (0, "")
    assert models.stdout.startswith("linear ")
    assert models.stdout.endswith(f"\nbroken: {line}")
    for other in (formatters, helped):
        assert (other.returncode, other.stderr, "bad" in other.stdout) == (0, "", False)
    assert "bad" not in unnamed.stderr
    assert "there are window_returns, market_relative" in unknown.stderr
    assert "bad" not in unknown.stderr
