"""house: prices that a server of your own gives as JSON, a list of days with a factor.

    [{"day": "2024-01-02", "open": 10.1, "high": 10.4, "low": 10.0, "close": 10.2, "volume": 1200, "factor": 1.0}, ...]

A source says how to ask and how to read. Sending, waiting, repeating, and judging what came, are awesome's.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from components.errors import ExtractionError, UnknownShareError
from components.extractor.sources.base import Factors, History, Reply, Request, Source
from components.extractor.sources.reading import Reader, within

_SHARE = re.compile(r"[A-Z]{1,5}")
_KEYS = ("day", "open", "high", "low", "close", "volume", "factor")


class House(Source):
    """The server of your own; put its address in the place of prices.example.org."""

    name = "house"
    title = "Prices of the house"
    markets = "US shares"
    adjustment = "raw, with a factor of each day"
    share_example = "AAPL"
    rate = 20.0

    def exchange(self, share: str) -> str:
        """The exchange whose sessions the share has."""
        if not _SHARE.fullmatch(share):
            raise ExtractionError(f"share {share!r} is not a name of source house: write AAPL")
        return "XNYS"

    def requests(self, share: str, first: dt.date, last: dt.date) -> list[Request]:
        """One request for all days."""
        self.exchange(share)
        return [Request(f"https://prices.example.org/daily/{share}?first={first}&last={last}")]

    def parse(self, share: str, first: dt.date, last: dt.date, replies: Sequence[Reply]) -> History:
        """What the reply says; the reader refuses each value that is not what it has to be, and names it."""
        (reply,) = replies
        if reply.status == 404:
            raise UnknownShareError(f"house, share {share}: the server does not know it; check the name")
        reader = Reader(self, share, reply)
        days, *columns = reader.rows(_KEYS)
        time = reader.days(days, "a day")
        open_, high, low, close = (
            reader.prices(values, key, time) for key, values in zip(_KEYS[1:5], columns[:4], strict=True)
        )
        volume = reader.volumes(columns[4], time)
        factor = reader.prices(columns[5], "factor", time)
        keep = within(time, first, last)
        bars = (time[keep], open_[keep], high[keep], low[keep], close[keep], volume[keep])
        return History(*bars, Factors(factor[keep]))


SOURCE = House()
