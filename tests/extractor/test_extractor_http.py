from __future__ import annotations

import datetime as dt
import email.utils
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from components.errors import HostError
from components.extractor import http
from components.extractor.http import Client, HttpSettings
from components.extractor.replay import Fault, Market, ReplayServer, make_listing
from components.extractor.sources.base import Reply, Request
from components.extractor.sources.registry import get_source
from components.records import from_plain

KEY = "f00dcafe-SECRET-0123456789"
FIRST, LAST = dt.date(2026, 1, 5), dt.date(2026, 2, 6)
FAST = HttpSettings(rate=1000, timeout=60, attempts=4, backoff=0.005, longest_wait=2.0)

TENCENT, TIINGO = get_source("tencent"), get_source("tiingo")
ASKED = TENCENT.requests("sh600519", FIRST, LAST)[0]
ASKED_WITH_KEY = TIINGO.requests("GOOGL", FIRST, LAST)[0]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="module")
def market() -> Market:
    shares = {"sh600519": "XSHG", "GOOGL": "XNYS"}
    return Market({share: make_listing(share, exchange, FIRST, LAST) for share, exchange in shares.items()}, LAST)


@pytest.fixture
def server(market: Market) -> Iterator[ReplayServer]:
    with ReplayServer(market) as running:
        yield running


def client(url: str, settings: HttpSettings = FAST, stop: threading.Event | None = None) -> Client:
    return Client(TENCENT, replace(settings, base_url=url), stop=stop)


def client_with_key(url: str, settings: HttpSettings = FAST) -> Client:
    return Client(TIINGO, replace(settings, base_url=url), KEY)


class Waits(threading.Event):
    """A client's `stop`, never set, that notes how long the client would have waited, and lets it go on at once."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        return False


class Host:
    """A host whose every answer a function makes out of the number of the request."""

    def __init__(self, answer: Callable[[BaseHTTPRequestHandler, int], None]) -> None:
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.times: list[float] = []
        self.ending = threading.Event()
        self.most_at_once = 0
        at_once = 0
        lock = threading.Lock()
        host = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                nonlocal at_once
                with lock:
                    at_once += 1
                    host.most_at_once = max(host.most_at_once, at_once)
                    host.times.append(time.monotonic())
                    host.paths.append(self.path)
                    host.headers.append(dict(self.headers.items()))
                    number = len(host.paths)
                try:
                    answer(self, number)
                except OSError:
                    self.close_connection = True
                finally:
                    with lock:
                        at_once -= 1

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                """Says nothing of a client that left."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    @contextmanager
    def running(self) -> Iterator[Host]:
        thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.ending.set()
            self._server.shutdown()
            thread.join()
            self._server.server_close()


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes = b"{}", **headers: str) -> None:
    handler.send_response(status)
    for name, value in {"Content_Type": "application/json", "Content_Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def host_of(answer: Callable[[BaseHTTPRequestHandler, int], None]) -> Any:
    return Host(answer).running()


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
    with client(server.url) as asking, pytest.raises(HostError, match="tencent, share sh600519") as raised:
        asking.get("sh600519", ASKED)
    assert len(server.requests) == FAST.attempts
    assert kind in str(raised.value) if kind.isdigit() else "the connection failed" in str(raised.value)


@pytest.mark.parametrize("status", [502, 504])
def test_other_refusals_of_a_gateway_are_tried_again(status: int) -> None:
    with host_of(lambda handler, number: send(handler, status if number == 1 else 200)) as host:
        with client(host.url) as asking:
            assert asking.get("sh600519", ASKED).body == b"{}"
    assert len(host.paths) == 2


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound, so nobody else has it; not listening, so nobody answers
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with client(url) as asking, pytest.raises(HostError, match=r"the connection failed \(127\.0\.0\.1:\d+\)"):
            asking.get("sh600519", ASKED)


def test_the_back_off_grows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)  # the longest that chance may choose
    with host_of(lambda handler, number: send(handler, 503)) as host:
        settings = replace(FAST, attempts=5, backoff=0.05)
        with client(host.url, settings, waits := Waits()) as asking, pytest.raises(HostError):
            asking.get("sh600519", ASKED)
    assert waits.seconds == pytest.approx([0.05, 0.1, 0.2, 0.4])


