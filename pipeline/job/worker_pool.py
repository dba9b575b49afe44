"""Beam's external worker pool, for any number of TaskManagers of one machine.

Beam's own (`apache_beam.runners.worker.worker_pool_main`) knows its workers by the numbers that a TaskManager gives
them. Every TaskManager counts from 1, so that two with one pool stop each other's, and a job then waits for ever. It
also starts whatever `python` comes first in PATH, and each worker imports TensorFlow anew: some ten seconds of a
processor, for every step.
"""

from __future__ import annotations

import logging
import multiprocessing
import threading
from collections.abc import Callable
from typing import Any

from components.errors import EngineError

_LOG = logging.getLogger(__name__)

_IMPORTED_BY_STEPS = (
    "apache_beam.runners.worker.sdk_worker",
    "components.feature_example_gen.executor",
    "components.evaluator.executor",
    "tfx.components.statistics_gen.executor",
    "tfx.components.transform.executor",
)
"""What the server that workers are forked from has imported; it runs nothing, as threads would not survive a fork."""


def serve_workers(port: int, listening: Callable[[int], None]) -> None:
    """Starts workers for whoever asks, until it is interrupted; those that still run are ended.

    Args:
        port: to listen at; 0 for any that is free.
        listening: is told the port.

    Raises:
        EngineError: the port is taken.
    """
    import grpc
    from apache_beam.portability.api import beam_fn_api_pb2_grpc
    from apache_beam.utils.thread_pool_executor import shared_unbounded_instance

    processes = multiprocessing.get_context("forkserver")
    processes.set_forkserver_preload(list(_IMPORTED_BY_STEPS))
    # Two pools must not share a port, which Linux would let them: one would take what is meant for the other.
    server = grpc.server(shared_unbounded_instance(), options=[("grpc.so_reuseport", 0)])
    pool = _Pool(processes)
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
    try:
        taken = server.add_insecure_port(f"[::]:{port}")
    except RuntimeError:
        taken = 0
    if not taken:
        raise EngineError(f"port {port} cannot be listened at; something else may have it: name another --port")
    # The first worker need not wait for the imports.
    processes.Process(target=str).start()
    server.start()
    listening(taken)
    try:
        server.wait_for_termination()
    finally:
        server.stop(None)
        pool.end()


class _Pool:
    """The service; its methods are called by gRPC."""

    def __init__(self, processes: Any) -> None:
        self._context = processes
        self._workers: list[Any] = []
        self._lock = threading.Lock()

    def StartWorker(self, request: Any, context: Any) -> Any:
        """Starts the worker that is asked for."""
        from apache_beam.portability.api import beam_fn_api_pb2

        worker = self._context.Process(target=_work, args=(request.control_endpoint.url, request.worker_id))
        try:
            worker.start()
        except Exception as error:
            return beam_fn_api_pb2.StartWorkerResponse(error=f"the worker cannot be started: {error}")
        _LOG.info("worker %s of %s is process %d", request.worker_id, request.control_endpoint.url, worker.pid)
        with self._lock:
            self._workers = [one for one in self._workers if one.is_alive()] + [worker]
        return beam_fn_api_pb2.StartWorkerResponse()

    def StopWorker(self, request: Any, context: Any) -> Any:
        """Stops none: a worker ends when its TaskManager closes the connection, and another's may have its name."""
        from apache_beam.portability.api import beam_fn_api_pb2

        return beam_fn_api_pb2.StopWorkerResponse()

    def end(self) -> None:
        """Ends the workers that still run."""
        with self._lock:
            for worker in self._workers:
                worker.terminate()


def _work(control: str, name: str) -> None:
    """A worker's life: it does what comes from a TaskManager until that closes the connection."""
    from apache_beam.runners.worker.sdk_worker import SdkHarness

    SdkHarness(control, worker_id=name, data_buffer_time_limit_ms=-1).run()
