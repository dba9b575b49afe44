"""A ledger of a small market, its clock in the test's hand, and ways to write to it past its own code."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from components.extractor.calendar import ExchangeCalendar
from components.feature_store import FeatureStore, PriceBars
from components.ledger.file import Ledger, Row
from components.ledger.outcomes import Settled, settle
from components.ledger.predictions import Forecasts, WrittenDown, write_predictions
from components.ledger.schema import CREATED
from components.ledger.setting_up import LiveModel, declare, install

UTC = dt.UTC
CHAMPION = LiveModel("a" * 64, "linear", "window_returns", 1, "2010-01-04", "2023-12-29")
CHALLENGER = LiveModel("b" * 64, "rnn", "window_returns", 1)
PARAMETERS = {"alpha": 0.05, "bets": [0.1, 0.2]}
NEW_YEAR = dt.datetime(2026, 11, 1, tzinfo=UTC)
NEW_YORK = ExchangeCalendar.of("XNYS", NEW_YEAR).sessions(dt.date(2024, 1, 1), dt.date(2025, 12, 31))


def moment(text: str) -> dt.datetime:
    """A time in UTC, such as 2024-03-01 22:00."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=UTC)


def bars(days: np.ndarray, seed: int = 0, factor: Iterable[float] | None = None) -> PriceBars:
    close = np.round(50 + np.random.default_rng(seed).random(len(days)) * 10, 2)
    return PriceBars(days, close, np.ones(len(days)) if factor is None else np.array(list(factor), float))


@dataclass
class Live:
    """A store, a ledger beside it, and a clock."""

    folder: Path
    shares: tuple[str, ...] = ("AAA", "BBB", "CCC")
    exchange: str = "XNYS"
    now: dt.datetime = NEW_YEAR
    prices: dict[str, PriceBars] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.database = self.folder / "awesome.db"
        self.path = self.folder / "awesome.db.ledger"
        for seed, share in enumerate(self.shares):
            self.prices.setdefault(share, bars(NEW_YORK[:80], seed))

    def ledger(self) -> Ledger:
        return Ledger.create(self.path, lambda: self.now)

    def begin(self, *models: tuple[LiveModel, str]) -> None:
        with self.ledger() as ledger:
            for model, role in models or ((CHAMPION, "champion"),):
                declare(ledger, model.horizon, PARAMETERS)
                install(ledger, model, role)

    def store(self, until: str) -> None:
        """The database as an extraction leaves it after a session: every bar up to it."""
        with FeatureStore.create(self.database) as store:
            for share, known in self.prices.items():
                upto = int(np.searchsorted(known.time, np.datetime64(until), side="right"))
                if upto:
                    store.upsert(share, PriceBars(known.time[:upto], known.close[:upto], known.factor[:upto]), "file")
            store.listings.put(list(self.prices), self.exchange)

    def forecasts(self, session: object, model: LiveModel = CHAMPION) -> Forecasts:
        """A probability of each share's last window that depends on nothing but the window."""
        windows, sessions, names = [], [], []
        for share, known in self.prices.items():
            upto = int(np.searchsorted(known.time, np.datetime64(session), side="right"))
            if upto > 20:
                windows.append(known.adjusted_close[upto - 21 : upto][::-1])
                sessions.append(str(known.time[upto - 1]))
                names.append(share)
        closes = np.array(windows)
        return Forecasts(model.digest, model.horizon, names, sessions, closes, says(names, closes.astype(np.float32)))

    def predict(self, session: object, model: LiveModel = CHAMPION) -> WrittenDown:
        with self.ledger() as ledger:
            return write_predictions(ledger, self.forecasts(session, model), dict.fromkeys(self.shares, self.exchange))

    def settle(self) -> Settled:
        with self.ledger() as ledger, FeatureStore.open(self.database) as store:
            return settle(ledger, store)

    def evenings(self, sessions: Iterable[object], model: LiveModel = CHAMPION) -> Settled:
        """Predictions of some evenings; prices and outcomes come with the last one."""
        with self.ledger() as ledger:
            for session in sessions:
                self.now = moment(f"{session} 23:00")
                exchanges = dict.fromkeys(self.shares, self.exchange)
                write_predictions(ledger, self.forecasts(session, model), exchanges)
        self.store(str(session))
        return self.settle()


def says(names: Sequence[str], closes: np.ndarray) -> np.ndarray:
    """A model: the probability of windows [n, 21] in single precision."""
    return (1 / (1 + np.exp(-5 * (closes[:, 0] / closes[:, 20] - 1)))).astype(np.float64)


def lived(folder: Path, sessions: int = 12) -> Live:
    """A record of some evenings, every prediction on time."""
    live = Live(folder)
    live.now = moment(f"{NEW_YORK[20]} 12:00")
    live.begin()
    live.evenings(NEW_YORK[20 : 20 + sessions])
    return live


def tampered(path: Path, statement: str) -> None:
    """Changes a ledger as somebody would who knows SQLite: triggers off, the change, triggers on."""
    triggers = {name: sql for name, sql in CREATED.items() if sql.startswith("CREATE TRIGGER")}
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("BEGIN")
        for name in triggers:
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(statement)
        for sql in triggers.values():
            connection.execute(sql)
        connection.execute("COMMIT")


def rows_of(path: Path) -> list[Row]:
    """Every row, in order."""
    with Ledger.open(path) as ledger:
        return list(ledger.rows())
