"""A server on this machine, in a thread, and clients of it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
from pushed import MODEL, load_sloped

from pipeline.serving.server import ServeConfig, Started, serve


class Running:
    """A server that listens."""

    def __init__(self, started: Started) -> None:
        self.started = started
        self.url = f"http://127.0.0.1:{started.port}"
        self.target = f"127.0.0.1:{started.grpc_port}"
        self.http = httpx.Client(base_url=self.url, timeout=20)

    def ask(self, body: Any, path: str = f"/v1/models/{MODEL}:predict", **given: Any) -> httpx.Response:
        return self.http.post(path, json=body, **given)


@contextmanager
def running(
    base: Path, load: Any = load_sloped, windows: Any = None, record: Any = None, **given: Any
) -> Iterator[Running]:
    config = replace(ServeConfig(base, MODEL, port=0, grpc_port=0, look_every=0.05), **given)
    said: queue.Queue[Any] = queue.Queue()

    def run() -> None:
        try:
            serve(config, load, windows, record, said.put)
        except BaseException as error:
            said.put(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    started = said.get(timeout=30)
    if isinstance(started, BaseException):
        raise started
    here = Running(started)
    try:
        yield here
    finally:
        here.http.close()
        started.stop()
        thread.join(30)
        assert not thread.is_alive()
