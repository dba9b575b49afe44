from __future__ import annotations

import datetime as dt
import http.client
import itertools
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from components.extractor.replay import DATA_FAULTS, HOST_FAULTS, Fault, Faults, Market, ReplayError, ReplayServer
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


def get(server: ReplayServer, target: str) -> Got:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    try:
        connection.request("GET", target, headers=HEADERS)
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
    days = [dt.datetime.fromtimestamp(at, dt.timezone.utc).date().isoformat() for at in result["timestamp"]]
    return list(zip(days, quote["open"], quote["high"], quote["low"], quote["close"], strict=True))


@pytest.fixture
def server() -> Iterator[ReplayServer]:
    with ReplayServer(MARKET) as server:
        yield server


def broken(bars: list[tuple[str, float, float, float, float]]) -> list[str]:
    return [day for day, o, h, low, c in bars if not low <= min(o, c) <= max(o, c) <= h]


@pytest.mark.parametrize("source", SOURCES)
class TestDamagedBars:
    """The faults that every source has because they are in the bars."""

    def test_disorder_swaps_two_dates_and_leaves_the_prices(self, server, source):
        good = bars(source, get(server, TARGETS[source]).body)
        server.faults.add(Fault("disorder"))
        bad = bars(source, get(server, TARGETS[source]).body)
        days = [row[0] for row in bad]
        assert [row[1:] for row in bad] == [row[1:] for row in good]
        assert sorted(days) == [row[0] for row in good]
        assert sum(one > other for one, other in itertools.pairwise(days)) == 1

    def test_a_high_below_its_low(self, server, source):
        assert broken(bars(source, get(server, TARGETS[source]).body)) == []
        server.faults.add(Fault("high-below-low"))
        bad = bars(source, get(server, TARGETS[source]).body)
        assert len(broken(bad)) == 1
        assert sum(high < low for _, _, high, low, _ in bad) == 1

    def test_the_last_bar_twice(self, server, source):
        good = bars(source, get(server, TARGETS[source]).body)
        server.faults.add(Fault("duplicate"))
        assert bars(source, get(server, TARGETS[source]).body) == [*good, good[-1]]

    def test_todays_open_bar_twice(self, server, source):
        good = bars(source, get(server, TARGETS[source]).body)
        server.faults.add(Fault("live"))
        bad = bars(source, get(server, TARGETS[source]).body)
        assert bad[:-2] == good[:-1]
        assert bad[-1] == bad[-2]
        assert [bad[-1][:2]] == [good[-1][:2]]
        assert bad[-1][2:] != good[-1][2:]

    def test_bars_that_are_missing_at_the_end(self, server, source):
        good = bars(source, get(server, TARGETS[source]).body)
        server.faults.add(Fault("missing", value=3))
        assert bars(source, get(server, TARGETS[source]).body) == good[:-3]


def test_the_open_bar_comes_where_the_window_ends_the_day_before(server):
    target = TARGETS["tencent"].replace("2024-03-31", "2024-03-27")
    good = bars("tencent", get(server, target).body)
    assert good[-1][0] == "2024-03-27"
    server.faults.add(Fault("live"))
    bad = bars("tencent", get(server, target).body)
    assert bad[:-2] == good
    assert [row[0] for row in bad[-2:]] == ["2024-03-28"] * 2


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize(("kind", "status"), [("429", 429), ("500", 500), ("503", 503)])
def test_statuses(server, source, kind, status):
    server.faults.add(Fault(kind))
    got = get(server, TARGETS[source])
    assert got.status == status
    assert "Retry-After" not in got.headers


def test_retry_after(server):
    server.faults.add(Fault("429-retry-after", value=7))
    got = get(server, TARGETS["tencent"])
    assert (got.status, got.headers["Retry-After"]) == (429, "7")


def test_denied(server):
    server.faults.add(Fault("denied"))
    assert [get(server, TARGETS[source]).status for source in SOURCES] == [403, 401, 403, 403]


def test_reset_before_an_answer(server):
    server.faults.add(Fault("reset"))
    with pytest.raises(ConnectionResetError):
        get(server, TARGETS["tencent"])


