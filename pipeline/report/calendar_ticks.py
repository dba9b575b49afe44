"""Ticks of an axis of days, where a calendar has them and not where a division of the axis happens to fall."""

from __future__ import annotations

import datetime as dt

_MONTHS = (1, 2, 3, 6, 12, 24, 60, 120, 240, 600)
"""From one tick to the next."""

_ROOM = 0.95
"""Of the axis, up to which a label is not cut off at its end."""


def calendar_ticks(first: dt.date, last: dt.date, most: int = 5) -> list[tuple[dt.date, str]]:
    """Beginnings of months, quarters, years or more, at most so many, with their labels; days of a short axis.

    >>> [label for _, label in calendar_ticks(dt.date(2016, 6, 28), dt.date(2022, 12, 27))]
    ['2018', '2020', '2022']
    >>> [label for _, label in calendar_ticks(dt.date(2024, 2, 7), dt.date(2024, 5, 14))]
    ['2024-03', '2024-04', '2024-05']
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
    length = (last - first).days
    return [(day, day.isoformat()) for day in sorted({first + dt.timedelta(length * part // 8) for part in (1, 4, 7)})]
