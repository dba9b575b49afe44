"""What a cell of the column of dates says: a day, and perhaps a time of day."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

NO_DAY = np.iinfo(np.int64).min
DAY = 86_400  # seconds
EPOCH = dt.date(1970, 1, 1).toordinal()
FIRST_DAY, LAST_DAY = (day.toordinal() - EPOCH for day in (dt.date.min, dt.date.max))


@dataclass(frozen=True)
class Stamp:
    """What a cell of the column of dates says.

    Attributes:
        day: Days since 1970-01-01.
        second: Time of day in seconds; None if there is none.
        offset: Seconds east of UTC of that time; None if the cell does not say.
    """

    day: int
    second: int | None = None
    offset: int | None = None


def is_weekend(day: int) -> bool:
    """Tells whether a day since 1970-01-01, a Thursday, is a Saturday or a Sunday."""
    return (day + 3) % 7 >= 5


def iso(day: int | None) -> str:
    """Returns a day as YYYY-MM-DD."""
    return "no date" if day is None else str(np.datetime64(day, "D"))


def day_text(day: int, text: str = "") -> str:
    """Returns a day as YYYY-MM-DD, or the text that is none."""
    return text if day == NO_DAY else iso(int(day))
