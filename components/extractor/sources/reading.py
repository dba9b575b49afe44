"""Reading the values of a reply: each is what it has to be, or the reply is refused with the place that is not."""

from __future__ import annotations

import datetime as dt
import re
import reprlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NoReturn

import numpy as np

from components.extractor.sources.base import Reply, Source
from components.feature_store.arrays import Booleans, Days, Floats

# No price, factor or volume of a real share is outside; products of values inside stay far from overflow.
_LEAST, _MOST = 1e-9, 1e15
_DECIMALS = re.compile(r"[0-9.]*")
# Of a reply that is nested deeper than repr() can go, too.
_BRIEF = reprlib.Repr()
_BRIEF.maxlevel, _BRIEF.maxstring, _BRIEF.maxother = 2, 40, 40
_ORDINAL_1970 = dt.date(1970, 1, 1).toordinal()
_ISO_DAYS = re.compile(r"(?:[0-9]{4}-[0-9]{2}-[0-9]{2})*")


@dataclass(frozen=True)
class Reader:
    """Reads values of one reply: a value that is not what a method's name says is a SourceError.

    `what` is what the message calls the value, `days` names it where there are many. Arrays have the shape of `values`.

    Attributes:
        source: that answered.
        share: that was asked for.
        reply: that came.
    """

    source: Source
    share: str
    reply: Reply

    def refuse(self, what: str) -> NoReturn:
        """Raises the SourceError that says what is wrong with the reply."""
        raise self.source.refusal(self.share, self.reply, what)

    def answer(self) -> Mapping[str, Any]:
        """The reply's JSON, an object.

        Raises:
            NoReplyError: it is no JSON or something else: no reply of the source.
        """
        value = self.source.json_of(self.share, self.reply)
        if type(value) is not dict:
            self.no_reply(f"the reply is {shown(value)} and not an object")
        return value

    def rows(self, keys: Sequence[str]) -> list[list[Any]]:
        """The reply's JSON, an array of objects: the values of each of two or more keys, which all have to hold.

        Raises:
            NoReplyError: it is no JSON, or does not begin with such an object: no reply of the source.
        """
        value = self.source.json_of(self.share, self.reply)
        if type(value) is not list:
            self.no_reply(f"the reply is {shown(value)} and not a list")
        for row in value[:1]:
            if type(row) is not dict:
                self.no_reply(f"row 1 is {shown(row)} and not an object")
            for key in keys:
                if key not in row:
                    self.no_reply(f"row 1 has no {key}")
        return self.columns(value, keys)

    def no_reply(self, what: str) -> NoReturn:
        """Raises the NoReplyError that says why this is no reply of the source."""
        raise self.source.no_reply(self.share, self.reply, what)

    def mapping(self, value: Any, what: str) -> Mapping[str, Any]:
        """A JSON object."""
        if type(value) is not dict:
            self.refuse(f"{what} is {shown(value)} and not an object")
        return value

    def sequence(self, value: Any, what: str) -> list[Any]:
        """A JSON array."""
        if type(value) is not list:
            self.refuse(f"{what} is {shown(value)} and not a list")
        return value

    def columns(self, rows: Sequence[Any], keys: Sequence[str]) -> list[list[Any]]:
        """The values of each of two or more keys, which all rows have to hold; the rows are JSON objects."""
        if not rows:
            return [[] for _ in keys]
        try:
            if set(map(type, rows)) == {dict}:
                return [list(column) for column in zip(*map(itemgetter(*keys), rows), strict=True)]
        except KeyError:
            pass  # the slow way finds which one
        for number, row in enumerate(rows, 1):
            for key in keys:
                if key not in self.mapping(row, f"row {number}"):
                    self.refuse(f"row {number} has no {key}")
        raise AssertionError("every row is whole")

    def days(self, values: Sequence[Any], what: str) -> Days:
        """ISO dates, as datetime64[D]."""
        try:
            if set(map(len, values)) <= {10} and _ISO_DAYS.fullmatch("".join(values)):
                return as_days(map(dt.date.fromisoformat, values))
        except (TypeError, ValueError):
            pass  # the slow way finds which one
        return as_days(self.day(value, what) for value in values)

    def day(self, value: Any, what: str) -> dt.date:
        """One ISO date."""
        if type(value) is str and len(value) == 10 and _ISO_DAYS.fullmatch(value):
            try:
                return dt.date.fromisoformat(value)
            except ValueError:
                pass
        self.refuse(f"{what} is {shown(value)} and not a day")

    def prices(self, values: Sequence[Any], what: str, days: Days) -> Floats:
        """Prices: numbers, or decimal numbers as text, above 0; as float64."""
        return self._numbers(values, what, days, _LEAST, "a number above 0")

    def levels(self, values: Sequence[Any], what: str, days: Days) -> Floats:
        """Adjusted prices: as `prices`, but 0 and less than 0 are some too."""
        try:
            signed = "-" in "".join(values)
        except TypeError:  # numbers, which have their sign, or what is none
            signed = False
        if not signed:
            return self._numbers(values, what, days, -_MOST, "a number")
        less = np.array([value.startswith("-") for value in values], dtype=bool)
        texts = [value[1:] if below else value for value, below in zip(values, less, strict=True)]
        return np.where(less, -1, 1) * self._numbers(texts, what, days, -_MOST, "a number")

    def amounts(self, values: Sequence[Any], what: str, days: Days) -> Floats:
        """Amounts: as `prices`, but 0 is one too."""
        return self._numbers(values, what, days, 0.0, "a number")

    def volumes(self, values: Sequence[Any], days: Days) -> Floats:
        """Volumes: as `amounts`, and NaN for null."""
        return self._unless_null(values, "the volume", days, 0.0, "a number")

    def prices_or_null(self, values: Sequence[Any], what: str, days: Days) -> Floats:
        """As `prices`, and NaN for null."""
        return self._unless_null(values, what, days, _LEAST, "a number above 0")

    def _unless_null(self, values: Sequence[Any], what: str, days: Days, least: float, kind: str) -> Floats:
        if None not in values:
            return self._numbers(values, what, days, least, kind)
        known = np.array([value is not None for value in values], dtype=bool)
        out = np.full(len(values), np.nan)
        out[known] = self._numbers([value for value in values if value is not None], what, days[known], least, kind)
        return out

    def _numbers(self, values: Sequence[Any], what: str, days: Days, least: float, kind: str) -> Floats:
        kinds = set(map(type, values))
        try:
            # float() alone would also take " 1", "1_0", "1e3" and other scripts' digits.
            if kinds <= {int, float} or (kinds == {str} and _DECIMALS.fullmatch("".join(values))):
                out = np.fromiter(map(float, values), np.float64, len(values))
                if bool(((out >= least) & (out <= _MOST)).all()):
                    return out
        except (ValueError, OverflowError):
            pass  # the slow way finds which one
        read = [_number(value) for value in values]
        for value, number, day in zip(values, read, days, strict=True):
            if number is None or not least <= number <= _MOST:
                self.refuse(f"{what} of {day} is {shown(value)} and not {kind}")
        return np.array(read, dtype=np.float64)


