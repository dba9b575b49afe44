"""Sina's bars and factor files."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from components.extractor.replay.exchanges import is_index
from components.extractor.replay.market import Row
from components.extractor.replay.wire import HTML, JSON, Answer, Ask, Wire, rendered_window

_BARS = "/quotes_service/api/json_v2.php/CN_MarketData.getKLineData"
_FACTORS = re.compile(r"/realstock/company/([a-z0-9]+)/hfq\.js")
_MOST_ROWS = 1023
_NAME = re.compile(r"(sh|sz)\d{6}")


class Sina(Wire):
    """The last raw bars, without a range of dates, and factors from the first day on beside them."""

    name = "sina"
    hosts = ("money.finance.sina.com.cn", "finance.sina.com.cn")

    def share(self, path: str, query: Mapping[str, str]) -> str | None:
        """The symbol of the query, or of the factor file's path."""
        match = _FACTORS.fullmatch(path)
        return match[1] if match else query.get("symbol") or None

    def shows_bars(self, path: str) -> bool:
        """Factor files show none."""
        return path == _BARS

    def answer(self, ask: Ask) -> Answer:
        """Bars or a factor file."""
        if ask.host == self.hosts[0] and ask.path == _BARS:
            return self._bars(ask)
        match = _FACTORS.fullmatch(ask.path)
        if ask.host == self.hosts[1] and match:
            return self._factors(ask, match[1])
        return _not_found()

    def _bars(self, ask: Ask) -> Answer:
        if urlsplit(ask.headers.get("referer", "")).hostname != self.hosts[1]:
            return self.denied()
        share = ask.query.get("symbol", "")
        listing = ask.listing(share) if _NAME.fullmatch(share) else None
        count = ask.query.get("datalen", "")
        if listing is None or ask.query.get("scale") != "240" or not count.isdecimal():
            return Answer(200, JSON, b"null")

        unapplied = ask.faulty("split-not-applied")

        def render(row: Row) -> str:
            if unapplied:
                row = row.times(float(listing.shares[row.priced]))
            return (
                f'{{"day":"{listing.days[row.day]}","open":"{row.open:.3f}","high":"{row.high:.3f}",'
                f'"low":"{row.low:.3f}","close":"{row.close:.3f}","volume":"{row.volume}"}}'
            )

        rows, _ = rendered_window(ask, listing, ("sina", unapplied), render, most=min(int(count), _MOST_ROWS))
        return Answer(200, JSON, f"[{','.join(rows)}]".encode())

    def _factors(self, ask: Ask, share: str) -> Answer:
        listing = ask.listing(share) if _NAME.fullmatch(share) else None
        if listing is None:
            return _not_found()
        entries = []
        if not is_index(share) and not ask.faulty("no-factors"):
            shown = ask.market.shown(listing)
            known = [(listing.days[i], float(listing.factor[i])) for i in listing.events if i < shown]
            # The newest comes first, and the ground that all stand on last.
            entries = [f'{{"d":"{day}","f":"{factor:.16f}"}}' for day, factor in [*known[::-1], ("1900-01-01", 1.0)]]
        body = f'var {share}hfq={{"total":{len(entries)},"data":[{",".join(entries)}]}}\n/* {ask.market.today} */\n'
        return Answer(200, "application/x-javascript", body.encode())


def _not_found() -> Answer:
    return Answer(404, HTML, b"<html><head><title>404 Not Found</title></head><body>Not Found</body></html>")
