"""What a file of prices holds: rows by share, and those that cannot be taken, each with its reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from components.feature_store.arrays import Booleans, Floats, Integers
from components.feature_store.rules import impossible, outside_range
from components.price_files.layout import Layout
from components.price_files.number_cells import Numbers
from components.price_files.stamps import day_text


@dataclass(frozen=True)
class Refusal:
    """A row, or one share's cell of a wide row, that was not taken.

    Attributes:
        row: Line of a CSV file (the header is line 1), or row of a Parquet file (from 1).
        share_id: The share; empty where the whole row is refused and names none.
        time: The date as YYYY-MM-DD, or as it stands in the file if it is no date.
        reason: Why.
        file: The file, where there are several.
    """

    row: int
    share_id: str
    time: str
    reason: str
    file: str = ""


@dataclass
class ShareRows:
    """The good rows of one share, one a day.

    Attributes:
        share_id: The share.
        rows: Their numbers, int64, shape (n,), as in `Refusal`.
        days: Days since 1970-01-01, int64, ascending, shape (n,).
        numbers: Each field that the file has, float64, shape (n,).
        files: The file of each row, n of them, where they are from several; else empty.
    """

    share_id: str
    rows: Integers
    days: Integers
    numbers: dict[str, Floats]
    files: tuple[Path, ...] = ()


@dataclass
class Found:
    """What a file holds, and what was refused so far.

    Attributes:
        path: The file.
        layout: What its columns mean.
        shares: Its good rows.
        refused: The others.
        notes: What was understood, for the report.
        dates: A date as it is written and as it was read.
    """

    path: Path
    layout: Layout
    shares: list[ShareRows] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    dates: str = ""

    def refuse(self, row: int, share_id: str, time: str, reason: str) -> None:
        """Notes a row, or one share's cell of it, that is not taken."""
        self.refused.append(Refusal(int(row), share_id, time, reason))

    def refuse_day(self, share: ShareRows, reason: str, at: int = 0) -> None:
        """Notes that one of a share's good rows is not taken after all; the first stands for all of them."""
        file = str(share.files[at]) if share.files else ""
        self.refused.append(Refusal(int(share.rows[at]), share.share_id, day_text(int(share.days[at])), reason, file))


def check_numbers(name: str, numbers: Numbers, reasons: dict[int, str], may_be_missing: Booleans | None = None) -> None:
    """Adds the reason to each position whose number cannot be taken and that has none yet."""
    values = numbers.values
    for at, text in numbers.unread.items():
        reasons.setdefault(at, f"{name} {text.strip()[:40]!r} is not a number")
    bad = impossible(name, values)
    if may_be_missing is not None:
        bad &= ~(np.isnan(values) & may_be_missing)
    for at in np.flatnonzero(bad).tolist():
        value = values[at]
        what = "missing" if np.isnan(value) else "infinite" if np.isinf(value) else "below 0" if value < 0 else "zero"
        reasons.setdefault(at, f"{name} is {what}")


def check_range(columns: Mapping[str, Floats], reasons: dict[int, str]) -> None:
    """Adds the reason to each position whose low, close and high contradict each other."""
    close = columns["close"]
    unknown = np.full(len(close), np.nan)
    low, high = columns.get("low", unknown), columns.get("high", unknown)
    for at in np.flatnonzero(low > high).tolist():
        reasons.setdefault(at, f"low {low[at]:g} is above high {high[at]:g}")
    for at in np.flatnonzero(outside_range(close, low, high)).tolist():
        reasons.setdefault(at, f"close {close[at]:g} is outside [low {low[at]:g}, high {high[at]:g}]")
