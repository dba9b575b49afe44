"""Who may ask, and how much: a token, requests a second, requests at a time, bytes, rows and seconds."""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from pydantic import SecretStr

from pipeline.serving.errors import Code, ServingError

_BEARER = "bearer "


@dataclass(frozen=True)
class Limits:
    """What one server takes on.

    Attributes:
        body_bytes: of one request.
        rows: of one request.
        rate: requests a second, of which a second's worth may come at once; 0 for as many as there are.
        concurrent: requests at a time.
        seconds: that a request may wait for its body, and for its answer.
    """

    body_bytes: int = 16 << 20
    rows: int = 10_000
    rate: float = 0
    concurrent: int = 64
    seconds: float = 30


class Gate:
    """Lets requests in; used by one thread, that of the event loop."""

    def __init__(self, limits: Limits, token: SecretStr | None, clock: Callable[[], float] = time.monotonic) -> None:
        """Nobody is in.

        Args:
            limits: of the server.
            token: that who asks has to show; None where anybody may ask.
            clock: seconds.
        """
        self.limits = limits
        self.inside = 0
        self._token = None if token is None else token.get_secret_value().encode()
        self._clock = clock
        self._left, self._at = max(1.0, limits.rate), clock()

    @contextmanager
    def admitted(self, authorization: str | None) -> Iterator[None]:
        """One request, from its token to its end.

        Args:
            authorization: what it shows, `Bearer TOKEN`.

        Raises:
            ServingError: it is not let in.
        """
        self._check(authorization)
        self._count()
        if self.inside >= self.limits.concurrent:
            raise ServingError(
                Code.UNAVAILABLE, f"{self.inside} requests are being answered, which is all that this server takes"
            )
        self.inside += 1
        try:
            yield
        finally:
            self.inside -= 1

    def _check(self, authorization: str | None) -> None:
        if self._token is None:
            return
        given = authorization or ""
        shown = given[len(_BEARER) :].strip() if given.lower().startswith(_BEARER) else ""
        if not hmac.compare_digest(shown.encode("utf-8", "replace"), self._token):
            raise ServingError(Code.UNAUTHENTICATED, "this server asks for a token: Authorization: Bearer TOKEN")

    def _count(self) -> None:
        rate = self.limits.rate
        if not rate:
            return
        now = self._clock()
        self._left = min(max(1.0, rate), self._left + (now - self._at) * rate)
        self._at = now
        if self._left < 1:
            raise ServingError(Code.RESOURCE_EXHAUSTED, f"more than {rate:g} requests a second; ask later")
        self._left -= 1
