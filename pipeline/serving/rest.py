"""TensorFlow Serving's REST API (tensorflow_serving/g3doc/api_rest.md): predict, metadata, status, and its errors."""

from __future__ import annotations

import re
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from pipeline.serving.errors import Code, ServingError, invalid
from pipeline.serving.json_tensors import answer_body, read_body, to_arrays
from pipeline.serving.service import Service
from pipeline.serving.signatures import in_json
from pipeline.serving.versions import Wanted

_MODEL = r"/v1/models/(?P<model>[^/:]+)(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
_ASKING = re.compile(rf"{_MODEL}:(?P<method>classify|regress|predict)", re.IGNORECASE)
_TELLING = re.compile(rf"{_MODEL}(?:/(?P<metadata>metadata))?", re.IGNORECASE)
_MOST_VERSION = 2**63 - 1
"""Versions are int64."""


def json_response(content: Any, status: int = 200) -> Response:
    """A body of JSON."""
    body = content if isinstance(content, bytes) else orjson.dumps(content)
    return Response(body, status, media_type="application/json")


def error_response(error: ServingError) -> Response:
    """An error in the protocol's form."""
    response = json_response({"error": error.message}, error.status)
    if error.code is Code.UNAUTHENTICATED:
        response.headers["WWW-Authenticate"] = "Bearer"
    elif error.code in (Code.UNAVAILABLE, Code.RESOURCE_EXHAUSTED) and error.status != 413:
        response.headers["Retry-After"] = "1"
    return response


async def read_content(service: Service, request: Request) -> bytes:
    """The body of a request.

    Raises:
        ServingError: it is too long, takes too long, or is compressed.
    """
    most = service.gate.limits.body_bytes
    if request.headers.get("content-encoding", "identity") != "identity":
        raise invalid("Content-Encoding: this server reads bodies as they are; send it without")

    async def read() -> bytes:
        content = bytearray()
        async for piece in request.stream():
            content += piece
            if len(content) > most:
                break
        return bytes(content)

    declared = request.headers.get("content-length", "")
    # A declared length is believed, so that nobody sends for nothing.
    too_long = declared.isdecimal() and int(declared) > most
    content = b"" if too_long else await service.within(read(), "the body")
    if too_long or len(content) > most:
        raise ServingError(
            Code.RESOURCE_EXHAUSTED, f"the body is longer than {most} bytes, which is all that this server takes", 413
        )
    return content


class RestApi:
    """Answers what comes under /v1/."""

    def __init__(self, service: Service) -> None:
        """Stands on a service."""
        self._service = service

    async def __call__(self, request: Request) -> Response:
        """One request."""
        path = request.url.path
        asking = _ASKING.fullmatch(path) if request.method == "POST" else None
        telling = _TELLING.fullmatch(path) if request.method in ("GET", "HEAD") else None
        found = asking or telling
        method = "malformed"
        if asking is not None:
            method = asking["method"].lower()
        elif telling is not None:
            method = "metadata" if telling["metadata"] else "status"
        try:
            async with self._service.request("rest", method, request.headers.get("authorization")):
                if found is None:
                    raise invalid(f"Malformed request: {request.method} {path}")
                wanted = _wanted(found)
                if asking is not None:
                    content = await read_content(self._service, request)
                    return json_response(await self._service.work(lambda: self._ask(method, wanted, content)))
                return json_response(self._metadata(wanted) if method == "metadata" else self._status(wanted))
        except ServingError as error:
            return error_response(error)

    def _ask(self, method: str, wanted: Wanted, content: bytes) -> bytes:
        if method != "predict":
            with self._service.versions.lease(wanted):
                raise other_method(method)
        body = read_body(content)
        _, _, outputs = self._service.predict(wanted, body.signature, lambda signature: to_arrays(body, signature))
        return answer_body(outputs, body.by_rows)

    def _status(self, wanted: Wanted) -> dict[str, Any]:
        return {
            "model_version_status": [
                {
                    "version": str(one.number),
                    "state": one.state.name,
                    "status": {"error_code": one.code.name, "error_message": one.message},
                }
                for one in self._service.versions.statuses(wanted)
            ]
        }

    def _metadata(self, wanted: Wanted) -> dict[str, Any]:
        with self._service.versions.lease(wanted) as version:
            signatures = {name: in_json(one) for name, one in version.signatures.items()}
            spec = {"name": wanted.model, "signature_name": "", "version": str(version.number)}
            return {"model_spec": spec, "metadata": {"signature_def": {"signature_def": signatures}}}


def other_method(method: str) -> ServingError:
    """What TensorFlow Serving says of a model whose signatures are all for `:predict`, as those pushed here are."""
    kind = {"classify": "classification", "regress": "regression"}[method]
    return invalid(
        f"Expected {kind} signature method_name to be tensorflow/serving/{method}. Was: tensorflow/serving/predict"
    )


def _wanted(found: re.Match[str]) -> Wanted:
    number = found["version"]
    if number is not None and int(number) > _MOST_VERSION:
        raise invalid(f"Failed to convert version: {number} to numeric.")
    return Wanted(found["model"], None if number is None else int(number), found["label"])
