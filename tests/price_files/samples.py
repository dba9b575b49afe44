"""Files of prices in any layout, made from a few bars that are known."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from components.price_files.column_names import key_of, role_of
from components.price_files.vendors import Vendor


@dataclass(frozen=True)
class Bars:
    """One share's bars, a random walk; numbers to cents.

    Attributes:
        days: Their dates.
        open: Opens: the close before, moved a little.
        high: Highs.
        low: Lows.
        close: Closes.
        volume: Volumes.
    """

    days: list[dt.date]
    open: list[float]
    high: list[float]
    low: list[float]
    close: list[float]
    volume: list[int]


FIELDS = ("open", "high", "low", "close", "volume")


def bars(seed: int = 0, count: int = 40, price: float = 100.0) -> Bars:
    """Returns bars on weekdays from 2022-01-03 on."""
    random = np.random.default_rng(seed)
    days = [dt.date(2022, 1, 3) + dt.timedelta(days=day) for day in range(count * 7 // 5 + 7)]
    days = [day for day in days if day.weekday() < 5][:count]
    close = (price * np.exp(np.cumsum(random.normal(0, 0.012, count)))).round(2)
    opened = (np.append(close[0], close[:-1]) * np.exp(random.normal(0, 0.002, count))).round(2)
    high = (np.maximum(opened, close) * 1.004).round(2)
    low = (np.minimum(opened, close) * 0.996).round(2)
    volume = random.integers(1_000, 99_000, count)
    return Bars(days, *(column.tolist() for column in (opened, high, low, close)), volume.tolist())


def csv(columns: dict[str, list[object]]) -> str:
    """Returns a CSV file of columns by name."""
    lines = [",".join(columns)]
    lines += [",".join(map(str, row)) for row in zip(*columns.values(), strict=True)]
    return "\n".join(lines) + "\n"


def vendor_file(vendor: Vendor, one: Bars, share: str = "AAA") -> str:
    """Returns a file in a vendor's format; a column that means nothing to us holds what tells rows apart."""
    header = vendor.header.split("\n")
    # The names of a header's first row say what a column is; in a second one stand shares.
    names = header[0].split(",")
    rows = []
    for at, day in enumerate(one.days):
        row = []
        for column, name in enumerate(names):
            role = role_of(name)
            if len(header) > 1 and column == 0:
                row.append(day.strftime(vendor.dates))
            elif role is None:
                row.append("x")
            elif role.name == "time":
                row.append("000000" if role.rank == 2 else day.strftime(vendor.dates))
            elif role.name == "share":
                row.append(share)
            elif role.name in FIELDS:
                row.append(str(getattr(one, role.name)[at]))
            elif role.name in ("nearly_close", "adj_close"):
                row.append(str(one.close[at]))
            elif role.name in ("factor", "divisor"):
                row.append("1.0")
            elif vendor.only is not None and key_of(name) == vendor.only[0]:
                row.append(vendor.only[1][0])
            else:
                row.append("7")
        rows.append(",".join(row))
    return "\n".join([*header, *(reversed(rows) if vendor.newest_first else rows)]) + "\n"
