"""What a person has decided goes with the database, to a storage and back."""

from __future__ import annotations

from pathlib import Path

from places import CODE, MONDAY, Place, write_database

from components.feature_store import FeatureStore, read_decisions
from components.object_storage import pull_database, push_database


def test_decisions_travel_with_the_database_and_are_a_change_of_it(folder_storage: Place, tmp_path: Path) -> None:
    database = write_database(tmp_path / "awesome.db")
    with folder_storage.open() as storage:
        push_database(storage, database, CODE, now=MONDAY)
        with FeatureStore.create(database) as store:
            store.decide(read_decisions(["S0:2024-02-09"], ["S1"]))
        assert not push_database(storage, database, CODE, now=MONDAY).already_there
        pull_database(storage, tmp_path / "pulled.db")
    with FeatureStore.open(tmp_path / "pulled.db") as store:
        assert store.decision_list() == read_decisions(["S0:2024-02-09"], ["S1"])
