"""Bars that keep the rules, and those that are not made."""

from __future__ import annotations

import numpy as np
import pytest
from databases import days

from components.feature_store import PriceBars

# --- bars


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"close": [1.0, 2.0, 0.0]}, "close on 2020-01-03 is not a finite number above 0: 0.0"),
        ({"close": [1.0, np.nan, 3.0]}, "close on 2020-01-02"),
        ({"factor": [1.0, np.inf, 1.0]}, "factor on 2020-01-02"),
        ({"factor": [1.0, -1.0, 1.0]}, "factor on 2020-01-02"),
        ({"close": [1.0, 2.0]}, "close has shape"),
        ({"time": ["2020-01-02", "2020-01-01", "2020-01-03"]}, "time on 2020-01-01 does not come after"),
        ({"time": ["2020-01-01", "2020-01-01", "2020-01-03"]}, "does not come after"),
        ({"time": ["2020-01-01", "NaT", "2020-01-03"]}, "is not a date"),
        ({"time": ["2020-01-01", "2020-01-02", "10000-01-03"]}, "is not a date"),
        ({"low": [1.0, 9.0, 1.0], "high": [9.0, 1.0, 9.0]}, "low on 2020-01-02 is above high"),
        ({"high": [9.0, 1.9, 9.0]}, "close on 2020-01-02 is outside"),
        ({"open": [0.0, 1.0, 1.0]}, "open on 2020-01-01"),
        ({"volume": [0.0, -1.0, 1.0]}, "volume on 2020-01-02"),
        ({"close": [1.0, 1e300, 1.0], "factor": [1.0, 1e300, 1.0]}, "out of range"),
    ],
)
def test_bars_that_break_a_rule_are_not_made(fields: dict[str, list], message: str) -> None:
    good = {"time": days(3), "close": [1.0, 2.0, 3.0], "factor": [1.0, 1.0, 1.0]}
    given = {**good, **fields}
    with pytest.raises(ValueError, match=message):
        PriceBars(**{name: np.array(values) for name, values in given.items()})


def test_bars_without_a_session_are_not_made() -> None:
    with pytest.raises(ValueError, match="not empty"):
        PriceBars(days(0), np.empty(0), np.empty(0))


def test_a_close_within_rounding_of_its_range_is_accepted() -> None:
    one = np.ones(1)
    assert len(PriceBars(days(1), one * 10.004, one, high=one * 10.0, low=one * 9.0)) == 1
