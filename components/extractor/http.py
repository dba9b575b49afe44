"""Asks hosts: politely, patiently, and never for ever.

A pause between requests and at most two connections a host, time-outs, retries with back-off that honour Retry-After,
and a circuit that opens when a host keeps refusing. Only GETs, so a retry does no harm.

The pause is kept here: requests-ratelimiter (0.7.0 to 0.10.0) counts requests in a whole number of seconds, so that 0.9
a second are 9 at once in each ten, and sleeps where no signal ends it.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from urllib.parse import urlsplit

import requests
import requests.adapters
import tenacity
import urllib3
from circuitbreaker import CircuitBreaker

from components.errors import HostError, NoReplyError
from components.extractor.sources.base import Reply, Request, Source

_RETRIED = frozenset({429, 500, 502, 503, 504})
_DENIED = frozenset({401, 403})
_MOST_BYTES = 64 * 2**20
_CHUNK = 2**16
_USER_AGENT = "Mozilla/5.0 (compatible; awesome-extractor)"
_HIDDEN = b"***"
# Seconds: a pause that is over before anybody would miss the answer to a signal.
_BRIEF = 0.02

_Read = TypeVar("_Read")


@dataclass(frozen=True)
class HttpSettings:
    """How hosts are asked.

    Attributes:
        base_url: a server that stands in for every host, such as a proxy or the replay server: a source's host becomes
            the first part of the path. None asks the hosts themselves.
        rate: requests a second to a host at the most, over all connections: a request waits until 1 / rate seconds have
            passed since the one before. None for what the source declares.
        timeout: seconds without a byte after which an attempt fails; a whole reply may take four times as long.
        attempts: at the most, for one request.
        backoff: seconds before the second attempt, at the most; doubled for each further one.
        longest_wait: seconds; a host that asks for a longer wait (Retry-After) is not waited for.
        failures: shares in a row for which the host fails for good, or answers what is no reply of the source, before
            it is not asked any more.
        rest: seconds that such a host is left alone.
    """

    base_url: str | None = None
    rate: float | None = None
    timeout: float = 30.0
    attempts: int = 5
    backoff: float = 1.0
    longest_wait: float = 120.0
    failures: int = 3
    rest: float = 300.0


class _Transient(HostError):
    """An attempt that may succeed when it is repeated."""

    def __init__(self, message: str, wait: float = 0.0) -> None:
        super().__init__(message)
        self.wait = wait


class _Key(requests.auth.AuthBase):
    """Sends the key, or nothing; and keeps requests from looking for a password of its own in ~/.netrc."""

    def __init__(self, value: str | None) -> None:
        self._value = value

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        if self._value is not None:
            request.headers["Authorization"] = self._value
        return request


class _Session(requests.Session):
    """Follows redirects without a key for any other host."""

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """Takes the key away; the ordinary way would then look for a password in ~/.netrc."""
        if self.should_strip_auth(str(response.request.url), str(prepared_request.url)):
            prepared_request.headers.pop("Authorization", None)


class _PacedAdapter(requests.adapters.HTTPAdapter):
    """Sends a host no two requests within a pause, whichever threads send them; redirects are requests, too."""

    def __init__(self, pause: float, stop: threading.Event, **options: Any) -> None:
        self._pause = pause
        self._stop = stop
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}
        super().__init__(**options)

    def send(self, request: requests.PreparedRequest, *args: Any, **options: Any) -> requests.Response:
        """Waits for the turn of the request, and sends it.

        Raises:
            HostError: the extraction was stopped meanwhile.
        """
        host = urlsplit(str(request.url)).netloc
        with self._lock:
            now = time.monotonic()
            turn = max(now, self._next.get(host, now))
            self._next[host] = turn + self._pause
        if turn - now > _BRIEF:
            if self._stop.wait(turn - now):
                raise HostError(f"{host}: stopped before it was asked")
        elif turn > now:
            time.sleep(turn - now)
        return super().send(request, *args, **options)


class Client:
    """A connection to one source's hosts; may be used by several threads.

    Example:
        >>> with Client(get_source("tencent"), HttpSettings()) as client:  # doctest: +SKIP
        ...     reply = client.get("sh600519", request)
    """

    def __init__(
        self,
        source: Source,
        settings: HttpSettings,
        key: str | None = None,
        stop: threading.Event | None = None,
    ) -> None:
        """Sends nothing yet; once `stop` is set, nothing is repeated or waited for any more."""
        self._source = source
        self._settings = settings
        self._secret = key.encode() if key else b""
        self._stop = stop or threading.Event()
        self._circuit = CircuitBreaker(settings.failures, settings.rest, (HostError, NoReplyError), source.name)
        self._session = _Session()
        self._session.headers["User-Agent"] = _USER_AGENT
        self._session.auth = _Key(None if key is None else source.authorization(key))
        self._session.max_redirects = 3
        pools = {"pool_connections": 4, "pool_maxsize": source.connections, "pool_block": True}
        adapter = _PacedAdapter(1 / (settings.rate or source.rate), self._stop, **pools)
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, adapter)

    def __enter__(self) -> Client:
        """Returns the client itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Closes the connections."""
        self._session.close()

    def get(self, share: str, request: Request) -> Reply:
        """Sends a request until it is answered: `ask` for one, with nothing read."""
        return self.ask(share, [request], lambda replies: replies[0])

    def ask(self, share: str, requests: Sequence[Request], read: Callable[[list[Reply]], _Read]) -> _Read:
        """Sends requests until they are answered, and reads the answers; errors name the share that they are for.

        Args:
            share: named in errors.
            requests: sent one after the other.
            read: makes of the replies, of any status that is worth reading, what is returned. What it raises comes
                through; a NoReplyError counts as a failure of the host.

        Raises:
            HostError: the host does not answer, refuses, or is left alone since it failed before.
        """
        circuit = self._circuit
        if circuit.opened:
            raise HostError(
                f"{self._source.name}, share {share}: not asked, as the host failed {self._settings.failures} requests "
                f"in a row ({circuit.last_failure}); try again later"
            )
        with circuit:
            return read([self._sent(share, request) for request in requests])

    def _sent(self, share: str, request: Request) -> Reply:
        circuit = self._circuit
        retrying = tenacity.Retrying(
            # Another thread may have opened the circuit meanwhile.
            retry=tenacity.retry_if_exception(lambda error: isinstance(error, _Transient) and not circuit.opened),
            stop=tenacity.stop_after_attempt(self._settings.attempts) | tenacity.stop_when_event_set(self._stop),
            wait=self._wait,
            sleep=self._sleep,
            reraise=True,
        )
        return retrying(self._attempt, share, request)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = None if state.outcome is None else state.outcome.exception()
        backoff = tenacity.wait_random_exponential(multiplier=self._settings.backoff, max=self._settings.longest_wait)
        return max(backoff(state), error.wait if isinstance(error, _Transient) else 0.0)

    def _sleep(self, seconds: float) -> None:
        if self._stop.wait(seconds):
            raise HostError(f"{self._source.name}: stopped while the host was given time")

    def _attempt(self, share: str, request: Request) -> Reply:
        where = f"{self._source.name}, share {share}"
        url = self._url(request.url)
        try:
            with self._session.get(
                url, headers=dict(request.headers), timeout=self._settings.timeout, stream=True
            ) as response:
                if response.status_code in _RETRIED:
                    raise self._refused(where, response)
                # urllib3 1.26 would take a body that is shorter than its Content-Length for whole.
                response.raw.enforce_content_length = True
                content = self._body(where, response)
                status, kind = response.status_code, response.headers.get("Content-Type", "").lower()
        except (requests.ConnectionError, requests.Timeout, requests.exceptions.ChunkedEncodingError) as error:
            raise _Transient(f"{where}: {_why(error)} ({urlsplit(url).netloc})") from error
        except requests.RequestException as error:
            raise HostError(f"{where}: {type(error).__name__} from {urlsplit(url).netloc}") from error
        if self._secret:  # a host may repeat the key in its answer
            content = content.replace(self._secret, _HIDDEN)
        reply = Reply(request.url, status, kind, content)
        if status in _DENIED:
            advice = f"check {self._source.key_variable}" if self._source.key_variable else "try another source"
            raise HostError(f"{where}: the host denies access (status {status}), {advice}; it says {reply.start}")
        return reply

    def _body(self, where: str, response: requests.Response) -> bytes:
        longest = 4 * self._settings.timeout
        body = bytearray()
        with _cut_off(response, longest) as late:
            try:
                for chunk in response.iter_content(_CHUNK):
                    body += chunk
                    if len(body) > _MOST_BYTES:
                        raise HostError(f"{where}: the reply is larger than {_MOST_BYTES >> 20} MiB")
            except requests.RequestException:
                if not late.is_set():
                    raise
        if late.is_set():  # even if all seems well: a reply without a length would pass for whole
            raise _Transient(f"{where}: the reply took longer than {longest:g} s")
        return bytes(body)

    def _refused(self, where: str, response: requests.Response) -> HostError:
        text = f"{where}: {urlsplit(response.url).netloc} answered {response.status_code}"
        wait = _retry_after(response)
        if wait > self._settings.longest_wait:
            return HostError(f"{text} and asks to wait {wait:.0f} s; try again then")
        return _Transient(text, wait)

    def _url(self, url: str) -> str:
        if self._settings.base_url is None:
            return url
        return f"{self._settings.base_url.rstrip('/')}/{url.split('://', 1)[1]}"


@contextlib.contextmanager
def _cut_off(response: requests.Response, seconds: float) -> Iterator[threading.Event]:
    """Breaks the connection, and sets the event, when reading a reply takes longer than that.

    A time-out is only one without any byte, so that a reply which drips would go on for ever.
    """
    late = threading.Event()
    try:
        connection = socket.socket(fileno=os.dup(response.raw.fileno()))
    except (OSError, AttributeError):  # nothing is left to be read
        yield late
        return

    def cut() -> None:
        late.set()
        with contextlib.suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)

    with connection:
        timer = threading.Timer(seconds, cut)
        timer.daemon = True
        timer.start()
        try:
            yield late
        finally:
            timer.cancel()


def _retry_after(response: requests.Response) -> float:
    value = response.headers.get("Retry-After")
    try:
        return 0.0 if value is None else float(urllib3.Retry().parse_retry_after(value))
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        return 0.0


def _why(error: requests.RequestException) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "the connection is not secure"
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy does not answer"
    return "the connection failed"
