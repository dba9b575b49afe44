"""`awesome members` as a user types it, and what other commands then leave out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import refusal
from databases import bars, put

from components.feature_store import FeatureStore

Awesome = Callable[..., Any]
FILE = "share,from,to,delisting_return\nAAA,2020-01-10,2020-02-10,\nAAA,2020-02-20,,\nBBB,2020-01-01,2020-02-19,-0.3\n"


def refused(outcome: Any) -> str:
    return refusal((outcome.code, outcome.out, outcome.err))


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    for share, count in (("AAA", 60), ("BBB", 50), ("CCC", 60)):
        put(Path("m.db"), share, bars(count), "file")
    Path("members.csv").write_text(FILE)
    return "m.db"


def test_members_are_imported_listed_exported_and_forgotten(awesome: Awesome, database: str) -> None:
    outcome = awesome("members", "import", "members.csv", "--db", database)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        "2 shares in 3 spells taken into m.db, with 1 delisting return",
        "1 share of the database is in no spell: left out",
        "members on 2020-02-29: 1",
    ]
    listed = awesome("members", "list", "--db", database)
    assert listed.out.splitlines()[-1] == "2 shares in 3 spells; members on 2020-02-29: 1"
    assert listed.out.splitlines()[3].split() == ["BBB", "2020-01-01", "2020-02-19", "-0.3"]
    early = awesome("members", "list", "--db", database, "--on", "2020-02-15")
    [_, row, last] = early.out.splitlines()
    assert row.split()[0] == "BBB"
    assert last == "2 shares in 3 spells; members on 2020-02-15: 1"
    plain = json.loads(awesome("members", "list", "--db", database, "--json").out)
    assert plain["spells"][2] == {
        "share_id": "BBB",
        "first": "2020-01-01",
        "last": "2020-02-19",
        "delisting_return": -0.3,
    }
    assert awesome("members", "export", "again.csv", "--db", database).out == "3 spells written to again.csv\n"
    again = awesome("members", "import", "again.csv", "--db", database)
    assert "in the place of 3 spells" in again.out
    assert awesome("members", "forget", "--db", database).out == "3 spells taken away from m.db\n"
    assert "belong to the universe always" in awesome("members", "list", "--db", database).out


def test_a_file_that_cannot_be_taken_leaves_what_is_stored(awesome: Awesome, database: str) -> None:
    assert awesome("members", "import", "members.csv", "--db", database).code == 0
    Path("wrong.csv").write_text(FILE + "XXX,2020-01-01,,\n")
    line = refused(awesome("members", "import", "wrong.csv", "--db", database))
    assert line.startswith("wrong.csv, row 5: the database has no prices of XXX; import them")
    assert "3 spells" in awesome("members", "list", "--db", database).out
    taken = awesome("members", "import", "wrong.csv", "--db", database, "--without-prices")
    assert "the database has no prices of 1 share of them" in taken.out.splitlines()


@pytest.mark.parametrize("command", [("list",), ("forget",), ("import", "members.csv"), ("export", "a.csv")])
def test_a_database_that_is_not_there_is_not_made(awesome: Awesome, database: str, command: tuple[str, ...]) -> None:
    assert "nowhere.db does not exist" in refused(awesome("members", *command, "--db", "nowhere.db"))
    assert not Path("nowhere.db").exists()


def test_a_day_that_is_none_is_refused(awesome: Awesome, database: str) -> None:
    outcome = awesome("members", "list", "--on", "soon", "--db", database)
    assert outcome.code == 2
    assert "soon is no date" in outcome.err


def test_a_market_is_written_without_its_dead(
    awesome: Awesome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    asked = ("market", "survivors", "--shares", "30", "--sessions", "900")
    whole, alive = awesome(*asked), awesome(*asked, "--without-dead")
    dead = int(whole.out.splitlines()[1].split()[0])
    assert dead > 0
    assert (
        whole.out.splitlines()[1] == f"{dead} of 30 shares were delisted, with a return of -30% after their last price"
    )
    assert alive.out.splitlines()[1] == f"{dead} of 30 shares were delisted, left out"
    with FeatureStore.open("market-survivors-without-dead.db") as store:
        assert len(store.shares()) == 30 - dead
    line = refused(awesome("market", "null", "--shares", "3", "--sessions", "90", "--without-dead"))
    assert line == "the market null cannot be had without the dead: no share of it has ended"
    assert not Path("market-null-without-dead.db").exists()
