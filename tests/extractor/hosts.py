"""Hosts that answer as a test says, and clients that ask them."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from components.extractor.http import Client, HttpSettings
from components.extractor.sources.base import Reply
from components.extractor.sources.registry import get_source

KEY = "f00dcafe-SECRET-0123456789"
FIRST, LAST = dt.date(2024, 1, 5), dt.date(2024, 2, 6)
FAST = HttpSettings(rate=1000, timeout=60, attempts=4, backoff=0.005, longest_wait=2.0)

TENCENT, TIINGO = get_source("tencent"), get_source("tiingo")
ASKED = TENCENT.requests("sh600519", FIRST, LAST)[0]
ASKED_WITH_KEY = TIINGO.requests("GE", FIRST, LAST)[0]


def client(url: str, settings: HttpSettings = FAST, stop: threading.Event | None = None) -> Client:
    return Client(TENCENT, replace(settings, base_url=url), stop=stop)


def client_with_key(url: str, settings: HttpSettings = FAST) -> Client:
    return Client(TIINGO, replace(settings, base_url=url), KEY)


def ask(url: str, settings: HttpSettings = FAST, stop: threading.Event | None = None) -> Reply:
    """One request of a client of its own."""
    with client(url, settings, stop) as asking:
        return asking.get("sh600519", ASKED)


def ask_with_key(url: str, settings: HttpSettings = FAST) -> Reply:
    with client_with_key(url, settings) as asking:
        return asking.get("GE", ASKED_WITH_KEY)


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


class Waits(threading.Event):
    """A client's `stop`, never set, that notes how long the client would have waited, and lets it go on at once."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.seconds.append(timeout or 0.0)
        return False
