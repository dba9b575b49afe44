"""A store that stands for another one, which it reads and never changes."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from databases import bars, put

from components.errors import StoreError
from components.feature_store import Decision, FeatureStore
from components.feature_store.decisions import Choice
from components.price_files import TrialStore, trial_store


def test_a_trial_stands_for_a_store_and_changes_nothing_of_it(tmp_path: Path) -> None:
    path = tmp_path / "awesome.db"
    put(path, "A", bars(30), "file")
    decision = Decision("A", Choice.ACCEPT, dt.date(2020, 1, 2))
    with FeatureStore.create(path) as store:
        store.decide([decision])
    before = path.read_bytes()
    with FeatureStore.open(path) as real, TrialStore(tmp_path / "trial.db", path, real) as trial:
        assert (trial.path, trial.database) == (path, tmp_path / "trial.db")
        assert trial.decision_list() == (decision,)
        assert trial.conflicting_source("A", "other") == "file"
        counts = trial.upsert("A", bars(40), "file")
        assert (counts.new, counts.unchanged) == (10, 30)
        assert trial.first is not None
        assert trial.first[0] == "A"
    assert path.read_bytes() == before


def test_a_trial_of_a_store_that_is_not_there_makes_none(tmp_path: Path) -> None:
    with trial_store(tmp_path / "awesome.db") as trial:
        trial.upsert("A", bars(3), "file")
        assert trial.database.exists()
    assert list(tmp_path.iterdir()) == []
    assert not trial.database.exists()


def test_a_trial_of_what_is_no_store_is_refused(tmp_path: Path) -> None:
    (tmp_path / "awesome.db").write_text("something else")
    with pytest.raises(StoreError, match="is not an SQLite database"), trial_store(tmp_path / "awesome.db"):
        pass
