"""Examples made by a loop over rows that knows the share's prices: what label_rows is compared with."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from components.feature_example_gen.examples import SplitCounts
from components.feature_example_gen.splits import SPLITS, SplitPlan

WINDOW = 21


@dataclass(frozen=True)
class Prices:
    """One share: its sessions and adjusted closes, in order."""

    days: list[dt.date]
    closes: list[float]


Row = dict[str, Any]
"""One example as label_rows writes it: lists by name."""


def weekdays(count: int, first: str = "2000-01-03") -> list[dt.date]:
    return np.busday_offset(first, np.arange(count)).tolist()


def feature_table(market: Mapping[str, Prices]) -> pa.Table:
    """FEATURE as the store gives it: by share and time, a row from the share's 21st session on."""
    time, share_id, windows = [], [], []
    for share in sorted(market):
        prices = market[share]
        for i in range(WINDOW - 1, len(prices.days)):
            time.append(prices.days[i].isoformat())
            share_id.append(share)
            windows.append(prices.closes[i - WINDOW + 1 : i + 1][::-1])
    closes = np.array(windows, dtype=np.float64).reshape(-1, WINDOW)
    columns = [pa.array(time, pa.string()), pa.array(share_id, pa.string()), *(pa.array(c) for c in closes.T.copy())]
    return pa.table(columns, names=["time", "share_id", *(f"close{k}" for k in range(WINDOW))])


def sessions_of(table: pa.Table) -> np.ndarray:
    return np.array(sorted(set(table.column("time").to_pylist())), dtype="datetime64[D]")


def naive(
    market: Mapping[str, Prices], plan: SplitPlan, embargo: int
) -> tuple[dict[str, list[Row]], dict[str, SplitCounts]]:
    """What each split holds, in order of time and by share on one day, and lost: a row and a session at a time."""
    sessions = plan.sessions.astype(object).tolist()
    borders = [sessions[part.owned[0]] for part in plan.ranges]
    used = sessions[plan.ranges[0].owned[0] : plan.ranges[-1].owned[1]]
    rows: dict[str, list[Row]] = {split: [] for split in SPLITS}
    purged, unlabelled = dict.fromkeys(SPLITS, 0), dict.fromkeys(SPLITS, 0)
    for share in sorted(market):
        days, closes = market[share].days, market[share].closes
        table_days = days[WINDOW - 1 :]  # what FEATURE tells of the share's sessions
        for row, day in enumerate(table_days):
            if not used[0] <= day <= used[-1]:
                continue
            index = sum(day >= border for border in borders) - 1
            split = SPLITS[index]
            if index > 0:
                if sessions.index(day) - sessions.index(borders[index]) < embargo:
                    continue
                if sum(borders[index] <= known < day for known in table_days[:row]) < min(embargo, WINDOW - 1):
                    continue
            at = row + WINDOW - 1
            example: Row = {
                "share_id": [share.encode()],
                "time": [int(day.strftime("%Y%m%d"))],
                "year": [day.year],
                "session": [row],
                "closes": pytest.approx([closes[at - lag] for lag in range(WINDOW)], rel=1e-7),
            }
            ends = [day]
            for horizon in plan.horizons:
                label, ahead = [], []
                if at + horizon < len(days):
                    ends.append(days[at + horizon])
                    ahead = [(closes[at + horizon] - closes[at]) / closes[at]]
                    if closes[at + horizon] != closes[at]:
                        label = [1 if closes[at + horizon] > closes[at] else 0]
                example[f"label_{horizon}"] = label
                example[f"forward_return_{horizon}"] = pytest.approx(ahead, abs=1e-6)
            if index + 1 < len(borders) and max(ends) >= borders[index + 1]:
                purged[split] += 1
                continue
            if not example[f"label_{plan.horizon}"]:
                unlabelled[split] += 1
                continue
            rows[split].append(example)
    counts = {
        split: SplitCounts(
            rows=len(rows[split]),
            purged=purged[split],
            unlabelled=unlabelled[split],
            first=min((row["time"][0] for row in rows[split]), default=0),
            last=max((row["time"][0] for row in rows[split]), default=0),
        )
        for split in SPLITS
    }
    return {split: sorted(rows[split], key=lambda row: (row["time"], row["share_id"])) for split in SPLITS}, counts
