"""A record of a model that compares shares, in the hand of a test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from live_records import CHAMPION, NEW_YORK, Live, moment

from components.feature_store import FeatureStore, PriceBars
from components.ledger.days import LiveDay, live_days, live_series
from components.ledger.file import Ledger
from components.ledger.labels import LEVEL, Labels, Level, keep_label
from components.ledger.outcomes import Settled, settle
from components.ledger.setting_up import LiveModel, declare, install
from components.records import from_json

SHARES = ("AAA", "BBB", "CCC", "DDD", "EEE")


def begin(live: Live, model: LiveModel = CHAMPION, label: str = "outperform") -> None:
    with live.ledger() as ledger:
        declare(ledger, model.horizon, {"label": label})
        keep_label(ledger, model.digest, label)
        install(ledger, model, "champion")


def living(folder: Path, until: int = 30) -> Live:
    live = Live(folder, SHARES)
    live.now = moment(f"{NEW_YORK[until]} 12:00")
    begin(live)
    return live


def evening(live: Live, at: int, *, without: dict[str, int] | None = None) -> Settled:
    """Stores the bars of an evening, without the last ones of some shares, predicts and settles."""
    live.now = moment(f"{NEW_YORK[at]} 23:00")
    whole = dict(live.prices)
    for share, less in (without or {}).items():
        end = int(np.searchsorted(whole[share].time, NEW_YORK[at], side="right")) - less
        known = whole[share]
        live.prices[share] = PriceBars(known.time[:end], known.close[:end], known.factor[:end])
    live.store(str(NEW_YORK[at]))
    live.prices = whole
    with live.ledger() as ledger, FeatureStore.open(live.database) as store:
        return settle(ledger, store)


def noted(live: Live) -> list[Level]:
    with Ledger.open(live.path) as ledger:
        texts = ledger.select("SELECT text FROM NOTE WHERE kind = ? ORDER BY seq", LEVEL)
        held = Labels(ledger)
        assert all(held.level("outperform", 1, one.session) is not None for one in map(_level, texts))
    return [_level(text) for text in texts]


def _level(row: tuple) -> Level:
    return from_json(Level, row[0])


def median_of(live: Live, at: int, horizon: int = 1, but: tuple[str, ...] = ()) -> float:
    returns = [
        known.adjusted_close[at + horizon] / known.adjusted_close[at] - 1
        for share, known in live.prices.items()
        if share not in but
    ]
    return float(np.median(np.array(returns, np.float32)))


def counted(live: Live, label: str = "outperform") -> list[LiveDay]:
    with Ledger.open(live.path) as ledger:
        return [day for series in live_series(ledger) for day in live_days(ledger, series, label)]
