"""Leaks that come with the prices, or stand in the database."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.planted_leaks.planting import Change, PlantedLeak
from benchmarks.planted_leaks.small_runs import Asked, market_of
from components.feature_store import PriceBars
from components.synthetic_market import Market

Floats: TypeAlias = NDArray[np.float64]
_OF_TWELVE = 12
_BEFORE = "the source has changed the prices before they were stored, and windows and labels agree with what is stored"


def _bars(make: Callable[[Market, int], PriceBars], formatter: str | None = None) -> Change:
    return Change(lambda asked: replace(asked, bars=make, formatter=formatter or asked.formatter))


def _closes(make: Callable[[Floats], Floats], formatter: str | None = None) -> Change:
    """Other log closes, [sessions, shares]."""

    def change(market: Market) -> Market:
        return replace(market, close=np.exp(make(np.log(market.close))))

    return Change(lambda asked: replace(asked, prices=change, formatter=formatter or asked.formatter))


def _from_last_day(part: float) -> Change:
    """Prices to that part adjusted so that all end at the same."""
    return _closes(lambda log: log - part * (log[-1] - log.mean()), "closes")


def _splits_from_last_day(part: float) -> Change:
    """The closes of that part of the shares know splits to come: twofold whenever they have doubled since the start."""

    def make(log: Floats) -> Floats:
        doubled = np.maximum.accumulate(np.floor((log - log[0]) / np.log(2)).clip(0), axis=0)
        some = np.arange(log.shape[1]) < part * log.shape[1]
        raw = log - np.log(2) * doubled  # what was traded; divided by the splits that come after
        return np.where(some, raw - np.log(2) * (doubled[-1] - doubled), raw)

    return _closes(make, "closes")


def _dividends_early(size: float) -> Change:
    """Dividends of that size every 20 sessions, of which the factors know a session early."""

    def bars(market: Market, share: int) -> PriceBars:
        count = len(market.time)
        paid = np.arange(count) % 20 == (share * 7) % 20
        paid[:2] = False
        dividends = np.where(paid, size, 0)
        raw = market.close[:, share] * np.cumprod(1 - dividends)
        factor = 1 / np.cumprod(1 - np.append(dividends[1:], 0))
        return PriceBars(market.time, raw, factor / factor[0])

    return _bars(bars)


def _missed_splits(shares: float) -> Change:
    """So many of twelve shares are split, two for one, in the middle of test, and no factor says so."""

    def make(log: Floats) -> Floats:
        some = np.arange(log.shape[1]) < max(1, shares * log.shape[1] / _OF_TWELVE)
        after = np.arange(len(log)) >= 0.85 * len(log)
        return log - np.log(2) * (after[:, None] & some)

    return _closes(make)


def _restated(part: float) -> Change:
    """Each close moves that part of the way to the next one."""
    return _closes(lambda log: log + part * (np.concatenate([log[1:], log[-1:]]) - log))


def _centred(part: float) -> Change:
    """That part of each close is the mean of the sessions before, itself and after."""

    def make(log: Floats) -> Floats:
        before, after = np.concatenate([log[:1], log[:-1]]), np.concatenate([log[1:], log[-1:]])
        return (1 - part) * log + part * (before + log + after) / 3

    return _closes(make)


def _filled_back(part: float) -> Change:
    """That part of the closes was not there, and is filled with the next one that is."""

    def make(log: Floats) -> Floats:
        filled = log.copy()
        gone = np.random.default_rng(0).random(log.shape) < part
        for day in range(len(log) - 2, -1, -1):
            filled[day] = np.where(gone[day], filled[day + 1], filled[day])
        return filled

    return _closes(make)


def _twins(shares: float, make: Callable[[Floats, Floats], Floats], sessions: float = 0.45) -> Change:
    """So many of twelve shares are another's moves again, later by a part of all sessions.

    Args:
        shares: from the last one on.
        make: moves of the twins, told those that they are copies of and their own before, [sessions, shares] each.
        sessions: how much later.
    """

    def moved(log: Floats) -> Floats:
        count = max(1, round(shares * log.shape[1] / _OF_TWELVE))
        by = round(sessions * len(log)) if sessions < 1 else int(sessions)
        moves = np.diff(log, axis=0, prepend=log[:1])
        copied = make(moves[: len(log) - by, :count], moves[by:, -count:])
        moves[by:, -count:] = copied
        return log[0] + np.cumsum(moves, axis=0)

    return _closes(moved)


def _noisy(part: float) -> Callable[[Floats, Floats], Floats]:
    def make(like: Floats, own: Floats) -> Floats:
        del own
        return like + part * like.std() * np.random.default_rng(0).standard_normal(like.shape)

    return make


def _mirrored(shares: float) -> Change:
    return _twins(shares, lambda like, own: -like)


def _again(shares: float) -> Change:
    """The same share repeats its own history."""

    def make(log: Floats) -> Floats:
        moves = np.diff(log, axis=0, prepend=log[:1])
        by, count = round(0.5 * len(log)), max(1, round(shares * log.shape[1] / _OF_TWELVE))
        moves[by:, :count] = moves[: len(log) - by, :count]
        return log[0] + np.cumsum(moves, axis=0)

    return _closes(make)


def _from_many(times: float, better: Callable[[Floats], Floats]) -> Change:
    """The shares of a market that many times as large that did best; on prices that are there, the better part."""

    def change(asked: Asked) -> Asked:
        many = replace(asked, shares=round(asked.shares * times))
        market = market_of(many)
        log = np.log(market.close)
        kept = np.sort(np.argsort(-better(log), kind="stable")[: max(3, round(len(log.T) / times))])
        names = market.share_ids[: len(kept)]
        chosen = replace(market, close=market.close[:, kept], share_ids=names)
        return replace(asked, prices=lambda _: chosen)

    return Change(change)


def _grown(log: Floats) -> Floats:
    return np.asarray(log[-1] - log[0])


def _reverting(log: Floats) -> Floats:
    """How much the moves of the latest 30 % of the sessions, the test, were taken back on the next."""
    moves = np.diff(log[round(0.7 * len(log)) :], axis=0)
    return np.asarray(-np.mean(np.sign(moves[:-1]) * np.sign(moves[1:]), axis=0))


def _in_store(*statements: str) -> Change:
    def change(database: Path) -> None:
        with closing(sqlite3.connect(database)) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    return Change(lambda asked: replace(asked, store=change))


def _next_market_in_store(part: float) -> Change:
    """That part of the next session's mean move is in the oldest close of FEATURE."""

    def change(database: Path) -> None:
        with closing(sqlite3.connect(database)) as connection, connection:
            rows = connection.execute(
                "SELECT time, AVG(ln(close0 / close1)) FROM FEATURE GROUP BY time ORDER BY time"
            ).fetchall()
            moves = [(part * later[1], day[0]) for day, later in pairwise(rows)]
            connection.executemany("UPDATE FEATURE SET close20 = close20 * exp(?) WHERE time = ?", moves)

    return Change(lambda asked: replace(asked, store=change))


