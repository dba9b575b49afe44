"""Moments and days as a ledger writes them: texts in UTC that sort like what they stand for."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable

from components.feature_store.dates import is_iso_day

Clock = Callable[[], dt.datetime]
"""Tells the present, with a zone; tests and replays have their own."""

_STAMP = "%Y-%m-%dT%H:%M:%SZ"
_FORM = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")


def present() -> dt.datetime:
    """The clock of this machine, in UTC."""
    return dt.datetime.now(dt.UTC)


def stamp(moment: dt.datetime) -> str:
    """A moment with a zone, in UTC to the second; what is left of the second is cut off.

    >>> stamp(dt.datetime(2026, 11, 29, 19, 27, 4, 999, tzinfo=dt.UTC))
    '2026-11-29T19:27:04Z'
    """
    # Not strftime: it writes years before 1000 with three digits.
    return f"{moment.astimezone(dt.UTC).replace(microsecond=0, tzinfo=None).isoformat()}Z"


def moment_of(text: str) -> dt.datetime:
    """The moment that `stamp` wrote."""
    return dt.datetime.strptime(text, _STAMP).replace(tzinfo=dt.UTC)


def is_stamp(value: object) -> bool:
    """Tells whether a value is what `stamp` writes.

    >>> is_stamp("2026-11-29T19:27:04Z"), is_stamp("2026-11-29T25:27:04Z"), is_stamp("2026-11-29 19:27")
    (True, False, False)
    """
    if not isinstance(value, str) or not _FORM.fullmatch(value) or not is_iso_day(value[:10]):
        return False
    return value[11:13] < "24" and value[14:16] < "60" and value[17:19] < "60"
