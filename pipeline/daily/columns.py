"""The day-wide columns of the windows that are due: what a model sees of the other shares of the day."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from components.day_wide.reading import read_last
from components.feature_store import FeatureStore
from components.ledger.columns import Columns, Reads
from components.universe.universe import universe_of
from models.card import ModelCard
from models.day_wide.columns import width_of
from pipeline.daily.windows import Wanted
from pipeline.uses.predict import formatter_of


def reads_of_card(digest: str, card: ModelCard) -> Reads:
    """What a model reads beside windows, as a ledger notes it; no columns where it reads windows alone.

    Raises:
        PredictionError: its formatter is not known here.
    """
    columns = formatter_of(card).day_columns
    return Reads(digest, {name: width_of(name) for name in columns}, tuple(sorted(card.market)) if columns else ())


def read_columns(
    store: FeatureStore, card: ModelCard, shares: Sequence[str], sessions: Sequence[str], now: dt.datetime
) -> Columns:
    """The columns that a model reads of shares [n] after sessions [n], ISO, by name; empty where it reads none.

    Raises:
        StoreError: the database cannot be read.
        PredictionError: the model's formatter is not known here.
    """
    columns = formatter_of(card).day_columns
    if not columns or not shares:
        return {}
    universe = universe_of(store, np.array([(now + dt.timedelta(days=1)).date()], "datetime64[D]"))
    return read_last(store, card.market, shares, sessions, columns, universe)


def known(columns: Columns, count: int) -> np.ndarray:
    """Whether each of some rows has a value of every column, bool [count]."""
    found = np.ones(count, bool)
    for values in columns.values():
        found &= ~np.isnan(values).reshape(count, -1).any(axis=1)
    return found


def with_columns(store: FeatureStore, wanted: Wanted, card: ModelCard, now: dt.datetime) -> Wanted:
    """Windows with the columns that a model reads beside them; those of which a column is not known are left out.

    Raises:
        StoreError: the database cannot be read.
        PredictionError: the model's formatter is not known here.
    """
    columns = read_columns(store, card, wanted.share_ids, wanted.sessions, now)
    if not columns:
        return wanted
    there = known(columns, len(wanted.share_ids))
    kept = np.flatnonzero(there).tolist()
    shares = [wanted.share_ids[at] for at in kept]
    lacking = {wanted.share_ids[at] for at in np.flatnonzero(~there)}
    return replace(
        wanted,
        share_ids=tuple(shares),
        sessions=tuple(wanted.sessions[at] for at in kept),
        closes=wanted.closes[kept],
        day={name: values[kept] for name, values in columns.items()},
        short=tuple(sorted(lacking - {*shares})),
        absent=tuple(sorted({*card.market} - {*store.listings.share_ids()})),
    )
