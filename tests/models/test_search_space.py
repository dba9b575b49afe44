"""Where hyperparameters are looked for: part of every declaration, and checked with it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import pytest

from models.architecture import Architecture, Hyperparameters, InputSpec
from models.errors import HyperparameterError
from models.formatters import get_formatter
from models.registry import ARCHITECTURES
from models.search_space import Between, OneOf


@dataclass(frozen=True)
class Mine(Hyperparameters):
    units: tuple[int, ...] = (16, 8)
    width: int = 4
    dropout: float = 0.1


def declared(**search: Any) -> Architecture:
    return Architecture("mine", "mine", {1: lambda *_: None}, 1, Mine(), search=search)


LEFT_ALONE = {"dnn": {"first_l1"}}
"""Of versions that are not the default, which makes no use of them: a search would try the same model again."""


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_model_of_the_project_is_looked_for_around_its_own_values(name: str) -> None:
    one = ARCHITECTURES[name]
    assert {"learning_rate", "epochs", "category_l2"} & one.used().keys() <= one.space.keys()
    # Its own hyperparameters, but for those of every model, are all looked for.
    own = {field for field in vars(one.hyperparameters) if not hasattr(Hyperparameters, field)}
    assert own - one.space.keys() == LEFT_ALONE.get(name, set())
    for hyperparameter, where in one.space.items():
        assert where.holds(getattr(one.hyperparameters, hyperparameter))


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning:google")
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_what_is_looked_for_makes_another_network_and_what_is_left_alone_does_not(name: str) -> None:
    import keras

    one = ARCHITECTURES[name]
    inputs = InputSpec(get_formatter("window_returns"), {"share": 5})

    def built(**changed: Any) -> str:
        keras.utils.clear_session()  # layers are numbered from the beginning
        return one.versions[one.default_version](inputs, one.hyperparameters.updated(changed)).to_json()

    plain = built()
    for hyperparameter in {field for field in vars(one.hyperparameters) if not hasattr(Hyperparameters, field)}:
        value = getattr(one.hyperparameters, hyperparameter)
        other = (*value, 7) if isinstance(value, tuple) else value / 2 + 0.1 if isinstance(value, float) else value + 1
        assert (built(**{hyperparameter: other}) != plain) == (hyperparameter in one.space), hyperparameter


def test_what_means_nothing_to_a_solved_version_is_not_looked_for_and_refused() -> None:
    linear = ARCHITECTURES["linear"]
    assert linear.used().keys() == linear.space.keys() == {"category_l2"}
    assert {"learning_rate", "epochs"} <= linear.space_of(1).keys()
    assert linear.changed(1, {"epochs": 3}).epochs == 3
    with pytest.raises(HyperparameterError, match=r"epochs does nothing: version 2 .* or train linear:1$"):
        linear.changed(2, {"category_l2": 0.1, "epochs": 3})
    assert linear.changed(2, {"category_l2": 0.1}).category_l2 == 0.1
    with pytest.raises(HyperparameterError, match=r"^hyperparameter 'epoch' does not exist; there are category_l2$"):
        linear.changed(2, {"epoch": 3})
    with pytest.raises(HyperparameterError, match=r"'epoch' does not exist; there are learning_rate, .*epochs"):
        linear.changed(1, {"epoch": 3})


def test_a_solver_of_a_version_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="model mine: fits names what is no version"):
        Architecture("mine", "mine", {1: lambda *_: None}, 1, Mine(), fits={2: lambda *_, **__: None})


def test_a_model_of_somebodys_own_is_looked_for_in_what_every_model_has() -> None:
    assert declared().space == {
        "epochs": Between(2, 10),
        "learning_rate": Between(1e-3, 2.5e-2, log=True),
        "category_l2": Between(3e-4, 3e-2, log=True),
    }
    mine = declared(units=OneOf(((16, 8), (32,))), epochs=OneOf((5,)))
    assert mine.space["units"] == OneOf(((16, 8), (32,)))
    assert mine.space["epochs"] == OneOf((5,))


@pytest.mark.parametrize(
    ("search", "message"),
    [
        ({"unit": OneOf((1, 2))}, "model mine: hyperparameter 'unit' does not exist; there are learning_rate"),
        ({"width": OneOf((8, 16))}, "model mine: search of width: its default 4 is not within 8, 16"),
        ({"width": Between(0, 8)}, "model mine: hyperparameter width must be at least 1"),
        ({"width": Between(1.0, 8.5)}, "model mine: hyperparameter width must be a whole number, not 1.0"),
        ({"dropout": Between(0.0, 1.0)}, "model mine: hyperparameter dropout must be below 1"),
        ({"width": (1, 8)}, "model mine: search of width is of type tuple, not Between or OneOf"),
        ({"units": OneOf(((16, 8), ("a",)))}, "model mine: hyperparameter units must be a whole number"),
    ],
)
def test_a_space_that_does_not_fit_is_refused_with_the_declaration(search: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        declared(**search)


@pytest.mark.parametrize(
    "make",
    [
        lambda: Between(2, 2), lambda: Between(3, 1), lambda: Between(0, math.inf), lambda: Between(0.0, 1.0, log=True),
        lambda: OneOf(()), lambda: OneOf((1, 1)), lambda: OneOf(((8, 8), "8-8")),
    ],
)  # fmt: skip
def test_what_is_no_range_and_no_choice(make: Any) -> None:
    with pytest.raises(ValueError, match=r"no range|begins above 0|no different values"):
        make()


def test_rounding_stays_within_the_ends() -> None:
    where = Between(0.00123456, 0.0123456, log=True)
    assert where.rounded(0.00123457) == 0.00123456
    assert where.rounded(0.0123455) == 0.0123
    assert where.rounded(0.0098765) == 0.00988
    assert Between(1, 9).rounded(7) == 7
