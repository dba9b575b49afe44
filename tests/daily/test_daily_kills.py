"""Whatever kills a loop, and however often it is started: the ledger is that of one loop an evening."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lived import SHANGHAI, SHARES, START, World, evening, killed_after, killed_at, write_run

from pipeline.daily.loop import PARTS

Rows = list[tuple[str, tuple[Any, ...]]]
EVENINGS = SHANGHAI[START : START + 5]
LATE, RESTATED = SHARES[3], {SHARES[2]: 51.0}


@pytest.fixture(scope="module", params=["up", "outperform", "market_relative"])
def asked(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def begun(folder: Path, asked: str) -> World:
    """A world without a source: its bars are put into the database before each loop."""
    folder.mkdir()
    world = World(folder, None, {"formatter" if asked == "market_relative" else "label": asked})
    write_run(world.plan())
    return world


def see(world: World, at: int) -> None:
    """What has come by an evening: the third lacks a bar, the fifth has a restated one."""
    world.bars(EVENINGS[at], [LATE] if at == 2 else [], RESTATED if at >= 4 else None)


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory, asked: str) -> Rows:
    """The ledger of one undisturbed loop on each evening."""
    world = begun(tmp_path_factory.mktemp("clean") / "world", asked)
    for at, session in enumerate(EVENINGS):
        see(world, at)
        world.loop(evening(session))
    return world.rows()


def test_a_late_bar_and_a_restated_one_are_in_the_clean_ledger(clean: Rows) -> None:
    predictions = [row for name, row in clean if name == "PREDICTION"]
    outcomes = [row[1] for name, row in clean if name == "OUTCOME"]
    assert len(predictions) == len(EVENINGS) * len(SHARES)
    assert [row[1:3] for row in predictions if row[-1]] == [(LATE, str(EVENINGS[2]))]
    assert len(outcomes) > len(set(outcomes))


def test_a_level_waits_for_the_late_bar_and_is_restated_with_it(clean: Rows, asked: str) -> None:
    noted = [json.loads(row[2]) for name, row in clean if name == "NOTE" and row[1] == "level"]
    due = [str(session) for session in EVENINGS]
    if asked != "outperform":
        assert noted == []
        return
    # The third evening lacks a bar, so that the level of the second session comes on the fourth, with that of the
    # third. The fifth restates a close of the fourth session, and with it the third level.
    assert [one["session"] for one in noted] == [due[0], due[1], due[2], due[2], due[3]]
    assert noted[2]["level"] != noted[3]["level"]


@pytest.mark.parametrize("row", [1, 2, 3, 4, 5, 6, 7, 9, 12])
def test_killed_at_any_row_of_the_first_evening(row: int, folder: Path, clean: Rows, asked: str) -> None:
    world = begun(folder / "world", asked)
    see(world, 0)
    with killed_at(row):
        world.loop(evening(EVENINGS[0]))
    world.loop(evening(EVENINGS[0]))
    rows = world.rows()
    assert rows == clean[: len(rows)]
    assert rows[-1][0] == "PREDICTION"


_DISTURBANCE = st.one_of(
    st.none(),
    st.just("twice"),
    st.integers(1, 14),  # the row at which the loop dies
    st.sampled_from([part.name for part in PARTS]),  # the part after which it does
)


@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(disturbances=st.lists(st.lists(_DISTURBANCE, max_size=2), min_size=5, max_size=5))
def test_any_order_of_kills_and_doubled_loops_gives_the_clean_ledger(
    disturbances: list[list[Any]], tmp_path_factory: pytest.TempPathFactory, clean: Rows, asked: str
) -> None:
    world = begun(tmp_path_factory.mktemp("disturbed") / "world", asked)
    for at, session in enumerate(EVENINGS):
        see(world, at)
        for one in disturbances[at]:
            if isinstance(one, int):
                with killed_at(one):
                    world.loop(evening(session))
            elif one in (None, "twice"):
                world.loop(evening(session))
            else:
                with killed_after(one):
                    world.loop(evening(session))
        world.loop(evening(session, hour=13))
    assert world.rows() == clean
