"""The replay server itself: connections, threads, recorded replies, its log."""

from __future__ import annotations

import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from asking import HEADERS, LAST, MARKET, SOURCES, TARGETS, bars, get

from components.extractor.replay import Fault, Market, ReplayError, ReplayServer


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

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ask, SOURCES * 2))
    assert wrong == []
    assert len(server.requests) == 4 + 80


def test_recorded_replies_go_before_the_market_and_after_faults(tmp_path):
    (tmp_path / "body.json").write_bytes(b'{"recorded":true}')
    url = "https:/" + TARGETS["sina"]
    entry = {"url": url, "file": "body.json", "status": 203, "content_type": "text/plain", "origin": "synthetic"}
    (tmp_path / "index.json").write_text(json.dumps([entry]))
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


NO_FILE = {"url": "https://a/b", "file": "none", "status": 200}


@pytest.mark.parametrize("entries", [None, {}, [{}], [NO_FILE], ["text"]])
def test_bad_or_missing_fixtures_are_told(tmp_path, entries):
    if entries is not None:
        (tmp_path / "index.json").write_text(json.dumps(entries))
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