def test_reset_midway_breaks_a_body_whose_length_was_told(server):
    whole = get(server, TARGETS["tencent"])
    server.faults.add(Fault("reset-midway"))
    address = server.url.removeprefix("http://").split(":")
    with socket.create_connection((address[0], int(address[1]))) as connection:
        connection.sendall(f"GET {TARGETS['tencent']} HTTP/1.1\r\nHost: any\r\n\r\n".encode())
        received = b""
        with pytest.raises(ConnectionResetError):  # noqa: PT012
            while True:
                piece = connection.recv(65536)
                assert piece, "the connection was closed in an orderly way"
                received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(whole.body)}".encode() in head
    assert body == whole.body[: len(whole.body) // 2]


@pytest.mark.parametrize("source", SOURCES)
def test_truncated_is_a_whole_reply_without_whole_json(server, source):
    server.faults.add(Fault("truncated"))
    got = get(server, TARGETS[source])
    assert got.status == 200
    assert len(got.body) == int(got.headers["Content-Length"]) > 100
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        json.loads(got.body)


@pytest.mark.parametrize("source", SOURCES)
def test_html_in_a_200(server, source):
    server.faults.add(Fault("html"))
    got = get(server, TARGETS[source])
    assert (got.status, got.headers.get_content_type()) == (200, "text/html")
    assert b"Will be right back" in got.body


def test_slow_waits_and_then_answers(server):
    good = get(server, TARGETS["tencent"])
    server.faults.add(Fault("slow", value=0.3))
    began = time.perf_counter()
    assert get(server, TARGETS["tencent"]).body == good.body
    assert time.perf_counter() - began >= 0.3


def test_unknown_is_each_sources_own_answer(server):
    server.faults.add(Fault("unknown"))
    got = {source: get(server, TARGETS[source]) for source in SOURCES}
    assert json.loads(got["tencent"].body)["data"] == {"sh600519": []}
    assert b"not found" in got["tiingo"].body
    assert got["sina"].body == b"null"
    assert {source: reply.status for source, reply in got.items()} == {
        "tencent": 200,
        "tiingo": 404,
        "sina": 200,
        "yahoo": 404,
    }


def test_a_fault_is_for_a_share_and_a_source_a_number_of_times_after_some(server):
    fault = Fault("500", share="sh600519", source="tencent", times=2, after=1)
    server.faults.add(fault)
    other = TARGETS["tencent"].replace("sh600519", "sz000001")
    asked = [TARGETS["tencent"], other, TARGETS["sina"], *[TARGETS["tencent"]] * 4]
    assert [get(server, target).status for target in asked] == [200, 200, 200, 500, 500, 200, 200]
    assert server.faults.used(fault) == 2


def test_the_first_fault_that_applies_wins_and_clear_ends_all(server):
    server.faults.add(Fault("503", times=1), Fault("500"))
    assert [get(server, TARGETS["sina"]).status for _ in range(2)] == [503, 500]
    server.faults.clear()
    assert len(server.faults) == 0
    assert get(server, TARGETS["sina"]).status == 200


def test_faults_of_bars_do_not_meet_replies_without_bars(server):
    fault = Fault("duplicate")
    server.faults.add(fault)
    got = get(server, "/finance.sina.com.cn/realstock/company/sh600519/hfq.js")
    assert (got.status, server.faults.used(fault)) == (200, 0)
    get(server, TARGETS["sina"])
    assert server.faults.used(fault) == 1


def test_faults_count_in_many_threads():
    fault = Fault("500", times=300)
    faults = Faults([fault])
    taken: list[Fault | None] = []

    def take() -> None:
        taken.extend(faults.take("tencent", "sh600519", bars=True) for _ in range(100))

    threads = [threading.Thread(target=take) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(taken), taken.count(fault), faults.used(fault)) == (400, 300, 300)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"kind": "earthquake"}, "earthquake"),
        ({"kind": "429", "value": 3.0}, "takes no value"),
        ({"kind": "slow", "value": -1.0}, "not negative"),
        ({"kind": "500", "times": 0}, "at least 1"),
        ({"kind": "500", "after": -1}, "not negative"),
    ],
)
def test_impossible_faults(arguments, told):
    with pytest.raises(ReplayError, match=told):
        Fault(**arguments)


def test_every_kind_of_fault_leaves_the_server_in_order(server):
    good = get(server, TARGETS["tencent"]).body
    for kind in [*HOST_FAULTS, *DATA_FAULTS]:
        server.faults.add(Fault(kind, times=1, value=0.0 if kind == "slow" else None))
        try:
            assert get(server, TARGETS["tencent"]).body != good or kind == "slow"
        except OSError:
            assert kind.startswith("reset")
    assert get(server, TARGETS["tencent"]).body == good


def test_connections_are_kept_and_requests_are_noted_in_order(server):
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"))
    for source in ("tencent", "tencent", "sina"):
        connection.request("GET", TARGETS[source], headers=HEADERS)
        reply = connection.getresponse()
        assert (reply.version, reply.status) == (11, 200)
        reply.read()
    connection.close()
    assert [(seen.source, seen.share) for seen in server.requests] == [
        ("tencent", "sh600519"),
        ("tencent", "sh600519"),
        ("sina", "sh600519"),
    ]
    assert server.requests[0].target == "/appstock/app/fqkline/get?param=sh600519,day,2024-01-01,2024-03-31,640,hfq"
    assert server.connections_at_once == {"web.ifzq.gtimg.cn": 1, "money.finance.sina.com.cn": 1}
    server.forget()
    assert (server.requests, server.connections_at_once) == ([], {})


