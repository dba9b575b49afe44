"""What a ledger holds of a horizon, counted for people: its models, what is missing, what was restated."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from components.extractor.calendar import ExchangeCalendar
from components.ledger.columns import reads_of
from components.ledger.file import Ledger
from components.ledger.labels import Labels
from components.ledger.origins import Origin, Origins
from components.ledger.outcomes import simple_return


@dataclass(frozen=True)
class Counted:
    """Predictions of a horizon, of all models.

    Attributes:
        predicted: how many.
        late: those of them that came too late to be evidence.
        due: those that have an outcome.
        restated: those that have more than one.
        shares: how many shares they are of.
        first: the first session they were made after, ISO; empty without any.
        last: the last one.
        earliest_open: the first session with a prediction that has no outcome; empty without any.
    """

    predicted: int
    late: int
    due: int
    restated: int
    shares: int
    first: str
    last: str
    earliest_open: str


@dataclass(frozen=True)
class Installed:
    """A model, since it took over or began to challenge.

    Attributes:
        digest: of what computes its probabilities.
        name: of its architecture.
        role: champion or challenger.
        since: when it took the role, UTC.
        trained_until: the last session that it was trained on, ISO; empty where that is not known.
        first: the first session that it predicted in this role, ISO; empty without any.
        last: the last one.
        predicted: its predictions in this role.
        late: those of them that came too late.
        origin: whether it was blessed, by which run, and when it was pushed; None where nobody noted it.
        market: shares beside which it sees a share's day; 0 where it sees windows alone.
    """

    digest: str
    name: str
    role: str
    since: str
    trained_until: str
    first: str
    last: str
    predicted: int
    late: int
    origin: Origin | None = None
    market: int = 0


@dataclass(frozen=True)
class Restated:
    """A prediction whose outcome was written again, as prices were restated.

    Attributes:
        share_id: the share.
        session: that it was made after, ISO.
        before: return by the first outcome.
        after: return by the latest one, which counts.
        written: when that was written, UTC.
    """

    share_id: str
    session: str
    before: float
    after: float
    written: str


@dataclass(frozen=True)
class Missing:
    """What was not predicted between the first prediction and now.

    Attributes:
        sessions: those after which no share of the exchange was predicted, ISO.
        single: predictions that single shares lack between their first and their last one.
        ended: shares that were not predicted after the last session that others of their exchange were.
    """

    sessions: tuple[str, ...]
    single: int
    ended: int = 0


def count(ledger: Ledger, horizon: int) -> Counted:
    """Counts the predictions of a horizon."""
    [(predicted, late, shares, first, last)] = ledger.select(
        "SELECT COUNT(*), SUM(late), COUNT(DISTINCT share_id), MIN(session), MAX(session) FROM PREDICTION "
        "WHERE horizon = ?",
        horizon,
    )
    [(due, restated)] = ledger.select(
        "SELECT COUNT(*), SUM(times > 1) FROM (SELECT COUNT(*) AS times FROM OUTCOME o JOIN PREDICTION p "
        "ON p.seq = o.prediction WHERE p.horizon = ? GROUP BY o.prediction)",
        horizon,
    )
    [(earliest,)] = ledger.select(
        "SELECT MIN(session) FROM PREDICTION p WHERE horizon = ? "
        "AND NOT EXISTS (SELECT 1 FROM OUTCOME WHERE prediction = p.seq)",
        horizon,
    )
    without = _without_level(ledger, horizon)
    opened = [session for session in (earliest, *without) if session]
    due -= sum(without.values())
    return Counted(predicted, late or 0, due, restated or 0, shares, first or "", last or "", min(opened, default=""))


def _without_level(ledger: Ledger, horizon: int) -> dict[str, int]:
    """By session whose level is not known yet, the predictions that have an outcome and no answer without it."""
    held, found = Labels(ledger), dict[str, int]()
    query = (
        "SELECT session, COUNT(*) FROM PREDICTION p WHERE horizon = ? AND model = ? "
        "AND EXISTS (SELECT 1 FROM OUTCOME WHERE prediction = p.seq) GROUP BY session"
    )
    for model in held.compared():
        for session, count in ledger.select(query, horizon, model):
            if held.needed(model, horizon, session) is None:
                found[session] = found.get(session, 0) + count
    return found


def installed(ledger: Ledger, horizon: int) -> tuple[Installed, ...]:
    """The models of a horizon, in the order in which they took their roles."""
    rows = ledger.select(
        "SELECT seq, digest, name, role, written, trained_until FROM MODEL WHERE horizon = ? ORDER BY seq", horizon
    )
    origins, reads, found = Origins(ledger), reads_of(ledger), []
    for at, (seq, digest, name, role, written, until) in enumerate(rows):
        # The same model may come back, as after a rollback: each time counts its own.
        end = next((later[0] for later in rows[at + 1 :] if later[1] == digest), None)
        [(first, last, predicted, late)] = ledger.select(
            "SELECT MIN(session), MAX(session), COUNT(*), SUM(late) FROM PREDICTION "
            "WHERE horizon = ? AND model = ? AND seq > ? AND (? IS NULL OR seq < ?)",
            horizon,
            digest,
            seq,
            end,
            end,
        )
        origin = origins.of(digest, horizon, end)
        days = first or "", last or ""
        market = len(reads[digest].market) if digest in reads else 0
        found.append(Installed(digest, name, role, written, until, *days, predicted, late or 0, origin, market))
    return tuple(found)


def restated(ledger: Ledger, horizon: int, most: int) -> tuple[Restated, ...]:
    """The latest restated outcomes, the last one written first."""
    rows = ledger.select(
        "SELECT p.share_id, p.session, a.close, a.close_due, a.factor, b.close, b.close_due, b.factor, b.written "
        "FROM (SELECT prediction, MIN(seq) AS a, MAX(seq) AS b FROM OUTCOME GROUP BY prediction HAVING COUNT(*) > 1) t "
        "JOIN PREDICTION p ON p.seq = t.prediction JOIN OUTCOME a ON a.seq = t.a JOIN OUTCOME b ON b.seq = t.b "
        "WHERE p.horizon = ? ORDER BY b.seq DESC LIMIT ?",
        horizon,
        most,
    )
    return tuple(
        Restated(share, session, simple_return(*first), simple_return(*last), written)
        for share, session, *prices, written in rows
        for first, last in [(prices[:3], prices[3:])]
    )


def missing(ledger: Ledger, horizon: int, now: dt.datetime) -> Missing:
    """Finds what was not predicted, by the calendars of the exchanges.

    A session whose prediction can still be on time is not missing.

    Raises:
        ExchangeError: the sessions of an exchange cannot be had.
    """
    by_exchange: dict[str, list[str]] = {}
    for exchange, session in ledger.select(
        "SELECT DISTINCT exchange, session FROM PREDICTION WHERE horizon = ? ORDER BY session", horizon
    ):
        by_exchange.setdefault(exchange, []).append(session)
    lacking: set[str] = set()
    for exchange, known in by_exchange.items():
        lacking.update(_unpredicted(ExchangeCalendar.of(exchange, now), known, now))
    single = ended = 0
    for exchange, first, last, predicted in ledger.select(
        "SELECT exchange, MIN(session), MAX(session), COUNT(DISTINCT session) FROM PREDICTION WHERE horizon = ? "
        "GROUP BY exchange, share_id",
        horizon,
    ):
        low, high = np.searchsorted(by_exchange[exchange], [first, last])
        single += int(high - low) + 1 - predicted
        ended += last != by_exchange[exchange][-1]
    return Missing(tuple(sorted(lacking)), single, ended)


def _unpredicted(calendar: ExchangeCalendar, known: Sequence[str], now: dt.datetime) -> list[str]:
    closed = calendar.last_closed(now, dt.timedelta(0))
    wanted: list[dt.date] = calendar.sessions(dt.date.fromisoformat(known[0]), closed).tolist()
    held = set(known)
    return [str(day) for day in wanted if str(day) not in held and (day != closed or now >= calendar.next_opening(day))]
