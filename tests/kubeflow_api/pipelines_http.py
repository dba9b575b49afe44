"""The server of Kubeflow Pipelines' API behind an address of this machine."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from pipelines_server import PipelinesServer


@contextmanager
def pipelines_server(tls: ssl.SSLContext | None = None) -> Iterator[tuple[PipelinesServer, str]]:
    """A server, and its address on this machine."""
    state = PipelinesServer()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

        def _answer(self) -> None:
            parts = urlsplit(self.path)
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            query = {key: values[-1] for key, values in parse_qs(parts.query, keep_blank_values=True).items()}
            kind = self.headers.get("Content-Type", "")
            status, reply, reply_kind = state.answer(
                self.command, parts.path, query, content, kind, self.headers.get("Authorization", "")
            )
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Type", reply_kind)
            self.send_header("Content-Length", str(len(reply)))
            # A client that was stopped does not wait for it.
            with suppress(ConnectionError):
                self.end_headers()
                self.wfile.write(reply)

        do_GET = do_POST = do_DELETE = _answer

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield state, f"{'http' if tls is None else 'https'}://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
