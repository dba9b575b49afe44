"""Until when a prediction is one: before the next session of the share's exchange opens."""

from __future__ import annotations

import datetime as dt
from importlib import metadata

from components.extractor.calendar import ExchangeCalendar
from components.ledger.instants import stamp


class Deadlines:
    """What calendars say of sessions, each asked once."""

    def __init__(self, now: dt.datetime) -> None:
        """Takes the present, with a zone: it decides how far calendars reach."""
        self._now = now
        self._next: dict[tuple[str, str], str] = {}
        self._openings: dict[tuple[str, str], str] = {}
        self._closed: dict[str, str] = {}

    def deadline(self, exchange: str, session: str) -> str:
        """When the first session after a day (ISO) opens, UTC.

        Raises:
            ExchangeError: the sessions of the exchange cannot be had.
        """
        key = exchange, session
        if key not in self._next:
            self._next[key] = stamp(self._calendar(exchange).next_opening(dt.date.fromisoformat(session)))
        return self._next[key]

    def opening(self, exchange: str, session: str) -> str:
        """When a session opens, UTC; the first moment of its day where that is not known.

        Raises:
            ExchangeError: as in `deadline`.
        """
        key = exchange, session
        if key not in self._openings:
            found = self._calendar(exchange).opening(dt.date.fromisoformat(session))
            self._openings[key] = f"{session}T00:00:00Z" if found is None else stamp(found)
        return self._openings[key]

    def has_closed(self, exchange: str, session: str) -> bool:
        """Tells whether the bar of a session is final: the last closed session is this one or a later one.

        Raises:
            ExchangeError: as in `deadline`.
        """
        if exchange not in self._closed:
            self._closed[exchange] = self._calendar(exchange).last_closed(self._now, dt.timedelta(0)).isoformat()
        return session <= self._closed[exchange]

    def session_ahead(self, exchange: str, session: str, steps: int) -> str:
        """The session so many after another one, ISO, as the calendar has them.

        Raises:
            ExchangeError: as in `deadline`.
        """
        first = dt.date.fromisoformat(session) + dt.timedelta(days=1)
        days = self._calendar(exchange).sessions(first, first + dt.timedelta(days=2 * steps + 30))
        return str(days[steps - 1])

    def _calendar(self, exchange: str) -> ExchangeCalendar:
        return ExchangeCalendar.of(exchange, self._now)


def calendars_in_use() -> str:
    """Which calendars these are, such as "exchange-calendars 4.13.2": another version may know other holidays."""
    return f"exchange-calendars {metadata.version('exchange-calendars')}"
