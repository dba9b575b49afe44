"""Tencent's fqkline and hkfqkline."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

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
        # Where nothing can be adjusted the answer is raw, whatever was asked for.
        adjustable = not _is_index(share) and any(index < shown for index in listing.events)
        adjustment = asked if adjustable else ""
        scale = 1 / float(listing.factor[shown - 1]) if adjustment == "qfq" else 1.0
        in_shares = listing.exchange != "XSHG" or share.startswith("sh688") or _is_index(share)
        lot = 1 if in_shares else _LOT

        def render(row: Row) -> str:
            factor = float(listing.factor[row.priced]) * scale if adjustment else 1.0
            prices = ",".join(f'"{price * factor:.2f}"' for price in (row.open, row.close, row.high, row.low))
            event = listing.events.get(row.day)
            told = "" if event is None or _is_index(share) else f",{_event(listing, row.day, event)}"
            return f'["{listing.days[row.day]}",{prices},"{row.volume // lot}"{told}]'

        key, most = (f"tencent:{adjustment}:{_is_index(share)}", scale, lot), min(count, _MOST_ROWS)
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


def _is_index(share: str) -> bool:
    return share.startswith(("sh000", "sz399"))


def _event(listing: Listing, index: int, event: Event) -> str:
    """The seventh item of an ex-date: cash for 10 shares, and in words."""
    cash = f"{event.dividend * 10:.10g}"
    words = "10"
    if event.split > 1:
        words += f"转{(event.split - 1) * 10:.10g}股"
    elif event.split < 1:
        words += f"合{event.split * 10:.10g}股"
    words += f"派{cash}元" if event.dividend else ""
    return f'{{"fh_sh":"{cash}","djr":"{listing.days[index - 1]}","cqr":"{listing.days[index]}","FHcontent":"{words}"}}'
