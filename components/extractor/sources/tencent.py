"""Tencent's fqkline: shares of Shanghai, Shenzhen and Hong Kong, and the mainland's indices; no key.

A window of days is asked twice, raw and `hfq` (adjusted from the first day on, rounded); the row of an event names its
ex-date. Where nothing can be adjusted, and for all of Hong Kong, raw prices are answered to both.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from components.errors import ExtractionError, UnknownShareError
from components.extractor.sources.announcements import Announcement, read_announcement
from components.extractor.sources.base import AdjustedCloses, Doubt, Factors, History, Reply, Request, Source
from components.extractor.sources.reading import Reader, decimals, shown, within
from components.extractor.sources.unadjusted import unadjusted_doubts
from components.feature_store.arrays import Booleans, Days, Floats

_HOST = "https://web.ifzq.gtimg.cn"
_HEADERS = {"Referer": "https://gu.qq.com/"}
_SHARE = re.compile(r"(?:sh|sz)[0-9]{6}|hk[0-9]{5}")
# About 640 rows come at the most; two years hold fewer than 500 sessions.
_COUNT = 640
_WINDOW = dt.timedelta(days=730)
# Nobody can tell an unknown share from one without a session in the range, unless the range is long.
_LONG = dt.timedelta(days=60)
_LOT = 100
# Hong Kong's rows may have two more numbers behind the event, or behind an empty object in its place.
_ITEMS = {6, 7, 9}


@dataclass(frozen=True)
class _Window:
    """What one reply holds.

    Attributes:
        key: under which the rows came.
        days: sessions, shape (n,).
        items: open, close, high, low and volume as they came, each of n values.
        events: what the rows say of events, by ex-date.
        named: whether the reply gives the share a name, so that it knows it.
    """

    key: str
    days: Days
    items: list[list[Any]]
    events: dict[dt.date, Announcement]
    named: bool


class Tencent(Source):
    """Tencent's fqkline."""

    name = "tencent"
    order = 10
    title = "Tencent fqkline"
    markets = "Shanghai, Shenzhen and Hong Kong shares, mainland indices"
    adjustment = "raw and adjusted from the first day on (Hong Kong: raw alone), ex-dates inline"
    share_example = "sh600519"

    def exchange(self, share: str) -> str:
        """See `Source.exchange`."""
        if not _SHARE.fullmatch(share):
            raise ExtractionError(
                f"share {share!r} is not a name of source tencent: write sh600519, sz000001 or hk00700"
            )
        return "XHKG" if share.startswith("hk") else "XSHG"

    def requests(self, share: str, first: dt.date, last: dt.date) -> list[Request]:
        """See `Source.requests`; two for each window of at most two years: raw, then adjusted."""
        path = "hkfqkline" if self.exchange(share) == "XHKG" else "fqkline"
        asked = []
        while first <= last:
            end = min(last, first + _WINDOW - dt.timedelta(days=1))
            for adjusted in ("", "hfq"):
                # The host wants its commas as they are.
                param = f"{share},day,{first},{end},{_COUNT},{adjusted}"
                asked.append(Request(f"{_HOST}/appstock/app/{path}/get?param={param}", _HEADERS))
            first = end + dt.timedelta(days=1)
        return asked

    def parse(self, share: str, first: dt.date, last: dt.date, replies: Sequence[Reply]) -> History:
        """See `Source.parse`."""
        if len(replies) % 2:
            raise ValueError(f"{len(replies)} replies: the windows are asked twice each")
        readers = [Reader(self, share, reply) for reply in replies]
        windows = [self._window(reader, adjusted=at % 2 == 1) for at, reader in enumerate(readers)]
        if not any(len(window.days) or window.named for window in windows) and last - first >= _LONG:
            raise UnknownShareError(
                f"tencent, share {share}: no session from {first} to {last}; check the name, "
                f"or ask from a day on which the share was listed"
            )
        columns = [[np.empty(0)] * 6]
        places, no_raw = 2, False
        for reader, hfq_reader, raw, hfq in zip(readers[::2], readers[1::2], windows[::2], windows[1::2], strict=True):
            if len(hfq.days) and not len(raw.days):
                # What is answered unadjusted is the raw series; who accepts it may take what is called adjusted for it.
                no_raw |= hfq.key != "day"
                raw = hfq
            _refuse_other_days(hfq_reader, raw.days, hfq.days)
            open_, close, high, low = (
                reader.prices(values, f"the {what}", raw.days)
                for what, values in zip(("open", "close", "high", "low"), raw.items[:4], strict=True)
            )
            volume = reader.volumes(raw.items[4], raw.days) * _shares_in_a_unit(share)
            adjusted = hfq_reader.levels(hfq.items[1], "the adjusted close", hfq.days)
            for day in hfq.days[adjusted != close][:1] if hfq.key == "day" else ():
                hfq_reader.refuse(f"unadjusted prices were answered, but the close of {day} is not the raw one")
            columns.append([open_, high, low, close, volume, adjusted])
            places = max(places, decimals(hfq.items[1]))
        time = np.concatenate([np.empty(0, "datetime64[D]"), *(hfq.days for hfq in windows[1::2])])
        open_, high, low, close, volume, value = map(np.concatenate, zip(*columns, strict=True))
        plain = np.array_equal(value, close)
        if not plain:
            _refuse_mixed(readers[1::2], windows[1::2], close, value)
        keep = within(time, first, last)
        time = time[keep]
        action, cash, ratio = _events(time, windows)
        bars = (time, open_[keep], high[keep], low[keep], close[keep], volume[keep])
        doubts: tuple[Doubt, ...] = ()
        if no_raw:
            doubts = (Doubt(f"adjusted prices came and no raw ones{_instead(share)}"),)
        if not plain:
            return History(*bars, AdjustedCloses(value[keep], action, places, cash, ratio), doubts)
        if not doubts and not _is_index(share):
            doubts = unadjusted_doubts(time, close[keep], action, _instead(share))
        return History(*bars, Factors(np.ones(len(time))), doubts)

    def _window(self, reader: Reader, *, adjusted: bool) -> _Window:
        share = reader.share
        answer = reader.answer()
        code = answer.get("code")
        if type(code) is not int:
            reader.no_reply(f"the source answered code {shown(code)}, {shown(answer.get('msg'))}")
        if code != 0:
            reader.refuse(f"the source answered code {shown(code)}, {shown(answer.get('msg'))}")
        data = answer.get("data")
        node: Any = []
        if data != []:
            data = reader.mapping(data, "data")
            if data and share not in data:
                reader.refuse(f"the reply is about {shown(next(iter(data)))}")
            node = data.get(share, [])
        if node == []:
            node = {}
        node = reader.mapping(node, f"data of {share}")
        key, named = "day", _is_named(share, node)
        if adjusted and ("hfqday" in node and (node["hfqday"] != [] or "day" not in node)):
            key = "hfqday"
        elif key not in node:
            others = [other for other in node if other.endswith("day")]
            if others:
                reader.refuse(f"the prices came under {shown(others[0])}")
            return _Window(key, np.empty(0, "datetime64[D]"), [[]] * 5, {}, named)
        rows = reader.sequence(node[key], key)
        if len(rows) >= _COUNT:
            reader.refuse(f"{len(rows)} rows came, so that some may have been cut off")
        events: dict[dt.date, Announcement] = {}
        silent = 0
        for number, row in enumerate(rows, 1):
            if type(row) is list and len(row) == 6:
                continue  # nearly all
            size = len(reader.sequence(row, f"row {number}"))
            if size not in _ITEMS:
                reader.refuse(f"row {number} has {size} items, not 6, 7 or 9")
            event = reader.mapping(row[6], f"item 7 of row {number}")
            if not any(event.values()):
                continue
            day = reader.day(event.get("cqr"), f"the ex-date (cqr) of row {number}")
            events[day] = read_announcement(_text(event.get("FHcontent")), _text(event.get("fh_sh")))
            silent += not (event.get("FHcontent") or event.get("fh_sh"))
        if silent > max(2, len(rows) // 2):
            # An ex-date in most of the rows is none.
            events = {day: said for day, said in events.items() if not said.says_nothing}
        first, *items = ([row[at] for row in rows] for at in range(6))
        return _Window(key, reader.days(first, "a date"), items, events, named)


def _text(value: Any) -> str:
    return str(value) if type(value) in (str, int, float) else ""


def _events(time: Days, windows: Sequence[_Window]) -> tuple[Booleans, Floats, Floats]:
    """On which sessions something is said to have happened, the cash and the ratio of it; each of shape (n,)."""
    action = np.zeros(len(time), dtype=bool)
    cash, ratio = np.full(len(time), np.nan), np.full(len(time), np.nan)
    said: dict[dt.date, Announcement] = {}
    for window in windows:
        for day, event in window.events.items():
            if day not in said or said[day].says_nothing:
                said[day] = event
    known = np.sort(time)
    for day in sorted(said):
        at = int(np.searchsorted(known, np.datetime64(day, "D")))
        if at == len(time):
            continue
        # An ex-date without a session counts for the next one.
        here = time == known[at]
        before = int(np.argmax(here))
        event = said[day]
        if action[before]:
            event = Announcement(float(cash[before]), float(ratio[before])).then(event)
        action[here], cash[here], ratio[here] = True, event.cash, event.ratio
    return action, cash, ratio


def _is_named(share: str, node: Any) -> bool:
    quote = node.get("qt")
    line = quote.get(share) if type(quote) is dict else None
    return type(line) is list and len(line) > 1 and type(line[1]) is str and line[1] != ""


def _is_index(share: str) -> bool:
    return share.startswith(("sh000", "sz399"))


def _shares_in_a_unit(share: str) -> int:
    return 1 if share.startswith(("hk", "sh688")) or _is_index(share) else _LOT


def _instead(share: str) -> str:
    """Who gives adjusted prices of a share, to be added to a message."""
    if not share.startswith("hk"):
        return "; sina gives factors of its own (--source sina)"
    symbol = f"{int(share.removeprefix('hk')):04d}.HK"
    return f"; Tencent does not adjust Hong Kong's prices, Yahoo does (--source yahoo --best-effort --shares {symbol})"


def _refuse_mixed(readers: Sequence[Reader], windows: Sequence[_Window], close: Floats, value: Floats) -> None:
    """Raw prices among adjusted ones: they are only right before the first event."""
    begin, plain, adjusted = 0, False, False
    for reader, window in zip(readers, windows, strict=True):
        if not len(window.days):
            continue
        if window.key == "day":
            if adjusted:
                reader.refuse(f"the prices from {window.days[0]} on are unadjusted, those before are adjusted")
            plain = True
        elif not adjusted:
            adjusted = True
            if plain and value[begin] != close[begin] and window.days[0].item() not in window.events:
                reader.refuse(f"the prices before {window.days[0]} are unadjusted, those from it on are adjusted")
        begin += len(window.days)


def _refuse_other_days(reader: Reader, raw: Days, adjusted: Days) -> None:
    if np.array_equal(raw, adjusted):
        return
    for there, other, name in ((raw, adjusted, "raw"), (adjusted, raw, "adjusted")):
        alone = there[~np.isin(there, other)]
        if len(alone):
            reader.refuse(f"the session {alone[0]} is only in the {name} prices")
    size = min(len(raw), len(adjusted))
    apart = np.flatnonzero(raw[:size] != adjusted[:size])
    day = raw[apart[0]] if len(apart) else max((raw, adjusted), key=len)[size]
    reader.refuse(f"raw and adjusted prices differ in the order or number of sessions from {day} on")


SOURCE = Tencent()
