"""Spells of membership in a database: kept, replaced, and refused where another tool wrote them."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from databases import bars, execute, put

from components.errors import StoreError
from components.feature_store import FeatureStore, Spell

FIRST, LAST = dt.date(2020, 1, 2), dt.date(2020, 3, 31)
SPELLS = (
    Spell("AAA", FIRST, LAST),
    Spell("AAA", dt.date(2021, 1, 4)),
    Spell("BBB", FIRST, LAST, -0.3),
    Spell("CCC", FIRST, LAST, -1.0),
)


def test_spells_are_kept_whatever_happens_to_prices_and_replaced_whole(path: Path) -> None:
    put(path, "AAA", bars(30), "file")
    with FeatureStore.create(path) as store:
        assert store.listings.members() == ()
        store.listings.put_members(SPELLS)
        store.replace("AAA", bars(30, seed=1), "other")
    with FeatureStore.open(path) as store:
        assert store.listings.members() == SPELLS
        with pytest.raises(StoreError, match="for reading only"):
            store.listings.put_members(())
    with FeatureStore.create(path) as store:
        store.listings.put_members(SPELLS[:1])
        assert store.listings.members() == SPELLS[:1]


def test_a_database_of_before_has_none_and_can_take_some(path: Path) -> None:
    put(path, "AAA", bars(30), "file")
    execute(path, "DROP TABLE MEMBER", "PRAGMA user_version = 3")
    with FeatureStore.open(path) as store:
        before = store.digest()
        assert store.listings.members() == ()
    with FeatureStore.create(path) as store:
        store.listings.put_members(SPELLS)
        assert store.listings.members() == SPELLS
        assert store.digest() == before


@pytest.mark.parametrize(
    "row", ["'AAA', '2020-01-02', 'soon', NULL", "'AAA', '2020-13-02', NULL, NULL", "'AAA', '2020-02-02', NULL, -0.5"]
)
def test_what_another_tool_wrote_is_named(path: Path, row: str) -> None:
    put(path, "AAA", bars(30), "file")
    execute(path, f"INSERT INTO MEMBER VALUES ({row})")
    with (
        FeatureStore.open(path) as store,
        pytest.raises(StoreError, match=r"awesome\.db: MEMBER was changed by another"),
    ):
        store.listings.members()


def test_a_table_of_another_tool_is_refused(path: Path) -> None:
    put(path, "AAA", bars(30), "file")
    execute(path, "DROP TABLE MEMBER", "CREATE TABLE MEMBER (x)", "PRAGMA user_version = 3")
    with pytest.raises(StoreError, match="MEMBER was made by another tool"):
        FeatureStore.create(path)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ((LAST, FIRST, None), "before it begins"),
        ((FIRST, LAST, -30.0), r"-0\.3 for a loss of 30 %"),
        ((FIRST, LAST, float("nan")), r"-0\.3 for a loss of 30 %"),
        ((FIRST, None, -0.3), "has no end"),
    ],
)
def test_a_spell_that_cannot_be_is_refused(fields: tuple, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Spell("AAA", *fields)
