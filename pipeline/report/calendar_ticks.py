"""Ticks of an axis of days, where a calendar has them and not where a division of the axis happens to fall."""

from __future__ import annotations

import datetime as dt
import math

_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600)
"""From one tick to the next."""

_SATURDAY = 5
_MOST_DATES = 4
"""Days that have room, next to each other."""

_ROOM = 0.95
"""Of the axis, up to which a label is not cut off at its end."""


def calendar_ticks(first: dt.date, last: dt.date, most: int = 5) -> list[tuple[dt.date, str]]:
    """Beginnings of months, quarters, years or more, at most so many, and labels; of a short axis Mondays or days.

    >>> [label for _, label in calendar_ticks(dt.date(2016, 6, 28), dt.date(2022, 12, 27))]
    ['2018', '2020', '2022']
    >>> [label for _, label in calendar_ticks(dt.date(2024, 2, 7), dt.date(2024, 5, 14))]
    ['2024-03', '2024-04', '2024-05']
    >>> [label for _, label in calendar_ticks(dt.date(2024, 2, 7), dt.date(2024, 3, 19))]
    ['2024-02-12', '2024-02-19', '2024-02-26', '2024-03-04', '2024-03-11']
    """
    end = first + (last - first) * _ROOM
    months = range(first.year * 12 + first.month - 1, end.year * 12 + end.month)
    for step in _MONTHS:
        found = [dt.date(month // 12, month % 12 + 1, 1) for month in months if month % step == 0]
        found = [day for day in found if first <= day <= end]
        if len(found) <= most:
            break
    if len(found) >= 2:
        return [(day, day.isoformat()[: 4 if step >= 12 else 7]) for day in found]
    days = [first + dt.timedelta(day) for day in range((end - first).days + 1)]
    for weeks in (1, 2):
        # The first day of all was a Monday.
        found = [day for day in days if (day.toordinal() - 1) % (7 * weeks) == 0]
        if 2 <= len(found) <= most:
            return [(day, day.isoformat()) for day in found]
    found = [day for day in days if day.weekday() < _SATURDAY] or days
    return [(day, day.isoformat()) for day in found[:: math.ceil(len(found) / _MOST_DATES)]]