def shown(value: Any) -> str:
    """A value as a message shows it: short, on one line."""
    return _BRIEF.repr(value)


def as_days(dates: Iterable[dt.date]) -> Days:
    """Dates as datetime64[D]; NumPy's own way takes ten times as long."""
    ordinals = np.fromiter((date.toordinal() for date in dates), np.int64)
    return (ordinals - _ORDINAL_1970).astype("datetime64[D]")


def within(days: Days, first: dt.date, last: dt.date) -> Booleans:
    """Which sessions lie in a range, both ends included."""
    inside: Booleans = (days >= np.datetime64(first, "D")) & (days <= np.datetime64(last, "D"))
    return inside


def decimals(values: Sequence[Any]) -> int:
    """The decimals that some of the values (as text or JSON numbers) need, trailing zeros not counted."""
    return max((len(str(value).partition(".")[2].rstrip("0")) for value in values), default=0)


def event_steps(reader: Reader, days: Days, close: Floats, dividend: Floats, split: Floats) -> Floats:
    """Steps of the factor that cash dividends and splits make; all arrays have the shape (n,).

    A step is split * p / (p - dividend), p being the close of the session before in shares of the day itself.

    Args:
        reader: of the reply that told them.
        days: sessions.
        close: raw.
        dividend: cash for a share of that day, 0 where there is none.
        split: shares of that day for one of the session before, 1 where there is none.

    Returns:
        float64, 1 on the first session.

    Raises:
        SourceError: a dividend takes the whole price.
    """
    steps = np.ones(len(days))
    before = close[:-1] / split[1:]
    after = before - dividend[1:]
    for at in np.flatnonzero(after <= 0)[:1]:
        reader.refuse(
            f"the dividend of {days[at + 1]} is {dividend[at + 1]:g}, but the close before it only {before[at]:g}"
        )
    steps[1:] = split[1:] * before / after
    return steps


def _number(value: Any) -> float | None:
    if type(value) in (int, float) or (type(value) is str and _DECIMALS.fullmatch(value)):
        try:
            return float(value)
        except (ValueError, OverflowError):
            pass
    return None
