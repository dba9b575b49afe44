"""What goes wrong in TensorFlow Serving's terms: a code of gRPC, the status of HTTP that goes with it, a message."""

from __future__ import annotations

from enum import IntEnum


class Code(IntEnum):
    """Codes of gRPC (google/rpc/code.proto)."""

    OK = 0
    INVALID_ARGUMENT = 3
    DEADLINE_EXCEEDED = 4
    NOT_FOUND = 5
    RESOURCE_EXHAUSTED = 8
    FAILED_PRECONDITION = 9
    UNIMPLEMENTED = 12
    INTERNAL = 13
    UNAVAILABLE = 14
    UNAUTHENTICATED = 16


HTTP_STATUS = {
    Code.OK: 200,
    Code.INVALID_ARGUMENT: 400,
    Code.DEADLINE_EXCEEDED: 504,
    Code.NOT_FOUND: 404,
    Code.RESOURCE_EXHAUSTED: 429,
    Code.FAILED_PRECONDITION: 400,
    Code.UNIMPLEMENTED: 501,
    Code.INTERNAL: 500,
    Code.UNAVAILABLE: 503,
    Code.UNAUTHENTICATED: 401,
}
"""As in ToHTTPStatusCode of tensorflow_serving/model_servers/http_server.cc."""


class ServingError(Exception):
    """A request that is not answered.

    Attributes:
        code: of gRPC.
        message: what is wrong, for who asked.
        status: of HTTP.
    """

    def __init__(self, code: Code, message: str, status: int | None = None) -> None:
        """Says what is wrong.

        Args:
            code: of gRPC.
            message: for who asked.
            status: of HTTP, where it is not the one that goes with the code.
        """
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = HTTP_STATUS[code] if status is None else status


def invalid(message: str) -> ServingError:
    """What was sent cannot be answered."""
    return ServingError(Code.INVALID_ARGUMENT, message)
