"""What one file declares, or an installed package adds, is found; what cannot be loaded is one clear line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import invalidate_caches
from pathlib import Path

import pytest

from models.errors import PluginError
from models.plugins import LAST, Registry, load_group, outside_code

GROUP = "awesome.tested"
Install = Callable[[str, str], Path]


@dataclass(frozen=True)
class Thing:
    name: str
    order: int = LAST


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


@pytest.fixture
def things(site: Path, request: pytest.FixtureRequest) -> Registry[Thing]:
    """A package with two declarations and a file that must not be imported."""
    package = f"things_{request.node.name.partition('[')[0]}"
    (site / package).mkdir()
    head = f"from {__name__} import Thing\n"
    for name, text in {
        "__init__": "",
        "early": head + "THING = Thing('late in the alphabet', order=1)\n",
        "late": head + "THING: Thing = Thing('a', order=2)\n",
        "heavy": "raise RuntimeError('THING = is not how this line begins')\n",
    }.items():
        (site / package / f"{name}.py").write_text(text)
    return Registry(package, "THING", Thing, GROUP)


@pytest.fixture
def install(site: Path) -> Install:
    def write(entry_point: str, code: str) -> Path:
        module = entry_point.partition(" = ")[2].partition(":")[0]
        (site / f"{module}.py").write_text(code)
        info = site / f"{module}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[{GROUP}]\n{entry_point}\n")
        return site / f"{module}.py"

    return write


def test_files_that_declare_are_found_in_their_order_and_no_other_is_imported(things: Registry[Thing]) -> None:
    assert list(things) == ["late in the alphabet", "a"]
    assert things["a"] == Thing("a", 2)


def test_what_a_package_adds_comes_behind_those_with_an_order(things: Registry[Thing], install: Install) -> None:
    install("mine = my_thing:MINE", f"from {__name__} import Thing\nMINE = Thing('Mine')\n")

    assert list(things) == ["late in the alphabet", "a", "Mine"]


@pytest.mark.parametrize(
    ("code", "why"),
    [
        ("raise ValueError('two\\nlines')", r"cannot be loaded \(ValueError: two lines\)"),
        ("import no_such_module_anywhere", "ModuleNotFoundError"),
        ("OTHER = 1", "AttributeError"),
        ("MINE = 1", "is no Thing"),
        ("from {name} import Thing\nMINE = Thing('a')", "the name 'a' is taken"),
    ],
)
def test_what_cannot_be_taken_is_one_line_that_names_its_package(
    things: Registry[Thing], install: Install, code: str, why: str
) -> None:
    module = f"broken_{len(code)}"
    install(f"mine = {module}:MINE", code.format(name=__name__))

    with pytest.raises(PluginError, match=why) as refused:
        len(things)

    assert f"the entry point mine = {module}:MINE (awesome.tested) of {module}" in str(refused.value)
    assert "; correct or uninstall its package" in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_code_of_a_package_is_found_without_importing_it(install: Install) -> None:
    path = install("mine = unsound:MINE", "raise RuntimeError")

    assert outside_code(GROUP) == [path]
    path.unlink()
    invalidate_caches()
    with pytest.raises(PluginError, match="there is no code of unsound"):
        outside_code(GROUP)


def test_a_group_that_nobody_adds_to_is_empty() -> None:
    assert load_group("awesome.nobody") == []
