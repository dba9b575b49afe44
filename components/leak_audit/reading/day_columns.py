"""Day-wide columns of all shares of a run, once of all sessions and once of those up to each day that is cut at.

They are compared here, for all shares at once: what a cut changes of a column is the same whichever shares are replayed
at it, and to make the columns of all shares again for each of them would cost as many times as much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from components.universe.universe import Universe
from models.day_wide.columns import COLUMNS
from models.day_wide.prices import DayPrices, ShareCloses
from models.day_wide.rows import DayRows


@dataclass(frozen=True)
class ColumnDifference:
    """A value of a column that is another one where the days after a cut are not known.

    Attributes:
        share: of the row.
        day: of the row.
        column: the column.
        held: its value of all sessions; None where there is no such row.
        replayed: its value of those up to the cut; None where there is no such row.
        count: rows that differ in this.
    """

    share: str
    day: np.datetime64
    column: str
    held: Any
    replayed: Any
    count: int


class DayColumns:
    """The columns; what a cut changes of them is looked for once."""

    def __init__(self, closes: Sequence[ShareCloses], columns: Sequence[str], universe: Universe) -> None:
        """Takes what they are made of.

        Args:
            closes: of all shares of the run, up to the last session that it read.
            columns: their names.
            universe: who belongs to it when.
        """
        self._closes, self._columns, self._universe = closes, columns, universe
        self._found: dict[np.datetime64, ColumnDifference | None] = {}

    @cached_property
    def whole(self) -> DayRows:
        """Those of all sessions."""
        return DayRows.of(DayPrices(self._closes, [one.share_id for one in self._closes]), self._columns)

    def difference(self, cut: np.datetime64) -> ColumnDifference | None:
        """The first value that a database which ends on a day gives otherwise; None where it gives all alike."""
        if cut not in self._found:
            self._found[cut] = self._compare(cut)
        return self._found[cut]

    def _compare(self, cut: np.datetime64) -> ColumnDifference | None:
        universe = self._universe.until(cut)
        known = [one.until(cut) for one in self._closes]
        if universe.given:
            known = [replace(one, member=universe.members(one.share_id, one.days)) for one in known]
        prices = DayPrices(known, [one.share_id for one in known])
        whole, places = self.whole, {share: at for at, share in enumerate(self.whole.shares)}
        begins = np.array([whole.begin[places[share]] for share in prices.begin], np.int64)
        own = np.array([*prices.begin.values(), len(prices)], np.int64)
        counts = np.diff(own)
        # A share's rows up to the cut are its first ones.
        like = np.arange(len(prices)) + np.repeat(begins - own[:-1], counts)
        expected = int(np.count_nonzero(whole.days <= cut))
        if len(prices) != expected or (whole.days[like] != prices.days[prices.session]).any():
            return ColumnDifference("all shares", cut, "rows", expected, len(prices), abs(expected - len(prices)))
        for name in self._columns:  # one at a time: all of them of all rows are much
            held = whole.values[name][like]
            again = DayRows.of(prices, [name]).values[name]
            off = (held != again) & ~(np.isnan(held) & np.isnan(again))
            if off.any():
                # Of a column of several values the first that is another one.
                at = tuple(int(one[0]) for one in np.nonzero(off))
                row, part = at[0], at[1:]
                share = list(prices.begin)[int(np.searchsorted(own, row, side="right")) - 1]
                called = COLUMNS[name].parts[part[0]].name if part else name
                rows = int(np.count_nonzero(off.reshape(len(off), -1).any(axis=1)))
                return ColumnDifference(share, whole.days[like[row]], called, held[at], again[at], rows)
        return None
