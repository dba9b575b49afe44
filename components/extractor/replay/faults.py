"""How the replay server misbehaves on request."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from types import MappingProxyType

from components.extractor.replay.exchanges import ReplayError

HOST_FAULTS = MappingProxyType(
    {
        "429": "too many requests",
        "429-retry-after": "too many requests, with Retry-After (VALUE seconds)",
        "500": "internal server error",
        "503": "service unavailable",
        "denied": "401 from Tiingo, 403 from the others",
        "reset": "the connection breaks before any answer",
        "reset-midway": "the connection breaks after half of the body",
        "truncated": "a whole reply whose JSON is cut",
        "html": "an HTML page inside a 200",
        "captcha": "JSON of somebody in between inside a 200",
        "slow": "the answer comes late (VALUE seconds)",
        "unknown": "the source does not know the share",
    }
)
"""Faults of the reply, whatever was asked."""

DATA_FAULTS = MappingProxyType(
    {
        "disorder": "two dates in the middle are swapped",
        "high-below-low": "a bar in the middle has its high below its low",
        "duplicate": "the last bar comes twice",
        "live": "the bar of today's open session is at the end, twice",
        "missing": "the last VALUE bars are left out",
    }
)
"""Faults of the bars; they leave replies without bars of the market alone."""

HISTORY_FAULTS = MappingProxyType(
    {
        "no-factors": "Sina's list of factors is empty",
        "unadjusted": "no event is named, and no price adjusted",
        "split-not-applied": "splits are named, but the closes do not show them",
        "other-share": "the history of another share of the market",
        "late-start": "the first VALUE sessions are left out",
        "day-off": "the last Saturday has a bar, of volume VALUE",
    }
)
"""Faults of what is said of a share, in all of its replies alike."""

_DEFAULT_VALUES = MappingProxyType(
    {"429-retry-after": 1.0, "slow": 1.0, "missing": 1.0, "late-start": 250.0, "day-off": 0.0}
)


@dataclass(frozen=True)
class Fault:
    """A way to misbehave.

    Attributes:
        kind: a key of `HOST_FAULTS`, `DATA_FAULTS` or `HISTORY_FAULTS`.
        share: that it is for; None for all.
        source: likewise: tencent, tiingo, sina or yahoo.
        times: how often it happens; None for ever.
        after: requests that go well first.
        value: seconds of `429-retry-after` and `slow`, bars of `missing` and `late-start`, volume of `day-off`; None
            for the usual one.
    """

    kind: str
    share: str | None = None
    source: str | None = None
    times: int | None = None
    after: int = 0
    value: float | None = None

    def __post_init__(self) -> None:
        """Checks the fault.

        Raises:
            ReplayError: no such kind, or a number out of range.
        """
        if self.kind not in {**HOST_FAULTS, **DATA_FAULTS, **HISTORY_FAULTS}:
            known = ", ".join([*HOST_FAULTS, *DATA_FAULTS, *HISTORY_FAULTS])
            raise ReplayError(f"there is no fault {self.kind!r}: choose one of {known}")
        if self.value is not None and self.kind not in _DEFAULT_VALUES:
            raise ReplayError(f"fault {self.kind} takes no value: only {', '.join(_DEFAULT_VALUES)} do")
        if (self.value or 0) < 0 or self.after < 0 or (self.times is not None and self.times < 1):
            raise ReplayError(f"fault {self.kind}: times is at least 1, after and value are not negative")

    @property
    def damages_bars(self) -> bool:
        """Whether it is one of `DATA_FAULTS`."""
        return self.kind in DATA_FAULTS

    @property
    def is_told(self) -> bool:
        """Whether it is in what a source's own answer says, and not in how it comes."""
        return self.damages_bars or self.kind in HISTORY_FAULTS or self.kind == "unknown"

    @property
    def amount(self) -> float:
        """The value, or what stands for it."""
        return _DEFAULT_VALUES.get(self.kind, 0.0) if self.value is None else self.value

    def matches(self, source: str, share: str | None, bars: bool) -> bool:
        """Whether a request is one of those it is for; see `Faults.take`."""
        return self.source in (None, source) and self.share in (None, share) and (bars or not self.damages_bars)


class Faults:
    """The faults of a server, in the order in which they were added; safe to change while it runs."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        """Takes the first ones."""
        self._lock = threading.Lock()
        self._states = [_State(fault) for fault in faults]

    def add(self, *faults: Fault) -> None:
        """Adds faults after those that are there."""
        with self._lock:
            self._states.extend(_State(fault) for fault in faults)

    def clear(self) -> None:
        """Removes all faults and their counts."""
        with self._lock:
            self._states.clear()

    def used(self, fault: Fault) -> int:
        """How often a fault happened; 0 if it is not there."""
        with self._lock:
            return sum(state.used for state in self._states if state.fault == fault)

    def take(self, source: str, share: str | None, *, bars: bool) -> Fault | None:
        """The fault that a request meets, which counts as used: the first that matches and has times left.

        Args:
            source: that is asked.
            share: that is asked for; None if the request names none.
            bars: whether bars of the market are asked for.
        """
        with self._lock:
            matching = [state for state in self._states if state.fault.matches(source, share, bars)]
            for state in matching:
                state.seen += 1
            for state in matching:
                if state.seen > state.fault.after and (state.fault.times is None or state.used < state.fault.times):
                    state.used += 1
                    return state.fault
        return None


@dataclass
class _State:
    fault: Fault
    seen: int = 0
    used: int = 0
