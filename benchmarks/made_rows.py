"""A synthetic market as the rows that models learn from, in memory: split and transformed as in a run."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.bayes import bayes_auc
from components.feature_example_gen.splits import SPLITS, SplitSettings, plan_splits
from components.synthetic_market import Market, generate
from models.architecture import InputSpec
from models.data import Rows
from models.day_wide.prices import DayPrices, ShareCloses
from models.day_wide.rows import DayRows, Values
from models.features import CLOSES, SHARE_ID, TIME, WINDOW
from models.formatters import DataFormatter
from models.formatters.window_returns import FORMATTER
from models.in_memory import applied, fit_formatter
from models.training import input_spec


@dataclass(frozen=True)
class MadeRows:
    """The splits of a market whose label is the direction of the next session.

    Attributes:
        inputs: the features.
        rows: by split, in the order of time and share.
        closes: by split, the windows, the latest first, [rows, 21].
        best: the best possible AUC.
        bayes: the AUC of the Bayes classifier on the test split, which knows more than a window where the market's
            scenario says so.
    """

    inputs: InputSpec
    rows: Mapping[str, Rows]
    closes: Mapping[str, NDArray[np.float64]]
    best: float | None
    bayes: float


def make_rows(
    scenario: str,
    shares: int,
    sessions: int,
    seed: int,
    formatter: DataFormatter = FORMATTER,
    fractions: tuple[float, float, float] = SplitSettings.fractions,
) -> MadeRows:
    """Makes a market of its seed, seen through a formatter, and splits it, with the purge and embargo of a run."""
    market = generate(scenario, shares=shares, sessions=sessions, seed=seed)
    windows = np.lib.stride_tricks.sliding_window_view(market.close, WINDOW, axis=0)[:-1, :, ::-1]
    session = np.arange(WINDOW - 1, sessions - 1)
    plan = plan_splits(market.time, SplitSettings(fractions, horizons=(1,)).reaching(formatter.reach))
    day_columns = _day_columns(market, session, formatter)
    split, _ = plan.assign(session, session - plan.lookback, session + 1)
    ahead = market.close[WINDOW:] / market.close[WINDOW - 1 : -1] - 1
    number = np.array([int(str(day).replace("-", "")) for day in market.time[session]])
    names = np.array([share.encode() for share in market.share_ids], dtype=object)
    raw: dict[str, dict[str, NDArray[Any]]] = {}
    following: dict[str, NDArray[np.float32]] = {}
    places: dict[str, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
    for place, part in enumerate(SPLITS):
        days = split == place
        known = ahead[days].reshape(-1)
        moved = known != 0  # an unchanged close is no label
        columns: dict[str, NDArray[Any]] = {name: values[days.repeat(shares)] for name, values in day_columns.items()}
        for values in columns.values():  # too few sessions before it for what the formatter reads
            moved &= ~np.isnan(values).reshape(len(moved), -1).any(axis=1)
        columns |= {
            CLOSES: windows[days].reshape(-1, WINDOW),
            SHARE_ID: np.tile(names, int(days.sum())),
            TIME: np.repeat(number[days], shares),
        }
        raw[part] = {name: values[moved] for name, values in columns.items()}
        raw[part][CLOSES] = raw[part][CLOSES].astype(np.float32)
        following[part] = known[moved].astype(np.float32)
        places[part] = np.repeat(session[days], shares)[moved], np.tile(np.arange(shares), days.sum())[moved]
    with tempfile.TemporaryDirectory() as folder:
        transform = fit_formatter(raw["train"], formatter, Path(folder) / "graph")
        made = applied(formatter, transform)
        rows = {
            part: Rows(
                made(columns),
                (following[part] > 0).astype(np.float32),
                columns[TIME],
                np.array([share.decode() for share in columns[SHARE_ID]], dtype=object),
                following[part],
                following[part],
            )
            for part, columns in raw.items()
        }
        inputs = input_spec(formatter, transform)
    closes = {part: columns[CLOSES].astype(np.float64) for part, columns in raw.items()}
    bayes = bayes_auc(scenario, shares, sessions, seed, places["test"], rows["test"].label)
    return MadeRows(inputs, rows, closes, market.scenario.best_auc(1), bayes)


def _day_columns(market: Market, session: NDArray[np.int64], formatter: DataFormatter) -> Values:
    """The day-wide columns that a formatter reads, of all shares on some sessions, by session and share."""
    if not formatter.example_columns:
        return {}
    bars = market.bars
    others = {"open": bars.open, "high": bars.high, "low": bars.low, "volume": bars.volume}
    closes = [
        ShareCloses(share, market.time, market.close[:, at], bars={name: of[:, at] for name, of in others.items()})
        for at, share in enumerate(market.share_ids)
    ]
    rows = DayRows.of(DayPrices(closes, market.share_ids), formatter.example_columns)
    days = np.repeat(market.time[session], len(closes))
    return rows.look_up(list(market.share_ids) * len(session), days)
