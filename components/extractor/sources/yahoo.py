"""Yahoo's v8 chart: shares and some indices of the whole world, best effort; no key.

Its prices are split-adjusted up to today, so every later split has to be known before a raw price is.
"""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import numpy as np

from components.errors import ExtractionError, UnknownShareError
from components.extractor.sources.base import Doubt, History, Reply, Request, Source, Steps
from components.extractor.sources.events import contradicted_events, splits_elsewhere
from components.extractor.sources.reading import Reader, as_days, event_steps, shown, within
from components.feature_store.arrays import Days, Floats, Integers

EXCHANGES: Mapping[str, str] = {
    "": "XNYS",
    ".AS": "XAMS",
    ".AX": "XASX",
    ".BO": "XBOM",
    ".DE": "XETR",
    ".HK": "XHKG",
    ".KS": "XKRX",
    ".L": "XLON",
    ".MI": "XMIL",
    ".NS": "XBOM",
    ".PA": "XPAR",
    ".SA": "BVMF",
    ".SI": "XSES",
    ".SS": "XSHG",
    ".SW": "XSWX",
    ".SZ": "XSHG",
    ".T": "XTKS",
    ".TO": "XTSE",
}
INDICES: Mapping[str, str] = {
    **dict.fromkeys(("^DJI", "^GSPC", "^IXIC", "^NDX", "^NYA", "^RUT"), "XNYS"),
    "^AXJO": "XASX",
    "^FCHI": "XPAR",
    "^FTSE": "XLON",
    "^GDAXI": "XETR",
    "^HSI": "XHKG",
    "^N225": "XTKS",
}
_SHARE = re.compile(r"[A-Z0-9][A-Z0-9&-]{0,19}(?P<suffix>\.[A-Z]{1,2})?")
_ZONE = re.compile(r"[A-Za-z_]+(?:/[A-Za-z0-9_+-]+){0,2}")
_COLUMNS = ("open", "high", "low", "close", "volume")
# 2100-01-01, so that the splits after the last day wanted are among the events.
_END = 4_102_444_800
_START = -_END
_NO_DAYS = np.empty(0, dtype="datetime64[D]")
# Prices are float32, about 7 digits: more decimals than a price has, fewer than the noise. What is quoted below 1, in
# steps that nobody sets, keeps its digits: four decimals would leave nothing of a price before a reverse split.
_DECIMALS, _DIGITS = 4, 6
_LEAST = 1e-5
_MOST = 1e12
# Of the logarithm. Smaller ones differ by convention, and by what Yahoo rounds.
_LEAST_DIVIDEND = 0.02
# Of all splits together, in powers of ten.
_MAGNITUDE = 12


