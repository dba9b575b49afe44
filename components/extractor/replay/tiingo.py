"""Tiingo's daily prices."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping

from components.extractor.replay.market import Event, Row
from components.extractor.replay.wire import JSON, Answer, Ask, Wire, rendered_window, to_json

_PATH = re.compile(r"/tiingo/daily/([^/]+)/prices")
_NOTHING = Event()


class Tiingo(Wire):
    """Raw and adjusted bars, the adjusted ones anchored at the last day."""

    name = "tiingo"
    hosts = ("api.tiingo.com",)

    def share(self, path: str, query: Mapping[str, str]) -> str | None:
        """The ticker of the path, in capitals."""
        match = _PATH.fullmatch(path)
        return match[1].upper() if match else None

    def denied(self) -> Answer:
        """401, as to a token that is not theirs."""
        return to_json(401, {"detail": "Invalid token."})

    def answer(self, ask: Ask) -> Answer:
        """The bars from startDate to endDate; without startDate the last one only."""
        authorization = ask.headers.get("authorization", "")
        if not authorization:
            return to_json(401, {"detail": "Authentication credentials were not provided."})
        if not re.fullmatch(r"Token \S+", authorization):
            return self.denied()
        share = self.share(ask.path, ask.query)
        if share is None:
            return to_json(404, {"detail": "Not found."})
        listing = ask.listing(share)
        if listing is None:
            return to_json(404, {"detail": f"Error: Ticker '{share}' not found"})
        try:
            first, last = (
                dt.date.fromisoformat(text) if (text := ask.query.get(name, "")) else None
                for name in ("startDate", "endDate")
            )
        except ValueError:
            return to_json(400, {"detail": "Error: dates must be in the format YYYY-MM-DD"})
        if ask.query.get("format", "json") != "json" or ask.query.get("resampleFreq", "daily") != "daily":
            return to_json(400, {"detail": "Error: only daily JSON is answered here"})
        anchor = ask.market.shown(listing) - 1
        last_factor, last_shares = float(listing.factor[anchor]), float(listing.shares[anchor])

        unapplied = ask.faulty("split-not-applied")

        def render(row: Row) -> str:
            if unapplied:
                row = row.times(float(listing.shares[row.priced]))
            scale = float(listing.factor[row.priced]) / last_factor
            prices = {name: getattr(row, name) for name in ("close", "high", "low", "open")}
            raw = ",".join(f'"{name}":{price!r}' for name, price in prices.items())
            adjusted = ",".join(
                f'"adj{name.capitalize()}":{round(price * scale, 10)!r}' for name, price in prices.items()
            )
            volume = round(row.volume * last_shares / float(listing.shares[row.priced]))
            event = listing.events.get(row.day, _NOTHING)
            return (
                f'{{"date":"{listing.days[row.day]}T00:00:00.000Z",{raw},"volume":{row.volume},{adjusted},'
                f'"adjVolume":{volume},"divCash":{event.dividend!r},"splitFactor":{event.split!r}}}'
            )

        key, most = ("tiingo", last_factor, last_shares, unapplied), None if first else 1
        rows, _ = rendered_window(ask, listing, key, render, first=first, last=last, most=most)
        return Answer(200, JSON, f"[{','.join(rows)}]".encode())
