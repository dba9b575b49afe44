"""How a file of prices writes its cells, as far as the user says it, and what was found out about the rest."""

from __future__ import annotations

import datetime as dt
import warnings
from dataclasses import dataclass

from components.errors import ImportFileError
from components.price_files.zones import zone_of

SEPARATORS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|"}
_DATE_FORMATS = ("dmy", "mdy", "ymd", "excel", "days", "s", "ms", "us", "ns")


@dataclass(frozen=True)
class Forms:
    """How cells are written; what is None, the whole file has to tell.

    Attributes:
        encoding: Of the text, such as gb18030.
        separator: Between the cells of a line.
        decimal: The decimal sign, `.` or `,`; the other one, blanks and apostrophes then separate thousands.
        dates: `dmy`, `mdy` or `ymd`; `excel` or `days` for numbers of days; `s`, `ms`, `us` or `ns` since 1970; or a
            format as of strptime, such as `%d.%m.%y`.
        zone: The time zone whose dates are meant where the file holds instants, such as Asia/Shanghai; `local` keeps
            the date as it is written.
        exchange_zone: That of the shares' exchange: taken where the file holds instants and nothing is said, if it
            makes no weekends.
    """

    encoding: str | None = None
    separator: str | None = None
    decimal: str | None = None
    dates: str | None = None
    zone: str | None = None
    exchange_zone: str | None = None


def forms_from(
    *,
    encoding: str | None = None,
    separator: str | None = None,
    decimal: str | None = None,
    dates: str | None = None,
    zone: str | None = None,
    exchange_zone: str | None = None,
) -> Forms:
    r"""Checks what a user said.

    Raises:
        ImportFileError: A value means nothing; the message says which ones do.

    >>> forms_from(separator="tab").separator
    '\t'
    """
    if encoding is not None:
        try:
            if "a;1".encode(encoding).decode(encoding) != "a;1":
                raise LookupError
        except (LookupError, UnicodeError, ValueError):
            raise ImportFileError(
                f"--encoding {encoding} is no encoding of text; try utf-8, utf-16, gb18030, big5, shift_jis or cp1252"
            ) from None
    if separator is not None:
        separator = SEPARATORS.get(separator.lower(), "\t" if separator == "\\t" else separator)
        if len(separator) != 1 or separator.isalnum() or separator in '"\r\n.-+ ':
            raise ImportFileError(f"--separator {separator!r} separates no cells; say comma, semicolon, tab or pipe")
    if decimal is not None:
        decimal = {"dot": ".", "point": ".", "comma": ","}.get(decimal.lower(), decimal)
        if decimal not in (".", ","):
            raise ImportFileError(f"--decimal {decimal!r} is no decimal sign; say . or ,")
    if dates is not None and "%" not in dates:
        dates = {"day-first": "dmy", "month-first": "mdy", "year-first": "ymd"}.get(dates.lower(), dates.lower())
        if dates not in _DATE_FORMATS:
            raise ImportFileError(
                f"--date-format {dates} is none; say {', '.join(_DATE_FORMATS)} or a format such as %d.%m.%Y"
            )
    if dates is not None and "%" in dates:
        _check_format(dates)
    if zone is not None and zone != "local":
        if zone_of(zone) is None:
            raise ImportFileError(f"--timezone {zone} is no time zone; say one such as Asia/Shanghai, UTC, or local")
    return Forms(encoding, separator, decimal, dates, zone, exchange_zone)


def _check_format(dates: str) -> None:
    """Refuses a format of strptime that does not tell a date: strptime itself takes 1900 for a missing year."""
    for day in (dt.datetime(2023, 11, 28, tzinfo=dt.UTC), dt.datetime(1987, 4, 6, tzinfo=dt.UTC)):
        try:
            with warnings.catch_warnings():  # Python 3.13 warns of a day without a year
                warnings.simplefilter("ignore", DeprecationWarning)
                read = dt.datetime.strptime(day.strftime(dates), dates)
        except ValueError:
            raise ImportFileError(
                f"--date-format {dates!r} is no format that dates are read by; say one such as %d.%m.%Y"
            ) from None
        if read.date() != day.date():
            raise ImportFileError(
                f"--date-format {dates!r} does not tell the year, month and day of a date; say one such as %d.%m.%Y"
            )
