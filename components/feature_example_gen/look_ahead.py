"""Rows of the feature table share by share, and what closes do a horizon later: where every label comes from."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from components.feature_store import CLOSE_COLUMNS, WINDOW
from components.missing_sessions.found import ShareGaps
from components.missing_sessions.limit import most_missing
from components.universe.universe import EVERYBODY, Universe


@dataclass(frozen=True, eq=False)
class Ahead:
    """What closes do a horizon later, [rows] each.

    Attributes:
        later: position of the row a horizon later; of a share that was delisted on the way, of its last one. Where
            nothing is known it may be a row of another share.
        rises: 1 where that close is higher, else 0, int64.
        change: that close over the row's own, less 1, float32.
        known: whether it is known: the share has that row, and it is that of `horizon` sessions later.
        across: whether the share has it, but across more missing sessions than is allowed.
        unchanged: whether both closes are the same, so that there is no label.
        delisted: whether the share was delisted on the way: what it was worth then stands for the later close.
    """

    later: npt.NDArray[np.int64]
    rises: npt.NDArray[np.int64]
    change: npt.NDArray[np.float32]
    known: npt.NDArray[np.bool_]
    across: npt.NDArray[np.bool_]
    unchanged: npt.NDArray[np.bool_]
    delisted: npt.NDArray[np.bool_]


class FeatureRows:
    """Rows of the feature table, whole shares one after the other, each in order of time.

    Attributes:
        days: datetime64[D], [rows].
        shares: of each row.
        closes: [rows, 21], the latest first.
        ordinal: how many rows its share has before each row, [rows].
        end: the position behind the last row of each row's share, [rows].
        missing: how many sessions of its share are missing before each row, counted from anywhere, [rows].
        missing_before_window: likewise before the first close of its window.
        member: whether the share belongs to the universe on the day, bool, [rows].
    """

    def __init__(
        self, features: pa.Table, gaps: Mapping[str, ShareGaps] | None = None, universe: Universe = EVERYBODY
    ) -> None:
        """Takes a table.

        Args:
            features: time (ISO), share_id, close0 ... close20, sorted by share_id and time; whole shares only.
            gaps: the sessions that shares lack; shares that are not there lack none.
            universe: who belongs to it when, and what delisted shares were worth.
        """
        self.days = _days(features.column("time").combine_chunks())
        self.shares = features.column("share_id").combine_chunks()
        self.closes = np.stack([features.column(name).to_numpy() for name in CLOSE_COLUMNS], axis=1)
        code = self.shares.dictionary_encode().indices.to_numpy()
        self.position = np.arange(len(self.days))
        self.start = np.searchsorted(code, code, side="left")
        self.ordinal = self.position - self.start
        self.end = np.searchsorted(code, code, side="right")
        self.missing, self.missing_before_window = _missing_before(self.shares, self.days, self.ordinal, gaps or {})
        self.member = np.ones(len(self.days), bool)
        # What a share was worth after its last close, and from which day on that is known; nan where it is not.
        self._worth = np.full(len(self.days), np.nan)
        self._settled = np.full(len(self.days), np.datetime64("NaT", "D"))
        if universe.given:
            self._take(universe)

    def __len__(self) -> int:
        """Returns the number of rows."""
        return len(self.days)

    def ahead(self, horizon: int, most_missing_sessions: int) -> Ahead:
        """Looks ahead.

        Args:
            horizon: sessions.
            most_missing_sessions: that 20 steps may reach across: a share's h-th next row after a gap is not that of
                h sessions later.
        """
        close = self.closes[:, 0]
        there = self.position + horizon < self.end
        delisted = ~there & ~np.isnan(self._worth)
        later = np.where(delisted, self.end - 1, np.minimum(self.position + horizon, len(self) - 1))
        across = (there | delisted) & (
            self.missing[later] - self.missing > most_missing(most_missing_sessions, horizon)
        )
        value = np.where(delisted, self._worth, close[later])
        return Ahead(
            later=later,
            rises=(value > close).astype(np.int64),
            change=(value / close - 1).astype(np.float32),
            known=(there | delisted) & ~across,
            across=across,
            unchanged=value == close,
            delisted=delisted,
        )

    def ends(self, ahead: Ahead) -> npt.NDArray[np.datetime64]:
        """The day on which what closes do is known, [rows]; any day where it is not."""
        return np.where(ahead.delisted, self._settled, self.days[ahead.later])

    def windows_across(self, most_missing_sessions: int) -> npt.NDArray[np.bool_]:
        """Whether the window of each row reaches across more missing sessions than 20 steps may, [rows]."""
        return self.missing - self.missing_before_window > most_missing(most_missing_sessions, WINDOW - 1)

    def _take(self, universe: Universe) -> None:
        for begin in np.flatnonzero(self.ordinal == 0).tolist():
            rows, share = slice(begin, int(self.end[begin])), self.shares[begin].as_py()
            self.member[rows] = universe.members(share, self.days[rows])
            found = universe.delistings.get(share)
            # Prices that go on tell more than a delisting that somebody has noted before their end.
            if found is not None and self.days[rows][-1] == found.last:
                self._worth[rows] = self.closes[rows.stop - 1, 0] * (1 + found.value)
                self._settled[rows] = found.known


def _missing_before(
    shares: pa.Array, days: npt.NDArray[np.datetime64], ordinal: npt.NDArray[np.int64], gaps: Mapping[str, ShareGaps]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """How many sessions of its share are missing before each row, and before the first close of its window, [rows]."""
    at_row, at_window = np.zeros((2, len(days)), np.int64)
    if not gaps:
        return at_row, at_window
    starts = np.flatnonzero(ordinal == 0).tolist()
    for begin, end in itertools.pairwise([*starts, len(days)]):
        found = gaps.get(shares[begin].as_py())
        if found is None:
            continue
        mine = days[begin:end]
        # A share's first window ends on its 21st price: the 20 before it are no rows. Where they are not known (another
        # tool wrote the windows), nothing is missing from those.
        opening = found.opening if found.opening[-1] < mine[0] else np.repeat(mine[:1], WINDOW - 1)
        at_row[begin:end] = np.searchsorted(found.days, mine)
        at_window[begin:end] = np.searchsorted(found.days, np.concatenate([opening, mine])[: len(mine)])
    return at_row, at_window


def _days(time: pa.Array) -> npt.NDArray[np.datetime64]:
    days = pc.strptime(time, format="%Y-%m-%d", unit="s").cast(pa.date32())
    return days.to_numpy(zero_copy_only=False).astype("datetime64[D]")
