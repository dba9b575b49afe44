"""A TCP link that records what is sent over it and breaks on demand, and a server that only ever refuses."""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Iterator

from http_here import answering


class Link:
    """Passes bytes between whoever connects to `port` and a server on 127.0.0.1; broken, it resets all connections."""

    def __init__(self, server_port: int) -> None:
        self._server_port = server_port
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.connections = 0
        self._lock = threading.Lock()
        self._left: dict[str, int | None] = {"up": None, "down": None}
        self._sent = bytearray()
        self._sockets: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def break_after(self, way: str, count: int) -> None:
        """Lets `count` more bytes pass, "up" to the server or "down" from it; then nothing until `heal`."""
        with self._lock:
            self._left[way] = count

    def heal(self) -> None:
        with self._lock:
            self._left = {"up": None, "down": None}

    @property
    def broken(self) -> bool:
        return 0 in self._left.values()

    def requests(self) -> list[str]:
        """The heads of the requests that were sent so far."""
        heads = re.findall(rb"(?:GET|PUT|POST|HEAD|DELETE) [^\r\n]* HTTP/1.1\r\n.*?\r\n\r\n", bytes(self._sent), re.S)
        return [head.decode("latin-1") for head in heads]

    def close(self) -> None:
        # shutdown wakes the thread that waits in accept; close alone does not
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for one in list(self._sockets):
            _reset(one)
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            if self.broken:
                _reset(client)
                continue
            server = socket.create_connection(("127.0.0.1", self._server_port))
            self._sockets |= {client, server}
            for way, source, sink in (("up", client, server), ("down", server, client)):
                thread = threading.Thread(target=self._pass, args=(way, source, sink), daemon=True)
                self._threads.append(thread)
                thread.start()

    def _pass(self, way: str, source: socket.socket, sink: socket.socket) -> None:
        # Whether this connection broke is kept here: who receives the last bytes may heal the link before they are
        # counted as sent, and a connection that went on then would have a hole in it.
        cut = False
        with contextlib.suppress(OSError):
            while chunk := source.recv(2**16):
                with self._lock:
                    left = self._left[way]
                    passed = chunk if left is None else chunk[:left]
                    if left is not None:
                        self._left[way] = left - len(passed)
                    cut = 0 in self._left.values()
                    if way == "up":
                        self._sent += passed
                sink.sendall(passed)
                if cut:
                    break
        if cut or self.broken:
            for one in (source, sink):
                _reset(one)
        else:
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)


def _reset(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.shutdown(socket.SHUT_RDWR)
    one.close()


@contextlib.contextmanager
def refusing(status: int, code: str, text: str) -> Iterator[str]:
    """An S3 server that answers everything with one error; gives its URL."""
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{text}</Message></Error>".encode()
    # Of HTTP/1.0 nobody answers "Expect: 100-continue".
    with answering(lambda request: (status, body, "application/xml"), protocol="HTTP/1.1") as url:
        yield url
