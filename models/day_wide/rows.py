"""The values of day-wide columns by share and day, ready to be looked up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.day_wide.columns import COLUMNS
from models.day_wide.prices import DayPrices, span

Values = dict[str, npt.NDArray[np.float32]]


@dataclass(frozen=True, eq=False)
class DayRows:
    """Values of some columns.

    Attributes:
        shares: sorted, [shares].
        begin: where the rows of each begin, and behind the last, [shares + 1].
        days: of each row, ascending within a share, datetime64[D] [rows].
        session: of the market, of each row, [rows].
        values: by column, float32 [rows], or [rows, parts] of one that has some; nan where not known.
    """

    shares: tuple[str, ...]
    begin: npt.NDArray[np.int64]
    days: npt.NDArray[np.datetime64]
    session: npt.NDArray[np.int64]
    values: Values

    @classmethod
    def of(cls, prices: DayPrices, columns: Collection[str]) -> DayRows:
        """Computes some columns."""
        begin = np.array([*prices.begin.values(), len(prices)], np.int64)
        made = {name: COLUMNS[name].make(prices).astype(np.float32) for name in columns}
        return cls(tuple(prices.begin), begin, prices.days[prices.session], prices.session, made)

    def look_up(self, shares: Sequence[str], days: npt.NDArray[np.datetime64]) -> Values:
        """The columns of rows.

        Args:
            shares: of each row, [n].
            days: of each row, [n].

        Returns:
            By column, float32 [n] or [n, width]; nan where it is not known.
        """
        names, code = np.unique(np.asarray(shares, object).astype(str), return_inverse=True)
        code = code.reshape(-1)
        order = np.argsort(code, kind="stable")
        cuts = np.searchsorted(code[order], np.arange(len(names) + 1))
        row = np.full(len(code), -1)
        first = np.zeros(len(code), np.int64)
        place = {share: at for at, share in enumerate(self.shares)}
        for number, name in enumerate(names.tolist()):
            if name not in place:
                continue
            begin, end = self.begin[place[name]], self.begin[place[name] + 1]
            mine = order[cuts[number] : cuts[number + 1]]
            at = begin + np.searchsorted(self.days[begin:end], days[mine])
            there = at < end
            there[there] = self.days[at[there]] == days[mine][there]
            row[mine] = np.where(there, at, -1)
            first[mine] = begin
        return {name: self._windows(name, row, first) for name in self.values}

    def _windows(self, name: str, row: npt.NDArray[np.int64], first: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """A column of rows [n], -1 for none, whose shares' first rows are `first`, [n]."""
        column, values = COLUMNS[name], self.values[name]
        if not len(values):  # no share of the market has prices
            return np.full((len(row), column.width) if column.width > 1 else len(row), np.nan, np.float32)
        if column.parts:
            reaches = [self._reaches(row, first, part.reach) for part in column.parts]
            return np.where(np.stack(reaches, axis=1), values[np.maximum(row, 0)], np.float32(np.nan))
        lags = np.arange(column.width)[::-1]
        at = row[:, None] - lags
        there = (at >= first[:, None]) & self._reaches(row, first, column.reach)[:, None]
        found = np.where(there, values[np.where(there, at, 0)], np.float32(np.nan))
        return found if column.width > 1 else found[:, 0]

    def _reaches(self, row: npt.NDArray[np.int64], first: npt.NDArray[np.int64], reach: int) -> npt.NDArray[np.bool_]:
        """Whether rows [n] have so many sessions of their share before them, and these are near enough."""
        oldest = row - reach
        known = (row >= 0) & (oldest >= first)
        near = self.session[np.where(known, row, 0)] - self.session[np.where(known, oldest, 0)] <= span(reach)
        return known & near

    def write(self, folder: Path) -> None:
        """Writes them where other processes can map them into memory."""
        for name, array in self._arrays().items():
            np.save(folder / f"{name}.npy", array)

    def _arrays(self) -> dict[str, npt.NDArray[Any]]:
        fixed = {".shares": np.array(self.shares, str), ".begin": self.begin, ".session": self.session}
        return {**fixed, ".days": self.days, **self.values}

    @classmethod
    def open(cls, folder: Path) -> DayRows:
        """Reads what `write` wrote."""

        def read(name: str) -> npt.NDArray[Any]:
            return np.load(folder / f"{name}.npy", mmap_mode="r", allow_pickle=False)

        columns = sorted(path.stem for path in folder.glob("[!.]*.npy"))
        shares = tuple(np.load(folder / ".shares.npy").tolist())
        begin, days, session = (read(name) for name in (".begin", ".days", ".session"))
        return cls(shares, begin, days, session, {name: read(name) for name in columns})
