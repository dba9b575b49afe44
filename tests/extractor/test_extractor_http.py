"""The client: retries, the circuit, politeness, what comes back, the end."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from http.server import BaseHTTPRequestHandler

import pytest
from hosts import ASKED, FAST, FIRST, LAST, TENCENT, Waits, ask, ask_with_key, client, host_of, send

from components.errors import HostError
from components.extractor.http import HttpSettings
from components.extractor.replay import Fault, ReplayServer
from components.extractor.sources.base import Reply, Request
from components.records import from_plain

# --- retries


@pytest.mark.parametrize("kind", ["429", "500", "503", "reset", "reset-midway"])
def test_what_may_pass_is_tried_again(server: ReplayServer, kind: str) -> None:
    with client(server.url) as asking:
        clean = asking.get("sh600519", ASKED)
        server.forget()
        server.faults.add(Fault(kind, times=3))
        assert asking.get("sh600519", ASKED) == clean
    assert len(server.requests) == 4


@pytest.mark.parametrize("kind", ["429", "500", "503", "reset", "reset-midway"])
def test_what_does_not_pass_is_given_up(server: ReplayServer, kind: str) -> None:
    server.faults.add(Fault(kind))
    with pytest.raises(HostError, match="tencent, share sh600519") as raised:
        ask(server.url)
    assert len(server.requests) == FAST.attempts
    assert kind in str(raised.value) if kind.isdigit() else "the connection failed" in str(raised.value)


@pytest.mark.parametrize("status", [502, 504])
def test_other_refusals_of_a_gateway_are_tried_again(status: int) -> None:
    with host_of(lambda handler, number: send(handler, status if number == 1 else 200)) as host:
        assert ask(host.url).body == b"{}"
    assert len(host.paths) == 2


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, so nobody else has it; not listening, so nobody answers
        with pytest.raises(HostError, match=r"the connection failed \(127\.0\.0\.1:\d+\)"):
            ask(f"http://127.0.0.1:{taken.getsockname()[1]}")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (replace(FAST, attempts=5, backoff=0.05), [0.05, 0.1, 0.2, 0.4]),
        (replace(FAST, attempts=4, backoff=10.0, longest_wait=0.05), [0.05] * 3),
    ],
)
def test_the_back_off_grows_up_to_the_longest_wait(
    monkeypatch: pytest.MonkeyPatch, settings: HttpSettings, expected: list[float]
) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)  # the longest that chance may choose
    with host_of(lambda handler, number: send(handler, 503)) as host, pytest.raises(HostError):
        ask(host.url, settings, waits := Waits())
    assert waits.seconds == pytest.approx(expected)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets so many seconds pass for the circuit."""
    passed = [0.0]
    monkeypatch.setattr("circuitbreaker.monotonic", lambda: sum(passed))
    return passed.append


def test_the_circuit_opens_and_closes_again(server: ReplayServer, later: Callable[[float], None]) -> None:
    settings = replace(FAST, attempts=2, failures=3, rest=60)
    fault = Fault("500", times=6)
    server.faults.add(fault)
    with client(server.url, settings) as asking:
        for _ in range(3):
            with pytest.raises(HostError, match="answered 500"):
                asking.get("sh600519", ASKED)
        assert len(server.requests) == 6
        later(59)
        with pytest.raises(
            HostError, match="share sz000001: not asked, as the host failed 3 requests in a row"
        ) as raised:
            asking.get("sz000001", ASKED)
        assert "answered 500" in str(raised.value)
        assert "\n" not in str(raised.value)
        assert len(server.requests) == 6
        later(2)
        assert asking.get("sh600519", ASKED).status == 200
    assert len(server.requests) == 7


def test_failures_count_only_in_a_row(server: ReplayServer) -> None:
    settings = replace(FAST, attempts=1, failures=2, rest=60)
    with client(server.url, settings) as asking:
        for _ in range(3):
            server.faults.add(Fault("503", times=1))
            with pytest.raises(HostError, match="answered 503"):
                asking.get("sh600519", ASKED)
            assert asking.get("sh600519", ASKED).status == 200
    assert len(server.requests) == 6


