"""What both protocols stand on: the versions, the model's answers, the gate, and the threads that do the work."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import Executor
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from components.errors import UserError
from pipeline.serving.answering import Answering
from pipeline.serving.errors import Code, ServingError, invalid
from pipeline.serving.gate import Gate
from pipeline.serving.metrics import Metrics
from pipeline.serving.signatures import Signature
from pipeline.serving.tensors import Array
from pipeline.serving.version import ServedVersion
from pipeline.serving.versions import Versions, Wanted

_LOG = logging.getLogger("awesome.serve")
_T = TypeVar("_T")


@dataclass(frozen=True)
class Service:
    """One model, for whoever asks.

    Attributes:
        versions: of the model.
        answering: asks them.
        gate: lets requests in.
        metrics: counts them.
        workers: threads that read bodies and ask models.
    """

    versions: Versions
    answering: Answering
    gate: Gate
    metrics: Metrics
    workers: Executor

    @asynccontextmanager
    async def request(self, protocol: str, method: str, authorization: str | None) -> AsyncIterator[None]:
        """One request, from its token to its answer.

        Raises:
            ServingError: whatever goes wrong, inside or here.
        """
        started, code = time.perf_counter(), Code.INTERNAL
        try:
            with self.gate.admitted(authorization):
                yield
            code = Code.OK
        except ServingError as error:
            code = error.code
            raise
        except UserError as error:
            code = Code.INVALID_ARGUMENT
            raise invalid(str(error)) from None
        except Exception as error:
            # What was asked is not shown: it may be a secret of who asks.
            _LOG.exception("%s %s failed", protocol, method)
            raise ServingError(Code.INTERNAL, "the server failed; its log says more") from error
        finally:
            self.metrics.ended(protocol, method, code, time.perf_counter() - started)

    async def within(self, waiting: Awaitable[_T], what: str) -> _T:
        """Waits no longer than a request may.

        Raises:
            ServingError: it took longer.
        """
        seconds = self.gate.limits.seconds
        try:
            return await asyncio.wait_for(waiting, seconds)
        except TimeoutError:
            raise ServingError(Code.DEADLINE_EXCEEDED, f"{what} took longer than {seconds:g} seconds") from None

    async def work(self, function: Callable[[], _T]) -> _T:
        """Does something in one of the threads, so that the others' requests are read meanwhile."""
        return await self.within(asyncio.get_running_loop().run_in_executor(self.workers, function), "the answer")

    def predict(
        self, wanted: Wanted, name: str, inputs_of: Callable[[Signature], Mapping[str, Array]]
    ) -> tuple[ServedVersion, Signature, dict[str, Array]]:
        """Leases a version and asks it.

        Args:
            wanted: which version.
            name: of its signature; empty for the default one.
            inputs_of: reads the inputs, once their signature is known.

        Raises:
            ServingError: it cannot be answered.
        """
        with self.versions.lease(wanted) as version:
            signature = self.answering.signature(version, name)
            outputs = self.answering.predict(version, signature, inputs_of(signature))
        self.metrics.answered(version.number, len(next(iter(outputs.values()))))
        return version, signature, outputs
