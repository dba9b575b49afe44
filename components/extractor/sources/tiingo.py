"""Tiingo's end-of-day prices: shares and funds of the United States, with a free token."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Sequence

import numpy as np

from components.errors import ExtractionError, UnknownShareError
from components.extractor.sources.base import History, Reply, Request, Source, Steps
from components.extractor.sources.reading import Reader, decimals, event_steps, shown, within
from components.feature_store.arrays import Days, Floats

_SHARE = re.compile(r"[A-Z0-9][A-Z0-9.-]{0,19}")
_KEYS = ("date", "open", "high", "low", "close", "adjClose", "divCash", "splitFactor", "volume")
_TIME_OF_DAY = re.compile(r"T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:Z|[+-][0-9]{2}:?[0-9]{2})?")
# JSON numbers lose their trailing zeros, so that a few round ones look coarser than they are.
_CENTS = 2
_ALLOWED, _ALLOWED_OF_DIVIDEND = 1e-4, 0.25


class Tiingo(Source):
    """Tiingo's end-of-day prices.

    The adjusted close is not taken over, because it is anchored at the last day; it serves as a check on the events.
    From one session to the next the ratio adjClose / close has to grow by split * d, d = p / (p - dividend). Another
    usual convention is 1 + dividend / close for d; the two differ by about d - 1 times the return of that day. So a
    ratio may be off by 1e-4 + 0.25 * (d - 1) of itself, and by the rounding of adjClose as it is written. An event
    told on one side only is off by d - 1 or by the whole split, which is more for any dividend above 1.4e-4 of the
    price.
    """

    name = "tiingo"
    order = 20
    title = "Tiingo end of day"
    markets = "US shares and funds"
    adjustment = "raw, with cash dividends and splits"
    share_example = "GOOGL"
    key_variable = "TIINGO_API_KEY"
    # Final about 17:30 New York time.
    settle = dt.timedelta(minutes=90)
    cumulative = False

    def exchange(self, share: str) -> str:
        """See `Source.exchange`."""
        if not _SHARE.fullmatch(share):
            raise ExtractionError(
                f"share {share!r} is not a name of source tiingo: write GOOGL or BRK-B, in upper case"
            )
        return "XNYS"

    def requests(self, share: str, first: dt.date, last: dt.date) -> list[Request]:
        """See `Source.requests`; one."""
        self.exchange(share)
        query = f"startDate={first}&endDate={last}&format=json&resampleFreq=daily"
        return [Request(f"https://api.tiingo.com/tiingo/daily/{share}/prices?{query}")]

    def authorization(self, key: str) -> str:
        """See `Source.authorization`."""
        return f"Token {key}"

    def parse(self, share: str, first: dt.date, last: dt.date, replies: Sequence[Reply]) -> History:
        """See `Source.parse`."""
        (reply,) = replies
        if reply.status == 404 and _says_unknown(reply.body):
            raise UnknownShareError(f"tiingo, share {share}: Tiingo does not know it; check the name")
        reader = Reader(self, share, reply)
        dates, *columns = reader.rows(_KEYS)
        texts = []
        for date in dates:
            if type(date) is not str or not (date[10:] == "" or _TIME_OF_DAY.fullmatch(date[10:])):
                reader.refuse(f"a date is {shown(date)}, not like 2015-01-02T00:00:00.000Z")
            texts.append(date[:10])
        time = reader.days(texts, "a date")
        open_, high, low, close, adjusted = (
            reader.prices(values, key, time) for key, values in zip(_KEYS[1:6], columns[:5], strict=True)
        )
        dividend = reader.amounts(columns[5], "divCash", time)
        split = reader.prices(columns[6], "splitFactor", time)
        steps = event_steps(reader, time, close, dividend, split)
        _check(reader, time, close, adjusted, split, steps, 0.5 * 10.0 ** -max(_CENTS, decimals(columns[4])))
        volume = reader.volumes(columns[7], time)
        keep = within(time, first, last)
        kept = steps[keep]
        kept[:1] = 1.0
        return History(
            time[keep], open_[keep], high[keep], low[keep], close[keep], volume[keep], Steps(kept, dividend[keep])
        )


def _check(
    reader: Reader, time: Days, close: Floats, adjusted: Floats, split: Floats, steps: Floats, rounding: float
) -> None:
    ratio = adjusted / close
    # Of the dividend alone: a split is exact, and must not lend its size to the tolerance.
    told = ratio[1:] / ratio[:-1] / split[1:]
    made = steps[1:] / split[1:]
    allowed = made * (_ALLOWED + rounding / adjusted[1:] + rounding / adjusted[:-1])
    allowed += _ALLOWED_OF_DIVIDEND * (made - 1)
    for at in np.flatnonzero(np.abs(told - made) > allowed)[:1]:
        reader.refuse(
            f"adjClose grows by {told[at] * split[at + 1]:.6g} against close on {time[at + 1]}, but divCash and "
            f"splitFactor make it {steps[at + 1]:.6g}"
        )


def _says_unknown(body: bytes) -> bool:
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return False
    detail = answer.get("detail") if type(answer) is dict else None
    return type(detail) is str and "not found" in detail.lower()


SOURCE = Tiingo()
