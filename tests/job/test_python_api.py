"""`import awesome`: the page of docs/ holds true line by line."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import awesome

PAGE = Path(__file__).resolve().parents[2] / "docs" / "python.md"


def test_a_setting_that_does_not_exist_is_named(folder: Path) -> None:
    with pytest.raises(awesome.UserError, match="there is no setting 'horizn'; `awesome config` lists all"):
        awesome.run(horizn=3)
    with pytest.raises(awesome.UserError, match="has no finished run"):
        awesome.open_run(workspace="nothing")


def test_what_reads_alone_needs_no_tensorflow(folder: Path, no_tensorflow: None) -> None:
    Path("runs").mkdir()
    assert awesome.runs() == []
    with pytest.raises(awesome.UserError, match="at least two"):
        awesome.compare()
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = awesome.nothing


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: awesome.predict(model=3), "model is the name of a run's candidate, .* not 3"),
        (lambda: awesome.predict(run=3), "run is a path .* not 3"),
        (lambda: awesome.predict_past(since=20240102), "since is a date, .* not 20240102"),
        (lambda: awesome.open_run(["x"]), r"run is a path .* not \['x'\]"),
        (lambda: awesome.compare("one", None), "not None"),
        (lambda: awesome.compare("one", "two", model=3), "model is the name of one, or None, not 3"),
        (lambda: awesome.live(ledger=3), "ledger is a path, or None, not 3"),
        (lambda: awesome.run(show="yes"), "show is True or False, not 'yes'"),
    ],
)
def test_an_argument_of_another_type_is_named(folder: Path, call: Callable[[], object], why: str) -> None:
    with pytest.raises(TypeError, match=why):
        call()


@pytest.mark.parametrize(
    ("call", "why"),
    [
        (lambda: awesome.predict(since="2024-01-02"), "since: .* awesome.predict_past is of the past"),
        (
            lambda: awesome.predict_past(since="2024-01-02", until="2024-01-01"),
            "since: 2024-01-02 is after until, 2024-01-01",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(folder: Path, call: Callable[[], object], why: str) -> None:
    with pytest.raises(awesome.UserError, match=why):
        call()


@pytest.mark.slow
def test_the_page_holds_true(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    checked = 0
    for block in blocks[:-1]:
        for line in block.splitlines():
            code, _, said = line.partition("  # ")
            if said:
                assert repr(eval(code, names)) in (said, f"np.{said}_"), code
                checked += 1
            else:
                exec(code, names)
    assert checked == 7
    code, said = re.sub(r"  # .*", "", blocks[-1]), re.findall(r"print\(error\)  # (.*)", blocks[-1])
    capsys.readouterr()
    exec(code, names)
    assert capsys.readouterr().out.splitlines() == said
    assert "tensorflow" in sys.modules
