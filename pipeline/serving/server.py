"""One process: REST and gRPC on one event loop, and a thread that looks for new versions."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import uvicorn
from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from components.errors import UserError
from pipeline.serving.answering import Answering, Record
from pipeline.serving.errors import Code, ServingError
from pipeline.serving.gate import Gate, Limits
from pipeline.serving.grpc_api import GrpcApi
from pipeline.serving.metrics import Metrics
from pipeline.serving.people import People, ReadWindows
from pipeline.serving.rest import RestApi, error_response
from pipeline.serving.service import Service
from pipeline.serving.version import LoadForecaster, load_version
from pipeline.serving.versions import Versions

_LOG = logging.getLogger("awesome.serve")
_GRACE = 10
"""Seconds that requests have to end when the server is stopped."""


class ServeError(UserError):
    """A server that cannot start."""


@dataclass(frozen=True)
class ServeConfig:
    """What is served, where, and to whom.

    Attributes:
        base: folder of the numbered versions of the model.
        model: name that clients know it by.
        host: address that is listened on.
        port: of REST; 0 for one that is free.
        grpc_port: of gRPC; 0 for one that is free, None for none.
        token: that who asks has to show; needed where others than this machine can ask.
        limits: of a request, and of all of them.
        look_every: seconds between two looks for new versions.
        versions: how many of the highest versions answer.
        labels: names of versions.
    """

    base: Path
    model: str
    host: str = "127.0.0.1"
    port: int = 8501
    grpc_port: int | None = 8500
    token: SecretStr | None = None
    limits: Limits = field(default_factory=Limits)
    look_every: float = 2
    versions: int = 1
    labels: Mapping[str, int] = field(default_factory=dict)

    def check(self) -> None:
        """Checks that clients can name the model, and that nobody else can ask without a token.

        Raises:
            ServeError: they cannot, or somebody could.
        """
        if not self.model or set(self.model) & set("/:"):
            raise ServeError(f"model {self.model!r}: no address can hold it; give a name without / and : (--name)")
        if self.token is None and not _is_this_machine(self.host):
            raise ServeError(
                f"host {self.host}: others than this machine could ask, so a token is needed: put one into "
                "AWESOME_SERVE_TOKEN, or into a file that AWESOME_SERVE_TOKEN_FILE names; or listen on 127.0.0.1"
            )


@dataclass(frozen=True)
class Started:
    """A server that listens.

    Attributes:
        port: of REST.
        grpc_port: of gRPC; None for none.
        versions: of the model.
        stop: ends it, once requests have; from any thread.
    """

    port: int
    grpc_port: int | None
    versions: Versions
    stop: Callable[[], None]


def serve(
    config: ServeConfig,
    load: LoadForecaster,
    read_windows: ReadWindows | None = None,
    record: Record | None = None,
    started: Callable[[Started], None] = lambda started: None,
) -> None:
    """Serves until it is stopped, by SIGTERM or Ctrl-C in the main thread.

    Args:
        config: what is served, where, and to whom.
        load: reads what answers for a version.
        read_windows: reads the last windows of shares; None where there is no store.
        record: writes answers down; None for nowhere.
        started: is told when the server listens.

    Raises:
        ServeError: it cannot listen there.
    """
    config.check()
    asyncio.run(_serve(config, load, read_windows, record, started))


async def _serve(
    config: ServeConfig,
    load: LoadForecaster,
    read_windows: ReadWindows | None,
    record: Record | None,
    started: Callable[[Started], None],
) -> None:
    versions = Versions(
        config.base,
        config.model,
        lambda number, folder: load_version(number, folder, load),
        config.versions,
        config.labels,
    )
    # Reading a body holds Python's lock; more threads than these would only wait for each other.
    with ThreadPoolExecutor((os.cpu_count() or 1) + 1, "awesome-serve") as workers:
        gate, metrics = Gate(config.limits, config.token), Metrics(versions)
        service = Service(versions, Answering(config.limits.rows, record), gate, metrics, workers)
        with _listening(config.host, config.port) as listener:
            server = _Server(
                uvicorn.Config(
                    application(service, read_windows), http="httptools", ws="none", lifespan="off", access_log=False,
                    log_config=None, server_header=False, proxy_headers=False, timeout_graceful_shutdown=_GRACE,
                    backlog=2048,
                )
            )  # fmt: skip
            await asyncio.to_thread(versions.look)
            async with _grpc(config, service) as grpc_port:
                looking = asyncio.create_task(_look(versions, config.look_every))
                try:
                    at = Started(listener.getsockname()[1], grpc_port, versions, server.end)
                    server.listens = lambda: started(at)
                    await server.serve(sockets=[listener])
                finally:
                    looking.cancel()


class _Server(uvicorn.Server):
    """Says when it listens, and can be told to end."""

    listens: Callable[[], None] = staticmethod(lambda: None)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.listens()

    def end(self) -> None:
        self.should_exit = True


def application(service: Service, read_windows: ReadWindows | None) -> Starlette:
    """All addresses of HTTP."""
    people = People(service, read_windows)

    async def unknown(request: Request, error: Exception) -> Response:
        del error
        return error_response(ServingError(Code.NOT_FOUND, f"Not found: {request.method} {request.url.path}"))

    methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
    rest = RestApi(service)

    async def protocol(request: Request) -> Response:
        return await rest(request)

    routes = [
        Route("/healthz", people.healthy),
        Route("/readyz", people.ready),
        Route("/metrics", people.metrics),
        Route("/v1/forecast", people.forecast),
        Route("/v1/{rest:path}", protocol, methods=methods),
    ]
    return Starlette(routes=routes, exception_handlers={404: unknown, 405: unknown})


async def _look(versions: Versions, every: float) -> None:
    while True:
        await asyncio.sleep(every)
        try:
            await asyncio.to_thread(versions.look)
        except Exception:  # it looks again
            _LOG.exception("looking for versions of %s failed", versions.model)


@contextlib.asynccontextmanager
async def _grpc(config: ServeConfig, service: Service) -> AsyncIterator[int | None]:
    if config.grpc_port is None:
        yield None
        return
    options: list[tuple[str, Any]] = [
        ("grpc.max_receive_message_length", config.limits.body_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.so_reuseport", 0),  # else a second server would take half of the requests
    ]
    server = grpc.aio.server(options=options)
    server.add_generic_rpc_handlers(GrpcApi(service).handlers())
    address = f"[{config.host}]" if ":" in config.host else config.host
    with _listening(config.host, config.grpc_port, "--grpc-port"):  # gRPC prints lines of its own where it cannot
        pass
    try:
        port = server.add_insecure_port(f"{address}:{config.grpc_port}")
    except RuntimeError:
        port = 0
    if not port:
        raise ServeError(_taken(config.host, config.grpc_port, "--grpc-port"))
    await server.start()
    try:
        yield port
    finally:
        await server.stop(_GRACE)


@contextlib.contextmanager
def _listening(host: str, port: int, option: str = "--port") -> Any:
    # The protocol is named, else asyncio does not know that it is TCP and leaves Nagle's algorithm on: 40 ms an answer.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
    except (OSError, OverflowError) as error:
        found.close()
        raise ServeError(f"{_taken(host, port, option)} ({getattr(error, 'strerror', None) or error})") from None
    with found:
        yield found


def _taken(host: str, port: int, option: str) -> str:
    return f"{host}:{port} cannot be listened on; another server may be there: name another {option}"


def _is_this_machine(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
