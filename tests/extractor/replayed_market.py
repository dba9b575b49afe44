"""A small market behind a replay server, and what the store must hold of it."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from components.extractor import ExtractionPlan, ExtractionReport, HttpSettings
from components.extractor.replay import Listing, Market, ReplayServer, make_listing

FIRST, LAST = dt.date(2022, 1, 4), dt.date(2024, 6, 28)
TODAY = dt.date(2024, 3, 28)
NEXT = dt.date(2024, 4, 11)
"""Nine sessions later in Shanghai, whose exchange is closed on April 4 and 5."""
SHARES = {
    "tencent": ("sh600519", "sz000001"),
    "sina": ("sh600519", "sz000001"),
    "tiingo": ("IBM", "GE"),
    "yahoo": ("IBM", "GE"),
}
SOURCES = tuple(SHARES)
SPLITS = {dt.date(2023, 3, 1): 2.0}
DIVIDENDS = {dt.date(2022, 6, 1): 0.6, dt.date(2023, 6, 1): 0.9}


Run = Callable[..., ExtractionReport]


def evening(day: dt.date) -> dt.datetime:
    """A time at which the session of a day is closed and settled, in Shanghai and in New York."""
    return dt.datetime(day.year, day.month, day.day, 23, 0, tzinfo=dt.UTC)


def listing(share: str, **events: Any) -> Listing:
    exchange = "XSHG" if share[:2] in ("sh", "sz") else "XNYS"
    return make_listing(share, exchange, FIRST, LAST, **({"splits": SPLITS, "dividends": DIVIDENDS} | events))


def plan_for(source: str, **options: Any) -> ExtractionPlan:
    return ExtractionPlan(
        **({"source": source, "shares": SHARES[source], "since": FIRST, "best_effort": True} | options)
    )


def http_for(server: ReplayServer, **options: Any) -> HttpSettings:
    values = {"rate": 2000, "backoff": 0.001, "attempts": 3, "timeout": 60, "failures": 99} | options
    return HttpSettings(base_url=server.url, **values)


def table(db: Path, name: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(f"SELECT * FROM {name} ORDER BY share_id, 2").fetchall()


def contents(db: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All that a database holds."""
    return {name: table(db, name) for name in ("PRICE", "FEATURE", "EXTRACTION")}


def levels(db: Path) -> list[tuple[Any, ...]]:
    """Each share whose source gives adjusted closes, and that of its last session."""
    return [(row[0], row[3]) for row in table(db, "LOOK_BACK") if row[3] is not None]


def assert_holds(db: Path, source: str, market: Market, day: dt.date, shares: tuple[str, ...] | None = None) -> None:
    """The store holds every bar of the market up to a day, and nothing else."""
    rows = table(db, "PRICE")
    assert {row[0] for row in rows} == set(shares or SHARES[source])
    for share in shares or SHARES[source]:
        mine = [row for row in rows if row[0] == share]
        true = market.listings[share]
        count = int(np.searchsorted(true.time, np.datetime64(day, "D"), side="right"))
        assert [row[1] for row in mine] == true.days[:count]
        for column, name in enumerate(("open", "high", "low", "close"), start=2):
            np.testing.assert_allclose([row[column] for row in mine], getattr(true, name)[:count], rtol=1e-6)
        np.testing.assert_allclose([row[6] for row in mine], true.volume[:count], rtol=1e-6)
        returns = np.diff(np.log([row[5] * row[7] for row in mine]))
        expected = np.diff(np.log((true.close * true.factor)[:count]))
        np.testing.assert_allclose(returns, expected, atol=1e-8)
        assert {row[8] for row in mine} == {source}