def test_no_back_off_is_longer_than_the_longest_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("random.uniform", lambda low, high: high)
    with host_of(lambda handler, number: send(handler, 503)) as host:
        settings = replace(FAST, attempts=4, backoff=10.0, longest_wait=0.05)
        with client(host.url, settings, waits := Waits()) as asking, pytest.raises(HostError):
            asking.get("sh600519", ASKED)
    assert waits.seconds == [0.05] * 3


# --- Retry-After


def _at(seconds: float) -> str:
    return email.utils.formatdate(time.time() + seconds, usegmt=True)


@pytest.mark.parametrize("as_date", [False, True])
def test_the_wait_that_a_host_asks_for_is_kept(as_date: bool) -> None:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number == 1:
            send(handler, 429, Retry_After=_at(3600) if as_date else "3600")
        else:
            send(handler, 200)

    with host_of(answer) as host:
        with client(host.url, replace(FAST, longest_wait=7200), waits := Waits()) as asking:
            assert asking.get("sh600519", ASKED).status == 200
    [wait] = waits.seconds
    # A date tells the end of the wait, some of which is over by now.
    assert 3000 < wait <= 3600 if as_date else wait == 3600


@pytest.mark.parametrize("as_date", [False, True])
@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_is_too_long_is_not_waited_for(status: int, as_date: bool) -> None:
    with host_of(lambda handler, _: send(handler, status, Retry_After=_at(3600) if as_date else "3600")) as host:
        with client(host.url, stop=(waits := Waits())) as asking:
            with pytest.raises(HostError, match=rf"answered {status} and asks to wait 3\d+ s"):
                asking.get("sh600519", ASKED)
    assert (len(host.paths), waits.seconds) == (1, [])


@pytest.mark.parametrize("value", ["soon", "-5", "", "nan", "1e3", "Wed, 21 Oct 2015 07:28:00 GMT", "9" * 30])
def test_an_odd_wait_breaks_nothing(value: str) -> None:
    with host_of(lambda handler, number: send(handler, 429 if number == 1 else 200, Retry_After=value)) as host:
        with client(host.url, stop=(waits := Waits())) as asking:
            if value.startswith("999"):
                with pytest.raises(HostError):
                    asking.get("sh600519", ASKED)
            else:
                assert asking.get("sh600519", ASKED).status == 200
                assert waits.seconds[0] < 1


# --- time-outs and cut replies


def test_an_answer_that_does_not_come_is_not_waited_for(server: ReplayServer) -> None:
    server.faults.add(Fault("slow", value=3600, times=2))
    with client(server.url, replace(FAST, timeout=0.4, attempts=99)) as asking:
        assert asking.get("sh600519", ASKED).status == 200
    assert len(server.requests) >= 3  # a busy machine may need more than 0.4 s for an answer


def test_the_error_says_that_there_was_no_answer_in_time(server: ReplayServer) -> None:
    server.faults.add(Fault("slow", value=3600))
    settings = replace(FAST, timeout=0.1, attempts=2)
    with client(server.url, settings) as asking, pytest.raises(HostError, match="no answer in time"):
        asking.get("sh600519", ASKED)


