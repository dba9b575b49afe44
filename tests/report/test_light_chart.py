"""Charts without matplotlib: what is drawn is where it has to be, and nothing that is not a number is drawn."""

from __future__ import annotations

import itertools
import math
import re
import subprocess
import sys
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.report.light_chart import LightChart, powers, round_ticks
from pipeline.report.palette import GRID, LEFT, RIGHT, TOP, WIDTH

NAN = math.nan
LEFT_END, RIGHT_END, UPPER, LOWER = LEFT * 72, (WIDTH - RIGHT) * 72, TOP * 72, (TOP + 2) * 72


def a_chart(**more: object) -> LightChart:
    return LightChart(2, (0, 10), (0, 4), **more)  # type: ignore[arg-type]


def drawn(chart: LightChart) -> ElementTree.Element:
    return ElementTree.fromstring(chart.chart("one", "Title", "Words").svg)


def paths(chart: LightChart, colour: str) -> list[list[tuple[float, float]]]:
    """The points of each path of a colour."""
    return [
        [(float(x), float(y)) for x, y in re.findall(r"(-?[\d.]+) (-?[\d.]+)", path.get("d", ""))]
        for path in drawn(chart).iter("path")
        if colour in (path.get("stroke"), path.get("fill"))
    ]


def test_a_line_goes_through_its_points_and_breaks_where_one_is_missing() -> None:
    chart = a_chart()
    chart.line([0, 5, 6, 7, 8, 10], [0, 2, NAN, 3, NAN, 4], "#123456")
    [line] = paths(chart, "#123456")
    middle = (LEFT_END + RIGHT_END) / 2
    assert line[0] == pytest.approx((LEFT_END, LOWER), abs=0.01)
    assert line[1:] == [pytest.approx((middle, (UPPER + LOWER) / 2), abs=0.01)]
    dots = [(float(one.get("cx", "")), float(one.get("cy", ""))) for one in drawn(chart).iter("circle")]
    assert len(dots) == 2  # stretches of one point
    assert dots[1] == pytest.approx((RIGHT_END, UPPER), abs=0.01)


def test_a_band_lies_between_its_ends_and_leaves_out_what_is_missing() -> None:
    chart = a_chart()
    chart.band([0, 5, 10], [1, 1, NAN], [3, 2, 4], "#abcdef")
    [band] = paths(chart, "#abcdef")
    quarter = (LOWER - UPPER) / 4
    assert [y for _, y in band] == pytest.approx([LOWER - part * quarter for part in (3, 2, 1, 1)], abs=0.01)


def test_a_logarithmic_axis_has_equal_steps_for_equal_factors_and_cuts_what_is_below() -> None:
    chart = LightChart(2, (0, 10), (0.01, 100), logarithmic=True)
    chart.line([0, 1, 2, 3], [0.1, 1, 10, 0], "#123456")
    [line] = paths(chart, "#123456")
    heights = [y for _, y in line]
    assert heights[0] - heights[1] == pytest.approx(heights[1] - heights[2], abs=0.02)
    assert LOWER < heights[3] < LOWER + 40


def test_texts_are_texts_and_every_id_begins_with_the_name() -> None:
    chart = a_chart(x_label="a < b", y_label="$y$", legend=1)
    chart.ticks()
    chart.rule(2, note="<b>")
    chart.line([0, 10], [1, 1], "#123456", label="one & two")
    root = drawn(chart)
    assert {"a < b", "$y$", "<b>", "one & two", "10", "0"} <= {text.text for text in root.iter("text")}
    assert all(one.get("id", "one-").startswith("one-") for one in root.iter())
    assert root.find("title") is not None
    assert len(paths(chart, GRID)) == 2 * len(round_ticks(0, 10, 6)) - 1  # of both axes: 0 to 10, 0 to 4


@given(low=st.floats(-1e3, 1e3), span=st.floats(1e-2, 1e6), most=st.integers(3, 9))
def test_ticks_are_round_numbers_within_the_limits(low: float, span: float, most: int) -> None:
    high = low + span
    found = round_ticks(low, high, most)
    values = [value for value, _ in found]
    assert 1 <= len(found) <= most + 1
    assert all(low - span * 1e-6 <= value <= high + span * 1e-6 for value in values)
    for value, label in found:
        assert float(label.replace("\N{MINUS SIGN}", "-")) == pytest.approx(value, rel=1e-12, abs=span * 1e-9)
    steps = [later - value for value, later in itertools.pairwise(values)]
    if steps:
        assert min(steps) == pytest.approx(max(steps), rel=1e-6)
        assert f"{steps[0]:.2e}"[:3] in ("1.0", "2.0", "5.0")


@given(low=st.floats(1e-6, 1), factor=st.floats(10, 1e300))
def test_powers_are_few_and_within_the_limits(low: float, factor: float) -> None:
    found = powers(low, low * factor, 6)
    assert 1 <= len(found) <= 9
    assert all(low <= value <= low * factor and float(label) == pytest.approx(value) for value, label in found)


def test_the_page_of_an_evening_needs_no_matplotlib() -> None:
    code = (
        "import sys, pipeline.report.live_charts, pipeline.report.live, pipeline.uses.live, pipeline.daily.loop\n"
        "print([name for name in ('matplotlib', 'pandas', 'requests', 'exchange_calendars') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