def test_a_host_that_fails_again_after_its_rest_is_left_alone_again(
    server: ReplayServer, later: Callable[[float], None]
) -> None:
    server.faults.add(Fault("503"))
    with client(server.url, replace(FAST, attempts=1, failures=2, rest=60)) as asking:
        for _ in range(2):
            with pytest.raises(HostError, match="answered 503"):
                asking.get("sh600519", ASKED)
        later(61)
        with pytest.raises(HostError, match="answered 503"):
            asking.get("sh600519", ASKED)
        with pytest.raises(HostError, match="not asked"):
            asking.get("sh600519", ASKED)
    assert len(server.requests) == 3


def test_a_request_in_its_back_off_is_not_repeated_once_the_circuit_is_open(server: ReplayServer) -> None:
    server.faults.add(Fault("503", share="sh600519"), Fault("denied", share="sz000001"))
    settings = replace(FAST, attempts=1000, backoff=0.02, longest_wait=0.02, failures=1, rest=60)
    with client(server.url, settings) as asking, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(asking.get, "sh600519", ASKED)
        while len(server.requests) < 2:
            time.sleep(0.005)
        with pytest.raises(HostError, match="denies access"):
            asking.get("sz000001", TENCENT.requests("sz000001", FIRST, LAST)[0])
        opened = len(server.requests)
        with pytest.raises(HostError, match="answered 503"):
            waiting.result()
    assert len(server.requests) <= opened + 2


# --- politeness


def test_at_most_two_connections_at_once() -> None:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        host.ending.wait(0.05)
        send(handler, 200)

    with host_of(answer) as host, client(host.url) as asking, ThreadPoolExecutor(4) as pool:
        replies = list(pool.map(lambda _: asking.get("sh600519", ASKED), range(12)))
    assert [reply.status for reply in replies] == [200] * 12
    assert host.most_at_once == TENCENT.connections == 2


def test_connections_are_used_again(server: ReplayServer) -> None:
    with client(server.url) as asking, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda _: asking.get("sh600519", ASKED), range(20)))
    assert max(server.connections_at_once.values()) <= 2


def test_the_rate_holds() -> None:
    with host_of(lambda handler, _: send(handler, 200)) as host:
        begun = time.monotonic()
        with client(host.url, replace(FAST, rate=5)) as asking, ThreadPoolExecutor(4) as pool:
            list(pool.map(lambda _: asking.get("sh600519", ASKED), range(8)))
    # Each waits for those before it, whatever the rate would allow a minute: none comes before its turn.
    for number, moment in enumerate(sorted(host.times)):
        assert moment - begun >= 0.2 * number


@pytest.mark.parametrize("rate", [0.9, 0.333, 1 / 60])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_rate_of_less_than_one_a_second_is_a_pause_before_each_request(rate: float, threads: int) -> None:
    stop, begun = Waits(), time.monotonic()
    with host_of(lambda handler, _: send(handler, 200)) as host:
        with client(host.url, replace(FAST, rate=rate), stop) as asking, ThreadPoolExecutor(threads) as pool:
            list(pool.map(lambda _: asking.get("sh600519", ASKED), range(5)))
    spent = time.monotonic() - begun
    # Nobody waits here, so that each has to wait for the pauses of all before it, less the time that has passed.
    for count, wait in enumerate(sorted(stop.seconds), 5 - len(stop.seconds)):
        assert count / rate - spent <= wait <= count / rate
    assert stop.seconds


def test_the_pause_before_a_request_ends_when_it_is_stopped() -> None:
    stop = threading.Event()
    waits = threading.Event()
    stop.wait = lambda timeout=None: waits.set() or threading.Event.wait(stop, timeout)  # type: ignore[method-assign]
    with host_of(lambda handler, _: send(handler, 200)) as host, ThreadPoolExecutor(1) as pool:
        with client(host.url, replace(FAST, rate=1 / 3600), stop) as asking:
            asking.get("sh600519", ASKED)
            waiting = pool.submit(asking.get, "sh600519", ASKED)
            waits.wait()
            stop.set()
            with pytest.raises(HostError, match="stopped before it was asked"):
                waiting.result()
    assert len(host.paths) == 1


