"""Labels of drawings: their own lines stay, and what is too long for a line is cut where it ends."""

from __future__ import annotations

import math
import re

import pytest

from components.evidence.interval import Interval
from pipeline.report.drawing import model_styles, shortened
from pipeline.report.rows_chart import Row, rows_chart


@pytest.mark.parametrize(
    ("label", "lines"),
    [
        ("run 1\nlinear", ["run 1", "linear"]),
        ("x" * 50, ["x" * 36, "x" * 14]),
        (f"{'a' * 20} {'b' * 20}\nrnn", ["a" * 20, "b" * 20, "rnn"]),
    ],
)
def test_a_row_keeps_its_lines_and_breaks_those_that_are_too_long(label: str, lines: list[str]) -> None:
    [style] = model_styles(["rnn"]).values()
    row = Row(label, [(Interval(0.5, 0.4, 0.6, math.nan), style)], ["rnn"])
    chart = rows_chart("c", "t", "d", [row], label="AUC", rules=[(0.5, "", False)], height=0.5, size=7)
    texts = re.findall(r">([^<]+)</text>", chart.svg)
    assert texts[texts.index("AUC") + 1 :] == lines
    assert chart.rows is not None
    assert [one.label for one in chart.rows.rows] == [label], "where scripts run it is broken where there is no room"


@pytest.mark.parametrize(("name", "short"), [("linear", "linear"), ("x" * 14, "x" * 14), ("x" * 15, "x" * 13 + "…")])
def test_a_name_is_shortened_where_it_leaves_no_room(name: str, short: str) -> None:
    assert shortened(name, 14) == short
