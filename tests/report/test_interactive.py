"""What a page answers with: numbers that end no element, and scripts that are those that were looked at."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import json
import math
import shutil
import tarfile
from pathlib import Path

import pytest
from get_browser_library import FOLDERS, unpack

from pipeline.report.calendar_ticks import calendar_ticks
from pipeline.report.interactive import answers, policy, scripts
from pipeline.report.light_chart import LightChart
from pipeline.report.palette import INK, SKY, Chart, Mark, Plot, Series

NASTY = "</script><!--<script>&\u2028"


def test_names_end_no_element_and_come_back_as_they_were() -> None:
    plot = Plot(["2024-01-02", "2024-01-03"], [Series(NASTY, [0.25, math.nan], INK)], days=True)
    written = answers(Chart("c", "t", "d", "<svg/>", [plot], marks=[Mark(1, 2.04, NASTY)]))
    assert not set(written) & set("<>&\u2028")
    read = json.loads(written)
    assert read["plots"][0]["series"][0]["name"] == NASTY
    assert read["plots"][0]["series"][0]["values"] == [0.25, None]
    first = dt.date(1970, 1, 1) + dt.timedelta(days=read["plots"][0]["x"][0])
    assert first.isoformat() == "2024-01-02"
    assert read["marks"] == [[1, 2.0, NASTY, ""]]
    assert answers(Chart("c", "t", "d", "<svg/>")) == ""
    assert answers(Chart("c", "t", "d", "<svg/>", [Plot([], [Series("nothing", [], INK)], days=True)])) == ""


def test_no_script_can_end_its_element() -> None:
    for script in scripts():
        assert "</script" not in script.lower()
        assert "<!--" not in script
        assert "\r" not in script
    assert policy().count("sha256-") == len(scripts())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.parent.name)
def test_what_is_kept_of_others_is_what_was_looked_at(folder: Path) -> None:
    library = json.loads((folder / "library.json").read_text())
    assert library["licence"] in ("MIT", "MPL-2.0")
    assert {path.name for path in folder.iterdir()} == {*library["files"], "library.json"}
    for name, file in library["files"].items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == file["sha256"]
    assert library["version"] in (folder / next(iter(library["files"]))).read_text(encoding="utf-8")[:400]


def test_a_library_that_was_changed_is_not_taken(tmp_path: Path) -> None:
    kept = FOLDERS[0]
    folder = tmp_path / "third_party"
    shutil.copytree(kept, folder)
    library = json.loads((kept / "library.json").read_text())

    def archive(change: bytes) -> bytes:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as opened:
            for name, file in library["files"].items():
                content = (kept / name).read_bytes() + (change if name == "LICENSE" else b"")
                member = tarfile.TarInfo(file["from"])
                member.size = len(content)
                opened.addfile(member, io.BytesIO(content))
        return buffer.getvalue()

    (folder / "LICENSE").unlink()
    assert unpack(archive(b"!"), folder) == ["LICENSE"]
    assert not (folder / "LICENSE").exists(), "nothing is written where one file is another one"
    assert unpack(archive(b""), folder) == []
    assert (folder / "LICENSE").read_bytes() == (kept / "LICENSE").read_bytes()
    assert unpack(archive(b"!"), folder, accept=True) == ["LICENSE"]
    assert unpack(archive(b"!"), folder) == []


def test_a_light_chart_answers_with_what_it_draws() -> None:
    days = [float(dt.date(2024, 1, day).toordinal()) for day in (2, 3, 4)]
    chart = LightChart(2, (days[0] - 1, days[-1] + 1), (0, 10), days=True, y_label="so much")
    chart.band(days, [1, 1, 1], [3, 4, 5], SKY)
    chart.rule(8, note="limit")
    chart.line(days, [2, math.nan, 3], INK, label="it")
    chart.line(days, [4, 4, 4], INK)
    (plot,) = chart.chart("c", "t", "d").plots
    assert (plot.x, plot.label, plot.rules) == (["2024-01-02", "2024-01-03", "2024-01-04"], "so much", [(8, "limit")])
    (series,) = plot.series
    assert (series.name, series.low, series.high) == ("it", [1, 1, 1], [3, 4, 5])
    assert series.values[0] == 2
    assert math.isnan(series.values[1])


@pytest.mark.parametrize(
    ("first", "last", "labels"),
    [
        ("1990-01-30", "2022-12-28", ["1995", "2000", "2005", "2010", "2015", "2020"]),
        ("2012-09-03", "2013-02-15", ["2012-10", "2012-11", "2012-12", "2013-01", "2013-02"]),
        ("2024-01-02", "2024-01-12", ["2024-01-02", "2024-01-04", "2024-01-08", "2024-01-10"]),
        ("2024-01-02", "2024-01-02", ["2024-01-02"]),
    ],
)
def test_ticks_fall_where_a_calendar_has_them(first: str, last: str, labels: list[str]) -> None:
    ends = dt.date.fromisoformat(first), dt.date.fromisoformat(last)
    ticks = calendar_ticks(*ends, most=6)
    assert [label for _, label in ticks] == labels
    assert all(ends[0] <= day <= ends[1] for day, _ in ticks)