def test_retries_count_for_the_rate() -> None:
    with host_of(lambda handler, _: send(handler, 503)) as host:
        begun = time.monotonic()
        with pytest.raises(HostError):
            ask(host.url, replace(FAST, rate=4, attempts=6, backoff=0.001))
    assert host.times[-1] - begun >= 0.9


def test_it_says_who_asks_and_sends_what_the_source_wants(server: ReplayServer) -> None:
    with host_of(lambda handler, _: send(handler, 200)) as host:
        ask(host.url)
    (headers,) = host.headers
    assert headers["Referer"] == "https://gu.qq.com/"
    assert "awesome-extractor" in headers["User-Agent"]
    assert "Authorization" not in headers


def test_a_base_url_takes_the_host_in_its_path() -> None:
    with host_of(lambda handler, _: send(handler, 200)) as host:
        for base in (host.url, f"{host.url}/", f"{host.url}/proxy/"):
            assert ask(base).url == ASKED.url
    target = ASKED.url.removeprefix("https://")
    assert host.paths == [f"/{target}", f"/{target}", f"/proxy/{target}"]


# --- what comes back


def test_a_404_reaches_the_caller() -> None:
    with host_of(lambda handler, _: send(handler, 404, b'{"detail": "Not found."}')) as host:
        reply = ask(host.url)
    assert reply == Reply(ASKED.url, 404, "application/json", b'{"detail": "Not found."}')
    assert len(host.paths) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_denied_key_names_its_variable(status: int) -> None:
    with host_of(lambda handler, _: send(handler, status, b'{"detail": "Invalid token."}')) as host:
        with pytest.raises(HostError) as raised:
            ask_with_key(host.url)
        with pytest.raises(HostError, match="try another source"):
            ask(host.url)
    text = str(raised.value)
    assert text.startswith(f"tiingo, share GE: the host denies access (status {status}), check TIINGO_API_KEY")
    assert "Invalid token." in text
    assert len(host.paths) == 2


# --- the end


def test_nothing_is_repeated_once_it_is_stopped(server: ReplayServer) -> None:
    server.faults.add(Fault("503"))
    stop = threading.Event()
    stop.set()
    with pytest.raises(HostError):
        ask(server.url, stop=stop)
    assert len(server.requests) == 1


@pytest.mark.parametrize("kind", ["503", "429-retry-after"])
def test_a_waiting_back_off_ends_at_once_and_asks_no_more(
    server: ReplayServer, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    server.faults.add(Fault(kind, value=3600.0 if kind == "429-retry-after" else None))
    waits = threading.Event()

    class Stop(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            waits.set()
            return super().wait(timeout)

    stop = Stop()
    settings = replace(FAST, backoff=3600.0, longest_wait=7200.0)
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, server.url, settings, stop)
        waits.wait()
        assert not waiting.done()
        stop.set()
        with pytest.raises(HostError):
            waiting.result()
    assert len(server.requests) == 1


def test_no_thread_is_left() -> None:
    before = set(threading.enumerate())
    with host_of(lambda handler, _: send(handler, 200)) as host:
        ask(host.url)
    for thread in set(threading.enumerate()) - before:
        thread.join(60)
    assert not set(threading.enumerate()) - before


# --- settings


def test_settings_come_back_from_numbers_of_one_kind() -> None:
    settings = HttpSettings(base_url="http://127.0.0.1:1", rate=2.5, attempts=7, failures=2)
    values = {"base_url": settings.base_url, "rate": 2.5, "timeout": 30.0, "attempts": 7.0, "backoff": 1.0}
    values |= {"longest_wait": 120.0, "failures": 2.0, "rest": 300.0}
    read = from_plain(HttpSettings, values)
    assert read == settings
    assert type(read.attempts) is int
    assert type(read.failures) is int


def test_a_request_with_its_own_headers_keeps_them() -> None:
    with host_of(lambda handler, _: send(handler, 200)) as host, client(host.url) as asking:
        asking.get("sh600519", Request("https://example.org/a?b=c,d", {"X-Own": "1"}))
    assert host.headers[0]["X-Own"] == "1"
    assert host.paths == ["/example.org/a?b=c,d"]