@pytest.mark.parametrize("framing", ["length", "chunks", "end"])
def test_a_reply_that_drips_ends(framing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each byte comes in time, all of them never."""
    allowed = []

    class SoonTimer(threading.Timer):
        def __init__(self, interval: float, function: Callable[[], None]) -> None:
            allowed.append(interval)
            super().__init__(0.1, function)

    monkeypatch.setattr(threading, "Timer", SoonTimer)

    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        if framing == "length":
            handler.send_header("Content-Length", "100000")
        elif framing == "chunks":
            handler.send_header("Transfer-Encoding", "chunked")
        else:
            handler.send_header("Connection", "close")
        handler.end_headers()
        if framing == "chunks":
            handler.wfile.write(b"10000\r\n")
        while not host.ending.wait(0.01):
            handler.wfile.write(b"1")

    with host_of(answer) as host:
        with client(host.url, replace(FAST, attempts=2)) as asking:
            with pytest.raises(HostError, match="longer than 240 s"):
                asking.get("sh600519", ASKED)
    assert (len(host.paths), allowed) == (2, [240, 240])


@pytest.mark.parametrize("framing", ["length", "chunks"])
def test_a_cut_body_is_never_taken_for_whole(framing: str) -> None:
    body = b'{"a": 1}    '

    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", "application/json")
        whole = number > 2
        if framing == "length":
            handler.send_header("Content-Length", str(len(body)))
            data = body if whole else body[:8]  # the rest is blanks: it would parse
        else:
            handler.send_header("Transfer-Encoding", "chunked")
            data = b"8\r\n" + body[:8] + b"\r\n" + (b"4\r\n    \r\n0\r\n\r\n" if whole else b"")
        handler.end_headers()
        handler.wfile.write(data)
        handler.close_connection = not whole

    with host_of(answer) as host, client(host.url) as asking:
        assert asking.get("sh600519", ASKED).body == body
    assert len(host.paths) == 3


def test_an_empty_reply_is_a_reply() -> None:
    with host_of(lambda handler, _: send(handler, 200, b"")) as host, client(host.url) as asking:
        assert asking.get("sh600519", ASKED).body == b""


def test_a_reply_that_is_too_large_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_MOST_BYTES", 2**20)
    with host_of(lambda handler, number: send(handler, 200, b"1" * (2**20 + (number == 1)))) as host:
        with client(host.url) as asking:
            with pytest.raises(HostError, match="larger than 1 MiB"):
                asking.get("sh600519", ASKED)
            assert len(host.paths) == 1
            assert len(asking.get("sh600519", ASKED).body) == 2**20


# --- the circuit


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
            list(pool.map(lambda _: asking.get("sh600519", ASKED), range(11)))
    times = sorted(host.times)
    assert times[-1] - begun >= 1.9
    # No six requests within a second, up to what the way to the host adds.
    assert min(later - earlier for earlier, later in zip(times, times[5:], strict=False)) >= 0.4


def test_retries_count_for_the_rate() -> None:
    with host_of(lambda handler, _: send(handler, 503)) as host:
        settings = replace(FAST, rate=4, attempts=6, backoff=0.001)
        begun = time.monotonic()
        with client(host.url, settings) as asking, pytest.raises(HostError):
            asking.get("sh600519", ASKED)
    assert host.times[-1] - begun >= 0.9


def test_it_says_who_asks_and_sends_what_the_source_wants(server: ReplayServer) -> None:
    with host_of(lambda handler, _: send(handler, 200)) as host, client(host.url) as asking:
        asking.get("sh600519", ASKED)
    (headers,) = host.headers
    assert headers["Referer"] == "https://gu.qq.com/"
    assert "awesome-extractor" in headers["User-Agent"]
    assert "Authorization" not in headers


def test_a_base_url_takes_the_host_in_its_path() -> None:
    with host_of(lambda handler, _: send(handler, 200)) as host:
        for base in (host.url, f"{host.url}/", f"{host.url}/proxy/"):
            with client(base) as asking:
                reply = asking.get("sh600519", ASKED)
                assert reply.url == ASKED.url
    target = ASKED.url.removeprefix("https://")
    assert host.paths == [f"/{target}", f"/{target}", f"/proxy/{target}"]


# --- what comes back


def test_a_404_reaches_the_caller() -> None:
    with host_of(lambda handler, _: send(handler, 404, b'{"detail": "Not found."}')) as host:
        with client(host.url) as asking:
            reply = asking.get("sh600519", ASKED)
    assert reply == Reply(ASKED.url, 404, "application/json", b'{"detail": "Not found."}')
    assert len(host.paths) == 1


@pytest.mark.parametrize("status", [401, 403])
def test_a_denied_key_names_its_variable(status: int) -> None:
    with host_of(lambda handler, _: send(handler, status, b'{"detail": "Invalid token."}')) as host:
        with client_with_key(host.url) as asking, pytest.raises(HostError) as raised:
            asking.get("GOOGL", ASKED_WITH_KEY)
        with client(host.url) as asking, pytest.raises(HostError, match="try another source"):
            asking.get("sh600519", ASKED)
    text = str(raised.value)
    assert text.startswith(f"tiingo, share GOOGL: the host denies access (status {status}), check TIINGO_API_KEY")
    assert "Invalid token." in text
    assert len(host.paths) == 2


# --- the key


def test_the_key_travels_in_the_header_only(server: ReplayServer) -> None:
    with client_with_key(server.url) as asking:
        assert asking.get("GOOGL", ASKED_WITH_KEY).status == 200
    assert KEY not in "".join(request.target for request in server.requests)
    with host_of(lambda handler, _: send(handler, 200)) as host, client_with_key(host.url) as asking:
        asking.get("GOOGL", ASKED_WITH_KEY)
    assert host.headers[0]["Authorization"] == f"Token {KEY}"
    assert KEY not in host.paths[0]


def _everything(error: BaseException | None) -> str:
    texts = []
    while error is not None:
        texts.append(f"{error} {error!r}")
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 429, 500])
def test_the_key_is_in_no_reply_error_or_log(status: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")  # kfp, once imported, makes it silent
    text = f"{KEY}: no such key; your Token {KEY}".encode()
    shown = ""
    with host_of(lambda handler, _: send(handler, status, text, Content_Type="text/html")) as host:
        with client_with_key(host.url) as asking:
            for _ in range(4):  # the circuit's message repeats another one
                try:
                    reply = asking.get("GOOGL", ASKED_WITH_KEY)
                    error: Exception = TIINGO.refusal("GOOGL", reply, "unusable")
                    shown += repr(reply)
                except HostError as refused:
                    error = refused
                shown += _everything(error)
            shown += repr(asking)
    assert host.headers[0]["Authorization"] == f"Token {KEY}"
    assert any(record.name.startswith("urllib3") for record in caplog.records)
    assert KEY not in shown
    assert KEY not in "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)


@pytest.mark.parametrize("kind", ["reset", "reset-midway", "slow"])
def test_the_key_is_in_no_error_of_a_broken_connection(
    server: ReplayServer, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.faults.add(Fault(kind))
    with client_with_key(server.url, replace(FAST, timeout=0.2, attempts=2)) as asking:
        with pytest.raises(HostError) as raised:
            asking.get("GOOGL", ASKED_WITH_KEY)
    assert KEY not in _everything(raised.value)
    assert KEY not in caplog.text


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "netrc"
    file.write_text(
        "machine 127.0.0.1 login somebody password hidden\nmachine localhost login somebody password hidden\n"
    )
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))


@pytest.mark.usefixtures("netrc")
def test_no_password_of_netrc_is_sent() -> None:
    with host_of(lambda handler, _: send(handler, 200)) as host:
        with client(host.url) as asking:
            asking.get("sh600519", ASKED)
        with client_with_key(host.url) as asking:
            asking.get("GOOGL", ASKED_WITH_KEY)
    assert [headers.get("Authorization") for headers in host.headers] == [None, f"Token {KEY}"]


@pytest.mark.usefixtures("netrc")
@pytest.mark.parametrize("elsewhere", ["127.0.0.1", "localhost"])
def test_the_key_does_not_travel_to_another_host(elsewhere: str) -> None:
    with host_of(lambda handler, _: send(handler, 200, b"[]")) as other:
        target = other.url.replace("127.0.0.1", elsewhere) + "/there"  # another port is another host, too
        with host_of(lambda handler, _: send(handler, 302, b"", Location=target)) as host:
            with client_with_key(host.url) as asking:
                assert asking.get("GOOGL", ASKED_WITH_KEY).body == b"[]"
    assert host.headers[0]["Authorization"] == f"Token {KEY}"
    assert other.paths == ["/there"]
    assert "Authorization" not in other.headers[0]


def test_the_key_travels_on_within_its_host() -> None:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number == 1:
            send(handler, 301, b"", Location="/there")
        else:
            send(handler, 200)

    with host_of(answer) as host, client_with_key(host.url) as asking:
        asking.get("GOOGL", ASKED_WITH_KEY)
    assert host.paths[1] == "/there"
    assert [headers.get("Authorization") for headers in host.headers] == [f"Token {KEY}"] * 2


def test_redirects_in_a_circle_end() -> None:
    with host_of(lambda handler, number: send(handler, 302, b"", Location=f"/{number}")) as host:
        with client(host.url) as asking, pytest.raises(HostError, match="TooManyRedirects from 127"):
            asking.get("sh600519", ASKED)
    assert len(host.paths) == 4


# --- the end


def test_nothing_is_repeated_once_it_is_stopped(server: ReplayServer) -> None:
    server.faults.add(Fault("503"))
    stop = threading.Event()
    stop.set()
    with client(server.url, stop=stop) as asking, pytest.raises(HostError):
        asking.get("sh600519", ASKED)
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
    with client(server.url, settings, stop) as asking, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(asking.get, "sh600519", ASKED)
        waits.wait()
        assert not waiting.done()
        stop.set()
        with pytest.raises(HostError):
            waiting.result()
    assert len(server.requests) == 1


def test_no_thread_is_left() -> None:
    before = set(threading.enumerate())
    with host_of(lambda handler, _: send(handler, 200)) as host, client(host.url) as asking:
        asking.get("sh600519", ASKED)
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
