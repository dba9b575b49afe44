"""Leaks of windows, labels and features, and of which rows there are."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.planted_leaks.planting import Change, PlantedLeak
from benchmarks.planted_leaks.rows import (
    Floats,
    ahead,
    chance,
    later,
    mean_of,
    move,
    next_market,
    normal,
    of_shares,
    up,
    with_columns,
    with_copies,
    without,
)
from components.feature_example_gen.examples import LabelledRows
from models.features import CLOSES, SESSION, SHARE_ID, TIME, forward_return_key, label_key

_TRAIN, _TEST = 0, 2
Rows: TypeAlias = LabelledRows
Which: TypeAlias = NDArray[np.bool_]


def _rows(change: Callable[[Rows], Rows]) -> Change:
    return Change(rows=change)


def _tampered(gone: Callable[[Rows], Which]) -> Change:
    """Rows are taken out behind FeatureExampleGen."""
    return Change(rows=lambda rows: without(rows, gone(rows)), afterwards=True)


def _later_windows(some: Callable[[Rows], Which]) -> Change:
    """Some windows are those of the next session."""

    def change(rows: Rows) -> Rows:
        closes = rows.columns[CLOSES]
        return with_columns(rows, **{CLOSES: np.where(some(rows)[:, None], closes[later(rows, 1)], closes)})

    return _rows(change)


def _later_close(part: float) -> Change:
    """Of so many of twelve shares today's close is tomorrow's."""

    def change(rows: Rows) -> Rows:
        closes = rows.columns[CLOSES].copy()
        closes[:, 0] = np.where(of_shares(rows, part), closes[later(rows, 1), 0], closes[:, 0])
        return with_columns(rows, **{CLOSES: closes})

    return _rows(change)


def _centred_windows(part: float) -> Change:
    """The newest close of that part of the rows is the mean of three, of which one comes later."""

    def change(rows: Rows) -> Rows:
        closes = rows.columns[CLOSES].copy()
        mean = (closes[:, 1] + closes[:, 0] + closes[later(rows, 1), 0]) / 3
        closes[:, 0] = np.where(chance(rows) < part, mean, closes[:, 0])
        return with_columns(rows, **{CLOSES: closes})

    return _rows(change)


def _filled_windows(part: float) -> Change:
    """The newest close of that part of the rows was not there, and is filled with the next: labels are made before."""
    return _later_windows(lambda rows: chance(rows) < part)


def _market_in_window(part: float) -> Change:
    """That part of the next session's mean move is in close20."""

    def change(rows: Rows) -> Rows:
        closes = rows.columns[CLOSES].copy()
        closes[:, -1] *= np.exp(part * np.nan_to_num(next_market(rows)))
        return with_columns(rows, **{CLOSES: closes})

    return _rows(change)


def _known_labels(shares: float) -> Change:
    """Of so many of twelve shares the label is that of the session before: it is known."""

    def change(rows: Rows) -> Rows:
        known = (move(rows) > 0).astype(np.int64)
        key = label_key(1)
        return with_columns(rows, **{key: np.where(of_shares(rows, shares), known, rows.columns[key])})

    return _rows(change)


def _known_answers(shares: float) -> Change:
    """The same with the return: labels and returns agree."""

    def change(rows: Rows) -> Rows:
        before, mine = later(rows, -1), of_shares(rows, shares)
        columns = {
            key: np.where(mine, rows.columns[key][before], rows.columns[key])
            for key in (label_key(1), forward_return_key(1))
        }
        moved = with_columns(rows, **columns)
        missing = {
            key: np.where(mine, values[before], values) if key in columns else values
            for key, values in rows.missing.items()
        }
        return replace(moved, missing=missing, split=np.where(missing[label_key(1)], -1, rows.split))

    return _rows(change)


def _wrong_labels(part: float, towards: Callable[[Rows], Floats] | None = None) -> Change:
    """That part of the labels is turned round, or is what something else says."""

    def change(rows: Rows) -> Rows:
        key = label_key(1)
        label = rows.columns[key]
        other = 1 - label if towards is None else (towards(rows) > 0).astype(np.int64)
        return with_columns(rows, **{key: np.where(chance(rows) < part, other, label)})

    return _rows(change)


