"""What `awesome experiments` refuses before TensorFlow is loaded."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Awesome = Callable[..., Any]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--models", "lstm"), "there is no experiment 'lstm'; there are linear, linear_time"),
        (("--horizons", "x"), "--horizons x: name whole numbers"),
        (("--horizons", "0"), "--horizons: name sessions ahead"),
        (("--data", "none"), "--data none: choose one of shipped, market, both"),
        (("--epochs", "0"), "--epochs 0"),
        (("--market-shares", "1"), "--market-shares 1"),
        (("--data", "market", "--market-sessions", "100"), "the data is too short"),
    ],
)
def test_a_mistake_is_one_line(awesome: Awesome, arguments: tuple[str, ...], message: str) -> None:
    outcome = awesome("experiments", *arguments)
    assert outcome.code == 1
    assert message in outcome.refusal


def test_an_output_that_is_a_file_is_named(awesome: Awesome) -> None:
    Path("taken").touch()
    assert awesome("experiments", "--output", "taken").refusal.startswith("taken cannot be written (it is a file)")