def _deleted(part: float) -> Change:
    """That part of the windows before which the share fell is not in FEATURE."""
    number = "CAST(strftime('%J', time) AS INTEGER) * 7919 + unicode(substr(share_id, -1)) * 131"
    dealt = f"({number}) % 1000 < {1000 * part}"
    return _in_store(f"DELETE FROM FEATURE WHERE close0 < close1 AND {dealt}")


LEAKS = (
    PlantedLeak("adjusted from the last day", "part of the way to the same end", 0.5, 1, _from_last_day),
    PlantedLeak("adjusted from the last day", "splits to come, part of the shares", 0.5, 1, _splits_from_last_day),
    PlantedLeak("factors early", "dividends a session early, size", 0.005, 0.02, _dividends_early),
    PlantedLeak("wrong prices", "missed splits, of twelve shares", 1, 6, _missed_splits),
    PlantedLeak("restated prices", "closes know the next, part", 0.1, 0.5, _restated, _BEFORE),
    PlantedLeak("centred means", "closes are centred means, part", 0.2, 1, _centred, _BEFORE),
    PlantedLeak("gaps filled from later", "closes filled back, part", 0.05, 0.3, _filled_back, _BEFORE),
    PlantedLeak("twins", "a share again 45 % later, of twelve", 1, 6, lambda s: _twins(s, lambda like, own: like)),
    PlantedLeak("twins", "the same with 2.5 times the moves", 1, 6, lambda s: _twins(s, lambda like, own: 2.5 * like)),
    PlantedLeak("twins", "a share's history again, of twelve", 1, 6, _again),
    PlantedLeak(
        "twins", "a share 5 sessions later, of twelve", 1, 6, lambda s: _twins(s, lambda like, own: like, sessions=5)
    ),
    PlantedLeak(
        "twins on the same day", "a share listed twice, of twelve", 1, 6, lambda s: _twins(s, lambda like, own: like, 0)
    ),
    PlantedLeak("near-duplicates", "six twins with noise, of a move", 0.05, 0.01, lambda s: _twins(6, _noisy(s))),
    PlantedLeak(
        "near-duplicates",
        "six twins with much noise, of a move",
        0.5,
        0.25,
        lambda s: _twins(6, _noisy(s)),
        "twins with noise of more than a tenth of a usual move are like others by chance",
    ),
    PlantedLeak("mirrored prices", "twins upside down, of twelve", 1, 6, _mirrored, "mirrored moves are not compared"),
    PlantedLeak(
        "chosen shares",
        "those that grew most, of times as many",
        1.4,
        5,
        lambda s: _from_many(s, _grown),
        "the choice was made before the database",
    ),
    PlantedLeak(
        "chosen shares",
        "those that reverted in test, of times as many",
        1.4,
        5,
        lambda s: _from_many(s, _reverting),
        "the choice was made before the database",
    ),
    PlantedLeak("database changed", "next market move in FEATURE, part", 0.1, 1, _next_market_in_store),
    PlantedLeak("database changed", "windows deleted that fell, part", 0.02, 0.3, _deleted),
)
