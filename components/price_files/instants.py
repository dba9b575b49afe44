"""Instants where days were expected: whose date is meant, and in which zone.

Spark writes timestamps in UTC and says so nowhere (INT96), DuckDB writes TIMESTAMPTZ in UTC: midnight in Shanghai is
then 16:00 of the day before, and every bar would be stored a day early. Weekdays tell: a share that trades from Monday
to Friday has Sundays then and no Fridays. So a time of day other than midnight is taken for a time beside the right
date only if these dates hold Mondays and Fridays and no weekend; else a zone has to be known.
"""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import numpy as np

from components.errors import ImportFileError
from components.price_files.forms import Forms
from components.price_files.stamps import DAY, Stamp, is_weekend
from components.price_files.zones import zone_of

_SOME = 0.02  # so many days on a weekend can be special sessions
_MOSTLY = 0.9
_CANDIDATES = ("Asia/Shanghai", "Asia/Tokyo", "Asia/Kolkata", "Europe/London", "Europe/Paris", "America/New_York")
# Where Sunday is a day of work, or was when these shares traded.
_SUNDAY_ZONES = frozenset(
    {"Asia/Riyadh", "Asia/Jerusalem", "Asia/Tel_Aviv", "Asia/Kuwait", "Asia/Qatar", "Asia/Bahrain", "Asia/Muscat"}
    | {"Africa/Cairo", "Asia/Amman", "Asia/Dhaka", "Asia/Dubai", "Asia/Tehran", "Asia/Kathmandu", "Asia/Baghdad"}
)
# Exchanges that the name of a share tells.
_ZONES_OF_SHARES = {
    "Asia/Shanghai": re.compile(r"(?:sh|sz|bj)\.?[0-9]{6}|[0-9]{6}\.(?:SS|SH|SZ|BJ|XSHG|XSHE)", re.IGNORECASE),
    "Asia/Hong_Kong": re.compile(r"hk[0-9]{5}|[0-9]{4,5}\.HK", re.IGNORECASE),
    "Asia/Tokyo": re.compile(r"[0-9]{3}[0-9A-Z]\.(?:T|JP)", re.IGNORECASE),
    "Asia/Kolkata": re.compile(r"[A-Z0-9&-]+\.(?:NS|BO)", re.IGNORECASE),
    "Europe/London": re.compile(r"[A-Z0-9-]+\.(?:L|UK)", re.IGNORECASE),
}


def stamp_in(seconds: int, zone: dt.tzinfo | None) -> Stamp | None:
    """Returns the date and time that an instant has in a zone; without one, as the seconds since 1970 have them."""
    if zone is None:
        day, second = divmod(seconds, DAY)
        return Stamp(day, second)
    try:
        offset = (_START + dt.timedelta(seconds=seconds)).astimezone(zone).utcoffset()
    except (OverflowError, ValueError):
        return None
    east = int(offset.total_seconds()) if offset is not None else 0
    day, second = divmod(seconds + east, DAY)
    return Stamp(day, second, east)


_START = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def days_of_instants(
    stamps: Sequence[Stamp | None], name: str, path: Path, forms: Forms, shares: Collection[str]
) -> tuple[list[Stamp | None], str]:
    """Settles which day each stamp means.

    Args:
        stamps: The distinct ones of a column.
        name: Of the column, for messages.
        path: Of the file.
        forms: With the zone, or that of the exchange, where they are known.
        shares: The names of the file's shares: where all are of one exchange, its zone is taken.

    Returns:
        The stamps on the days that are meant, and how they were found, for the report; empty if none was in doubt.

    Raises:
        ImportFileError: A zone is needed, or the one given makes weekends of the days.
    """
    zone = forms.zone
    timed = [stamp for stamp in stamps if stamp is not None and stamp.second]
    if not timed or zone == "local":
        return list(stamps), ""
    clock = _clock(timed)
    if zone is not None:
        moved = in_zone(stamps, zone)
        if (wrong := _weekends(moved)) and zone not in _SUNDAY_ZONES:
            raise ImportFileError(
                f"{path}: the column {name} holds instants ({clock}); with --timezone {zone}, {wrong} on a weekend: "
                "it is another zone"
            )
        return moved, f"instants ({clock}) as dates in {zone}"
    dated = [stamp for stamp in stamps if stamp is not None]
    elsewhere = sum(stamp.offset not in (None, 0) for stamp in timed)
    if _is_week(timed):
        return list(stamps), f"times of day left out ({clock}): no date as written is on a weekend"
    # A last row of a day that is still open has a time; a file of few days with their own offset says what it means.
    if len(timed) <= max(1, (1 - _MOSTLY) * len(dated)) < len(dated) and not _has_weekend(timed):
        return list(stamps), ""
    if elsewhere == len(timed) and not _has_weekend(timed):
        return list(stamps), f"dates as written in their own zone ({clock})"
    known = forms.exchange_zone or _zone_of_shares(shares)
    if known is not None and not _weekends(moved := in_zone(stamps, known)):
        return moved, f"instants ({clock}) as dates in {known}, the exchange of the shares"
    raise _ask(stamps, timed, clock, name, path)