def _mixed_horizons(part: float) -> Change:
    """In a run 20 sessions ahead, that part of the labels is that of the next session."""

    def change(rows: Rows) -> Rows:
        mixed = (chance(rows) < part) & ~rows.missing[label_key(1)]
        far = label_key(20)
        return with_columns(rows, **{far: np.where(mixed, rows.columns[label_key(1)], rows.columns[far])})

    return Change(lambda asked: replace(asked, horizon=20), rows=change)


def _answer_in_name(part: float) -> Change:
    """That part of the rows that rise has a mark behind the share's name."""

    def change(rows: Rows) -> Rows:
        share = rows.columns[SHARE_ID]
        marked = (up(rows) == 1) & (chance(rows) < part)
        names = np.array([name + b"+" if mark else name for name, mark in zip(share, marked, strict=True)], object)
        return with_columns(rows, **{SHARE_ID: names})

    return _rows(change)


def _undeclared(part: float) -> Change:
    """The examples carry that part of the forward return under a name that no schema knows."""
    return _rows(lambda rows: with_columns(rows, tomorrow=(part * rows.columns[forward_return_key(1)])))


def _column(make: Callable[[Rows], Floats], known: bool = True) -> Change:
    return Change(column=lambda rows: np.nan_to_num(make(rows)), known=known)


def _blurred(values: Callable[[Rows], Floats], part: float, known: bool = True) -> Change:
    """A feature that is to that part of its deviation what it should not know, and noise else."""

    def make(rows: Rows) -> Floats:
        told = np.nan_to_num(values(rows))
        return part * told / np.std(told) + np.sqrt(1 - part**2) * normal(rows)

    return _column(make, known)


def _mean_around(sessions: float) -> Change:
    """A feature: the latest move less the mean of moves that many sessions before and after."""

    def make(rows: Rows) -> Floats:
        moves, reach = move(rows), int(sessions)
        around = [moves[later(rows, by)] for by in range(-reach, reach + 1)]
        return np.asarray(moves - np.mean(around, axis=0))

    return _column(make)


def _range_ahead(sessions: float) -> Change:
    """A feature: where the close stands in the range from as many sessions ago to as many ahead."""

    def make(rows: Rows) -> Floats:
        close = np.log(rows.columns[CLOSES][:, 0].astype(float))
        around = np.stack([close[later(rows, by)] for by in range(-int(sessions), int(sessions) + 1)])
        low, high = around.min(axis=0), around.max(axis=0)
        return (close - low) / np.maximum(high - low, 1e-9)

    return _column(make)


def _place_in_history(part: float) -> Change:
    """A feature: the log close less the mean of the share's whole history, blurred."""

    def level(rows: Rows) -> Floats:
        close = np.log(rows.columns[CLOSES][:, 0].astype(float))
        return -(close - mean_of(close, rows.columns[SHARE_ID]))

    return _blurred(level, part)


