"""A database looked through: its suspects, with what a person has decided of them."""

from __future__ import annotations

import datetime as dt
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from made_prices import AT, DAYS, panel, times

from components.errors import StoreError, UserError
from components.feature_store import FeatureStore, PriceBars, read_decisions
from components.feature_store.series import PriceSeries
from components.plausibility import Bounds, Grade, Suspect, SuspectRecord, read_suspects
from components.plausibility.search import joined, search, suspects_among, within
from components.synthetic_market import SCENARIOS, generate, write_market

DAY = str(DAYS[AT])


def store_of(path: Path, series: list[PriceSeries], **fields: np.ndarray) -> Path:
    with FeatureStore.create(path) as store:
        for one in series:
            store.upsert(one.share_id, PriceBars(one.time, one.close, one.factor, **fields), "test")
    return path


def look(path: Path, shares: list[str], **options: object) -> SuspectRecord:
    with FeatureStore.open(path) as store:
        return search(store, shares, **options)  # type: ignore[arg-type]


def sound(shares: int = 6) -> list[PriceSeries]:
    return panel(shares, np.random.default_rng(1).normal(0, 0.008, len(DAYS)))


NAMES = [f"S{number}" for number in range(6)]


@pytest.mark.parametrize("scenario", list(SCENARIOS))
def test_a_synthetic_market_raises_nothing(tmp_path: Path, scenario: str) -> None:
    write_market(generate(scenario, shares=8, sessions=600), tmp_path / "m.db")
    with FeatureStore.open(tmp_path / "m.db") as store:
        shares = [one.share_id for one in store.shares()]
        record = search(store, shares)
        lives = [len(one.close) for one in store.price_series(shares)]
    assert scenario == "survivors" or lives == [600] * 8
    assert (record.suspects, record.shares, record.returns) == ((), 8, sum(lives) - 8)


def test_wrong_comes_before_large_and_accepted_last(tmp_path: Path) -> None:
    series = sound()
    series[1] = times(series[1], 1.22, AT)
    series[4], series[5] = times(series[4], 1 / 4, AT), times(series[5], 1 / 10, AT)
    path = store_of(tmp_path / "a.db", series)
    with FeatureStore.create(path) as store:
        store.decide(read_decisions(accept=[f"S5:{DAY}"]))
    record = look(path, NAMES)
    assert [(one.share_id, one.grade.value, one.accepted) for one in record.suspects] == [
        ("S4", "wrong", False),
        ("S1", "large", False),
        ("S5", "wrong", True),
    ]
    assert [one.name for one in record.stopping] == [f"S4:{DAY}"]
    assert record.headline.endswith("1 wrong, 1 large, 1 accepted")


@pytest.mark.parametrize("accepted", [AT, AT + 1])
def test_to_accept_one_day_of_a_spike_accepts_both(tmp_path: Path, accepted: int) -> None:
    series = sound()
    series[2] = times(series[2], 20, AT, AT + 1)
    path = store_of(tmp_path / "a.db", series)
    assert len(look(path, NAMES).stopping) == 2
    with FeatureStore.create(path) as store:
        store.decide(read_decisions(accept=[f"S2:{DAYS[accepted]}"]))
    assert look(path, NAMES).stopping == ()


def test_excluded_shares_are_not_looked_at_and_not_a_part_of_the_market(tmp_path: Path) -> None:
    series = sound()
    series[2] = times(series[2], 1 / 4, AT)
    path = store_of(tmp_path / "a.db", series)
    with FeatureStore.create(path) as store:
        store.decide(read_decisions(exclude=["S2", "OTHER"]))
    record = look(path, NAMES)
    assert (record.suspects, record.excluded, record.shares) == ((), ("S2",), 5)


def test_highs_and_lows_are_read_where_something_is_suspected(tmp_path: Path) -> None:
    series = sound(1)
    change = 0.48 * series[0].close[AT - 1] / series[0].close[AT]
    series[0] = times(series[0], change, AT)
    for by, grade in ((1.01, "wrong"), (1.3, "large")):
        close = series[0].close
        spread = np.full(len(close), 1.01)
        spread[AT] = by
        path = store_of(tmp_path / f"{grade}.db", series, high=close * spread, low=close / spread)
        assert [one.grade.value for one in look(path, ["S0"]).suspects] == [grade]


