"""Tencent's fqkline and hkfqkline, as public measurements describe them (HKUDS/Vibe-Trading, issues 1493, 1497, 1541).

Adjusted prices are affine in the raw ones: hfq = k x raw + c, qfq the same with k = 1 and c = 0 on the last session.
Hong Kong's are raw whatever is asked for, in rows of nine items.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

from components.extractor.replay.exchanges import is_index
from components.extractor.replay.market import Event, Listing, Row
from components.extractor.replay.wire import JSON, Answer, Ask, Wire, rendered_window, to_json

_PATHS = {"/appstock/app/fqkline/get": r"(sh|sz)\d{6}", "/appstock/app/hkfqkline/get": r"hk\d{5}"}
_BAD_PARAMS = to_json(200, {"code": 1, "msg": "bad params"})
_MOST_ROWS = 640
_LOT = 100


class Tencent(Wire):
    """Raw and adjusted bars in windows, events inline."""

    name = "tencent"
    hosts = ("web.ifzq.gtimg.cn",)

    def share(self, path: str, query: Mapping[str, str]) -> str | None:
        """The first part of `param`."""
        return query.get("param", "").partition(",")[0] or None

    def answer(self, ask: Ask) -> Answer:
        """A page of bars, or code 1 for what it does not understand."""
        try:
            share, days, *span, number, asked = ask.query.get("param", "").split(",")
            first, last = (dt.date.fromisoformat(day) if day else None for day in span)
            count = int(number)
        except ValueError:
            return _BAD_PARAMS
        understood = days == "day" and count > 0 and asked in ("", "qfq", "hfq")
        if not understood or ask.path not in _PATHS or not re.fullmatch(_PATHS[ask.path], share):
            return _BAD_PARAMS
        listing = ask.listing(share)
        if listing is None:
            return to_json(200, {"code": 0, "msg": "", "data": {share: []}})
        shown = ask.market.shown(listing)
        index, hong_kong = is_index(share), listing.exchange == "XHKG"
        # An index has no events. Where nothing can be adjusted the answer is raw, whatever was asked for.
        adjustable = not hong_kong and any(at < shown for at in listing.events)
        unadjusted = ask.faulty("unadjusted")
        adjustment = asked if adjustable and not unadjusted else ""
        slope, offset = listing.level
        scale, base = (1.0, 0.0) if adjustment != "qfq" else (float(slope[shown - 1]), float(offset[shown - 1]))
        in_shares = listing.exchange != "XSHG" or share.startswith("sh688") or index
        lot = 1 if in_shares else _LOT
        # The rows go on to name events where the prices are not adjusted.
        named = {} if not listing.told else ask.market.listings[share].events

        def render(row: Row) -> str:
            k, c = (slope[row.priced] / scale, (offset[row.priced] - base) / scale) if adjustment else (1.0, 0.0)
            levels = (k * price + c for price in (row.open, row.close, row.high, row.low))
            prices = ",".join(f'"{level:.2f}"' for level in levels)
            event = named.get(row.day)
            told = "" if event is None else f",{_event(listing, row.day, event)}"
            if hong_kong:
                told = f'{told or ",{}"},"0.000","{row.volume * row.close:.3f}"'
            return f'["{listing.days[row.day]}",{prices},"{row.volume // lot}"{told}]'

        key, most = ("tencent", adjustment, index, listing.told, base, scale, lot), min(count, _MOST_ROWS)
        rows, start = rendered_window(ask, listing, key, render, first=first, last=last, most=most)
        before = float(listing.close[max(start - 1, 0)])
        body = (
            f'{{"code":0,"msg":"","data":{{"{share}":{{"{adjustment}day":[{",".join(rows)}],'
            f'"qt":{{"{share}":["1","{share}","{share[2:]}"]}},"prec":"{before:.2f}"}}}}}}'
        )
        variable = ask.query.get("_var")
        if variable:
            return Answer(200, "application/x-javascript; charset=utf-8", f"{variable}={body}".encode())
        return Answer(200, JSON, body.encode())


def _event(listing: Listing, index: int, event: Event) -> str:
    """The seventh item of an ex-date: cash for 10 shares, and in words."""
    cash = f"{event.dividend * event.split * 10:.10g}"
    words = "10"
    if event.split > 1:
        words += f"转{(event.split - 1) * 10:.10g}股"
    elif event.split < 1:
        words += f"合{event.split * 10:.10g}股"
    words += f"派{cash}元" if event.dividend else ""
    words += f"配{event.rights * 10:.10g}股配股价{event.price:.10g}元" if event.rights else ""
    return f'{{"fh_sh":"{cash}","djr":"{listing.days[index - 1]}","cqr":"{listing.days[index]}","FHcontent":"{words}"}}'