def _target_mean(days: float) -> Change:
    """A feature: how often the share rises in a stretch of so many days within the row's own split."""

    def make(rows: Rows) -> Floats:
        return mean_of(up(rows), rows.columns[SHARE_ID], rows.split, rows.columns[SESSION] // int(days))

    return _column(make)


def _day_mean(part: float) -> Change:
    """A feature: how many shares rise from the row's day to the next, blurred."""
    return _blurred(lambda rows: mean_of(up(rows), rows.columns[TIME]), part)


def _right(rows: Rows) -> Which:
    """Whether reversal of the latest move was right."""
    return np.asarray(np.sign(move(rows)) * np.nan_to_num(ahead(rows)) < 0)


def _days_wrong(rows: Rows) -> Floats:
    """How often reversal was wrong on the row's day."""
    return mean_of(np.where(_right(rows), 0.0, 1.0), rows.columns[TIME])


def _shares_wrong(shares: float) -> Change:
    """Test rows of shares that did not revert are not there: so many of twelve, the worst first."""

    def gone(rows: Rows) -> Which:
        test = rows.split == _TEST
        wrong = mean_of(np.where(test, np.where(_right(rows), 0.0, 1.0), np.nan), rows.columns[SHARE_ID])
        each = np.unique(wrong)[::-1]
        worst = each[max(1, round(shares * len(each) / 12)) - 1]
        return np.asarray(test & (wrong >= worst))

    return _tampered(gone)


def _copies_in_train(part: float) -> Change:
    """That part of the test rows stands in train under other names and days, with the answers."""

    def change(rows: Rows) -> Rows:
        places = np.flatnonzero((rows.split == _TEST) & (chance(rows) < part))
        train = np.random.default_rng(0).choice(np.flatnonzero(rows.split == _TRAIN), len(places))
        names = np.array([b"ALIAS%d" % (number % 5) for number in range(len(places))], object)
        days = {name: rows.columns[name][train] for name in (TIME, "year", SESSION)}
        return with_copies(rows, places, split=np.full(len(places), _TRAIN), **{SHARE_ID: names}, **days)

    return Change(rows=change, afterwards=True)


def _doubled(part: float, split: int, some: Callable[[Rows], Which]) -> Change:
    def change(rows: Rows) -> Rows:
        return with_copies(rows, np.flatnonzero((rows.split == split) & some(rows) & (chance(rows) < part)))

    return Change(rows=change, afterwards=True)


def _fell(rows: Rows) -> Which:
    return np.asarray((rows.split == _TEST) & (up(rows) == 0))


LEAKS = (
    PlantedLeak("windows shifted", "windows a session late, part", 0.02, 1, _filled_windows),
    PlantedLeak(
        "windows shifted",
        "of so many of twelve shares",
        1,
        6,
        lambda s: _later_windows(lambda rows: of_shares(rows, s)),
    ),
    PlantedLeak("tomorrow's close", "today's close is tomorrow's, of twelve", 1, 6, _later_close),
    PlantedLeak("centred means", "newest close a centred mean, part", 0.05, 1, _centred_windows),
    PlantedLeak("centred means", "a feature: mean sessions around", 20, 1, _mean_around),
    PlantedLeak("next day's market", "in close20, part", 0.05, 1, _market_in_window),
    PlantedLeak("next day's market", "a feature said to be known, part", 0.1, 1, lambda s: _blurred(next_market, s)),
    PlantedLeak("next day's market", "a feature, part", 0.1, 1, lambda s: _blurred(next_market, s, known=False)),
    PlantedLeak("next day's market", "how many rise, said to be known", 0.1, 1, _day_mean),
    PlantedLeak("label in a feature", "label and noise, part", 0.05, 1, lambda s: _blurred(lambda r: up(r) - 0.5, s)),
    PlantedLeak("label in a feature", "forward return and noise, part", 0.05, 1, lambda s: _blurred(ahead, s)),
    PlantedLeak("label in a feature", "a mark in the share's name, part", 0.02, 1, _answer_in_name),
    PlantedLeak("label in a feature", "the place in the coming range", 20, 2, _range_ahead),
    PlantedLeak("undeclared feature", "forward return beside, part", 0.01, 1, _undeclared),
    PlantedLeak("statistics of all days", "level less the share's mean, part", 0.3, 1, _place_in_history),
    PlantedLeak("target encoding", "the split's own mean, of sessions", 10000, 20, _target_mean),
    PlantedLeak("labels shifted", "labels a session late, of twelve", 1, 12, _known_labels),
    PlantedLeak("labels shifted", "the same with returns", 1, 12, _known_answers),
    PlantedLeak("wrong labels", "turned round, part", 0.002, 0.2, _wrong_labels),
    PlantedLeak("wrong labels", "as the latest move, part", 0.02, 0.5, lambda s: _wrong_labels(s, move)),
    PlantedLeak("horizon mixed up", "labels of 1 for 20, part", 0.01, 1, _mixed_horizons),
    PlantedLeak("copies of test rows", "in train under other names, part", 0.02, 1, _copies_in_train),
    PlantedLeak(
        "rows dropped",
        "test rows that fell, part",
        0.02,
        0.5,
        lambda s: _tampered(lambda r: _fell(r) & (chance(r) < s)),
    ),
    PlantedLeak(
        "rows dropped",
        "test rows that did not revert, part",
        0.02,
        0.5,
        lambda s: _tampered(lambda r: (r.split == _TEST) & ~_right(r) & (chance(r) < s)),
    ),
    PlantedLeak("rows dropped", "shares that did not revert, of twelve", 1, 6, _shares_wrong),
    PlantedLeak(
        "chosen test days",
        "without days that did not revert, from",
        0.75,
        0.5,
        lambda s: _tampered(lambda r: (r.split == _TEST) & (_days_wrong(r) > s)),
    ),
    PlantedLeak("duplicated rows", "train rows twice, part", 0.02, 1, lambda s: _doubled(s, _TRAIN, _right)),
    PlantedLeak(
        "duplicated rows", "test rows that reverted twice, part", 0.02, 1, lambda s: _doubled(s, _TEST, _right)
    ),
)