class Yahoo(Source):
    """Yahoo's v8 chart.

    A raw price is the price times the ratios of all splits after its day, rounded to 4 decimals (below 1, to 6 digits),
    because Yahoo computes in float32; a volume is divided by them. That is why the request reaches beyond the last day
    wanted, to the year 2100: a split after that day changed its price too.

    Some splits are named and not applied to the closes before them, or only to a part (yfinance #1531, #1543, #2002):
    all rows of the reply, those beyond the last day too, have to show each split. A dividend above 2 % of the price has
    to be in the adjusted closes as well.
    """

    name = "yahoo"
    order = 40
    title = "Yahoo v8 chart"
    markets = "shares of 16 exchanges and their main indices"
    adjustment = "split-adjusted up to today and made raw again, with cash dividends and splits"
    share_example = "AAPL"
    rate = 1.0
    connections = 1
    cumulative = False
    best_effort = True

    def exchange(self, share: str) -> str:
        """See `Source.exchange`."""
        match = _SHARE.fullmatch(share)
        code = EXCHANGES.get(match["suffix"] or "") if match else INDICES.get(share)
        if code is None:
            raise ExtractionError(
                f"share {share!r} is not a name of source yahoo: write AAPL, BRK-B, 0700.HK or ^GSPC; the endings are "
                f"{' '.join(filter(None, EXCHANGES))}, the indices {' '.join(INDICES)}"
            )
        return code

    def requests(self, share: str, first: dt.date, last: dt.date) -> list[Request]:
        """See `Source.requests`; one, which reaches beyond `last` for the splits there."""
        self.exchange(share)
        start = dt.datetime.combine(first, dt.time(), dt.UTC) - dt.timedelta(days=1)
        query = f"period1={int(start.timestamp())}&period2={_END}&interval=1d&events=div,splits&includePrePost=false"
        return [Request(f"https://query2.finance.yahoo.com/v8/finance/chart/{quote(share, safe='')}?{query}")]

    def parse(self, share: str, first: dt.date, last: dt.date, replies: Sequence[Reply]) -> History:
        """See `Source.parse`."""
        (reply,) = replies
        reader = Reader(self, share, reply)
        result = self._result(reader)
        if "timestamp" not in result:
            nothing = np.empty(0)
            return History(_NO_DAYS, nothing, nothing, nothing, nothing, nothing, Steps(nothing))
        zone = _zone(reader, result)
        stamps = reader.sequence(result["timestamp"], "timestamp")
        time = as_days(_day(reader, stamp, zone) for stamp in stamps)
        dividends, splits = _events(reader, result, zone)
        for day in sorted(day for day in splits if not len(time) or np.datetime64(day) > time.max()):
            # Nobody knows whether the prices before it are in its shares yet.
            reader.refuse(f"the split of {day} comes after the last session; ask again when it has traded")

        columns = _columns(reader, result, len(time))
        all_days = time
        keep = np.array([close is not None for close in columns[3]], dtype=bool) & within(time, first, last)
        time = time[keep]
        open_, high, low, close, volume = (list(compress(column, keep)) for column in columns)
        later = _product_after(time, splits)
        raw_open, raw_high, raw_low, raw_close = (
            _rounded(reader.prices_or_null(values, f"the {what}", time) * later)
            for what, values in zip(_COLUMNS, (open_, high, low, close), strict=False)
        )
        for day in time[raw_close < _LEAST][:1]:
            reader.refuse(f"the raw close of {day} rounds to 0")
        split, dividend = np.ones(len(time)), np.zeros(len(time))
        for day, ratio in splits.items():
            for at in _session_of(time, day):
                split[at] *= ratio
        for day, amount in dividends.items():
            for at in _session_of(time, day):
                dividend[at] += amount * later[at]
        steps = event_steps(reader, time, raw_close, dividend, split)
        raw_volume = reader.volumes(volume, time) / later
        doubts = _doubts(result, all_days, splits, dividends, steps / split, time)
        return History(time, raw_open, raw_high, raw_low, raw_close, raw_volume, Steps(steps, dividend), doubts)

    def _result(self, reader: Reader) -> Mapping[str, Any]:
        share, reply = reader.share, reader.reply
        answer: Any
        if reply.status == 404:
            try:
                answer = reader.mapping(json.loads(reply.body), "the reply")
            except (ValueError, RecursionError):
                reader.refuse("the source refused")
        else:
            answer = reader.answer()
        chart = answer.get("chart")
        if type(chart) is not dict:
            reader.no_reply(f"chart is {shown(chart)} and not an object")
        error = chart.get("error")
        if error is not None:
            code = reader.mapping(error, "chart.error").get("code")
            if code == "Not Found":
                raise UnknownShareError(f"yahoo, share {share}: Yahoo does not know it; check the name")
            reader.refuse(f"the source answered {shown(code)}, {shown(error.get('description'))}")
        if reply.status != 200:
            reader.refuse("the source refused")
        results = reader.sequence(chart.get("result"), "chart.result")
        if len(results) != 1:
            reader.refuse(f"chart.result has {len(results)} items, not 1")
        result = reader.mapping(results[0], "chart.result")
        symbol = reader.mapping(result.get("meta"), "meta").get("symbol")
        if symbol != share:
            reader.refuse(f"the reply is about {shown(symbol)}")
        return result


def _zone(reader: Reader, result: Mapping[str, Any]) -> ZoneInfo:
    name = result["meta"].get("exchangeTimezoneName")
    if type(name) is str and _ZONE.fullmatch(name):
        try:
            return ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            pass  # no such zone, or a folder of them
    reader.refuse(f"exchangeTimezoneName is {shown(name)} and not a time zone")


def _day(reader: Reader, stamp: Any, zone: ZoneInfo) -> dt.date:
    if type(stamp) is not int or not _START < stamp < _END:
        reader.refuse(f"a time is {shown(stamp)} and not seconds since 1970")
    # Not fromtimestamp(stamp), which Windows refuses before 1970.
    return (dt.datetime(1970, 1, 1, tzinfo=dt.UTC) + dt.timedelta(seconds=stamp)).astimezone(zone).date()


def _columns(reader: Reader, result: Mapping[str, Any], size: int) -> list[list[Any]]:
    quotes = reader.sequence(reader.mapping(result.get("indicators"), "indicators").get("quote"), "quote")
    if len(quotes) != 1:
        reader.refuse(f"quote has {len(quotes)} items, not 1")
    quoted = reader.mapping(quotes[0], "quote")
    columns = [reader.sequence(quoted.get(key), key) for key in _COLUMNS]
    for key, column in zip(_COLUMNS, columns, strict=True):
        if len(column) != size:
            reader.refuse(f"{key} has {len(column)} values for {size} times")
    return columns


