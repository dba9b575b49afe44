"""Predictions are written down: on time, late, or not again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from components.feature_store.arrays import Booleans, Floats
from components.feature_store.dates import is_iso_day
from components.feature_store.rules import is_usable_name
from components.ledger.chain import window_digest
from components.ledger.columns import BEFORE_PREDICTION, COLUMNS, Columns, reads_of, seen, widths
from components.ledger.deadlines import Deadlines, calendars_in_use
from components.ledger.errors import LedgerError
from components.ledger.file import Batch, Ledger
from components.ledger.schema import NOTE, PREDICTION
from models.features import WINDOW

CALENDARS = "calendars"
"""The kind of the note that says by which calendars the deadlines after it were found."""


@dataclass(frozen=True, eq=False)
class Forecasts:
    """What one model says of some shares.

    Attributes:
        model: its digest.
        horizon: sessions ahead.
        share_ids: the shares, n of them.
        sessions: the last session of each one's window, ISO.
        closes: the windows that the model saw, close0 first, adjusted, float64, [n, 21].
        probability: of what the model's label asks, by default that the close is higher after the horizon, [n].
        day: the day-wide columns that it saw beside the windows, as its `Reads` in the ledger says; empty for none.
    """

    model: str
    horizon: int
    share_ids: Sequence[str]
    sessions: Sequence[str]
    closes: Floats
    probability: Floats
    day: Columns = field(default_factory=dict)


@dataclass(frozen=True)
class WrittenDown:
    """What became of predictions.

    Attributes:
        new: rows that were written.
        late: those of them that came after the next session had opened, which are no evidence.
        known: predictions that stood in the ledger already, and were not written again.
    """

    new: int
    late: int
    known: int


def write_predictions(ledger: Ledger, forecasts: Forecasts, exchanges: Mapping[str, str]) -> WrittenDown:
    """Writes predictions down, all of them in one transaction or none.

    One that stands there already, of the same share, session, horizon, model, window, columns and probability, is not
    written again. One that differs (a restated price, another window) is a row of its own; the first that was on time
    counts.

    Args:
        ledger: opened to write, with the parameters of the evidence and the model.
        forecasts: what was said.
        exchanges: the exchange of each share, as exchange_calendars names it.

    Raises:
        LedgerError: the parameters of the evidence, the model or what it reads were not written before; a share's
            exchange is not known; a session lies ahead of the clock; or a value is no prediction. Nothing is written.
        ExchangeError: the sessions of an exchange cannot be had.
    """
    _check(ledger, forecasts, exchanges)
    deadlines = Deadlines(ledger.clock())
    rows = []
    columns = seen(forecasts.share_ids, forecasts.sessions, forecasts.day) if forecasts.day else []
    with ledger.writing() as batch:
        _check_begun(ledger, forecasts)
        windows = zip(
            forecasts.share_ids,
            forecasts.sessions,
            forecasts.closes.tolist(),
            forecasts.probability.tolist(),
            columns or [""] * len(forecasts.share_ids),
            strict=True,
        )
        for share, session, closes, probability, column in windows:
            exchange = exchanges[share]
            if batch.written < deadlines.opening(exchange, session):
                raise LedgerError(
                    f"{share}: its session {session} has not begun at {exchange}, by the clock ({batch.written}): "
                    "set the clock, or look at the prices"
                )
            window, deadline = window_digest(closes), deadlines.deadline(exchange, session)
            what = (share, session, forecasts.horizon, probability, forecasts.model)
            if not _is_known(ledger, *what, window, column):
                rows.append((column, (*what, *closes, window, exchange, deadline, int(batch.written >= deadline))))
        if rows:
            _note_calendars(ledger, batch)
        for column, row in rows:
            if column:
                batch.add(NOTE.name, (COLUMNS, column))
            batch.add(PREDICTION.name, row)
    return WrittenDown(len(rows), sum(row[-1] for _, row in rows), len(forecasts.share_ids) - len(rows))


def _check(ledger: Ledger, forecasts: Forecasts, exchanges: Mapping[str, str]) -> None:
    count = len(forecasts.share_ids)
    shapes = (len(forecasts.sessions), forecasts.probability.shape, forecasts.closes.shape)
    if shapes != (count, (count,), (count, WINDOW)):
        raise ValueError(f"{count} shares do not go with sessions, probabilities and windows of {shapes}")
    for share, session in zip(forecasts.share_ids, forecasts.sessions, strict=True):
        if share not in exchanges:
            raise LedgerError(
                f"{share}: its exchange is not known, so nobody can say until when a prediction is one; name it: "
                "awesome prices import FILE --exchange XNYS"
            )
        if not is_usable_name(share) or not is_iso_day(session):
            raise LedgerError(f"{share!r} after {session!r}: is no share and session that a prediction can be of")
    _refuse(ledger, forecasts, forecasts.closes, (forecasts.closes > 0) & np.isfinite(forecasts.closes), "close")
    probability = forecasts.probability[:, None]
    _refuse(ledger, forecasts, probability, (probability >= 0) & (probability <= 1), "probability")
    for name, values in forecasts.day.items():
        if len(values) != count:
            raise ValueError(f"{count} shares do not go with {len(values)} values of {name}")
        of_share = values.reshape(count, -1)
        _refuse(ledger, forecasts, of_share, np.isfinite(of_share), f"value of {name}")


def _refuse(ledger: Ledger, forecasts: Forecasts, values: Floats, good: Booleans, what: str) -> None:
    if not good.all():
        at, column = np.argwhere(~good)[0].tolist()
        share = forecasts.share_ids[at]
        raise LedgerError(f"{share}: {values[at, column]} is no {what}; nothing was written to {ledger.path}")


def _check_begun(ledger: Ledger, forecasts: Forecasts) -> None:
    if not ledger.select("SELECT 1 FROM SETUP WHERE horizon = ? LIMIT 1", forecasts.horizon):
        raise LedgerError(
            f"{ledger.path}: the parameters of the evidence are written before the first prediction at horizon "
            f"{forecasts.horizon}"
        )
    of_model = "SELECT 1 FROM MODEL WHERE digest = ? AND horizon = ? LIMIT 1"
    if not ledger.select(of_model, forecasts.model, forecasts.horizon):
        raise LedgerError(
            f"{ledger.path}: the model {forecasts.model[:8]} is written before its first prediction, with its horizon "
            f"({forecasts.horizon})"
        )
    reads = reads_of(ledger).get(forecasts.model)
    if (reads.columns if reads else {}) != widths(forecasts.day):
        given, held = (", ".join(sorted(one)) or "nothing" for one in (forecasts.day, reads.columns if reads else {}))
        raise LedgerError(
            f"{ledger.path}: the model {forecasts.model[:8]} stands there as one that reads {held} beside windows, and "
            f"{given} was given; let `awesome daily` write it down first"
        )


def _note_calendars(ledger: Ledger, batch: Batch) -> None:
    in_use = calendars_in_use()
    held = ledger.select("SELECT text FROM NOTE WHERE kind = ? ORDER BY seq DESC LIMIT 1", CALENDARS)
    if not held or held[0][0] != in_use:
        batch.add(NOTE.name, (CALENDARS, in_use))


def _is_known(
    ledger: Ledger, share: str, session: str, horizon: int, probability: float, model: str, window: str, columns: str
) -> bool:
    # REAL columns hold the eight bytes of a float, so equal means equal to the bit.
    query = (
        "SELECT n.text FROM PREDICTION p LEFT JOIN NOTE n ON " + BEFORE_PREDICTION + " "
        "WHERE share_id = ? AND session = ? AND horizon = ? AND probability = ? AND model = ? AND window = ?"
    )
    held = ledger.select(query, share, session, horizon, probability, model, window)
    return any((text or "") == columns for (text,) in held)
