"""Dates as texts: strictly ISO in the database, a little more freely in files of prices."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

import numpy as np

from components.errors import StoreError
from components.feature_store.arrays import Days

_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# A date, then optionally a time of day and an offset, which say nothing about the session.
_FREE = re.compile(
    r"([0-9]{4})(?:-([0-9]{1,2})-([0-9]{1,2})|/([0-9]{1,2})/([0-9]{1,2})|([0-9]{2})([0-9]{2}))"
    r"(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?\s*(?:Z|UTC|[+-][0-9]{2}:?[0-9]{2})?)?"
)


def is_iso_day(value: object) -> bool:
    """Tells whether a value is the text of a day that exists, as YYYY-MM-DD.

    >>> is_iso_day("2013-02-28"), is_iso_day("2013-02-30"), is_iso_day("28.2.2013")
    (True, False, False)
    """
    if not isinstance(value, str) or not _ISO.fullmatch(value):
        return False
    try:
        dt.date.fromisoformat(value)
    except ValueError:
        return False
    return True


def parse_days(values: Sequence[object], where: str = "") -> Days:
    """Returns texts YYYY-MM-DD as datetime64[D], shape (n,).

    Raises:
        StoreError: A value is no such text; `where` says what holds it.
    """
    for value in values:
        if not is_iso_day(value):
            raise StoreError(f"{where or 'database'}: the time {value!r} is not a date such as 2024-01-31")
    return np.array(values, dtype="datetime64[D]")


def day_of(value: object) -> int | None:
    """Reads a date as files write it.

    Args:
        value: A date, a datetime (its date as written, in its own zone), or a text or whole number such as 2024-01-31,
            2024/1/31, 20240131 or 2024-01-31T00:00:00Z. Day-first and month-first texts are not guessed at.

    Returns:
        Days since 1970-01-01, or None if it is no date.

    >>> day_of("2024/1/31") == day_of(20240131) == day_of("2024-01-31T00:00:00Z")
    True
    """
    if isinstance(value, dt.date):  # a datetime is a date too
        return dt.date(value.year, value.month, value.day).toordinal() - _EPOCH
    match = _FREE.fullmatch(str(value).strip())
    if match is None:
        return None
    year, *parts = (int(part) for part in match.groups() if part is not None)
    try:
        return dt.date(year, parts[0], parts[1]).toordinal() - _EPOCH
    except ValueError:
        return None


_EPOCH = dt.date(1970, 1, 1).toordinal()
