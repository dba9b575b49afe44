"""What can be wrong with a walk is said in one line before TensorFlow is loaded and before the first fold runs."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pipeline.plan import resolve
from pipeline.settings import Settings

Awesome = Callable[..., Any]


def test_too_few_sessions_name_the_number_that_would_do(awesome: Awesome, market_db: Path) -> None:
    message = awesome("walkforward", "--db", str(market_db), "--folds", "9").refusal
    assert message.startswith("the data is too short for 9 folds: it has 680 sessions, and ")
    needed = int(re.findall(r"and (\d+) would do", message)[0])
    assert 680 < needed < 2000
    # Nothing ran and nothing is left: no run, no walk.
    assert [path.name for path in Path("runs/walkforward").iterdir() if path.name not in ("folds", ".lock")] == []


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "a horizon of nothing": (("--horizons", "0"), "horizons (0, 1) must be 1 or more each"),
    "no horizon": (("--horizons", ","), "horizons (from --horizons): has commas and nothing between them"),
    "a share that is none": (("--shares", "NONE"), "has no share NONE"),
    "no database": (("--db", "none.db"), "--db none.db does not exist"),
    "two beginnings": (("--first-test", "2001-01-01", "--test-fraction", "0.3"), "name one of them"),
    "a beginning that is no date": (("--first-test", "soon"), "first test 'soon' is not a date"),
    "a beginning outside the data": (("--first-test", "1990-01-01"), "first test 1990-01-01 lies outside the data"),
    "all is tested": (("--test-fraction", "1"), "test fraction 1.0 must lie between 0 and 1"),
    "a market and a database": (("--market", "null"), "market (from --market): makes a database of its own"),
}


@pytest.mark.parametrize(("arguments", "message"), REFUSED.values(), ids=REFUSED)
def test_a_walk_that_cannot_be(awesome: Awesome, market_db: Path, arguments: tuple[str, ...], message: str) -> None:
    assert message in awesome("walkforward", "--db", str(market_db), *arguments).refusal


def test_no_fold_is_a_mistyped_command(awesome: Awesome) -> None:
    assert "--folds" in awesome("walkforward", "--folds", "0").refusal


def test_an_earlier_walk_is_kept(awesome: Awesome, market_db: Path) -> None:
    Path("out").mkdir()
    Path("out/walkforward.json").write_text("{}")
    assert awesome("walkforward", "--db", str(market_db), "--output", "out").refusal.startswith("--output out is not")
    assert Path("out/walkforward.json").read_text() == "{}"


def test_two_walks_in_one_workspace_do_not_run_at_once(awesome: Awesome, market_db: Path) -> None:
    from pipeline.job.workspace import workspace_lock

    Path("runs/walkforward").mkdir(parents=True)
    with workspace_lock(Path("runs/walkforward")):
        assert "another run works in runs/walkforward" in awesome("walkforward", "--db", str(market_db)).refusal


def test_folds_share_a_folder_only_with_walks_whose_figures_depend_on_the_same(folder: Path) -> None:
    from pipeline.studies.walkforward.running import workspace_name

    base = Settings(db=Path("a.db"))
    same = Settings(db=Path("a.db"), models=("rnn",), output=Path("o"), cache=False)
    assert workspace_name(resolve(base)) == workspace_name(resolve(same))
    others = [
        Settings(db=Path("b/a.db")),
        Settings(db=Path("a.db"), shares=("IBM",)),
        Settings(db=Path("a.db"), seed=1),
        Settings(db=Path("a.db"), embargo=0),
        Settings(db=Path("a.db"), horizons=(5,)),
        Settings(db=Path("a.db"), train_steps=5),
        Settings(db=Path("a.db"), hyperparameters={"rnn": {"epochs": 1}}),
        Settings(db=Path("a.db"), models=("rnn:1",)),
        Settings(market="null"),
        Settings(market="null", market_shares=3),
    ]
    names = [workspace_name(resolve(settings)) for settings in (base, *others)]
    assert len(set(names)) == len(names)
