"""What came of predictions: a row once the prices say so, and another one beside it when they are restated.

A prediction comes due as labels are made (components/feature_example_gen/examples.py): at the close of the share's own
h-th next session, where the way there reaches across no more missing sessions than a label may. Factors accumulate
from the first day on, so that the ratio of two of them is what happened between: a split changes it, and no return.
What a delisted share was worth after its last price, where the universe says so (components/universe), happened to that
price: the prediction comes due on its h-th next session by the calendar, as what is left is held as cash until then.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from components.feature_store import FeatureStore
from components.feature_store.series import PriceSeries
from components.ledger.deadlines import Deadlines
from components.ledger.file import Ledger
from components.ledger.labels import LEVEL, Level
from components.ledger.levels import find_levels
from components.ledger.schema import DOWN, NOTE, OUTCOME, UNCHANGED, UP
from components.missing_sessions.finding import find_missing
from components.missing_sessions.found import ShareGaps
from components.missing_sessions.limit import DEFAULT_LIMIT, most_missing

_FACTOR_DIGITS = 12
"""Of the ratio of two factors, which are products of many: another first day changes their last digits alone."""

_NOTHING_LEFT = 1e-200
"""What stands for the factor of a total loss, as that of an outcome is above 0: so little that the return is -1."""

_SAME_FACTOR = 10.0 ** (2 - _FACTOR_DIGITS)
"""By what part of themselves two factors may differ that are the same."""

ACROSS = "the way to its outcome reaches across missing sessions"
NO_SESSION = "the database has no price of its session"
NO_PRICE = "the price of the session that it is due on has not come"


@dataclass(frozen=True)
class Due:
    """An outcome that is to be written.

    Attributes:
        prediction: the row of the prediction.
        due: the session whose close decides, ISO.
        close: raw close of the session that the prediction was made after.
        close_due: raw close of the session that it is due on; of a share that was delisted before, its last one.
        factor: what happened between, such as 2 for a split of one share into two, and what happened to the last close
            of a share that was delisted.
        restated: whether an outcome of other prices stands there already.
    """

    prediction: int
    due: str
    close: float
    close_due: float
    factor: float
    restated: bool = False

    @property
    def ahead(self) -> float:
        """The simple return from one close to the other."""
        return simple_return(self.close, self.close_due, self.factor)

    @property
    def direction(self) -> str:
        """Up, down or unchanged."""
        return direction_of(self.close, self.close_due, self.factor)


@dataclass(frozen=True)
class Overdue:
    """A prediction that should have an outcome by now, and has none.

    Attributes:
        prediction: its row.
        share_id: the share.
        session: that it was made after, ISO.
        horizon: sessions ahead.
        reason: why, in words.
    """

    prediction: int
    share_id: str
    session: str
    horizon: int
    reason: str


@dataclass(frozen=True)
class Settled:
    """What a look at the prices has found.

    Attributes:
        due: outcomes that are new or of restated prices.
        pending: how many predictions have not come due yet.
        overdue: those whose prices should be there.
        levels: of the sessions whose answers depend on the other shares, those that are new or of restated prices.
        waiting: sessions whose level has not come due yet.
    """

    due: tuple[Due, ...]
    pending: int
    overdue: tuple[Overdue, ...]
    levels: tuple[Level, ...] = ()
    waiting: int = 0

    @property
    def new(self) -> int:
        """First outcomes among them."""
        return sum(not one.restated for one in self.due)

    @property
    def restated(self) -> int:
        """Outcomes beside one of before."""
        return len(self.due) - self.new


def simple_return(close: float, close_due: float, factor: float) -> float:
    """The return from one close to another, with what happened between.

    >>> round(simple_return(100.0, 51.0, 2.0), 12)
    0.02
    """
    return close_due * factor / close - 1


def direction_of(close: float, close_due: float, factor: float) -> str:
    """Whether a close is above an earlier one, below, or neither."""
    later = close_due * factor
    return UP if later > close else DOWN if later < close else UNCHANGED


def find_due(
    ledger: Ledger,
    store: FeatureStore,
    most_missing_sessions: int = DEFAULT_LIMIT,
    since: str = "",
    compared: Sequence[str] | None = None,
) -> Settled:
    """Finds which predictions have come due, or whose outcome other prices say today; nothing is written.

    Args:
        ledger: the predictions.
        store: the prices.
        most_missing_sessions: that 20 sessions ahead may reach across.
        since: only predictions made after this session (ISO) or a later one; empty for all. What it takes is
            proportional to their number.
        compared: the shares whose returns are, where a label compares those of a day; None for all that runs take.

    Raises:
        StoreError: the prices cannot be read.
        ExchangeError: the sessions of an exchange cannot be had.
    """
    now = ledger.clock()
    deadlines, gaps = Deadlines(now), find_missing(store, now).shares
    due: list[Due] = []
    overdue: list[Overdue] = []
    pending = 0
    query = "SELECT DISTINCT share_id FROM PREDICTION WHERE session >= ? ORDER BY share_id"
    shares = [str(share) for (share,) in ledger.select(query, since)]
    worth = _worth(store)
    for share, series in _beside(shares, store.price_series(shares, since)):
        prices = _Prices(series, gaps.get(share), most_missing_sessions, worth.get(share))
        for one in prices.to_look_at(_predictions_of(ledger, share, since), deadlines):
            found = prices.outcome(one, deadlines)
            if isinstance(found, str):
                ahead = deadlines.session_ahead(one.exchange, one.session, one.horizon)
                waits = found == NO_PRICE and not deadlines.has_closed(one.exchange, ahead)
                pending += waits
                if not waits and one.held is None:
                    overdue.append(Overdue(one.seq, share, one.session, one.horizon, found))
            elif not deadlines.has_closed(one.exchange, found.due):
                pending += 1
            elif one.held is None or _differ(one.held, found):
                due.append(found)
    levels = find_levels(ledger, store, deadlines, gaps, most_missing_sessions, compared, since)
    return Settled(tuple(due), pending, tuple(overdue), levels.new, levels.waiting)


def settle(
    ledger: Ledger,
    store: FeatureStore,
    most_missing_sessions: int = DEFAULT_LIMIT,
    since: str = "",
    compared: Sequence[str] | None = None,
) -> Settled:
    """Writes the outcomes that `find_due` finds, all of them or none; twice in a row writes nothing the second time.

    Args:
        ledger: opened to write.
        store: the prices.
        most_missing_sessions: as in `find_due`.
        since: as in `find_due`.
        compared: as in `find_due`.

    Raises:
        StoreError: the prices cannot be read, or the ledger not be written.
        ExchangeError: the sessions of an exchange cannot be had.
        LedgerError: as in `Ledger.writing`.
    """
    with ledger.writing() as batch:
        settled = find_due(ledger, store, most_missing_sessions, since, compared)
        for one in settled.due:
            batch.add(OUTCOME.name, (one.prediction, one.due, one.close, one.close_due, one.factor, one.direction))
        for level in settled.levels:
            batch.add(NOTE.name, (LEVEL, level.text))
    return settled


@dataclass(frozen=True)
class _Prediction:
    seq: int
    session: str
    horizon: int
    exchange: str
    held: Due | None


def _worth(store: FeatureStore) -> Mapping[str, tuple[str, float]]:
    """By share that was delisted: the day of its last price, ISO, and what a unit of it was worth after."""
    return {
        one.share_id: (str(one.last), max(1 + one.delisting_return, _NOTHING_LEFT))
        for one in store.listings.members()
        if one.delisting_return is not None
    }


def _beside(shares: Sequence[str], found: Iterator[PriceSeries]) -> Iterator[tuple[str, PriceSeries | None]]:
    """Each share with its prices, which come in the same order, and None for one that has none."""
    series = next(found, None)
    for share in shares:
        if series is not None and series.share_id == share:
            yield share, series
            series = next(found, None)
        else:
            yield share, None


def _predictions_of(ledger: Ledger, share: str, since: str) -> list[tuple[Any, ...]]:
    query = (
        "SELECT p.seq, p.session, p.horizon, p.exchange, o.due, o.close, o.close_due, o.factor FROM PREDICTION p "
        "LEFT JOIN OUTCOME o ON o.seq = (SELECT MAX(seq) FROM OUTCOME WHERE prediction = p.seq) "
        "WHERE p.share_id = ? AND p.session >= ? ORDER BY p.session, p.horizon, p.seq"
    )
    return ledger.select(query, share, since)


class _Prices:
    """The prices of one share, and what its predictions come to by them."""

    def __init__(
        self, series: PriceSeries | None, gaps: ShareGaps | None, limit: int, worth: tuple[str, float] | None
    ) -> None:
        self._series = series
        self._days: Sequence[str] = [] if series is None else series.time.astype(str).tolist()
        self._places = {day: place for place, day in enumerate(self._days)}
        self._before = np.zeros(len(self._days), np.int64)  # missing sessions before each day
        if series is not None and gaps is not None:
            self._before = np.searchsorted(gaps.days, series.time)
        self._limit = limit
        # Prices that go on tell more than a delisting that somebody has noted before their end.
        self._worth = None if worth is None or self._days[-1:] != [worth[0]] else worth[1]

    def to_look_at(self, rows: Sequence[tuple[Any, ...]], deadlines: Deadlines) -> Iterator[_Prediction]:
        """The predictions whose outcome is not plainly what it was."""
        for (seq, session, horizon, exchange, *held), settled in zip(rows, self._settled(rows, deadlines), strict=True):
            if not settled:
                yield _Prediction(seq, session, horizon, exchange, None if held[0] is None else Due(seq, *held))

    def _settled(self, rows: Sequence[tuple[Any, ...]], deadlines: Deadlines) -> Sequence[bool]:
        """Whether each prediction holds an outcome that is over and says what the prices say: nearly all of them do."""
        known = [row[4] is not None for row in rows]
        if self._series is None or not any(known):
            return [False] * len(rows)
        _, sessions, horizons, exchanges, dues, *numbers = zip(*rows, strict=True)
        latest = max(due for due in dues if due is not None)
        if not all(deadlines.has_closed(exchange, latest) for exchange in set(exchanges)):
            return [False] * len(rows)
        last = len(self._days)
        at = np.array([self._places.get(session, last) for session in sessions])
        later = np.array([self._places.get(due, last) for due in dues])
        close, close_due, factor = (np.array(column, float) for column in numbers)  # None becomes NaN, equal to nothing
        closes, factors = (np.append(column, np.nan) for column in (self._series.close, self._series.factor))
        same = (later == at + np.array(horizons)) & (close == closes[at]) & (close_due == closes[later])
        found: list[bool] = (same & (np.abs(factors[later] / factors[at] / factor - 1) < _SAME_FACTOR / 2)).tolist()
        return found

    def outcome(self, one: _Prediction, deadlines: Deadlines) -> Due | str:
        """What a prediction comes to, or why that is not known."""
        at = self._places.get(one.session)
        if at is None or self._series is None:
            return NO_SESSION
        later, worth = at + one.horizon, 1.0
        due = self._days[later] if later < len(self._days) else ""
        if not due:
            if self._worth is None:
                return NO_PRICE
            later, worth = len(self._days) - 1, self._worth
            # Where the share lacked sessions, the one after its last price may lie behind those of the calendar.
            ends = ((one.session, one.horizon), (self._days[later], 1))
            due = max(deadlines.session_ahead(one.exchange, *end) for end in ends)
        if self._before[later] - self._before[at] > most_missing(self._limit, one.horizon):
            return ACROSS
        close, factor = self._series.close, self._series.factor
        between = float(f"{factor[later] / factor[at] * worth:.{_FACTOR_DIGITS}g}")
        return Due(one.seq, due, float(close[at]), float(close[later]), between, one.held is not None)


def _differ(held: Due, found: Due) -> bool:
    same = (held.due, held.close, held.close_due) == (found.due, found.close, found.close_due)
    return not (same and math.isclose(held.factor, found.factor, rel_tol=_SAME_FACTOR))
