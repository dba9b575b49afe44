"""Dates as texts of the database: strictly ISO. How files of prices write them: `date_cells.py`."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

import numpy as np

from components.errors import StoreError
from components.feature_store.arrays import Days

_ISO = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


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
