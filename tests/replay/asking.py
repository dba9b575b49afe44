"""A small market, and a client that knows nothing but the sources' pages."""

from __future__ import annotations

import datetime as dt
import http.client
import json
from collections.abc import Mapping
from typing import Any

from components.extractor.replay import Market, ReplayServer
from components.extractor.replay.making import make_listing

FIRST, LAST = dt.date(2024, 1, 2), dt.date(2024, 3, 28)
MARKET = Market(
    {
        name: make_listing(name, exchange, FIRST, LAST, dividends={dt.date(2024, 2, 6): 0.5})
        for name, exchange in (("sh600519", "XSHG"), ("sz000001", "XSHG"), ("AAPL", "XNYS"))
    },
    LAST,
)
TARGETS = {
    "tencent": "/web.ifzq.gtimg.cn/appstock/app/fqkline/get?param=sh600519,day,2024-01-01,2024-03-31,640,hfq",
    "tiingo": "/api.tiingo.com/tiingo/daily/AAPL/prices?startDate=2024-01-01",
    "sina": "/money.finance.sina.com.cn/quotes_service/api/json_v2.php/CN_MarketData.getKLineData"
    "?symbol=sh600519&scale=240&ma=no&datalen=1023",
    "yahoo": "/query2.finance.yahoo.com/v8/finance/chart/AAPL?period1=0&period2=4102444800&interval=1d&events=div",
}
HEADERS = {"Authorization": "Token any", "Referer": "https://finance.sina.com.cn/"}
SOURCES = list(TARGETS)


class Got:
    def __init__(self, reply: http.client.HTTPResponse) -> None:
        self.status = reply.status
        self.headers = reply.headers
        self.body = reply.read()

    @property
    def json(self) -> Any:
        assert self.status == 200
        return json.loads(self.body)


def get(server: ReplayServer | str, target: str, headers: Mapping[str, str] = HEADERS) -> Got:
    """Asks a server, or an address."""
    address = server if isinstance(server, str) else server.url.removeprefix("http://")
    connection = http.client.HTTPConnection(address)
    try:
        connection.request("GET", target, headers=dict(headers))
        return Got(connection.getresponse())
    finally:
        connection.close()


def bars(source: str, body: bytes) -> list[tuple[str, float, float, float, float]]:
    """Date, open, high, low, close of each bar of a reply, read with nothing but the source's page."""
    reply = json.loads(body)
    if source == "tencent":
        rows = reply["data"]["sh600519"]["hfqday"]
        return [(r[0], float(r[1]), float(r[3]), float(r[4]), float(r[2])) for r in rows]
    if source == "tiingo":
        return [(r["date"][:10], r["open"], r["high"], r["low"], r["close"]) for r in reply]
    if source == "sina":
        return [(r["day"], *(float(r[name]) for name in ("open", "high", "low", "close"))) for r in reply]
    (result,) = reply["chart"]["result"]
    (quote,) = result["indicators"]["quote"]
    days = [dt.datetime.fromtimestamp(at, dt.UTC).date().isoformat() for at in result["timestamp"]]
    return list(zip(days, quote["open"], quote["high"], quote["low"], quote["close"], strict=True))