def in_zone(stamps: Iterable[Stamp | None], zone: str) -> list[Stamp | None]:
    """Returns stamps as the date and time that they have in a zone; those without a time of day as they are."""
    known = zone_of(zone)
    return [
        stamp
        if stamp is None or stamp.second is None
        else stamp_in(stamp.day * DAY + stamp.second - (stamp.offset or 0), known)
        for stamp in stamps
    ]


def _weekends(stamps: Iterable[Stamp | None]) -> str:
    """Says how many days are on a weekend if they are too many; a market of seven days has all of them."""
    days = {stamp.day for stamp in stamps if stamp is not None}
    weekdays = Counter((day + 3) % 7 for day in days)
    wrong = sum(map(is_weekend, days))
    if wrong <= _SOME * len(days) or (len(weekdays) == 7 and min(weekdays.values()) * 2 >= max(weekdays.values())):
        return ""
    return f"{wrong} of {len(days)} dates are"


def _is_week(stamps: Sequence[Stamp]) -> bool:
    days = {stamp.day for stamp in stamps}
    weekdays = {(day + 3) % 7 for day in days}
    weekends = sum(map(is_weekend, days))
    return {0, 4} <= weekdays and weekends <= _SOME * len(days)


def _has_weekend(stamps: Sequence[Stamp]) -> bool:
    return any(is_weekend(stamp.day) for stamp in stamps)


def _zone_of_shares(shares: Collection[str]) -> str | None:
    named = [share for share in shares if share]  # a missing name is refused with its row
    for zone, names in _ZONES_OF_SHARES.items():
        if named and all(names.fullmatch(share) for share in named):
            return zone
    return None


def _clock(stamps: Sequence[Stamp]) -> str:
    times = Counter((stamp.second or 0, stamp.offset) for stamp in stamps).most_common(2)
    texts = []
    for (second, offset), _ in times:
        minutes = f"{second // 3600:02d}:{second // 60 % 60:02d}"
        texts.append(minutes + (" UTC" if offset == 0 else "" if offset is None else f" {_offset_text(offset)}"))
    more = " and others" if len({(stamp.second, stamp.offset) for stamp in stamps}) > 2 else ""
    return " and ".join(texts) + more


def _offset_text(offset: int) -> str:
    minutes = abs(offset) // 60
    return f"{'-' if offset < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}"


def _ask(stamps: Sequence[Stamp | None], timed: Sequence[Stamp], clock: str, name: str, path: Path) -> ImportFileError:
    fitting = []
    for zone in _CANDIDATES:
        moved = [stamp for stamp in in_zone(timed, zone) if stamp is not None]
        midnights = sum(stamp.second == 0 for stamp in moved)
        if midnights == len(moved) and not _weekends(moved):
            fitting.append(zone)
    days = {stamp.day for stamp in timed}
    weekends = sum(map(is_weekend, days))
    seen = (
        f", {weekends} of {len({stamp.day for stamp in timed})} dates as written are on a weekend" if weekends else ""
    )
    guess = f"; at midnight they would be in {' or '.join(fitting)}" if fitting else ""
    stamp = timed[0]
    written = np.datetime64(stamp.day * DAY + (stamp.second or 0), "s").item().strftime("%Y-%m-%d %H:%M")
    return ImportFileError(
        f"{path}: the column {name} holds instants, not days ({clock}, such as {written}{seen}): say whose dates they "
        f"are with --timezone, such as {(fitting or ['Asia/Shanghai'])[0]}, or --timezone local for the dates as they "
        f"are written{guess}"
    )
