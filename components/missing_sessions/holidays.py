"""What tells holidays from missing rows where no calendar does: their number, and that they come again each year."""

from __future__ import annotations

import datetime as dt
from calendar import monthrange
from collections import Counter

import numpy as np
from dateutil.easter import easter

from components.feature_store.arrays import Booleans, Days

# What no exchange's holidays reach: China and Taiwan close for up to 10 weekdays in a row, Indonesia for 22 in a year.
_LONGEST = 10
_YEAR = 261
_ALWAYS, _RATE = 8, 0.09

_MOST_A_YEAR = 20
LEAST_DAYS = 3 * 365
"""Of days from first to last, below which nothing can be seen to come again."""
_RECURRING = 0.4


def beyond_holidays(lacking: Booleans) -> Booleans:
    """Tells which weekdays without a price cannot all be holidays.

    Args:
        lacking: for each weekday in a row, shape (n,), whether there is no price.

    Returns:
        Those of more than 10 in a row, and of the rest all within a year of weekdays of which more lack than any
        exchange is closed; for less than a year in proportion.
    """
    found = np.zeros_like(lacking)
    edges = np.flatnonzero(np.diff(np.concatenate([[False], lacking, [False]])))
    for begin, end in edges.reshape(-1, 2).tolist():
        found[begin:end] = end - begin > _LONGEST
    rest = lacking & ~found
    width = min(_YEAR, len(lacking))
    count = np.concatenate([[0], np.cumsum(rest)])
    many = np.flatnonzero(count[width:] - count[: len(count) - width] > most_holidays(width))
    for begin in many.tolist():
        found[begin : begin + width] |= rest[begin : begin + width]
    return found


def most_holidays(weekdays: int) -> float:
    """How many of so many weekdays, up to a year, an exchange may be closed at most."""
    return _ALWAYS + _RATE * weekdays


def are_holidays(days: Days, first: int, last: int) -> bool:
    """Tells whether days on which some shares have no price look like the holidays of their exchange.

    Rows are missing at random or in a row; holidays are few and come again: by date, by weekday of the month, or by
    their distance from Easter.

    Args:
        days: datetime64[D], ascending.
        first: the first day that is looked at, as days since 1970.
        last: the last one.

    Returns:
        Whether most of them come again in at least half of the years; False where there are less than three years.
    """
    years = (last - first + 1) / 365.25
    if last - first < LEAST_DAYS or not len(days) or len(days) > _MOST_A_YEAR * years:
        return False
    needed = max(2.0, int(years) / 2)
    keys = [_keys(day) for day in days.astype("datetime64[D]").tolist()]
    # A holiday that falls on a Sunday is kept on the Monday, so a date counts for its neighbours too; once a year.
    seen = Counter(key for key, _ in {(key, year) for mine, near, year in keys for key in (*mine, *near)})
    again = sum(any(seen[key] >= needed for key in mine) for mine, _, _ in keys)
    return again >= _RECURRING * len(days)


def _keys(day: dt.date) -> tuple[list[tuple[object, ...]], list[tuple[object, ...]], int]:
    """By what a day may come again, the dates beside it, and its year."""
    week, from_end = (day.day - 1) // 7, (monthrange(day.year, day.month)[1] - day.day) // 7
    mine: list[tuple[object, ...]] = [
        ("date", day.month, day.day),
        ("weekday", day.month, day.weekday(), week),
        ("last weekday", day.month, day.weekday(), from_end),
        ("Easter", (day - easter(day.year)).days),
    ]
    beside = (day - dt.timedelta(days=1), day + dt.timedelta(days=1))
    return mine, [("date", one.month, one.day) for one in beside], day.year
