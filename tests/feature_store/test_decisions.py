"""Decisions of a person: read, kept, and left alone by whatever happens to the share."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from databases import as_version_2, bars, put

from components.errors import StoreError
from components.feature_store import Decision, Decisions, FeatureStore, read_decisions
from components.feature_store.decisions import Choice

DAY = dt.date(2020, 8, 31)


@pytest.mark.parametrize(
    ("text", "share", "day"),
    [
        ("AAPL:2020-08-31", "AAPL", DAY),
        ("HK:0700:2020-08-31", "HK:0700", DAY),
        ("HK:0700", "HK:0700", None),
        ("sh600519", "sh600519", None),
        ("a:b:c", "a:b:c", None),
    ],
)
def test_only_a_date_behind_the_last_colon_is_a_day(text: str, share: str, day: dt.date | None) -> None:
    assert read_decisions(accept=[text]) == (Decision(share, Choice.ACCEPT, day),)


@pytest.mark.parametrize("text", ["AAPL:2020-8-31", "AAPL:20200831", "AAPL:31.08.2020", "AAPL:2020-02-30"])
def test_a_day_written_otherwise_is_no_name(text: str) -> None:
    with pytest.raises(StoreError, match=r"write the day as in AAPL:2020-08-31"):
        read_decisions(accept=[text])


@pytest.mark.parametrize("text", ["", " ", ":2020-08-31", "A\nB"])
def test_a_decision_names_a_share(text: str) -> None:
    with pytest.raises(StoreError, match="names no share"):
        read_decisions(accept=[text])


def test_decisions_outlive_the_prices_they_are_of(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    put(path, "AAA", bars(30), "file")
    with FeatureStore.create(path) as store:
        store.decide(read_decisions(["AAA:2020-08-31", "BBB"], ["CCC"]))
        store.decide(read_decisions(["BBB"]))
        store.replace("AAA", bars(30, seed=1), "other")
        store.upsert("AAA", bars(30, seed=2), "third", replace=True)
    with FeatureStore.open(path) as store:
        assert store.decisions() == Decisions(frozenset({("AAA", DAY)}), frozenset({"BBB"}), frozenset({"CCC"}))


def test_a_decision_can_be_taken_back(tmp_path: Path) -> None:
    with FeatureStore.create(tmp_path / "a.db") as store:
        store.decide(read_decisions(["AAA:2020-08-31", "AAA"], ["AAA"]))
        assert store.forget(read_decisions(["AAA"], ["AAA", "BBB"])) == 2
        assert store.decisions() == Decisions(accepted=frozenset({("AAA", DAY)}))


def test_a_database_of_before_has_none_and_can_take_some(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    put(path, "AAA", bars(30), "file")
    as_version_2(path)
    with FeatureStore.open(path) as store:
        assert store.decisions() == Decisions()
    with FeatureStore.create(path) as store:
        store.decide(read_decisions(exclude=["AAA"]))
        assert store.decisions().excluded == {"AAA"}


def test_an_open_store_that_only_reads_keeps_no_decision(tmp_path: Path) -> None:
    put(tmp_path / "a.db", "AAA", bars(30), "file")
    with FeatureStore.open(tmp_path / "a.db") as store, pytest.raises(StoreError, match="for reading only"):
        store.decide(read_decisions(exclude=["AAA"]))


def test_a_table_of_another_tool_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    put(path, "AAA", bars(30), "file")
    as_version_2(path, "CREATE TABLE DECISION (x)")
    with pytest.raises(StoreError, match="DECISION was made by another tool"):
        FeatureStore.create(path)
