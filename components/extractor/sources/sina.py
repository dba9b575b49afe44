"""Sina's klines with the factor file beside them: Shanghai and Shenzhen, the last 1,023 sessions; no key."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from components.errors import ExtractionError, UnknownShareError
from components.extractor.sources.base import Doubt, Factors, History, Reply, Request, Source
from components.extractor.sources.reading import Reader, shown, within
from components.feature_store.arrays import Days, Floats

_HEADERS = {"Referer": "https://finance.sina.com.cn/"}
_KLINES = "https://money.finance.sina.com.cn/quotes_service/api/json_v2.php/CN_MarketData.getKLineData"
_FACTORS = "https://finance.sina.com.cn/realstock/company"
_SHARE = re.compile(r"(?:sh|sz)[0-9]{6}")
# Shanghai's and Shenzhen's indices have no events, and may have no factors.
_INDEX = re.compile(r"sh000[0-9]{3}|sz399[0-9]{3}")
_REACH = 1023
# One assignment of one object, which holds no slash, and one comment. The text is read, never run.
_ASSIGNMENT = re.compile(
    rb"\s*var\s+(?P<name>[a-z]{2}[0-9]{6}[a-z]+)\s*=\s*(?P<object>\{[^/]*\})\s*(?:;\s*)?(?:/\*(?:(?!\*/).)*\*/\s*)?",
    re.DOTALL,
)


class Sina(Source):
    """Sina's klines and factors.

    An entry of the factor file counts from its day on, that of 1900-01-01 from the beginning. The file was seen empty
    for shares that have events (akshare #1199 and #6765, tushare #71): that is no answer. An index may have none.
    """

    name = "sina"
    order = 30
    title = "Sina klines"
    markets = "Shanghai and Shenzhen shares and indices"
    adjustment = "raw, with a file of factors from the first day on"
    share_example = "sh600519"
    reach = _REACH

    def exchange(self, share: str) -> str:
        """See `Source.exchange`."""
        if not _SHARE.fullmatch(share):
            raise ExtractionError(f"share {share!r} is not a name of source sina: write sh600519 or sz000001")
        return "XSHG"

    def requests(self, share: str, first: dt.date, last: dt.date) -> list[Request]:
        """See `Source.requests`; two, the klines and the factors. Neither has a range of days."""
        self.exchange(share)
        return [
            Request(f"{_KLINES}?symbol={share}&scale=240&ma=no&datalen={_REACH}", _HEADERS),
            Request(f"{_FACTORS}/{share}/hfq.js", _HEADERS),
        ]

    def parse(self, share: str, first: dt.date, last: dt.date, replies: Sequence[Reply]) -> History:
        """See `Source.parse`."""
        klines, factors = replies
        reader = Reader(self, share, klines)
        if klines.status == 200 and klines.body.strip() in (b"null", b"[]"):
            raise UnknownShareError(f"sina, share {share}: Sina has no session of it; check the name")
        days, *columns = reader.rows(("day", "open", "high", "low", "close", "volume"))
        time = reader.days(days, "a day")
        open_, high, low, close = (
            reader.prices(values, f"the {what}", time)
            for what, values in zip(("open", "high", "low", "close"), columns[:4], strict=True)
        )
        volume = reader.volumes(columns[4], time)
        since, values = self._factors(share, factors)
        factor = np.concatenate([[1.0], values])[np.searchsorted(since, time, side="right")]
        keep = within(time, first, last)
        doubts = () if _INDEX.fullmatch(share) else _doubts(since, time[keep])
        bars = (time[keep], open_[keep], high[keep], low[keep], close[keep], volume[keep])
        return History(*bars, Factors(factor[keep]), doubts)

    def _factors(self, share: str, reply: Reply) -> tuple[Days, Floats]:
        """The days from which on each factor counts, ascending, and the factors."""
        if reply.status == 404 and _INDEX.fullmatch(share):
            return np.empty(0, "datetime64[D]"), np.empty(0)
        reader = Reader(self, share, reply)
        found = _ASSIGNMENT.fullmatch(reply.body)
        if reply.status == 200 and (found is None or found["name"].decode() != f"{share}hfq"):
            reader.no_reply(f"the reply is not an assignment to {share}hfq")
        # Where there is none, json_of refuses the status.
        cut_out = replace(reply, body=found["object"]) if found else reply
        answer = reader.mapping(self.json_of(share, cut_out), "the object")
        entries = reader.sequence(answer.get("data"), "data")
        total = answer.get("total")
        if type(total) is not int or total != len(entries):
            reader.refuse(f"{len(entries)} factors came of {shown(total)}")
        for number, entry in enumerate(entries, 1):
            # Of funds: shares that one has become (u) and cash that was paid (s); their f is 1 throughout (mootdx #77).
            row = reader.mapping(entry, f"factor {number}")
            for key, nothing in (("u", 1.0), ("s", 0.0)):
                if key in row and not _is(row[key], nothing):
                    reader.refuse(f"factor {number} has {key} = {shown(row[key])}, an adjustment that is no factor")
        since_texts, value_texts = reader.columns(entries, ("d", "f"))
        since = reader.days(since_texts, "the day of a factor")
        values = reader.prices(value_texts, "the factor", since)
        order = np.argsort(since, kind="stable")
        since, values = since[order], values[order]
        for at in np.flatnonzero((since[1:] == since[:-1]) & (values[1:] != values[:-1]))[:1]:
            reader.refuse(f"{since[at]} has two factors, {values[at]:g} and {values[at + 1]:g}")
        return since, values


def _doubts(since: Days, time: Days) -> tuple[Doubt, ...]:
    """Whether the factors are all there: a share without events has one, of 1900-01-01."""
    if not len(since):
        return (Doubt("the list of factors is empty, which is no answer for a share: without events it has one entry"),)
    lacking = time[time < since[0]]
    if len(lacking):
        return (Doubt(f"the factors begin with {since[0]}, and that of {lacking.min()} is not among them"),)
    return ()


def _is(value: object, number: float) -> bool:
    if type(value) is str and re.fullmatch(r"[0-9]+(\.[0-9]+)?", value):
        return float(value) == number
    return type(value) in (int, float) and value == number


SOURCE = Sina()
