"""Source archive and wheel: what they hold and say, and that a wheel works where only its extra is installed."""

from __future__ import annotations

import datetime as dt
import json
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from email import message_from_string
from email.message import Message
from importlib.metadata import Distribution, distribution
from pathlib import Path

import pytest
from command_line import clean_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from components.extractor.replay import Market, ReplayServer, make_listing

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PACKAGES = ("pipeline", "components", "models", "kubeflow/awesome_kubeflow")
PIP = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet"]
OFFLINE = ["--no-index", "--no-deps"]


@dataclass(frozen=True)
class Tree:
    """A copy of what the project's packages are made of, and the files that have to come with them."""

    root: Path
    expected: frozenset[str]


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    root = tmp_path_factory.mktemp("source")
    for package in (*PACKAGES, "tests"):
        shutil.copytree(ROOT / package, root / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("awesome.py", "setup.py", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, root / name)
    # One of each kind, whatever the packages hold.
    (root / "models" / "probe.pbtxt").touch()
    (root / "pipeline" / "report" / "probe.html.j2").touch()
    (root / "components" / "deep").mkdir()
    (root / "components" / "deep" / "__init__.py").touch()
    patterns = [f"{package}/**/{kind}" for package in PACKAGES for kind in ("*.py", "*.pbtxt", "*.html.j2", "py.typed")]
    patterns += ["awesome.py", "components/extractor/replay/fixtures/**/*"]
    patterns += ["pipeline/report/page.js", "pipeline/report/third_party/*"]
    files = [path for one in patterns for path in root.glob(one)]
    return Tree(root, frozenset(str(path.relative_to(root)) for path in files if path.is_file()))


@pytest.fixture(scope="module")
def wheel(tree: Tree, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [*PIP, "wheel", *OFFLINE, "--no-build-isolation", "--wheel-dir", str(folder), str(tree.root)]
    subprocess.run(command, check=True, capture_output=True)
    [path] = folder.iterdir()
    return path


def test_the_source_archive_holds_the_packages_and_their_data(tree: Tree) -> None:
    subprocess.run([sys.executable, "setup.py", "-q", "sdist"], cwd=tree.root, check=True, capture_output=True)
    (path,) = (tree.root / "dist").iterdir()
    with tarfile.open(path) as content:
        held = {name.partition("/")[2] for name in content.getnames()}
    assert {*tree.expected, "LICENSE", "pyproject.toml", "setup.py"} <= held
    assert sum(name.endswith("py.typed") for name in held) == 4


def test_the_wheel_holds_the_packages_and_nothing_else(tree: Tree, wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as content:
        held = {name for name in content.namelist() if ".dist-info/" not in name}
    assert held == {path.removeprefix("kubeflow/") for path in tree.expected}


def test_the_wheel_says_what_pyproject_says(wheel: Path) -> None:
    said = metadata(wheel)
    assert wheel.name == f"awesome-{PROJECT['version']}-py3-none-any.whl"
    assert said["Version"] == PROJECT["version"]
    # Commas part what is one range in whatever order.
    assert {*said["Requires-Python"].split(",")} == {*PROJECT["requires-python"].split(",")}
    assert {*said.get_all("Provides-Extra", [])} == {*PROJECT["optional-dependencies"]}


def test_the_wheel_names_and_holds_the_licence_of_all_that_is_in_it(wheel: Path) -> None:
    """The project's own, and that of each folder of files from elsewhere, which library.json tells."""
    said = metadata(wheel)
    libraries = [ROOT / path for package in PACKAGES for path in (ROOT / package).rglob("library.json")]
    assert libraries
    licences = {"Apache-2.0", *(json.loads(path.read_text(encoding="utf-8"))["licence"] for path in libraries)}
    assert set(said["License-Expression"].split(" AND ")) == licences
    texts = {"LICENSE", *(str(path.with_name("LICENSE").relative_to(ROOT)) for path in libraries)}
    assert {*said.get_all("License-File", [])} == texts
    with zipfile.ZipFile(wheel) as content:
        held = {name.partition(".dist-info/licenses/")[2]: name for name in content.namelist()}
        for text in texts:
            assert content.read(held[text]) == (ROOT / text).read_bytes()


def without_path() -> dict[str, str]:
    """This process's environment without the checkout in it."""
    return {name: value for name, value in clean_environment().items() if name != "PYTHONPATH"}


def metadata(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as content:
        [name] = [name for name in content.namelist() if name.endswith(".dist-info/METADATA")]
        return message_from_string(content.read(name).decode())


def brought_along(requirements: list[str], extra: str) -> Iterator[Distribution]:
    """What an index would install for the requirements and one extra, from what is installed here."""
    waiting = [(Requirement(line), extra) for line in requirements]
    seen = set()
    while waiting:
        requirement, of = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": of}):
            continue
        found = distribution(requirement.name)
        for one in ("", *requirement.extras):
            if (key := (canonicalize_name(requirement.name), one)) not in seen:
                seen.add(key)
                waiting += [(Requirement(line), one) for line in found.requires or ()]
        yield found


@pytest.fixture
def clean(wheel: Path, tmp_path: Path) -> Path:
    """A virtual environment of the wheel and of what its extra `extract` declares: neither less nor more."""
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    into = [*PIP, "--python", str(venv / "bin" / "python"), "install", *OFFLINE, str(wheel)]
    subprocess.run(into, env=without_path(), check=True)
    [site] = venv.glob("lib/python*/site-packages")
    for package in brought_along(metadata(wheel).get_all("Requires-Dist", []), "extract"):
        for top in {path.parts[0] for path in package.files or () if path.parts[0] not in ("..", "__pycache__")}:
            if not (site / top).exists():
                (site / top).symlink_to(package.locate_file(top))
    return venv


@pytest.mark.slow
def test_a_wheel_with_its_extra_extracts_where_nothing_else_is_installed(clean: Path, tmp_path: Path) -> None:
    def awesome(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        command, environment = [str(clean / "bin" / "awesome"), *arguments], without_path() | variables
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    assert awesome("--version").stdout.startswith(f"awesome {PROJECT['version']}, Python {sys.version_info.major}.")
    shares = ("sh600000", "sh600519")
    today = dt.date.today()
    market = Market(
        {share: make_listing(share, "XSHG", today - dt.timedelta(days=2000), today) for share in shares}, today
    )
    with ReplayServer(market) as server:
        asked = ("--source", "tencent", "--shares", ",".join(shares), "--db", "a.db")
        done = awesome("extract", *asked, AWESOME_SOURCES_URL=server.url, AWESOME_SOURCES_RATE="1000")
    assert done.returncode == 0, done.stderr
    with closing(sqlite3.connect(tmp_path / "a.db")) as database:
        stored = database.execute("SELECT share_id, COUNT(*) FROM PRICE GROUP BY share_id ORDER BY share_id").fetchall()
    assert [name for name, _ in stored] == [*shares]
    assert min(count for _, count in stored) > 200
    refused = awesome("run", "--db", "a.db")
    assert refused.returncode != 0
    assert "needs the extra `pipeline`" in refused.stderr.splitlines()[-1]
    assert "Traceback" not in refused.stderr
