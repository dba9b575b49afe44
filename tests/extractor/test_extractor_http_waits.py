"""How long the client waits: Retry-After, time-outs, replies that are cut."""

from __future__ import annotations

import email.utils
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from http.server import BaseHTTPRequestHandler

import pytest
from hosts import FAST, Waits, ask, host_of, send

from components.errors import HostError
from components.extractor import http
from components.extractor.replay import Fault, ReplayServer

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

    stop = Waits()
    with host_of(answer) as host:
        assert ask(host.url, replace(FAST, longest_wait=7200), stop).status == 200
    [wait] = stop.seconds
    # A date tells the end of the wait, some of which is over by now.
    assert 3000 < wait <= 3600 if as_date else wait == 3600


@pytest.mark.parametrize("as_date", [False, True])
@pytest.mark.parametrize("status", [429, 503])
def test_a_wait_that_is_too_long_is_not_waited_for(status: int, as_date: bool) -> None:
    with host_of(lambda handler, _: send(handler, status, Retry_After=_at(3600) if as_date else "3600")) as host:
        with pytest.raises(HostError, match=rf"answered {status} and asks to wait 3\d+ s"):
            ask(host.url, stop=(waits := Waits()))
    assert (len(host.paths), waits.seconds) == (1, [])


@pytest.mark.parametrize("value", ["soon", "-5", "", "nan", "1e3", "Wed, 21 Oct 2015 07:28:00 GMT", "9" * 30])
def test_a_senseless_wait_breaks_nothing(value: str) -> None:
    with host_of(lambda handler, number: send(handler, 429 if number == 1 else 200, Retry_After=value)) as host:
        if value.startswith("999"):
            with pytest.raises(HostError):
                ask(host.url)
        else:
            stop = Waits()
            assert ask(host.url, stop=stop).status == 200
            assert stop.seconds[0] < 1


# --- time-outs and cut replies


def test_an_answer_that_does_not_come_is_not_waited_for(server: ReplayServer) -> None:
    server.faults.add(Fault("slow", value=3600, times=2))
    assert ask(server.url, replace(FAST, timeout=0.4, attempts=99)).status == 200
    assert len(server.requests) >= 3  # a busy machine may need more than 0.4 s for an answer


def test_the_error_says_that_there_was_no_answer_in_time(server: ReplayServer) -> None:
    server.faults.add(Fault("slow", value=3600))
    with pytest.raises(HostError, match="no answer in time"):
        ask(server.url, replace(FAST, timeout=0.1, attempts=2))


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
        with pytest.raises(HostError, match="longer than 240 s"):
            ask(host.url, replace(FAST, attempts=2))
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

    with host_of(answer) as host:
        assert ask(host.url).body == body
    assert len(host.paths) == 3


def test_an_empty_reply_is_a_reply() -> None:
    with host_of(lambda handler, _: send(handler, 200, b"")) as host:
        assert ask(host.url).body == b""


def test_a_reply_that_is_too_large_is_refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http, "_MOST_BYTES", 2**20)
    with host_of(lambda handler, number: send(handler, 200, b"1" * (2**20 + (number == 1)))) as host:
        with pytest.raises(HostError, match="larger than 1 MiB"):
            ask(host.url)
        assert len(host.paths) == 1
        assert len(ask(host.url).body) == 2**20
