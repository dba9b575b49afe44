"""What is tried next, and what is kept of it, on a function that costs nothing; Optuna's own reader is the witness."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from sqlalchemy.pool import NullPool

from models.search_space import Between, OneOf
from pipeline.studies.search.study import Ended, SearchError, Study

SPACE = {"rate": Between(1e-3, 1e-1, log=True), "epochs": Between(2, 9), "units": OneOf(((8,), (16, 8), (32,)))}
DEFAULTS = {"rate": 0.0123456, "epochs": 5, "units": (16, 8)}
Values = dict[str, Any]


def worth(values: Values) -> float:
    return float(-((np.log(values["rate"]) + 4) ** 2) - abs(values["epochs"] - 7) - values["units"][0] / 32)


def opened(path: Path, maximise: bool = True, seed: int = 3) -> Study:
    return Study(path, SPACE, DEFAULTS, seed, maximise)


def by_optuna(path: Path) -> optuna.Study:
    return optuna.load_study(
        study_name=None, storage=optuna.storages.RDBStorage(f"sqlite:///{path}", {"poolclass": NullPool})
    )


def step(study: Study, of: Callable[[Values], float] = worth) -> Values:
    trial, values = study.ask()
    study.tell(trial, Ended(values, of(values), np.array([1.0, 2.5]), 0.5, by_seed=(1.0, 3.0)))
    return values


def test_the_first_trial_has_the_defaults_to_the_last_digit(tmp_path: Path) -> None:
    study = opened(tmp_path / "study.db")
    assert step(study) == DEFAULTS
    [ended] = study.ended()
    assert ended.values == DEFAULTS
    assert (ended.value, ended.seconds, list(ended.drawn)) == (worth(DEFAULTS), 0.5, [1.0, 2.5])
    assert ended.by_seed == (1.0, 3.0)


def test_every_other_trial_lies_in_the_space_and_can_be_typed(tmp_path: Path) -> None:
    study = opened(tmp_path / "study.db")
    made = [step(study) for _ in range(25)]
    for values in made[1:]:
        assert all(SPACE[name].holds(value) for name, value in values.items())
        assert len(f"{values['rate']:g}".replace("0.", "").lstrip("0")) <= 3
    assert {values["units"] for values in made} == set(SPACE["units"].values)


@pytest.mark.parametrize("maximise", [True, False])
def test_it_learns_which_way_is_better(tmp_path: Path, maximise: bool) -> None:
    study = opened(tmp_path / "study.db", maximise)
    sign = 1 if maximise else -1
    made = [sign * worth(values) * sign for values in (step(study, lambda v: sign * worth(v)) for _ in range(40))]
    assert np.mean(made[-10:]) > np.mean(made[1:11])


def test_a_search_that_was_killed_often_ends_where_one_that_was_not_ends(tmp_path: Path) -> None:
    whole, stopped = tmp_path / "whole.db", tmp_path / "stopped.db"
    study = opened(whole)
    expected = [step(study) for _ in range(16)]
    made: list[Values] = []
    for place in range(16):
        # Killed while it trains: what was asked for is never told.
        killed = opened(stopped).ask()[1]
        assert killed == expected[place]
        made.append(step(opened(stopped)))
    assert made == expected
    assert [one.values for one in opened(stopped).ended()] == expected
    states = [one.state.name for one in by_optuna(stopped).trials]
    assert (states.count("COMPLETE"), states.count("FAIL")) == (16, 16)


def test_another_seed_tries_something_else(tmp_path: Path) -> None:
    one, other = opened(tmp_path / "1.db", seed=1), opened(tmp_path / "2.db", seed=2)
    assert [step(one) for _ in range(3)][1:] != [step(other) for _ in range(3)][1:]


def test_a_trial_without_a_figure_has_ended_all_the_same(tmp_path: Path) -> None:
    study = opened(tmp_path / "study.db")
    step(study)
    trial, values = study.ask()
    study.tell(trial, Ended(values, np.nan, np.array([]), 1.0, "it diverged"))
    again = opened(tmp_path / "study.db").ended()
    assert [one.why for one in again] == ["", "it diverged"]
    assert np.isnan(again[1].value)
    assert again[1].values == values
    assert step(opened(tmp_path / "study.db")) != values


@pytest.mark.parametrize("name", ["a b.db", "50%.db", "a#b.db", "ü.db"])
def test_a_folder_may_be_called_anything(tmp_path: Path, name: str) -> None:
    step(opened(tmp_path / name))
    assert (tmp_path / name).is_file()
    assert len(opened(tmp_path / name).ended()) == 1


def test_a_file_of_something_else_is_named(tmp_path: Path) -> None:
    path = tmp_path / "study.db"
    path.write_text("no database")
    with pytest.raises(SearchError, match=r"study\.db: cannot be read as what a search left .*; move it away"):
        opened(path)
    assert path.read_text() == "no database"


@pytest.mark.parametrize("drawn", ["", "none", 3])
def test_what_another_tool_has_put_there_is_named(tmp_path: Path, drawn: Any) -> None:
    study = opened(tmp_path / "study.db")
    step(study)
    alien = by_optuna(tmp_path / "study.db")
    trial = alien.ask({"rate": optuna.distributions.FloatDistribution(1e-3, 1e-1, log=True)})
    for name, value in {"drawn": drawn, "by_seed": [1.0]}.items() if drawn else ():
        trial.set_user_attr(name, value)
    alien.tell(trial, 1.0)
    with pytest.raises(SearchError, match=r"study\.db: cannot be read as what a search left .*; move it away"):
        study.ended()


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    study = opened(tmp_path / "study.db")
    trial, values = study.ask()
    for path in tmp_path.iterdir():
        path.write_bytes(b"gone bad" * 1000)
    with pytest.raises(SearchError, match=r"study\.db: cannot be written"):
        study.tell(trial, Ended(values, 1.0, np.array([1.0]), 0.5, by_seed=(1.0,)))
    with pytest.raises(SearchError, match=r"study\.db: cannot be written"):
        study.ask()
