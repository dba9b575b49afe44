"""What every source of daily prices is: a declaration, and how to ask and to read. No network in here.

A source is one file beside this one, which names it SOURCE. It declares its markets and limits, builds requests and
parses replies. The client (`components.extractor.http`) sends, waits and retries; `components.extractor.verify` and
`adjustment` judge what came.
"""

from __future__ import annotations

import datetime as dt
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from components.errors import NoReplyError, SourceError
from components.feature_store.arrays import Booleans, Days, Floats
from models.plugins import LAST

_SHOWN_BYTES = 120
# Some hosts label JSON as text/html: the body must then prove itself.
_TEXT_TYPES = ("json", "javascript", "text/plain", "text/html")
# What a source answers to a question that it does not like, or about a share that it has not.
_ABOUT_THE_QUESTION = frozenset({400, 404, 410, 422})


@dataclass(frozen=True)
class Request:
    """A GET to send.

    Attributes:
        url: with its query; never holds a key.
        headers: beside the client's own; never holds a key.
    """

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Reply:
    """What a host answered to a request.

    Attributes:
        url: that was asked.
        status: HTTP status; 429 and 5xx never get here, the client deals with them.
        content_type: of the body, lower case, may be empty.
        body: the bytes.
    """

    url: str
    status: int
    content_type: str
    body: bytes

    @property
    def start(self) -> str:
        """The first bytes, to be shown in a message."""
        return repr(self.body[:_SHOWN_BYTES].decode("utf-8", "replace"))


@dataclass(frozen=True)
class Factors:
    """Exact factors, accumulated from the share's first day on.

    Attributes:
        value: float64, shape (n,), above 0.
    """

    value: Floats


@dataclass(frozen=True)
class Steps:
    """Exact steps of the factor, for sources that tell the events and not the factor.

    Attributes:
        value: factor of a day over that of the session before, float64, shape (n,); 1 where nothing happened, and on
            the first day, whose session before is not known.
        cash: dividends a share of the day that are part of the steps, shape (n,); None where none is told.
    """

    value: Floats
    cash: Floats | None = None


@dataclass(frozen=True)
class AdjustedCloses:
    """Closes adjusted from the share's first day on and rounded, so that the factor has to be found behind them.

    Attributes:
        value: float64, shape (n,), rounded to `decimals`; 0 or less is possible where adjusting is no scaling.
        action: whether the source names an event of this day (an ex-date), shape (n,).
        decimals: of `value`.
        cash: that the source says a share of the session before was paid, shape (n,); less than 0 where it had to pay
            for new ones; NaN where nothing is said. None says nothing of any day.
        ratio: shares that it says one of the session before became, likewise.
    """

    value: Floats
    action: Booleans
    decimals: int = 2
    cash: Floats | None = None
    ratio: Floats | None = None


@dataclass(frozen=True)
class Doubt:
    """Something in a reply that no market makes: what it is of is not stored before a person accepts it by name.

    Attributes:
        text: what is wrong, for people; it goes on after "share NAME: ".
        day: the session whose return is in doubt; None if it is the adjustment of the whole share.
    """

    text: str
    day: dt.date | None = None


@dataclass(frozen=True)
class History:
    """What a source says of one share over a range of sessions; all arrays of shape (n,), n may be 0.

    Attributes:
        time: sessions, datetime64[D], in the order of the reply.
        open: raw price in the share's currency, float64; NaN where the source gives none.
        high: likewise.
        low: likewise.
        close: raw price, never NaN.
        volume: shares traded, NaN where the source gives none.
        adjustment: how raw closes become comparable.
        doubts: what of it looks false to the source's own file.
    """

    time: Days
    open: Floats
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    adjustment: Factors | Steps | AdjustedCloses
    doubts: tuple[Doubt, ...] = ()

    def __len__(self) -> int:
        """Number of sessions."""
        return len(self.time)


