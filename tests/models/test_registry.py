"""Names, versions and hyperparameters, without TensorFlow."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import FrozenInstanceError
from typing import Any

import pytest

from models.architecture import Hyperparameters
from models.errors import HyperparameterError, UnknownNameError
from models.registry import ARCHITECTURES, get_architecture
from pipeline.settings import Settings


def test_the_models_of_a_run_stand_in_the_order_they_are_reported() -> None:
    models = list(Settings().models)
    assert models == [name for name in ARCHITECTURES if name in models] == ["linear", "dnn", "custom_dnn", "rnn"]


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_a_name_leads_to_the_architecture_of_that_name(name: str) -> None:
    architecture = get_architecture(name)
    assert architecture.name == name
    assert architecture.description
    assert architecture.default_version in architecture.versions


def test_versions_of_before_stay() -> None:
    assert sorted(get_architecture("rnn").versions) == [1, 2, 3]
    assert sorted(get_architecture("dnn").versions) == [1, 2]


def test_an_unknown_name_is_refused_with_those_that_exist() -> None:
    with pytest.raises(UnknownNameError, match=r"'lstm' does not exist; there are linear, dnn, custom_dnn, rnn"):
        get_architecture("lstm")


@pytest.mark.parametrize("module", ["models.registry", "models.formatters"])
def test_declarations_import_no_tensorflow(module: str) -> None:
    code = f"import sys, {module}; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_updated_values_are_a_copy_of_the_same_class() -> None:
    defaults = get_architecture("rnn").hyperparameters
    changed = defaults.updated({"units": 7, "epochs": 2})
    assert type(changed) is type(defaults)
    assert (changed.epochs, changed.units) == (2, 7)  # type: ignore[attr-defined]
    assert changed.learning_rate == defaults.learning_rate
    assert defaults.epochs != 2


def test_hyperparameters_are_frozen() -> None:
    with pytest.raises(FrozenInstanceError):
        Hyperparameters().epochs = 3  # type: ignore[misc]


def test_lists_become_tuples_and_whole_numbers_floats() -> None:
    changed = get_architecture("dnn").hyperparameters.updated({"units": [8, 4], "dropout": 0, "learning_rate": 1})
    assert changed.units == (8, 4)  # type: ignore[attr-defined]
    assert (changed.dropout, changed.learning_rate) == (0.0, 1.0)  # type: ignore[attr-defined]
    assert isinstance(changed.dropout, float)  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", list(ARCHITECTURES))
def test_every_default_is_a_value_that_may_be_set(name: str) -> None:
    defaults = ARCHITECTURES[name].hyperparameters
    assert defaults.updated(vars(defaults)) == defaults


def test_an_unknown_hyperparameter_is_refused_with_those_that_exist() -> None:
    with pytest.raises(HyperparameterError, match=r"'unit' does not exist; there are learning_rate, .*units"):
        get_architecture("rnn").hyperparameters.updated({"unit": 3})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("epochs", "ten"),
        ("epochs", 2.0),
        ("epochs", True),
        ("epochs", 0),
        ("batch_size", -5),
        ("learning_rate", "fast"),
        ("learning_rate", True),
        ("learning_rate", float("nan")),
        ("learning_rate", 0),
        ("learning_rate", -0.1),
        ("category_l2", -1e-3),
        ("dropout", 1.0),
        ("units", 64),
        ("units", []),
        ("units", [64, "32"]),
        ("units", [64, 0]),
        ("units", None),
    ],
)
def test_a_value_of_another_type_or_out_of_range_is_refused_by_name(name: str, value: Any) -> None:
    with pytest.raises(HyperparameterError, match=f"hyperparameter {name} must be "):
        get_architecture("dnn").hyperparameters.updated({name: value})


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (0, 32),
        (63, 32),
        (2_000, 32),
        (10_000, 128),
        (28_000, 256),
        (64 * 2048, 2048),
        (64 * 2048 - 1, 1024),
        (10**7, 2048),
    ],
)
def test_few_rows_are_trained_in_smaller_steps(rows: int, expected: int) -> None:
    assert Hyperparameters(batch_size=2048).batch_rows(rows) == expected


def test_no_step_is_larger_than_asked_for() -> None:
    assert Hyperparameters(batch_size=20).batch_rows(100) == 20
    assert Hyperparameters(batch_size=1000).batch_rows(10**6) == 1000
