"""Yahoo's v8 chart."""

from __future__ import annotations

import bisect
import datetime as dt
import json
import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from components.extractor.replay.exchanges import opening
from components.extractor.replay.market import Listing, Row, whole_ratio
from components.extractor.replay.wire import JSON, Answer, Ask, Wire, rendered_window, to_json

_PATH = re.compile(r"/v8/finance/chart/([^/]+)")
_CURRENCIES = {
    **{"XSHG": "CNY", "XHKG": "HKD", "XNYS": "USD", "XLON": "GBp", "XTKS": "JPY", "XTSE": "CAD"},
    **{"XASX": "AUD", "XSWX": "CHF", "XKRX": "KRW", "XBOM": "INR", "XSES": "SGD", "BVMF": "BRL"},
}
_PRICES = ("open", "high", "low", "close")


class Yahoo(Wire):
    """Split-adjusted bars in columns, adjusted closes and events beside them."""

    name = "yahoo"
    hosts = ("query2.finance.yahoo.com", "query1.finance.yahoo.com")

    def share(self, path: str, query: Mapping[str, str]) -> str | None:
        """The symbol of the path."""
        match = _PATH.fullmatch(path)
        return match[1] if match else None

    def answer(self, ask: Ask) -> Answer:
        """The bars of the sessions that opened from period1 on and before period2."""
        share = self.share(ask.path, ask.query)
        listing = None if share is None else ask.listing(share)
        if listing is None:
            return _error(404, "Not Found", "No data found, symbol may be delisted")
        try:
            begin, end = int(ask.query["period1"]), int(ask.query["period2"])
        except (KeyError, ValueError):
            return _error(400, "Bad Request", "Invalid input - period1 and period2 are seconds")
        if ask.query.get("interval") != "1d" or begin >= end:
            return _error(400, "Bad Request", "Invalid input - interval=1d and period1 < period2 are answered here")
        opened, days = listing.opened, listing.time
        start, stop = bisect.bisect_left(opened, begin), bisect.bisect_left(opened, end)
        shown = ask.market.shown(listing)
        last_factor, last_shares = float(listing.factor[shown - 1]), float(listing.shares[shown - 1])

        unapplied = ask.faulty("split-not-applied")

        def render(row: Row) -> tuple[str, ...]:
            ratio = 1.0 if unapplied else float(listing.shares[row.priced]) / last_shares
            prices = [_single(price * ratio) for price in (row.open, row.high, row.low, row.close)]
            adjusted = _single(row.close * float(listing.factor[row.priced]) / last_factor)
            return str(opened[row.day] + row.later), *prices, str(round(row.volume / ratio)), adjusted

        rows: list[tuple[str, ...]] = []
        if start < min(stop, shown):
            key, first, last = ("yahoo", last_factor, last_shares, unapplied), days[start].item(), days[stop - 1].item()
            rows, _ = rendered_window(ask, listing, key, render, first=first, last=last, live_twice=True)
        asked_events = ask.query.get("events", "")
        events = _events(listing, range(start, min(stop, shown)), last_shares, asked_events)
        meta = json.dumps(_meta(ask, listing))
        if not rows:
            content = f'{{"meta":{meta},"indicators":{{"quote":[{{}}],"adjclose":[{{}}]}}}}'
        else:
            columns = [f"[{','.join(column)}]" for column in zip(*rows, strict=True)]
            quote = ",".join(f'"{name}":{column}' for name, column in zip(_PRICES, columns[1:5], strict=True))
            told = f'"events":{json.dumps(events)},' if events else ""
            content = (
                f'{{"meta":{meta},"timestamp":{columns[0]},{told}"indicators":{{"quote":[{{{quote},'
                f'"volume":{columns[5]}}}],"adjclose":[{{"adjclose":{columns[6]}}}]}}}}'
            )
        return Answer(200, JSON, f'{{"chart":{{"result":[{content}],"error":null}}}}'.encode())


def _single(price: float) -> str:
    """A price as Yahoo has it: in single precision, written in full."""
    return repr(float(np.float32(price)))


def _events(listing: Listing, window: range, last_shares: float, asked: str) -> dict[str, Any]:
    """Dividends in shares of the last day, and splits, by the open of their ex-date."""
    found: dict[str, Any] = {"dividends": {}, "splits": {}}
    for index, event in listing.events.items():
        at = listing.opened[index]
        if index not in window:
            continue
        if event.dividend and "div" in asked:
            amount = event.dividend * float(listing.shares[index]) / last_shares
            found["dividends"][str(at)] = {"amount": round(amount, 6), "date": at}
        if event.split != 1 and "split" in asked:
            ratio = whole_ratio(event.split)
            found["splits"][str(at)] = {
                "date": at,
                "numerator": float(ratio.numerator),
                "denominator": float(ratio.denominator),
                "splitRatio": f"{ratio.numerator}:{ratio.denominator}",
            }
    return {name: events for name, events in found.items() if events}


def _meta(ask: Ask, listing: Listing) -> dict[str, Any]:
    zone, at = opening(listing.exchange)
    offset = dt.datetime.combine(ask.market.today, at, zone).utcoffset()
    return {
        "currency": _CURRENCIES.get(listing.exchange, "EUR"),
        "symbol": listing.share,
        "exchangeTimezoneName": str(zone),
        "gmtoffset": 0 if offset is None else int(offset.total_seconds()),
        "dataGranularity": "1d",
    }


def _error(status: int, code: str, description: str) -> Answer:
    return to_json(status, {"chart": {"result": None, "error": {"code": code, "description": description}}})
