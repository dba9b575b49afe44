"""A function that answers requests of HTTP, behind an address of this machine."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass(frozen=True)
class Request:
    """A request; of a repeated parameter the last."""

    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    content: bytes


Answer = Callable[[Request], tuple[int, bytes, str]]
"""Status, body and content type; a status of 0 for no answer."""


@contextmanager
def answering(answer: Answer, tls: ssl.SSLContext | None = None, protocol: str = "HTTP/1.0") -> Iterator[str]:
    """The address at which the function answers."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = protocol

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, body, kind = answer(Request(self.command, parts.path, query, self.headers, content))
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            # A client that was stopped does not wait for it.
            with suppress(ConnectionError):
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

        do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = do_DELETE = _answer

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
