"""What each source's answers look like, byte by byte, for a share of four days made by hand."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterator

import numpy as np
import pytest
from asking import HEADERS, SOURCES, TARGETS, bars, get

from components.extractor.replay import Listing, Market, ReplayServer, RightsIssue, make_listing

DAYS = ["2024-01-02", "2024-01-03", "2024-01-04", "2024-01-05"]
TENCENT = "/web.ifzq.gtimg.cn/appstock/app/fqkline/get?param="
SINA = "/money.finance.sina.com.cn/quotes_service/api/json_v2.php/CN_MarketData.getKLineData?scale=240&ma=no&symbol="
SINA_FACTORS = "/finance.sina.com.cn/realstock/company/{}/hfq.js"
TIINGO = "/api.tiingo.com/tiingo/daily/{}/prices"
YAHOO = "/query2.finance.yahoo.com/v8/finance/chart/{}?interval=1d&events=div,splits"


def by_hand(share: str, exchange: str) -> Listing:
    """20, then 8 after two for one and a dividend of 2 (factor 2.5), then 9, then 8 after a dividend of 1 (2.8125).

    An index has no events: it has fallen.
    """
    index = share == "sh000300"
    return Listing(
        share,
        exchange,
        np.array(DAYS, "datetime64[D]"),
        open=np.array([19.0, 7.9, 8.5, 8.25]),
        high=np.array([21.0, 8.2, 9.5, 8.5]),
        low=np.array([18.5, 7.6, 8.0, 7.75]),
        close=np.array([20.0, 8.0, 9.0, 8.0]),
        volume=np.array([1200, 5000, 700, 900]),
        dividends={} if index else {dt.date(2024, 1, 3): 2.0, dt.date(2024, 1, 5): 1.0},
        splits={} if index else {dt.date(2024, 1, 3): 2.0},
    )


NAMES = {"sh600519": "XSHG", "sh688111": "XSHG", "sh000300": "XSHG", "hk00700": "XHKG", "AAPL": "XNYS"}
MARKET = Market({name: by_hand(name, exchange) for name, exchange in NAMES.items()}, dt.date(2024, 1, 5))


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer(MARKET) as server:
        yield server


def test_tencent_raw_rows_are_text_with_close_before_high_and_lots(server):
    reply = get(server, f"{TENCENT}sh600519,day,2024-01-02,2024-01-04,640,").json
    assert (reply["code"], reply["msg"]) == (0, "")
    assert reply["data"]["sh600519"]["day"] == [
        ["2024-01-02", "19.00", "20.00", "21.00", "18.50", "12"],
        [
            *["2024-01-03", "7.90", "8.00", "8.20", "7.60", "50"],
            {"fh_sh": "40", "djr": "2024-01-02", "cqr": "2024-01-03", "FHcontent": "10转10股派40元"},
        ],
        ["2024-01-04", "8.50", "9.00", "9.50", "8.00", "7"],
    ]


def test_tencent_adjusts_from_the_first_day_on_or_from_the_last_day_back(server):
    closes = {}
    for adjustment in ("hfq", "qfq"):
        reply = get(server, f"{TENCENT}sh600519,day,2024-01-02,2024-01-05,640,{adjustment}").json
        closes[adjustment] = [row[2] for row in reply["data"]["sh600519"][f"{adjustment}day"]]
    # A share became two, and was paid 4; each of them was paid 1 more: 2 x raw + 4, then 2 x raw + 6.
    assert closes["hfq"] == ["20.00", "20.00", "22.00", "22.00"]
    assert closes["qfq"] == ["7.00", "7.00", "8.00", "8.00"]


def test_tencent_names_rights_and_mergers_and_goes_below_0():
    """5, then 8 after two for one with two new ones at 15: below 0 in the adjusted prices, as the new ones are paid."""
    day = dt.date(2024, 1, 3)
    listing = dataclasses.replace(
        by_hand("sh600519", "XSHG"),
        close=np.array([5.0, 8.0, 9.0, 8.0]),
        dividends={},
        splits={dt.date(2024, 1, 5): 0.1},
        rights={day: RightsIssue(2.0, 15.0)},
        cache={},
    )
    with ReplayServer(Market({"sh600519": listing}, dt.date(2024, 1, 5))) as server:
        reply = get(server, f"{TENCENT}sh600519,day,2024-01-02,2024-01-05,640,hfq").json
    rows = reply["data"]["sh600519"]["hfqday"]
    # Three shares, and 30 paid for two of them; then ten became one.
    assert [row[2] for row in rows] == ["5.00", "-6.00", "-3.00", "-27.60"]
    assert rows[1][6]["FHcontent"] == "10配20股配股价15元"
    assert rows[3][6]["FHcontent"] == "10合1股"
    # The exchanges' rule: (5 + 15 x 2) / (1 + 2).
    assert listing.factor.tolist() == pytest.approx([1, 5 / (35 / 3), 5 / (35 / 3), 0.1 * 5 / (35 / 3)])


def test_tencent_s_hong_kong_is_raw_in_rows_of_nine_items(server):
    url = "/web.ifzq.gtimg.cn/appstock/app/hkfqkline/get?param=hk00700,day,2024-01-02,2024-01-03,640,"
    raw, adjusted = (get(server, url + asked).json["data"]["hk00700"] for asked in ("", "hfq"))
    assert raw["day"] == adjusted["day"]
    assert "hfqday" not in adjusted
    assert [len(row) for row in raw["day"]] == [9, 9]
    assert (raw["day"][0][6], raw["day"][1][6]["cqr"]) == ({}, "2024-01-03")


def test_tencent_names_no_event_of_a_share_that_it_leaves_out():
    listing = dataclasses.replace(by_hand("sh600519", "XSHG"), told=False, cache={})
    with ReplayServer(Market({"sh600519": listing}, dt.date(2024, 1, 5))) as server:
        reply = get(server, f"{TENCENT}sh600519,day,2024-01-02,2024-01-05,640,hfq").json
    assert {len(row) for row in reply["data"]["sh600519"]["hfqday"]} == {6}


def test_tencent_volume_is_in_shares_for_688_indices_and_hong_kong(server):
    for name, path in (("sh688111", "fqkline"), ("sh000300", "fqkline"), ("hk00700", "hkfqkline")):
        got = get(server, f"/web.ifzq.gtimg.cn/appstock/app/{path}/get?param={name},day,2024-01-02,2024-01-02,640,")
        assert got.json["data"][name]["day"][0][5] == "1200"


def test_tencent_answers_plain_day_where_nothing_can_be_adjusted(server):
    reply = get(server, f"{TENCENT}sh000300,day,2024-01-02,2024-01-05,640,hfq").json
    assert "hfqday" not in reply["data"]["sh000300"]
    assert [len(row) for row in reply["data"]["sh000300"]["day"]] == [6] * 4
    # Before its first event a share is not adjusted either.
    server.market = dataclasses.replace(MARKET, today=dt.date(2024, 1, 2))
    reply = get(server, f"{TENCENT}sh600519,day,2024-01-01,2024-01-05,640,hfq").json
    assert reply["data"]["sh600519"]["day"] == [["2024-01-02", "19.00", "20.00", "21.00", "18.50", "12"]]


@pytest.mark.parametrize(
    "param",
    [
        "",
        "sh600519",
        "sh600519,week,2024-01-02,2024-01-05,640,",
        "sh600519,day,2024-13-02,2024-01-05,640,",
        "sh600519,day,2024-01-02,2024-01-05,640,xfq",
        "sh600519,day,2024-01-02,2024-01-05,0,hfq",
        "AAPL,day,2024-01-02,2024-01-05,640,",
        "hk00700,day,2024-01-02,2024-01-05,640,",
    ],
)
def test_tencent_bad_params(server, param):
    assert get(server, TENCENT + param).json == {"code": 1, "msg": "bad params"}


def test_tencent_unknown_share_is_code_0_and_an_empty_list(server):
    reply = get(server, f"{TENCENT}sh600000,day,2024-01-02,2024-01-05,640,hfq").json
    assert reply == {"code": 0, "msg": "", "data": {"sh600000": []}}


def test_tencent_known_share_without_a_session_in_the_window(server):
    reply = get(server, f"{TENCENT}sh600519,day,2024-01-06,2024-01-31,640,hfq").json
    assert reply["data"]["sh600519"]["hfqday"] == []
    assert reply["data"]["sh600519"]["qt"]["sh600519"][1] == "sh600519"


def test_tencent_callback_makes_it_javascript(server):
    got = get(server, f"{TENCENT}sh600519,day,2024-01-02,2024-01-05,640,&_var=kline_day")
    assert (got.status, got.body[:18]) == (200, b'kline_day={"code":')


def test_pages_hold_the_last_rows(server):
    long = make_listing("sh600000", "XSHG", dt.date(2015, 1, 1), dt.date(2023, 12, 29))
    server.market = Market({"sh600000": long}, dt.date(2023, 12, 28))
    rows = get(server, f"{TENCENT}sh600000,day,2015-01-01,2023-12-31,2000,").json["data"]["sh600000"]["day"]
    assert (len(rows), rows[-1][0]) == (640, "2023-12-28")
    assert rows[0][0] == str(long.time[-641])
    rows = get(server, f"{SINA}sh600000&datalen=5000").json
    assert (len(rows), rows[0]["day"], rows[-1]["day"]) == (1023, str(long.time[-1024]), "2023-12-28")


def test_tiingo_rows(server):
    rows = get(server, TIINGO.format("aapl") + "?startDate=2024-01-03&endDate=2024-01-04&format=json").json
    scale = 2.5 / 2.8125
    assert rows[0] == {
        "date": "2024-01-03T00:00:00.000Z",
        "close": 8.0,
        "high": 8.2,
        "low": 7.6,
        "open": 7.9,
        "volume": 5000,
        "adjClose": pytest.approx(8.0 * scale),
        "adjHigh": pytest.approx(8.2 * scale),
        "adjLow": pytest.approx(7.6 * scale),
        "adjOpen": pytest.approx(7.9 * scale),
        "adjVolume": 5000,
        "divCash": 2.0,
        "splitFactor": 2.0,
    }
    assert [row["date"][:10] for row in rows] == ["2024-01-03", "2024-01-04"]
    assert (rows[1]["divCash"], rows[1]["splitFactor"]) == (0.0, 1.0)


def test_tiingo_adjusts_from_what_is_known_today(server):
    target = TIINGO.format("AAPL") + "?startDate=2024-01-02"
    first = get(server, target).json[0]
    assert (first["adjClose"], first["adjVolume"]) == (pytest.approx(20 / 2.8125), 2400)
    server.market = dataclasses.replace(MARKET, today=dt.date(2024, 1, 4))
    assert get(server, target).json[0]["adjClose"] == pytest.approx(20 / 2.5)
    server.market = dataclasses.replace(MARKET, today=dt.date(2024, 1, 2))
    assert [row["adjClose"] for row in get(server, target).json] == [20.0]


def test_tiingo_without_dates_answers_the_last_row(server):
    assert [row["date"][:10] for row in get(server, TIINGO.format("AAPL")).json] == ["2024-01-05"]


@pytest.mark.parametrize(
    ("target", "headers", "status", "told"),
    [
        (TIINGO.format("AAPL"), {}, 401, "credentials were not provided"),
        (TIINGO.format("AAPL"), {"Authorization": "Bearer any"}, 401, "Invalid token"),
        (TIINGO.format("NONE"), HEADERS, 404, "Error: Ticker 'NONE' not found"),
        (TIINGO.format("AAPL") + "?startDate=yesterday", HEADERS, 400, "Error"),
    ],
)
def test_tiingo_refuses(server, target, headers, status, told):
    got = get(server, target, headers)
    assert got.status == status
    assert told in json.loads(got.body)["detail"]


def test_sina_bars(server):
    assert get(server, f"{SINA}sh600519&datalen=2").json == [
        {"day": day, "open": o, "high": h, "low": low, "close": c, "volume": v}
        for day, o, h, low, c, v in [
            ("2024-01-04", "8.500", "9.500", "8.000", "9.000", "700"),
            ("2024-01-05", "8.250", "8.500", "7.750", "8.000", "900"),
        ]
    ]


def test_sina_wants_a_referer_and_says_null_to_what_it_does_not_know(server):
    for headers in ({}, {"Referer": "https://example.org/"}):
        assert get(server, f"{SINA}sh600519&datalen=2", headers).status == 403
    for share in ("sh600000", "hk00700"):
        assert get(server, f"{SINA}{share}&datalen=2").json is None


def test_sina_factors_are_an_assignment_with_a_comment_behind(server):
    got = get(server, SINA_FACTORS.format("sh600519"))
    assert got.status == 200
    name, _, rest = got.body.decode().partition("=")
    text, _, comment = rest.partition("\n")
    assert name == "var sh600519hfq"
    assert comment.startswith("/*")
    assert json.loads(text) == {
        "total": 3,
        "data": [
            {"d": "2024-01-05", "f": "2.8125000000000000"},
            {"d": "2024-01-03", "f": "2.5000000000000000"},
            {"d": "1900-01-01", "f": "1.0000000000000000"},
        ],
    }


def test_sina_factors_of_an_index_an_unknown_share_and_an_event_to_come(server):
    assert get(server, SINA_FACTORS.format("sh000300")).body.startswith(b'var sh000300hfq={"total":0,"data":[]}')
    assert get(server, SINA_FACTORS.format("sh600000")).status == 404
    server.market = dataclasses.replace(MARKET, today=dt.date(2024, 1, 4))
    assert b'"total":2' in get(server, SINA_FACTORS.format("sh600519")).body


def epoch(day: str) -> int:
    return int(dt.datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp())


def test_yahoo_columns_events_and_times_of_the_open(server):
    reply = get(server, f"{YAHOO.format('AAPL')}&period1={epoch('2024-01-02')}&period2={epoch('2030-01-01')}").json
    (result,) = reply["chart"]["result"]
    opens = [epoch(day) + int(14.5 * 3600) for day in DAYS]
    assert result["timestamp"] == opens
    (quote,) = result["indicators"]["quote"]
    # The first day is written in shares of today: two for one.
    assert quote["close"] == [10.0, 8.0, 9.0, 8.0]
    assert quote["open"] == [9.5, pytest.approx(7.9, rel=1e-7), 8.5, 8.25]
    assert quote["high"] == [10.5, pytest.approx(8.2, rel=1e-7), 9.5, 8.5]
    assert quote["low"] == [9.25, pytest.approx(7.6, rel=1e-7), 8.0, 7.75]
    assert quote["volume"] == [2400, 5000, 700, 900]
    adjusted = result["indicators"]["adjclose"][0]["adjclose"]
    assert adjusted == pytest.approx([20 / 2.8125, 8 * 2.5 / 2.8125, 8.0, 8.0], rel=1e-7)
    assert result["events"] == {
        "dividends": {
            str(opens[1]): {"amount": 2.0, "date": opens[1]},
            str(opens[3]): {"amount": 1.0, "date": opens[3]},
        },
        "splits": {str(opens[1]): {"date": opens[1], "numerator": 2.0, "denominator": 1.0, "splitRatio": "2:1"}},
    }
    assert result["meta"]["exchangeTimezoneName"] == "America/New_York"
    assert result["meta"]["gmtoffset"] == -5 * 3600
    assert reply["chart"]["error"] is None


def test_yahoo_single_precision_is_written_in_full(server):
    got = get(server, f"{YAHOO.format('AAPL')}&period1={epoch('2024-01-03')}&period2={epoch('2024-01-04')}")
    assert b'"open":[7.900000095367432]' in got.body


def test_yahoo_period2_is_exclusive_and_an_empty_range_has_no_timestamp(server):
    opened = epoch("2024-01-03") + int(14.5 * 3600)
    one = get(server, f"{YAHOO.format('AAPL')}&period1={opened}&period2={opened + 86400}").json
    assert one["chart"]["result"][0]["timestamp"] == [opened]
    none = get(server, f"{YAHOO.format('AAPL')}&period1={opened + 1}&period2={opened + 86400}").json
    assert "timestamp" not in none["chart"]["result"][0]
    late = get(server, f"{YAHOO.format('AAPL')}&period1={epoch('2029-01-01')}&period2={epoch('2030-01-01')}").json
    assert "timestamp" not in late["chart"]["result"][0]


def test_yahoo_refuses(server):
    got = get(server, f"{YAHOO.format('NONE')}&period1=0&period2=1")
    assert (got.status, json.loads(got.body)["chart"]["error"]["code"]) == (404, "Not Found")
    assert json.loads(got.body)["chart"]["result"] is None
    assert get(server, f"{YAHOO.format('AAPL')}&period1=0").status == 400


def last_days(server: ReplayServer) -> dict[str, list[str]]:
    """The last dates that each source shows."""
    return {source: [row[0] for row in bars(source, get(server, TARGETS[source]).body)][-2:] for source in SOURCES}


def test_nothing_after_today_is_shown_and_what_comes_back_is_the_same(server):
    server.market = dataclasses.replace(MARKET, today=dt.date(2024, 1, 4))
    assert set(map(tuple, last_days(server).values())) == {("2024-01-03", "2024-01-04")}
    server.market = MARKET
    assert set(map(tuple, last_days(server).values())) == {("2024-01-04", "2024-01-05")}
    server.market = dataclasses.replace(MARKET, today=dt.date(2024, 1, 1))
    assert get(server, f"{TENCENT}sh600519,day,2024-01-02,2024-01-31,640,").json["data"] == {"sh600519": []}


def test_an_open_session_is_shown_as_far_as_it_went(server):
    server.market = dataclasses.replace(MARKET, live=True)
    days = last_days(server)
    assert days.pop("yahoo") == ["2024-01-05", "2024-01-05"]
    assert set(map(tuple, days.values())) == {("2024-01-04", "2024-01-05")}
    row = get(server, f"{SINA}sh600519&datalen=1").json[0]
    # Two fifths of the way from the open 8.25 to the close 8.00.
    assert row == {
        "day": "2024-01-05",
        "open": "8.250",
        "high": "8.250",
        "low": "8.150",
        "close": "8.150",
        "volume": "300",
    }
    # A window that ends before today does not see it.
    before = get(server, f"{TENCENT}sh600519,day,2024-01-02,2024-01-04,640,").json["data"]["sh600519"]["day"]
    assert before[-1][:3] == ["2024-01-04", "8.50", "9.00"]
