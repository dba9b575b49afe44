"""What is beside TensorFlow Serving's protocol: forecasts for people, and what watches over a server."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
from starlette.requests import Request
from starlette.responses import Response

from models.card import ModelCard
from pipeline.serving.errors import Code, ServingError, invalid
from pipeline.serving.rest import error_response, json_response
from pipeline.serving.service import Service
from pipeline.serving.version import ServedVersion
from pipeline.serving.versions import Wanted

_SHARES, _VERSION = "shares", "version"


@dataclass(frozen=True)
class LastWindows:
    """The last windows of shares, from the store.

    Attributes:
        share_ids: [n].
        sessions: the last session of each, ISO [n].
        closes: float32 [n, 21], the latest first.
        left_out: shares without a window that can be used, and why.
        cautions: what is to be known of the others, one line each.
        day: the day-wide columns that the model reads, float32 [n] or [n, width] by name.
    """

    share_ids: tuple[str, ...]
    sessions: tuple[str, ...]
    closes: npt.NDArray[np.float32]
    left_out: Mapping[str, str]
    cautions: tuple[str, ...] = ()
    day: Mapping[str, npt.NDArray[np.float32]] = field(default_factory=dict)


ReadWindows = Callable[[tuple[str, ...], ModelCard], LastWindows]
"""Reads the last windows of the shares that are named, or of all of them, for the model of a card."""


class People:
    """Answers /v1/forecast, /healthz, /readyz and /metrics."""

    def __init__(self, service: Service, read: ReadWindows | None) -> None:
        """Stands on a service.

        Args:
            service: that answers.
            read: reads the store; None where there is none.
        """
        self._service = service
        self._read = read

    async def forecast(self, request: Request) -> Response:
        """Tomorrow's probabilities, the likeliest to rise first, and what they are worth."""
        try:
            async with self._service.request("rest", "forecast", request.headers.get("authorization")):
                wanted, shares = self._asked(request)
                return json_response(await self._service.work(lambda: self._forecast(wanted, shares)))
        except ServingError as error:
            return error_response(error)

    def _asked(self, request: Request) -> tuple[Wanted, tuple[str, ...]]:
        for name in request.query_params:
            if name not in (_SHARES, _VERSION):
                raise invalid(f"there is no parameter {name}; there are {_SHARES} and {_VERSION}")
        given = request.query_params.get(_SHARES, "")
        shares = tuple(dict.fromkeys(part.strip() for part in given.split(",") if part.strip()))
        version = request.query_params.get(_VERSION)
        if version is not None and not (version.isascii() and version.isdecimal()):
            raise invalid(f"{_VERSION} is {version!r}, not a number")
        return Wanted(self._service.versions.model, None if version is None else int(version)), shares

    def _forecast(self, wanted: Wanted, shares: tuple[str, ...]) -> dict[str, Any]:
        if self._read is None:
            raise ServingError(Code.FAILED_PRECONDITION, "this server has no database of prices; send closes: :predict")
        if len(shares) > self._service.gate.limits.rows:
            raise invalid(f"{len(shares)} shares are more than the {self._service.gate.limits.rows} of one request")
        with self._service.versions.lease(wanted) as version:
            windows = self._read(shares, version.card)
            asked = (windows.share_ids, windows.closes, windows.sessions, windows.day)
            found = self._service.answering.ask(version, *asked)
        self._service.metrics.answered(version.number, len(found))
        rows = [
            {"share_id": share, "session": session, "probability": float(str(probability))}
            for share, session, probability in zip(windows.share_ids, windows.sessions, found, strict=True)
        ]
        return {
            **_worth(wanted.model, version),
            "shares": sorted(rows, key=lambda row: -float(str(row["probability"]))),
            "left_out": dict(windows.left_out),
            "cautions": list(windows.cautions),
        }

    async def healthy(self, request: Request) -> Response:
        """The process answers."""
        del request
        return json_response({"alive": True})

    async def ready(self, request: Request) -> Response:
        """Whether some version answers, and which pushed one is refused, and why."""
        del request
        versions = self._service.versions
        numbers = versions.numbers()
        refused = [{"version": str(one.number), "why": one.message} for one in versions.refused()]
        going = list(map(str, numbers))
        body = {"ready": bool(going), "model": versions.model, "versions": going, "refused": refused}
        return json_response(body, 200 if going else 503)

    async def metrics(self, request: Request) -> Response:
        """Counts, for Prometheus."""
        try:
            with self._service.gate.admitted(request.headers.get("authorization")):
                return Response(self._service.metrics.page(), media_type=self._service.metrics.content_type)
        except ServingError as error:
            return error_response(error)


def _worth(model: str, version: ServedVersion) -> dict[str, Any]:
    """What a version says of itself: a probability without it says nothing."""
    card, evidence = version.card, version.evidence
    metrics = {} if evidence is None else evidence.metrics
    return {
        "model": model,
        "version": str(version.number),
        "architecture": card.model,
        "formatter": card.formatter,
        "horizon": card.horizon,
        "label": card.label,
        "blessed": evidence is not None and evidence.blessed,
        "reason": "no evidence lies beside it" if evidence is None else evidence.reason,
        "auc": metrics.get("auc"),
        "auc_interval": [metrics.get("auc_low"), metrics.get("auc_high")],
    }
