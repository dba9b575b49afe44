from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.feature_store import FeatureStore, PriceBars, Spell
from components.feature_store.decisions import read_decisions
from models.formatters import get_formatter
from pipeline.plan import load_plan
from pipeline.uses.windows import WindowsError, read_last_windows

Awesome = Callable[..., Any]
CLOSES = ", ".join(f"close{number}" for number in range(21))


def test_last_windows_are_those_of_the_table(market_db: Path, folder: Path) -> None:
    found = read_last_windows(load_plan({"db": market_db}))
    with closing(sqlite3.connect(market_db)) as connection:
        rows = connection.execute(f"SELECT share_id, MAX(time), {CLOSES} FROM FEATURE GROUP BY share_id").fetchall()
    assert found.share_ids == tuple(row[0] for row in rows)
    assert found.sessions == tuple(row[1] for row in rows)
    np.testing.assert_array_equal(found.closes, np.array([row[2:] for row in rows], np.float32))
    assert (found.left_out, found.excluded) == ({}, ())


def test_shares_may_be_named_and_excluded_ones_are_said(market_db: Path, folder: Path) -> None:
    copy = folder / "copy.db"
    copy.write_bytes(market_db.read_bytes())
    with FeatureStore.create(copy) as store:
        store.decide(read_decisions(exclude=("S001",)))
    found = read_last_windows(load_plan({"db": copy, "shares": "S002,S001"}))
    assert (found.share_ids, found.excluded) == (("S002",), ("S001",))


def test_windows_of_a_panel_are_those_of_its_database(market_db: Path, folder: Path, awesome: Awesome) -> None:
    assert awesome("panel", "write", "one", "--db", str(market_db)).code == 0
    ours, theirs = (read_last_windows(load_plan(of)) for of in ({"panel": "one"}, {"db": market_db}))
    assert (ours.share_ids, ours.sessions) == (theirs.share_ids, theirs.sessions)
    np.testing.assert_array_equal(ours.closes, theirs.closes)


def test_windows_that_all_reach_across_gaps_are_refused(market_db: Path, folder: Path) -> None:
    copy = folder / "copy.db"
    copy.write_bytes(market_db.read_bytes())
    with closing(sqlite3.connect(copy)) as connection, connection:
        days = [row[0] for row in connection.execute("SELECT DISTINCT time FROM PRICE ORDER BY time DESC LIMIT 12")][2:]
        gone = ", ".join(f"'{day}'" for day in days)
        connection.execute(f"DELETE FROM PRICE WHERE share_id = 'S000' AND time IN ({gone})")
        connection.execute(f"DELETE FROM FEATURE WHERE share_id = 'S000' AND time IN ({gone})")
    assert read_last_windows(load_plan({"db": copy})).left_out == {"S000": 10}
    with pytest.raises(WindowsError, match="the last window of S000 reaches across 10 missing sessions; bring"):
        read_last_windows(load_plan({"db": copy, "shares": "S000"}))


def test_shares_that_do_not_belong_to_the_universe_today_are_left_out(market_db: Path, folder: Path) -> None:
    copy = folder / "copy.db"
    copy.write_bytes(market_db.read_bytes())
    with FeatureStore.create(copy) as store:
        first, *_, last = store.sessions().tolist()
        names = [one.share_id for one in store.shares()]
        spells = [Spell(names[0], first, last), Spell(names[1], first, last - dt.timedelta(days=1))]
        store.listings.put_members([*spells, *(Spell(name, last) for name in names[2:-1])])
    found = read_last_windows(load_plan({"db": copy}))
    assert found.share_ids == (names[0], *names[2:-1])
    assert found.outside == (names[1],)
    with FeatureStore.create(copy) as store:
        store.listings.put_members(spells[1:])
    with pytest.raises(WindowsError, match=rf"no share belongs to the universe on {last}, the last session; see who"):
        read_last_windows(load_plan({"db": copy}))


def test_what_needs_the_whole_day_comes_with_the_windows(market_db: Path) -> None:
    formatter = get_formatter("market_relative")
    found = read_last_windows(load_plan({"db": market_db}), formatter, ("S000", "S001", "S002", "GONE"))

    assert sorted(found.day) == sorted(formatter.day_columns)
    assert found.day["market_relative_returns"].shape == (len(found.share_ids), 20)
    assert (found.short, found.absent) == ((), ("GONE",))


def test_a_database_that_is_too_short_for_what_a_formatter_reads_is_named(market_db: Path, tmp_path: Path) -> None:
    with FeatureStore.open(market_db) as store, FeatureStore.create(tmp_path / "short.db") as short:
        bars = store.bars("S000")
        assert bars is not None
        short.upsert("S000", PriceBars(bars.time[:100], bars.close[:100], bars.factor[:100]), source="made")

    with pytest.raises(WindowsError, match="the formatter momentum reads 253 sessions of a share, and no share has so"):
        read_last_windows(load_plan({"db": tmp_path / "short.db"}), get_formatter("momentum"), ("S000",))


def test_a_database_without_the_market_of_a_model_is_named(market_db: Path) -> None:
    with pytest.raises(WindowsError, match="trained beside 2 shares, such as GONE, and none of them is"):
        read_last_windows(load_plan({"db": market_db}), get_formatter("market_relative"), ("LOST", "GONE"))