class Source(ABC):
    """A source of daily prices.

    Attributes:
        name: as in `--source`.
        order: its place among the sources.
        title: for people.
        markets: what it covers, for people.
        adjustment: how its prices are adjusted, for people.
        key_variable: environment variable of its key; None if it needs none.
        rate: requests a second that it is asked at the most.
        connections: open at once at the most.
        settle: time after a session's close before its bar is final.
        reach: sessions back from today that it can give at the most; None for all.
        cumulative: whether its factors accumulate from a share's first day on, so that an increment shows a change of
            any event before it. Where they do not, each increment looks at a year of the past as well.
        best_effort: often refuses, and is off unless it is asked for.
        share_example: a share's name as this source writes it.
    """

    name: ClassVar[str]
    order: ClassVar[int] = LAST
    title: ClassVar[str]
    markets: ClassVar[str]
    adjustment: ClassVar[str]
    share_example: ClassVar[str]
    key_variable: ClassVar[str | None] = None
    rate: ClassVar[float] = 2.0
    connections: ClassVar[int] = 2
    settle: ClassVar[dt.timedelta] = dt.timedelta(minutes=30)
    reach: ClassVar[int | None] = None
    cumulative: ClassVar[bool] = True
    best_effort: ClassVar[bool] = False

    @property
    def cautions(self) -> list[str]:
        """What to know before it is asked, for people."""
        reach = [] if self.reach is None else [f"gives the last {self.reach:,} sessions only"]
        unreliable = "best effort: it turns most programs away, and is off unless --best-effort asks for it"
        return reach + [unreliable] * self.best_effort

    @abstractmethod
    def exchange(self, share: str) -> str:
        """The exchange whose sessions a share has, as exchange_calendars names it (XSHG, XNYS, ...).

        Raises:
            ExtractionError: the name is not one of this source; the message shows one that is.
        """

    @abstractmethod
    def requests(self, share: str, first: dt.date, last: dt.date) -> list[Request]:
        """The requests that bring a range of days, both ends included; `exchange` accepts the share's name."""

    @abstractmethod
    def parse(self, share: str, first: dt.date, last: dt.date, replies: Sequence[Reply]) -> History:
        """Reads the replies to `requests(share, first, last)`, one for each and in that order.

        Returns:
            The sessions from `first` to `last` as the replies give them, in their order; empty if the source knows
            the share and has nothing there.

        Raises:
            UnknownShareError: the source does not know the share.
            SourceError: a reply is not what this source is known to answer.
        """

    def authorization(self, key: str) -> str:
        """The value of the header Authorization for a user's key.

        Raises:
            ValueError: the source takes none.
        """
        raise ValueError(f"{self.name} takes no key")

    def refusal(self, share: str, reply: Reply, what: str) -> SourceError:
        """The error for a reply that is not recognised; `what` is wrong with it."""
        return SourceError(self._complaint(share, reply, what))

    def no_reply(self, share: str, reply: Reply, what: str) -> NoReplyError:
        """The error for what is no reply of this source at all, such as a captcha: others would get the same."""
        return NoReplyError(self._complaint(share, reply, what))

    def _complaint(self, share: str, reply: Reply, what: str) -> str:
        status = "" if reply.status == 200 else f" (status {reply.status})"
        return f"{self.name}, share {share}: {what}{status}; the reply begins with {reply.start}"

    def json_of(self, share: str, reply: Reply) -> Any:
        """The JSON of a reply with status 200.

        Raises:
            NoReplyError: another type, no whole JSON, or a status that says nothing of the share.
            SourceError: another status.
        """
        if reply.status in _ABOUT_THE_QUESTION:
            raise self.refusal(share, reply, "the source refused")
        if reply.status != 200:
            raise self.no_reply(share, reply, "the source refused")
        if reply.content_type and not any(known in reply.content_type for known in _TEXT_TYPES):
            raise self.no_reply(share, reply, f"the reply is of type {reply.content_type}, not JSON")
        try:
            # NaN and Infinity are no JSON, but Python's parser would take them.
            return json.loads(reply.body, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            raise self.no_reply(share, reply, "the reply is not whole JSON") from error


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number")
