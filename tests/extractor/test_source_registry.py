"""What the sources declare, and which names and requests they make."""

from __future__ import annotations

import datetime as dt
import itertools
from urllib.parse import urlsplit

import exchange_calendars
import pytest

from components.errors import ExtractionError
from components.extractor.sources.registry import SOURCES, get_source

FIRST, LAST = dt.date(2024, 1, 2), dt.date(2024, 6, 28)
EXCHANGES = {
    "tencent": "sh600519:XSHG sz399001:XSHG hk00700:XHKG",
    "tiingo": "GOOGL:XNYS BRK-B:XNYS",
    "sina": "sz000001:XSHG",
    "yahoo": "AAPL:XNYS BRK-B:XNYS ^GSPC:XNYS ^HSI:XHKG 600519.SS:XSHG 000001.SZ:XSHG 0700.HK:XHKG VOD.L:XLON "
    "SAP.DE:XETR MC.PA:XPAR ASML.AS:XAMS ENI.MI:XMIL NESN.SW:XSWX 7203.T:XTKS RY.TO:XTSE BHP.AX:XASX 005930.KS:XKRX "
    "M&M.NS:XBOM 500325.BO:XBOM D05.SI:XSES PETR4.SA:BVMF",
}


def test_the_names():
    assert list(SOURCES)[:4] == ["tencent", "tiingo", "sina", "yahoo"]
    for name, source in SOURCES.items():
        assert source.name == name
        assert get_source(name) is source
        assert source.rate <= 2
        assert source.connections <= 2
        assert source.exchange(source.share_example)


def test_an_unknown_source_is_answered_with_the_names():
    with pytest.raises(ExtractionError, match="'stooq'; choose one of tencent, tiingo, sina, yahoo"):
        get_source("stooq")


@pytest.mark.parametrize(
    ("source", "share", "exchange"),
    [(source, *pair.split(":")) for source, pairs in EXCHANGES.items() for pair in pairs.split()],
)
def test_the_exchange_of_a_share(source, share, exchange):
    assert get_source(source).exchange(share) == exchange
    assert exchange in exchange_calendars.get_calendar_names()


@pytest.mark.parametrize(
    ("source", "share"),
    [
        *[("tencent", share) for share in ("600519", "SH600519", "sh60051", "sh6005190", "hk700", "bj430047", "")],
        *[("tencent", share) for share in ("sh600519\n", "sh60051\u0669", "usAAPL", "sh600519,day")],
        *[("tiingo", share) for share in ("googl", "BRK B", "../x", "..", "A/B", "A?b=1", "", "A" * 21)],
        *[("sina", share) for share in ("hk00700", "600519", "sh600519&x=1", "")],
        *[("yahoo", share) for share in ("aapl", "AAPL.XX", "^NOPE", "GSPC^", "A/B", "A.B.C", "", "AAPL?x=1")],
    ],
)
def test_a_name_of_another_form_is_refused_with_one_that_is_right(source, share):
    with pytest.raises(ExtractionError) as caught:
        get_source(source).exchange(share)
    message = str(caught.value)
    assert repr(share) in message
    assert source in message
    assert get_source(source).share_example in message
    assert "\n" not in message


def test_urls():
    def urls(source, share):
        return [request.url for request in get_source(source).requests(share, FIRST, LAST)]

    kline = "https://web.ifzq.gtimg.cn/appstock/app/{}/get?param={},day,2024-01-02,2024-06-28,640,{}"
    assert urls("tencent", "sh600519") == [kline.format("fqkline", "sh600519", kind) for kind in ("", "hfq")]
    assert urls("tencent", "hk00700") == [kline.format("hkfqkline", "hk00700", kind) for kind in ("", "hfq")]
    assert urls("tiingo", "BRK-B") == [
        "https://api.tiingo.com/tiingo/daily/BRK-B/prices"
        "?startDate=2024-01-02&endDate=2024-06-28&format=json&resampleFreq=daily"
    ]
    assert urls("sina", "sh600519") == [
        "https://money.finance.sina.com.cn/quotes_service/api/json_v2.php/CN_MarketData.getKLineData"
        "?symbol=sh600519&scale=240&ma=no&datalen=1023",
        "https://finance.sina.com.cn/realstock/company/sh600519/hfq.js",
    ]
    # 2024-01-01 00:00 UTC is 19,723 days after 1970-01-01.
    assert urls("yahoo", "^GSPC") == [
        f"https://query2.finance.yahoo.com/v8/finance/chart/%5EGSPC?period1={19_723 * 86_400}&period2=4102444800"
        "&interval=1d&events=div,splits&includePrePost=false"
    ]


def test_windows_of_two_years_cover_each_day_once():
    asked = get_source("tencent").requests("sh600519", dt.date(2015, 1, 1), dt.date(2025, 12, 31))
    params = [urlsplit(request.url).query.removeprefix("param=").split(",") for request in asked]
    assert [param[5] for param in params] == ["", "hfq"] * (len(params) // 2)
    assert params[::2] == [[*param[:5], ""] for param in params[1::2]]
    ranges = [(dt.date.fromisoformat(param[2]), dt.date.fromisoformat(param[3])) for param in params[::2]]
    assert ranges[0][0] == dt.date(2015, 1, 1)
    assert ranges[-1][1] == dt.date(2025, 12, 31)
    for (_, end), (start, _) in itertools.pairwise(ranges):
        assert start == end + dt.timedelta(days=1)
    assert all(end - start < dt.timedelta(days=730) for start, end in ranges)


def test_the_key_is_in_no_request():
    source = get_source("tiingo")
    assert source.key_variable == "TIINGO_API_KEY"
    assert source.authorization("S3CRET") == "Token S3CRET"
    assert [dict(request.headers) for request in source.requests("GOOGL", FIRST, LAST)] == [{}]
    for name in ("tencent", "sina", "yahoo"):
        assert get_source(name).key_variable is None


def test_the_chinese_hosts_are_told_where_the_reader_comes_from():
    for name, referer in (("tencent", "https://gu.qq.com/"), ("sina", "https://finance.sina.com.cn/")):
        asked = get_source(name).requests("sh600519", FIRST, LAST)
        assert {request.headers["Referer"] for request in asked} == {referer}
