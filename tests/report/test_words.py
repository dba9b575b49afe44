"""How numbers and their intervals are written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from components.evidence.words import number
from pipeline.report.words import basis_points, interval, percent, points, ratio, share_percent

NAN = float("nan")


@pytest.mark.parametrize(
    ("value", "signed", "text"),
    [
        (0.50761, False, "0.508"),
        (0.0123, True, "+0.012"),
        (-0.0123, True, "-0.012"),
        (-0.0004, True, "0.000"),
        (0.0, True, "0.000"),
        (NAN, True, "n/a"),
    ],
)
def test_numbers(value: float, signed: bool, text: str) -> None:
    assert number(value, signed) == text


def test_an_interval() -> None:
    assert (interval(0.4949, 0.512), interval(NAN, 0.5)) == ("(0.495-0.512)", "(n/a)")


@pytest.mark.parametrize(
    ("write", "value", "text"),
    [
        (percent, 0.946, "95%"),
        (percent, None, "n/a"),
        (percent, NAN, "n/a"),
        (ratio, -0.004, "0.00"),
        (ratio, 1.234, "+1.23"),
        (ratio, 12.34, "+12.3"),
        (ratio, NAN, "n/a"),
        (points, -0.0004, "0.0%"),
        (points, -0.523, "-52.3%"),
        (points, 12.34, "+1,234%"),
        (points, NAN, "n/a"),
        (share_percent, 0.2, "20%"),
        (share_percent, 0.00902, "0.9%"),
        (share_percent, NAN, "n/a"),
        (basis_points, 10.0, "10 basis points"),
        (basis_points, 1.0, "1 basis point"),
        (basis_points, 2.5, "2.5 basis points"),
    ],
)
def test_shorter_forms(write: Callable[[float], str], value: float, text: str) -> None:
    assert write(value) == text
