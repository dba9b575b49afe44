"""The prices in data/: what README.md there says of them, and that they make a store without a refusal."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import numpy as np

from components.feature_store import FeatureStore
from components.price_files import import_prices

PRICES = Path(__file__).parents[2] / "data" / "prices.csv.gz"


def test_the_file_is_as_described() -> None:
    with gzip.open(PRICES, "rt", newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == ["time", "share_id", "open", "high", "low", "close", "volume", "adj_close"]
    assert len(rows) - 1 == 12_154
    assert rows[1:] == sorted(rows[1:], key=lambda row: (row[1], row[0]))
    counts = {share: sum(row[1] == share for row in rows) for share in ("AAPL", "FB", "GOOG", "IBM", "MSFT")}
    assert counts == {"AAPL": 3270, "FB": 196, "GOOG": 2148, "IBM": 3270, "MSFT": 3270}
    assert PRICES.read_bytes()[4:8] == bytes(4)  # no time stamp: the same prices give the same bytes


def test_every_row_is_taken_and_the_corporate_actions_are_where_they_were(tmp_path: Path) -> None:
    report = import_prices(PRICES, tmp_path / "awesome.db")
    assert (report.taken, report.refused, report.ignored_columns) == (12_154, (), ())
    with FeatureStore.open(tmp_path / "awesome.db") as store:
        assert sum(share.rows for share in store.shares()) == 12_154 - 5 * 20
        events = {}
        for share in store.shares():
            bars = store.bars(share.share_id)
            ratio = bars.factor[1:] / bars.factor[:-1]
            days = np.flatnonzero(ratio != 1)
            events[share.share_id] = {str(bars.time[day + 1]): round(float(ratio[day]), 3) for day in days}
    # Apple's splits 2:1 of June 2000 and February 2005, and the dividend of 2.65 of August 2012, 1 + 2.65 / 620.73.
    assert list(events["AAPL"].items())[:3] == [("2000-06-21", 2.0), ("2005-02-28", 2.0), ("2012-08-09", 1.004)]
    assert len(events["AAPL"]) == 5
    assert events["FB"] == events["GOOG"] == {}
    assert events["MSFT"]["2003-02-18"] == 2.0
    # Microsoft's special dividend of 3.08 in November 2004, on a close of 27.39 that day.
    assert events["MSFT"]["2004-11-15"] == round(1 + 3.08 / 27.39, 3)
    assert len(events["IBM"]) == 52
    assert max(events["IBM"].values()) < 1.01
