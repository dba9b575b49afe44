"""The docs: generated pages are up to date, links and names lead somewhere, and the site builds without a warning."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import docs_site
import pytest
import write_docs

from models.formatters import FORMATTERS
from models.registry import ARCHITECTURES

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    str(path.relative_to(ROOT))
    for pattern in ("*.md", "data/*.md", "docs/**/*.md", "findings/*.md", "kubeflow/**/*.md")
    for path in ROOT.glob(pattern)
)


# generated pages


@pytest.mark.parametrize("path", write_docs.pages(), ids=str)
def test_generated_page_is_up_to_date(path: Path) -> None:
    assert (write_docs.DOCS / path).read_text() == write_docs.pages()[path], "run: python tools/write_docs.py"


def test_every_formatter_and_model_has_a_page_and_nothing_else_has() -> None:
    for folder, names in (("formatters", FORMATTERS), ("models", ARCHITECTURES)):
        assert {path.stem for path in (write_docs.DOCS / folder).iterdir()} == set(names)


def test_a_formatters_page_says_what_is_declared() -> None:
    page = write_docs.pages()[Path("formatters/closes_with_time.md")]
    assert "**Warning:** the day is a leak under any split that is not by date" in page
    assert "| day | 1 | category | time | index in the vocabulary of the train split" in page
    assert "| `VOCABULARY` | index in the vocabulary" in page
    assert page.count("| share, day |") == 1
    # It reads the share, the day and the closes, and no label.
    assert [line.split()[1] for line in page.rpartition("|---|---|---|\n")[2].splitlines()] == [
        "share_id", "time", "closes",
    ]  # fmt: skip
    assert "Warning" not in write_docs.pages()[Path("formatters/window_returns.md")]


def test_a_models_page_gives_each_hyperparameter_its_default_and_meaning() -> None:
    for name, architecture in ARCHITECTURES.items():
        page = write_docs.pages()[Path(f"models/{name}.md")]
        rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \| \w+ \| \w.+ \|$", page, re.MULTILINE))
        assert set(rows) == set(vars(architecture.hyperparameters))
        assert rows["epochs"] == str(architecture.hyperparameters.epochs)
        assert page.count("\n### ") == len(architecture.versions)
    rnn = write_docs.pages()[Path("models/rnn.md")]
    assert "### 1\n\nOne GRU layer" in rnn
    assert "### 2\n\nA plain recurrent layer" in rnn
    assert "### 3, the default\n\nAs version 2" in rnn
    assert "`awesome run --models rnn:1`" in rnn
    # The base class's words, then the model's own.
    assert "of Adam in the first step; it falls to 0 along half a cosine over all steps. Here: larger than" in rnn


def test_pages_of_what_no_longer_exists_are_removed(tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "gone.md").write_text("# gone")
    (tmp_path / "other.md").write_text("written by hand")
    write_docs.write(tmp_path)
    assert {path.relative_to(tmp_path) for path in tmp_path.rglob("*.md")} == {*write_docs.pages(), Path("other.md")}


# what pages refer to


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if not target.startswith("http"):
            assert ((ROOT / page).parent / target).exists(), f"{page} links to {target}"


@pytest.mark.parametrize("page", PAGES)
def test_named_files_and_modules_are_there(page: str) -> None:
    text = (ROOT / page).read_text()
    named = re.findall(
        r"(?<![\w/.(-])((?:pipeline|components|models|kubeflow|tools|tests|benchmarks)/[\w/-]+(?:\.\w+)?)", text
    )
    modules = re.findall(r"python -m ((?:pipeline|components|benchmarks)\.[\w.]+\w)", text)
    for path in (*named, *(module.replace(".", "/") for module in modules)):
        assert (ROOT / path).exists() or (ROOT / f"{path}.py").exists(), f"{page} names {path}"
    for module, name in re.findall(r"^from ((?:pipeline|components|models)\S*) import (\w+)", text, re.MULTILINE):
        assert hasattr(importlib.import_module(module), name), f"{page} imports {name} from {module}"


def test_every_room_stands_in_the_architecture() -> None:
    rooms = {path.parent for package in ("pipeline", "components") for path in ROOT.glob(f"{package}/*/__init__.py")}
    listed = set(re.findall(r"^\| \[((?:pipeline|components)/\w+)/\]", _text("architecture.md"), re.MULTILINE))
    assert listed == {str(room.relative_to(ROOT)) for room in rooms}


def test_metrics_name_functions_that_exist() -> None:
    text = " ".join(_text("metrics.md").split())
    named = re.findall(r"`((?:components|pipeline)/\S+\.py)`: ((?:[^`.;]|`[^`]*`)+)", text)
    assert len(named) >= 8
    for path, listed in named:
        tree = ast.parse((ROOT / path).read_text())
        defined = {node.name for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
        names = set(re.findall(r"`(\w+)`", listed.partition(", as ")[0]))
        assert names, f"{path} is named without a function"
        assert names <= defined, f"docs/metrics.md names {names - defined} of {path}"


def test_nothing_says_to_install_the_project_from_an_index() -> None:
    # No index has it: the name stands with an address, as in 'awesome[extract] @ git+ADDRESS'.
    code = (
        path for package in ("pipeline", "components", "models", "kubeflow") for path in ROOT.glob(f"{package}/**/*.py")
    )
    for path in (*code, *map(ROOT.joinpath, PAGES)):
        named = re.findall(r"pip install '?(awesome\b[^'\n]*)", path.read_text(encoding="utf-8"))
        assert [requirement for requirement in named if " @ " not in requirement] == [], path


def test_every_section_of_the_report_is_explained() -> None:
    parts = [path.read_text() for path in (ROOT / "pipeline" / "report").glob("report*.html.j2")]
    sections = [title for part in parts for title in re.findall(r"<h2[^>]*>([^<{]+)<", part)]
    assert "Is it more than chance?" in sections
    explained = set(re.findall(r"^## (.+)$", _text("reading-the-report.md"), re.MULTILINE))
    assert set(sections) <= explained


def _text(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


# the site


def test_links_are_turned_into_the_sites() -> None:
    site = {"index.md", "data.md", "report.md", "kubeflow.md", "models/rnn.md", "models.md", "data-flow.svg"}

    def turned(text: str, page: str) -> str:
        return docs_site.site_links(text, page, site)

    assert turned("[a](../README.md#start)", "report.md") == "[a](index.md#start)"
    assert turned("[a](../models.md)", "models/rnn.md") == "[a](../models.md)"
    assert turned("![a](docs/data-flow.svg)", "index.md") == "![a](data-flow.svg)"
    assert turned("[a](../../docs/kubeflow.md)", "kubeflow-images.md") == "[a](kubeflow.md)"
    assert turned("[a](#b), [c](https://d.e/f)", "report.md") == "[a](#b), [c](https://d.e/f)"
    # What the site does not have stays readable.
    assert turned("[the code](../models/rnn.py)", "report.md") == "the code (`models/rnn.py`)"
    assert turned("[models/rnn.py](models/rnn.py)", "index.md") == "models/rnn.py"


class Page(HTMLParser):
    """What a page of the site loads by itself, and its text."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.text = ""
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag != "a":
            self.loaded += [value for name in ("src", "srcset", "href", "data", "poster") if (value := given.get(name))]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.slow
@pytest.mark.host
def test_the_site_builds_without_a_warning_and_asks_no_other_host(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(ROOT / "mkdocs.yml")]
    done = subprocess.run(
        [*command, "--quiet", "--site-dir", str(tmp_path / "site")],
        cwd=tmp_path,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    pages = {str(path.relative_to(tmp_path / "site")): path.read_text() for path in tmp_path.rglob("*.html")}
    assert {f"models/{name}.html" for name in ARCHITECTURES} < set(pages)
    assert {"index.html", "leaks.html", "metrics.html", "reading-the-report.html", "data.html"} < set(pages)
    for name, source in pages.items():
        page = Page(source)
        assert page.loaded, name
        # Two slashes are another host, with a scheme or without.
        assert [address for address in page.loaded if "//" in address] == [], name
        assert "](" not in page.text, name
    for style in tmp_path.rglob("*.css"):
        text = style.read_text()
        assert "@import" not in text, style
        assert re.findall(r"url\((?!['\"]?data:)[^)]*//[^)]*", text) == [], style