def _events(
    reader: Reader, result: Mapping[str, Any], zone: ZoneInfo
) -> tuple[dict[dt.date, float], dict[dt.date, float]]:
    """Cash dividends, added up, and ratios of splits, multiplied, by day."""
    events = reader.mapping(result.get("events", {}), "events")
    dividends: dict[dt.date, float] = {}
    for event in reader.mapping(events.get("dividends", {}), "dividends").values():
        day = _day(reader, reader.mapping(event, "a dividend").get("date"), zone)
        (amount,) = reader.amounts([event.get("amount")], "the dividend", as_days([day]))
        dividends[day] = dividends.get(day, 0.0) + float(amount)
    splits: dict[dt.date, float] = {}
    magnitude = 0.0
    for event in reader.mapping(events.get("splits", {}), "splits").values():
        day = _day(reader, reader.mapping(event, "a split").get("date"), zone)
        parts = [event.get("numerator"), event.get("denominator")]
        numerator, denominator = reader.prices(parts, "a part of the split", as_days([day] * 2))
        ratio = float(numerator / denominator)
        magnitude += abs(math.log10(ratio))
        if magnitude > _MAGNITUDE:
            reader.refuse("the splits multiply to a number that no share has")
        splits[day] = splits.get(day, 1.0) * ratio
    return dividends, splits


def _rounded(price: Floats) -> Floats:
    """Prices without the noise of float32."""
    small = price < 1
    if not small.any():
        return np.round(price, _DECIMALS)
    unit = 10.0 ** (_DIGITS - np.ceil(np.log10(np.where(small, price, 1.0))))
    return np.where(small, np.round(price * unit) / unit, np.round(price, _DECIMALS))


def _doubts(
    result: Mapping[str, Any],
    days: Days,
    splits: Mapping[dt.date, float],
    dividends: Mapping[dt.date, float],
    paid: Floats,
    time: Days,
) -> tuple[Doubt, ...]:
    """Splits that the closes do not show, and dividends that the adjusted closes do not.

    Args:
        result: what the reply holds.
        days: of its rows, shape (m,).
        splits: ratios by day.
        dividends: amounts by day, in shares of today as the closes are.
        paid: steps of the factor by dividends alone, shape (n,).
        time: the sessions that these are of, among the days.
    """
    quoted = [_price(value) for value in result["indicators"]["quote"][0]["close"]]
    known = np.flatnonzero(np.isfinite(quoted))
    close, days = np.array(quoted)[known], days[known]
    if (np.diff(days.astype(np.int64)) < 0).any():
        return ()  # it is refused for that
    steps = np.ones(len(days))
    for day, ratio in splits.items():
        for at in _session_of(days, day):
            steps[at] *= ratio
    for day, amount in dividends.items():
        for at in _session_of(days, day):
            if at and amount < close[at - 1]:
                steps[at] *= close[at - 1] / (close[at - 1] - amount)
    steps[:1] = 1.0
    doubts = contradicted_events(days, close * _product_after(days, splits), np.cumprod(steps))
    by_day = {np.datetime64(day, "D"): ratio for day, ratio in splits.items()}
    return doubts + splits_elsewhere(days, close, by_day) + _unpaid(result, days, known, close, paid, time)


def _unpaid(
    result: Mapping[str, Any], days: Days, known: Integers, close: Floats, paid: Floats, time: Days
) -> tuple[Doubt, ...]:
    """Dividends that adjusted closes, where there are any, do not show as they are named."""
    indicators = result["indicators"].get("adjclose")
    first = indicators[0] if type(indicators) is list and indicators else None
    given = first.get("adjclose") if type(first) is dict else None
    if type(given) is not list or len(given) <= int(known.max(initial=-1)):
        return ()
    adjusted = np.array([_price(given[at]) for at in known.tolist()])
    ratio = adjusted / close
    _, here, there = np.intersect1d(days[1:], time[1:], return_indices=True)
    named, told = np.log(paid[there + 1]), np.log(ratio[here + 1] / ratio[here])
    with np.errstate(invalid="ignore"):  # an adjusted close may be null
        apart = np.abs(named - told) > np.maximum(_LEAST_DIVIDEND, np.abs(named) / 2)
    return tuple(
        Doubt(
            f"for {days[here[at] + 1]} dividends of {_percent(named[at])} of the price are named, and "
            f"the adjusted closes show {_percent(told[at])}",
            days[here[at] + 1].item(),
        )
        for at in np.flatnonzero(apart)
    )


def _percent(step: float) -> str:
    """The part of the price that a dividend is, from the logarithm of its step."""
    return f"{-100 * math.expm1(-step) + 0.0:.3g} %"  # never -0


def _price(value: Any) -> float:
    """A price of any row; NaN where it is none, as of rows that are not wanted nothing has to be right."""
    return float(value) if type(value) in (int, float) and 0 < value < _MOST else math.nan


def _product_after(time: Days, splits: Mapping[dt.date, float]) -> Floats:
    later = np.ones(len(time))
    for day, ratio in splits.items():
        later[time < np.datetime64(day)] *= ratio
    return later


def _session_of(time: Days, day: dt.date) -> Sequence[int]:
    """Where the first session on or after a day is, if there is one."""
    on_or_after = time[time >= np.datetime64(day)]
    return np.flatnonzero(time == on_or_after.min())[:1].tolist() if len(on_or_after) else []


SOURCE = Yahoo()