def test_only_sessions_within_the_window_count(tmp_path: Path) -> None:
    series = sound()
    series[3] = times(series[3], 1 / 4, AT)
    path = store_of(tmp_path / "a.db", series)
    day = dt.date.fromisoformat(DAY)
    one = dt.timedelta(days=1)
    assert look(path, NAMES, used=within(day, day)).stopping
    assert not look(path, NAMES, used=within(day + one)).suspects
    assert not look(path, NAMES, used=within(None, day - one)).suspects
    assert look(path, NAMES, since=day - 300 * one).stopping
    assert not look(path, NAMES, since=day + one).suspects


def test_a_database_of_another_tool_with_features_alone_is_judged(tmp_path: Path) -> None:
    series = sound()
    series[0] = times(series[0], 1 / 4, AT)
    path = store_of(tmp_path / "a.db", series)
    with closing(sqlite3.connect(path)) as connection:
        for table in ("PRICE", "DECISION", "EXTRACTION"):
            connection.execute(f"DROP TABLE {table}")
        connection.commit()
    assert [one.name for one in look(path, NAMES).stopping] == [f"S0:{DAY}"]


def test_prices_that_another_tool_spoiled_are_refused_by_share(tmp_path: Path) -> None:
    path = store_of(tmp_path / "a.db", sound())
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE PRICE SET time = 'soon' WHERE share_id = 'S3' AND time = ?", (DAY,))
        connection.commit()
    with pytest.raises(StoreError, match=r"share S3: the time 'soon' is not a date"):
        look(path, NAMES)


def test_a_record_keeps_a_thousand_and_counts_the_others(tmp_path: Path) -> None:
    series = [
        replace(one, close=one.close * np.where((np.arange(len(DAYS)) + 7 * at) // 60 % 2, 1.0, 1.12))
        for at, one in enumerate(sound(60))
    ]
    path = store_of(tmp_path / "a.db", [replace(one, share_id=f"T{at:02d}") for at, one in enumerate(series)])
    record = look(path, [f"T{at:02d}" for at in range(60)], bounds=Bounds(0.08, 1e6))
    assert (len(record.suspects), record.left_out > 0) == (1000, True)
    assert f"{record.left_out:,} more" in record.headline
    whole = look(path, [f"T{at:02d}" for at in range(60)], bounds=Bounds(0.08, 1e6), most=None)
    assert (len(whole.suspects), whole.left_out) == (1000 + record.left_out, 0)


def test_the_suspects_of_one_share_are_those_that_all_have_together(tmp_path: Path) -> None:
    moves = np.random.default_rng(1).normal(0, 0.008, len(DAYS))
    moves[AT + 20] = -0.3  # a day of all shares is no suspect of one
    series = panel(6, moves)
    series[3] = times(series[3], 1 / 4, AT)
    path = store_of(tmp_path / "a.db", series)
    with FeatureStore.open(path) as store:
        assert suspects_among(store, NAMES, ["S3", "NOBODY"]) == search(store, NAMES).suspects
        assert suspects_among(store, NAMES, ["S2"]) == ()


@pytest.mark.parametrize("column", ["high", "low"])
def test_text_in_a_high_is_one_line(tmp_path: Path, column: str) -> None:
    series = sound(1)
    series[0] = times(series[0], 1 / 4, AT)
    close = series[0].close
    path = store_of(tmp_path / "a.db", series, high=close * 1.01, low=close / 1.01)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"UPDATE PRICE SET {column} = 'a' || char(10) || 'b' WHERE time = ?", (DAY,))
        connection.commit()
    with pytest.raises(StoreError, match=r"a\.db: share S0: a high or low is not a number; import its prices again$"):
        look(path, ["S0"])


def test_records_are_joined(tmp_path: Path) -> None:
    one = SuspectRecord((Suspect("B", DAY, -0.5, Grade.LARGE, "x"),), 1, ("Z",), 2, 20)
    two = SuspectRecord((Suspect("A", DAY, -0.5, Grade.WRONG, "x"),), 2, ("Y",), 3, 30)
    both = joined(one, two)
    assert [suspect.share_id for suspect in both.suspects] == ["A", "B"]
    assert (both.left_out, both.excluded, both.shares, both.returns) == (3, ("Y", "Z"), 5, 50)


def test_a_record_is_written_and_read(tmp_path: Path) -> None:
    assert read_suspects(tmp_path) is None
    record = SuspectRecord((Suspect("B", DAY, -0.5, Grade.LARGE, "x", accepted=True),), 0, ("Z",), 2, 20)
    (tmp_path / "suspects.json").write_text(record.to_json())
    assert read_suspects(tmp_path) == record
    (tmp_path / "suspects.json").write_text("{")
    with pytest.raises(UserError, match=r"suspects\.json: is no record of suspects"):
        read_suspects(tmp_path)
