"""What every source's wire format is to the server, and which bars an answer shows."""

from __future__ import annotations

import datetime as dt
import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, TypeVar

import numpy as np

from components.extractor.replay.faults import HISTORY_FAULTS, Fault
from components.extractor.replay.market import Listing, Market, Row

JSON = "application/json; charset=utf-8"
HTML = "text/html; charset=utf-8"
# A live bar that comes again carries the time of its last trade.
_LATER = 2 * 3600
_TINY = 0.01

_Text = TypeVar("_Text")


@dataclass(frozen=True)
class Ask:
    """A GET as the source would have got it.

    Attributes:
        host: of the source.
        path: unquoted, begins with a slash.
        query: unquoted; the last of several values.
        headers: by name in lower case.
        market: to answer from.
        fault: one that is told (`Fault.is_told`), or None.
    """

    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    market: Market
    fault: Fault | None = None

    def listing(self, share: str) -> Listing | None:
        """A share's listing; None if the source is not to know it or it is not listed yet."""
        if self.fault is not None and self.fault.kind == "unknown":
            return None
        listing = self.market.listings.get(share)
        if listing is None or self.market.shown(listing) == 0:
            return None
        return listing if self.fault is None else _misheard(self.fault, listing, self.market)

    def faulty(self, kind: str) -> bool:
        """Whether the fault is of a kind."""
        return self.fault is not None and self.fault.kind == kind


@dataclass(frozen=True)
class Answer:
    """What the server answers.

    Attributes:
        status: of HTTP.
        content_type: of the body.
        body: the bytes.
        headers: further ones.
    """

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


class Wire(ABC):
    """A source's side of the wire.

    Attributes:
        name: of the source.
        hosts: that it answers for.
    """

    name: ClassVar[str]
    hosts: ClassVar[tuple[str, ...]]

    @abstractmethod
    def share(self, path: str, query: Mapping[str, str]) -> str | None:
        """The share that a request is about; None if it names none."""

    @abstractmethod
    def answer(self, ask: Ask) -> Answer:
        """The answer to a request."""

    def shows_bars(self, path: str) -> bool:
        """Whether a path answers with bars."""
        return True

    def denied(self) -> Answer:
        """The answer to somebody who may not ask."""
        return Answer(403, HTML, b"<html><head><title>403 Forbidden</title></head><body>Forbidden</body></html>")


def _misheard(fault: Fault, listing: Listing, market: Market) -> Listing:
    """What a source says of a listing with a fault of `HISTORY_FAULTS`; the listing itself with any other."""
    if fault.kind == "unadjusted":
        return replace(listing, dividends={}, splits={}, rights={}, cache={})
    if fault.kind == "other-share":
        others = [other for other in market.listings.values() if other.exchange == listing.exchange]
        at = [other.share for other in others].index(listing.share)
        other = others[(at + 1) % len(others)]
        return replace(other, share=listing.share, cache={})
    if fault.kind == "day-off":
        return _with_a_saturday(listing, market.today, fault.amount)
    return listing


def _with_a_saturday(listing: Listing, today: dt.date, volume: float) -> Listing:
    """A listing with a bar on the last Saturday up to a day, which repeats the close before it."""
    saturday = np.datetime64(today - dt.timedelta(days=(today.weekday() - 5) % 7), "D")
    at = int(np.searchsorted(listing.time, saturday))
    if at == 0:
        return listing
    close = listing.close[at - 1]
    prices = {name: np.insert(getattr(listing, name), at, close) for name in ("open", "high", "low", "close")}
    time, volumes = np.insert(listing.time, at, saturday), np.insert(listing.volume, at, int(volume))
    return replace(listing, time=time, volume=volumes, cache={}, **prices)


def to_json(status: int, content: Any) -> Answer:
    """An answer of JSON."""
    return Answer(status, JSON, json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode())


def rendered_window(
    ask: Ask,
    listing: Listing,
    key: Hashable,
    render: Callable[[Row], _Text],
    *,
    first: dt.date | None = None,
    last: dt.date | None = None,
    most: int | None = None,
    live_twice: bool = False,
) -> tuple[list[_Text], int]:
    """Writes the bars that an answer shows, with the fault that there is.

    Args:
        ask: the request.
        listing: what it is about.
        key: names the source and all that `render` depends on beside the row.
        render: writes one bar.
        first: the first day; None for no limit.
        last: the last day, likewise.
        most: bars shown at the most, the last ones; None for no limit.
        live_twice: whether the source shows the bar of an open session twice.

    Returns:
        The bars as text, and the index of the first session of the window.
    """
    texts = listing.rendered(key, render)
    shown = ask.market.shown(listing)
    start = 0 if first is None else listing.index(first)
    stop = shown if last is None else min(listing.index(last + dt.timedelta(days=1)), shown)
    if most is not None:
        start = max(start, stop - most)
    start = min(start, stop)
    kind = None if ask.fault is None else ask.fault.kind
    today = shown - 1 if listing.time[shown - 1] == np.datetime64(ask.market.today, "D") else None
    open_shown = ask.market.live and today is not None and start <= today < stop
    if ask.fault is not None and kind == "late-start":
        start = min(max(start, round(ask.fault.amount)), stop)
    if (kind is None or kind in HISTORY_FAULTS) and not open_shown:
        return texts[start:stop], start

    rows = [listing.row(index) for index in range(start, stop)]
    if today is not None and (open_shown or (kind == "live" and start <= today <= stop)):
        live = listing.open_row(today)
        rows[today - start :] = [live]
        if kind == "live" or live_twice:
            rows.append(replace(live, later=_LATER))
    if ask.fault is not None:
        rows = _damaged(ask.fault, rows)
    return [render(row) for row in rows], start


def _damaged(fault: Fault, rows: list[Row]) -> list[Row]:
    middle = len(rows) // 2
    if fault.kind == "missing":
        return rows[: max(len(rows) - round(fault.amount), 0)]
    if fault.kind == "duplicate":
        return rows + rows[-1:]
    if fault.kind == "high-below-low" and rows:
        row = rows[middle]
        rows[middle] = replace(row, high=round(row.low - _TINY, 2), low=round(row.high + _TINY, 2))
    if fault.kind == "disorder" and len(rows) > 1:
        one, other = rows[middle - 1], rows[middle]
        rows[middle - 1 : middle + 1] = [replace(one, day=other.day), replace(other, day=one.day)]
    return rows
