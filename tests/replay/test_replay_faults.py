"""How the replay server misbehaves on request."""

from __future__ import annotations

import itertools
import json
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from asking import SOURCES, TARGETS, bars, get

from components.extractor.replay import DATA_FAULTS, HOST_FAULTS, Fault, Faults, ReplayError


def broken(bars: list[tuple[str, float, float, float, float]]) -> list[str]:
    return [day for day, o, h, low, c in bars if not low <= min(o, c) <= max(o, c) <= h]


@pytest.mark.parametrize("source", SOURCES)
class TestDamagedBars:
    """The faults that every source has because they are in the bars."""

    @pytest.fixture
    def damaged(self, server, source):
        """The bars as they are, and as a fault shows them."""

        def damaged(kind, value=None):
            good = bars(source, get(server, TARGETS[source]).body)
            server.faults.add(Fault(kind, value=value))
            return good, bars(source, get(server, TARGETS[source]).body)

        return damaged

    def test_disorder_swaps_two_dates_and_leaves_the_prices(self, damaged):
        good, bad = damaged("disorder")
        days = [row[0] for row in bad]
        assert [row[1:] for row in bad] == [row[1:] for row in good]
        assert sorted(days) == [row[0] for row in good]
        assert sum(one > other for one, other in itertools.pairwise(days)) == 1

    def test_a_high_below_its_low(self, damaged):
        good, bad = damaged("high-below-low")
        assert (len(broken(good)), len(broken(bad))) == (0, 1)
        assert sum(high < low for _, _, high, low, _ in bad) == 1

    def test_the_last_bar_twice(self, damaged):
        good, bad = damaged("duplicate")
        assert bad == [*good, good[-1]]

    def test_todays_open_bar_twice(self, damaged):
        good, bad = damaged("live")
        assert bad[:-2] == good[:-1]
        assert bad[-1] == bad[-2]
        assert [bad[-1][:2]] == [good[-1][:2]]
        assert bad[-1][2:] != good[-1][2:]

    def test_bars_that_are_missing_at_the_end(self, damaged):
        good, bad = damaged("missing", 3)
        assert bad == good[:-3]


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

    def take(_: int) -> None:
        taken.extend(faults.take("tencent", "sh600519", bars=True) for _ in range(100))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(take, range(4)))
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
