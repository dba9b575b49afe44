"""The server: one address on 127.0.0.1 that stands for every source's hosts."""

from __future__ import annotations

import contextlib
import http.client
import socket
import socketserver
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote

from components.extractor.replay.exchanges import ReplayError
from components.extractor.replay.faults import Fault, Faults
from components.extractor.replay.market import Market
from components.extractor.replay.recordings import Recordings
from components.extractor.replay.sina import Sina
from components.extractor.replay.tencent import Tencent
from components.extractor.replay.tiingo import Tiingo
from components.extractor.replay.wire import HTML, Answer, Ask, Wire, to_json
from components.extractor.replay.yahoo import Yahoo

_WIRES: Mapping[str, Wire] = {host: wire for wire in (Tencent(), Tiingo(), Sina(), Yahoo()) for host in wire.hosts}
"""What answers for each host."""
_ADDRESS = "127.0.0.1"
_POLL_SECONDS = 0.02
# Closing with it sends RST instead of FIN.
_NO_LINGER = struct.pack("ii", 1, 0)
_PAGE = b"<!DOCTYPE html><html><head><title>%s</title></head><body><p>%s</p></body></html>"
_RIGHT_BACK = Answer(200, HTML, _PAGE % (b"Will be right back", b"Will be right back... Thank you for your patience."))


class SeenRequest(NamedTuple):
    """A request that the server got.

    Attributes:
        source: that it was meant for; empty if the host is none of theirs.
        share: that it was about; None if it names none.
        target: path and query, without the host.
    """

    source: str
    share: str | None
    target: str


