"""What goes wrong in a model, a formatter or a metric of somebody's own is one line that names the line of code."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.evidence.resampling import DayBlocks
from components.evidence.scores import ScoredModel
from models.errors import PluginError
from models.formatters import get_formatter
from models.plugins import take_files
from models.preprocessing import preprocessing_fn
from models.registry import get_architecture

MODEL = """
import keras

from models.architecture import Architecture, Hyperparameters


def build(inputs, hyperparameters):
    flat, declared = inputs.flat_input()
    dense = keras.layers.Dense
    {last}


ARCHITECTURE = Architecture("mine", "a model of mine", {{1: build}}, 1, Hyperparameters(epochs=1))
"""
FORMATTER = """
from models.features import CLOSES
from models.formatters import DataFormatter
from models.operations import Feature, Kind, Operation


def work(source, feature):
    return source["nothing"]


FORMATTER = DataFormatter("mine", "mine", (Feature("one", CLOSES, Operation("WORK", "works", work), Kind.SCALAR),))
"""
METRIC = """
from components.evidence.metric import Metric


def measure(answers):
    return answers.nothing


METRIC = Metric("mine", "mine", measure, higher_is_better=True)
"""


@pytest.fixture
def take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Takes a file of some text, for this test alone; gives its path."""
    monkeypatch.setenv("_AWESOME_PLUGINS", "[]")

    def taken(text: str) -> Path:
        monkeypatch.delitem(sys.modules, "models.plugged.failing", raising=False)
        path = tmp_path / "failing.py"
        path.write_text(text)
        take_files([path])
        return path

    return taken


@pytest.mark.slow
@pytest.mark.parametrize(
    ("last", "why"),
    [
        ("return dense(1)(flatt)", "in line 10 of failing.py (NameError: name 'flatt' is not defined)"),
        ("return dense(1)", "(ValueError: it builds Dense, not a Keras model)"),
        ("return keras.Model(declared, dense(2)(flat))", "(ValueError: its model gives (None, 2), not one logit a row"),
        ("return keras.Model(declared, dense(1, 'sigmoid')(flat))", "gives a probability, not a logit: leave out the"),
        (
            "x = keras.Input((3,), name='x'); return keras.Model(x, dense(1)(x))",
            "(ValueError: its model takes an input 'x'; the formatter makes returns, log_volatility, share)",
        ),
    ],
)
def test_a_builder(take: Any, last: str, why: str) -> None:
    from models.architecture import InputSpec
    from models.training import train

    path = take(MODEL.format(last=last))
    inputs = InputSpec(get_formatter("window_returns"), {"share": 2})
    rows: Any = type("Rows", (), {"label": np.zeros(4), "features": {}})
    with pytest.raises(PluginError) as refused:
        train("mine", 1, get_architecture("mine").hyperparameters, inputs, rows, rows, 0)
    message = str(refused.value)
    assert message.startswith(f"ARCHITECTURE of {path} fails")
    assert why in message
    assert message.endswith("; correct it or leave the file out")
    assert "\n" not in message


def test_an_operation(take: Any) -> None:
    path = take(FORMATTER)
    with pytest.raises(PluginError) as refused:
        preprocessing_fn({"closes": np.zeros((2, 21))}, {"formatter": "mine"})
    assert str(refused.value).startswith(f"FORMATTER of {path} fails in line 8 of failing.py (IndexError: ")


def test_a_metric(take: Any) -> None:
    path = take(METRIC)
    days = np.repeat(np.arange("2024-01-01", "2024-03-01", dtype="datetime64[D]"), 2)
    half = np.full(len(days), 0.5)
    with pytest.raises(PluginError) as refused:
        ScoredModel(np.arange(len(days)) % 2, half, half, DayBlocks(days))
    why = "(AttributeError: 'Answers' object has no attribute 'nothing')"
    assert str(refused.value).startswith(f"METRIC of {path} fails in line 6 of failing.py {why}")
