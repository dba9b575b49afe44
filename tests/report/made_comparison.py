"""A comparison of formatters and labels, made of a few numbers."""

from __future__ import annotations

import math

from components.comparison.results import Combination, Comparison
from components.evidence.interval import Interval

NAN = math.nan


def figure(value: float, half: float = 0.01) -> Interval:
    return Interval(value, value - half, value + half, half / 2)


def combination(formatter: str, label: str, value: float, behind: Interval | None) -> Combination:
    values = {"linear": figure(value - 0.01), "custom_dnn": figure(value)}
    baseline = "logistic_regression", figure(0.0151, 0.02)
    return Combination(formatter, label, "custom_dnn", figure(value), figure(0.5123), *baseline, behind, values)


FOUND = Comparison(
    "2018-01-02",
    "2018-12-28",
    250,
    107_500,
    (
        combination("window_returns", "up", 0.0213, figure(-0.002, 0.004)),
        combination("a_formatter_of_mine_with_a_long_name", "outperform", 0.0233, None),
        combination("closes_with_time", "up", -0.0123, figure(-0.0356, 0.01)),
        Combination(
            "closes", "up", "", Interval(NAN, NAN, NAN, NAN), figure(0.5), "", Interval(NAN, NAN, NAN, NAN),
            Interval(NAN, NAN, NAN, NAN), {"linear": Interval(NAN, NAN, NAN, NAN)},
        ),
    ),
    1,
)  # fmt: skip
