"""What a run leaves, as report.json written and read."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.errors import UserError
from components.records import RecordError, from_json, to_json
from components.tear_sheet.results import Drawdown, Exposure, PortfolioFigures, SignalFigures
from pipeline.runs.folder import read_report, save_report
from pipeline.runs.results import (
    DataSummary,
    GroupScore,
    MarketSummary,
    ModelResult,
    ReportError,
    RunReport,
    SplitResult,
)

ROOT = Path(__file__).parents[2]


def example() -> RunReport:
    return from_json(RunReport, example_in_the_docs())


def test_what_was_read_is_written_again_key_by_key() -> None:
    assert to_json(json.loads(example_in_the_docs())) == to_json(example())


@settings(deadline=None)
@given(st.data())
def test_a_report_with_anything_anywhere_is_read_or_refused_in_one_line(data: st.DataObject) -> None:
    junk = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.lists(st.text()) | st.just({})
    place = raw = json.loads(example_in_the_docs())
    keys = []
    while isinstance(place, (dict, list)) and place and (not keys or data.draw(st.booleans())):
        keys.append(data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place)))))
        parent, place = place, place[keys[-1]]
    parent[keys[-1]] = data.draw(junk)
    try:
        assert isinstance(from_json(RunReport, json.dumps(raw)), RunReport)
    except RecordError as error:
        said = str(error)
        assert (said.startswith(str(keys[0])), said.isprintable()) == (True, True)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    report = example()
    (tmp_path / "report.json").write_text("old")

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(ReportError, match=r"report\.json: cannot be written \(No space left on device\)"):
        save_report(report, tmp_path / "report.json")
    assert (tmp_path / "report.json").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["report.json"]


def changed(*keys: str, value: Any = None, drop: bool = False) -> str:
    """The text of a sound report.json with one key changed or dropped."""
    raw = json.loads(example_in_the_docs())
    place = raw
    for key in keys[:-1]:
        place = place[key]
    if drop:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    return json.dumps(raw)


def example_in_the_docs() -> str:
    found = re.search(r"```json\n(.*?)```", (ROOT / "docs" / "report.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found.group(1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "not JSON"),
        ("{", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ("[]", "it holds list"),
        ('{"a": 1}', "schema_version is missing"),
        (changed("schema_version", value=2), "schema_version is 2, this version of awesome reads 1"),
        (changed("models", drop=True), "models is missing"),
        (changed("models", "linear", "auc", drop=True), r"models\.linear\.auc is missing"),
        (changed("models", "linear", "auc", value="high"), r"models\.linear\.auc holds str"),
        (changed("models", "linear", "by_year", "2012", value=3), r"models\.linear\.by_year\.2012 holds int"),
        (changed("data", "share_ids", value=[1]), r"data\.share_ids\.0 holds int"),
        (changed("market", value=3), "market holds int"),
    ],
)
def test_what_is_no_report_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "report.json"
    path.write_text(text)
    with pytest.raises(UserError, match=said) as caught:
        read_report(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_report_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no report here"):
        read_report(tmp_path / "none.json")
    with pytest.raises(UserError, match=r"report\.json: there is no report here"):
        read_report(tmp_path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="not JSON"):
        read_report(tmp_path)


def test_the_docs_example_is_a_report_and_the_docs_name_every_key(tmp_path: Path) -> None:
    (tmp_path / "report.json").write_text(example_in_the_docs())
    read = read_report(tmp_path)
    assert read.models["linear"].auc == 0.5061
    assert math.isnan(read.models["linear"].by_year["2013"].auc)
    assert read.models["linear"].signal is not None
    assert read.models["linear"].signal.decay[0].value == 0.0087
    assert read.portfolio is not None
    assert read.portfolio.exposures["linear"]["long_short"].beta.value == 0.021
    assert math.isnan(read.portfolio.rolling["long_short"][0].low)
    tables = (ROOT / "docs" / "report.md").read_text(encoding="utf-8").split("```json")[0]
    kept = (SignalFigures, PortfolioFigures, Drawdown, Exposure)
    for part in (RunReport, ModelResult, GroupScore, SplitResult, DataSummary, MarketSummary, *kept):
        for field in dataclasses.fields(part):
            assert f"`{field.name}`" in tables, field.name


def test_reading_a_report_needs_no_heavy_package() -> None:
    code = (
        "import sys, pipeline.runs.results, pipeline.report.summary, pipeline.report.page;"
        "print([m for m in ('pandas', 'numpy', 'matplotlib', 'jinja2', 'tensorflow', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_report_from_before_a_key_was_added_is_still_read(tmp_path: Path) -> None:
    save_report(example(), tmp_path / "report.json")
    raw = json.loads((tmp_path / "report.json").read_text())
    for model in raw["models"].values():
        del model["evaluation_uri"]
    del raw["data"]["sources"], raw["data"]["behind"]
    path = tmp_path / "report.json"
    path.write_text(json.dumps(raw))
    read = read_report(path)
    assert {model.evaluation_uri for model in read.models.values()} == {""}
    assert (read.data.sources, read.data.behind) == ((), ())