class ReplayServer:
    """Answers as the sources do, from faults, recorded replies and a market, in this order.

    `https://HOST/PATH?QUERY` is asked as `{url}/HOST/PATH?QUERY`. To be used in a `with` statement, which starts it and
    ends it with all its connections.

    Attributes:
        faults: how it misbehaves; may be changed while it runs.
        market: assign another one at any time, and the next request sees it.
    """

    def __init__(
        self,
        market: Market,
        *,
        faults: Iterable[Fault] = (),
        port: int = 0,
        fixtures: Path | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        """Gets everything ready but the port.

        Args:
            market: to answer from.
            faults: how it misbehaves at first.
            port: to listen on; 0 for any that is free.
            fixtures: folder of recorded replies (`recordings.FIXTURES`), which go before the market; None for none.
            log: called with a line for each request, before it is answered, from many threads.

        Raises:
            ReplayError: the fixtures cannot be read.
        """
        self.faults = Faults(faults)
        self.market = market
        self._port = port
        self._recordings = Recordings(fixtures)
        self._log = log
        self._lock = threading.Lock()
        self._requests: list[SeenRequest] = []
        # The host that each open connection asked last.
        self._connections: dict[socket.socket, str | None] = {}
        self._most: dict[str, int] = {}
        self._ending = threading.Event()
        self._server: _HttpServer | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> ReplayServer:
        """Starts it.

        Raises:
            ReplayError: the port is taken.
        """
        try:
            self._server = _HttpServer((_ADDRESS, self._port), self)
        except (OSError, OverflowError) as error:
            raise ReplayError(f"port {self._port} of {_ADDRESS} cannot be had ({error}): choose another") from error
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="replay-server", daemon=True
        )
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        """Ends it, with all its connections and threads."""
        self._ending.set()
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._thread.join()
        with self._lock:
            for connection in self._connections:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it listens, without a slash at the end."""
        if self._server is None:
            raise RuntimeError("the replay server has not been started: use it in a with statement")
        return f"http://{_ADDRESS}:{self._server.server_address[1]}"

    @property
    def requests(self) -> list[SeenRequest]:
        """The requests so far, a copy, in the order in which they came."""
        with self._lock:
            return list(self._requests)

    @property
    def connections_at_once(self) -> dict[str, int]:
        """The most connections that were open at a time, by host; one belongs to the host that it asked last."""
        with self._lock:
            return dict(self._most)

    def forget(self) -> None:
        """Forgets the requests and connections so far."""
        with self._lock:
            self._requests.clear()
            self._most.clear()

    def _connected(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections[connection] = None

    def _disconnected(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.pop(connection, None)

    def _note(self, connection: socket.socket, host: str, seen: SeenRequest) -> None:
        with self._lock:
            self._requests.append(seen)
            if self._connections.get(connection) != host:
                self._connections[connection] = host
                at_once = sum(owner == host for owner in self._connections.values())
                self._most[host] = max(self._most.get(host, 0), at_once)

    def _handle(self, handler: _Handler) -> None:
        began = time.perf_counter()
        full_path, _, query_text = handler.path.partition("?")
        host, _, rest = full_path.lstrip("/").partition("/")
        path = "/" + unquote(rest)
        pairs = parse_qsl(query_text, keep_blank_values=True)
        query = dict(pairs)
        wire = _WIRES.get(host)
        share = None if wire is None else wire.share(path, query)
        target = f"/{rest}?{query_text}" if query_text else f"/{rest}"
        self._note(handler.connection, host, SeenRequest("" if wire is None else wire.name, share, target))
        headers = {name.lower(): value for name, value in handler.headers.items()}
        fault = None
        if wire is None:
            answer = _page(404, b"No source has this host")
        else:
            market = self.market
            fault = self.faults.take(wire.name, share, bars=wire.shows_bars(path) and share in market.listings)
            own = fault if fault is not None and fault.is_told else None
            answer = (
                self._refusal(wire, fault)
                or (self._recordings.find(host, path, pairs) if own is None else None)
                or wire.answer(Ask(host, path, query, headers, market, own))
            )
        kind = "" if fault is None else fault.kind
        if kind == "truncated":
            # Two thirds of any JSON that is not a plain number are no JSON.
            answer = replace(answer, body=answer.body[: len(answer.body) * 2 // 3])
        if self._log is not None:
            # Before the answer is sent, so that the lines of one client's requests come in the order of its requests.
            taken = (time.perf_counter() - began) * 1000
            self._log(f"{answer.status} {len(answer.body):>8} B {taken:7.1f} ms {kind or '-':<15} {handler.path}")
        handler.answer(answer, kind)

    def _refusal(self, wire: Wire, fault: Fault | None) -> Answer | None:
        """The answer of a fault that needs no other; waits if the fault is to be slow."""
        if fault is None:
            return None
        if fault.kind == "slow":
            self._ending.wait(fault.amount)
        if fault.kind == "denied":
            return wire.denied()
        if fault.kind == "html":
            return _RIGHT_BACK
        if fault.kind == "captcha":
            return to_json(200, {"ret": -1, "url": "https://captcha.example/verify"})
        if fault.kind == "429-retry-after":
            return replace(_page(429, b"Too many requests"), headers=(("Retry-After", f"{fault.amount:.0f}"),))
        if fault.kind in ("429", "500", "503"):
            return _page(int(fault.kind), HTTPStatus(int(fault.kind)).phrase.encode())
        return None


class _HttpServer(ThreadingHTTPServer):
    # Threads are waited for at the end, so that none outlives the server.
    daemon_threads = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], replay: ReplayServer) -> None:
        self.replay = replay
        self.broken: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # The ordinary one looks up the machine's name, which can take seconds.
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = _ADDRESS, int(self.server_address[1])

    def process_request(self, request: Any, client_address: Any) -> None:
        self.replay._connected(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.replay._disconnected(request)
        if request in self.broken:
            self.broken.discard(request)
            # Without the FIN that the ordinary way sends first.
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):  # a client that left is no error
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _HttpServer

    def do_GET(self) -> None:
        self.server.replay._handle(self)

    def answer(self, answer: Answer, kind: str) -> None:
        """Sends an answer in one piece, or breaks the connection before it or half-way."""
        further = "".join(f"{name}: {value}\r\n" for name, value in answer.headers)
        head = (
            f"HTTP/1.1 {answer.status} {http.client.responses.get(answer.status, 'Status')}\r\n"
            f"Content-Type: {answer.content_type}\r\nContent-Length: {len(answer.body)}\r\n{further}\r\n"
        ).encode()
        if kind == "reset-midway":
            self.wfile.write(head + answer.body[: len(answer.body) // 2])
        elif kind != "reset":
            self.wfile.write(head + answer.body)
            return
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
        self.server.broken.add(self.connection)
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing; the server has its own log."""


def _page(status: int, text: bytes) -> Answer:
    return Answer(status, HTML, _PAGE % (text, text))