def test_connections_at_once_counts_those_that_are_open(server):
    address = server.url.removeprefix("http://")
    connections = [http.client.HTTPConnection(address) for _ in range(3)]
    for connection in connections:
        connection.request("GET", TARGETS["tencent"])
        connection.getresponse().read()
    for connection in connections:
        connection.close()
    assert server.connections_at_once == {"web.ifzq.gtimg.cn": 3}


def test_connections_one_after_the_other_are_not_at_once(server):
    idle = threading.active_count()
    for _ in range(3):
        get(server, TARGETS["tencent"])
        while threading.active_count() > idle:
            time.sleep(0.01)
    assert server.connections_at_once == {"web.ifzq.gtimg.cn": 1}


def test_an_unknown_host_is_not_found(server):
    assert get(server, "/example.org/anything").status == 404
    assert get(server, "/").status == 404
    assert server.requests[0] == ("", None, "/anything")


def test_a_new_market_is_seen_at_once(server):
    assert get(server, TARGETS["tiingo"]).status == 200
    server.market = Market({}, LAST)
    assert get(server, TARGETS["tiingo"]).status == 404
    server.market = server.market.with_listings(MARKET.listings["AAPL"])
    assert get(server, TARGETS["tiingo"]).status == 200


def test_it_ends_at_once_with_open_connections_and_leaves_no_thread():
    before = set(threading.enumerate())
    with ReplayServer(MARKET, faults=[Fault("slow", source="sina", value=3600)]) as server:
        address = server.url.removeprefix("http://")
        kept, waiting = (http.client.HTTPConnection(address) for _ in range(2))
        kept.request("GET", TARGETS["tencent"])
        kept.getresponse().read()
        waiting.request("GET", TARGETS["sina"], headers=HEADERS)
        while len(server.requests) < 2:
            time.sleep(0.01)
    assert set(threading.enumerate()) == before
    for connection in (kept, waiting):
        connection.close()
    with pytest.raises(ConnectionRefusedError):
        get(server, TARGETS["tencent"])


def test_a_port_that_is_taken_is_told(server):
    port = int(server.url.rpartition(":")[2])
    with pytest.raises(ReplayError, match=f"port {port}"), ReplayServer(MARKET, port=port):
        pass


def test_many_threads_get_whole_answers(server):
    good = {source: get(server, TARGETS[source]).body for source in SOURCES}
    wrong: list[str] = []

    def ask(source: str) -> None:
        wrong.extend(source for _ in range(10) if get(server, TARGETS[source]).body != good[source])

    threads = [threading.Thread(target=ask, args=(source,)) for source in SOURCES * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert len(server.requests) == 4 + 80


def write_index(folder: Path, entries: object) -> None:
    (folder / "index.json").write_text(json.dumps(entries), encoding="utf-8")


def test_recorded_replies_go_before_the_market_and_after_faults(tmp_path):
    (tmp_path / "body.json").write_bytes(b'{"recorded":true}')
    url = "https:/" + TARGETS["sina"]
    entry = {"url": url, "file": "body.json", "status": 203, "content_type": "text/plain", "origin": "synthetic"}
    write_index(tmp_path, [entry])
    path, _, query = TARGETS["sina"].partition("?")
    reordered = f"{path}?{'&'.join(reversed(query.split('&')))}"
    with ReplayServer(MARKET, fixtures=tmp_path) as server:
        for target in (TARGETS["sina"], reordered):
            got = get(server, target)
            assert (got.status, got.headers["Content-Type"], got.body) == (203, "text/plain", b'{"recorded":true}')
        assert len(bars("sina", get(server, TARGETS["sina"].replace("1023", "5")).body)) == 5
        for kind in ("html", "duplicate", "unknown"):
            server.faults.add(Fault(kind, times=1))
            assert b"recorded" not in get(server, TARGETS["sina"]).body
        server.faults.add(Fault("truncated"))
        assert get(server, TARGETS["sina"]).body == b'{"recorded"'
    with ReplayServer(MARKET) as server:
        assert b"recorded" not in get(server, TARGETS["sina"]).body


@pytest.mark.parametrize("entries", [{}, [{}], [{"url": "https://a/b", "file": "none", "status": 200}], ["text"]])
def test_bad_fixtures_are_told(tmp_path, entries):
    write_index(tmp_path, entries)
    with pytest.raises(ReplayError, match=r"index\.json"):
        ReplayServer(MARKET, fixtures=tmp_path)


def test_a_folder_without_an_index_is_told(tmp_path):
    with pytest.raises(ReplayError, match=r"index\.json"):
        ReplayServer(MARKET, fixtures=tmp_path)


def test_the_log_has_a_line_for_each_request_and_no_key():
    lines: list[str] = []
    with ReplayServer(MARKET, log=lines.append, faults=[Fault("503", source="sina")]) as server:
        for number, source in enumerate(("tiingo", "sina"), 1):
            get(server, TARGETS[source])
            assert len(lines) == number  # written before the answer is sent
    assert [line.split()[0] for line in lines] == ["200", "503"]
    assert "AAPL" in lines[0]
    assert "Token" not in "".join(lines)
