"""Labels of drawings: their own lines stay, and what is too long for a line is cut where it ends."""

from __future__ import annotations

import math

import pytest

from components.evidence.interval import Interval
from pipeline.report.drawing import Row, drawing, interval_rows, model_styles, shortened


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
    with drawing():
        axes = interval_rows([Row(label, [(Interval(0.5, 0.4, 0.6, math.nan), style)])], 0, 0.5, 7)
    assert [one.get_text() for one in axes.get_yticklabels()] == ["\n".join(lines)]


@pytest.mark.parametrize(("name", "short"), [("linear", "linear"), ("x" * 14, "x" * 14), ("x" * 15, "x" * 13 + "…")])
def test_a_name_is_shortened_where_it_leaves_no_room(name: str, short: str) -> None:
    assert shortened(name, 14) == short
