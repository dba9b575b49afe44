"""Shares of a file that names no exchange: what the loop says, and that doing so is enough."""

from __future__ import annotations

import datetime as dt
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from lived import UTC, World, predictions, write_run

from pipeline.daily.report import AlertKind, PartReport, Status

SHIPPED = Path(__file__).parents[2] / "data" / "prices.csv.gz"
SHARES = ("AAPL", "FB", "GOOG", "IBM", "MSFT")


@pytest.fixture
def world(folder: Path) -> World:
    return World(folder, None, {"shares": None})


def predict(world: World) -> tuple[PartReport, list[tuple[AlertKind, str]]]:
    """The loop in New York's evening of the last session of the shipped prices."""
    report = world.loop(dt.datetime(2013, 3, 1, 22, tzinfo=UTC), "predict", "ledger")
    [part] = [one for one in report.parts if one.name == "predict"]
    return part, [(alert.kind, alert.text) for alert in report.alerts]


def test_shares_without_an_exchange_are_refused_with_what_to_do_and_that_helps(
    world: World, awesome: Callable[..., Any]
) -> None:
    assert awesome("prices", "import", str(SHIPPED), "--db", "prices.db").code == 0
    write_run(world.plan(), pushed=True)
    part, alerts = predict(world)
    assert part.status is Status.PARTIAL
    [wrong] = part.wrong
    assert wrong.startswith(f"{', '.join(SHARES)} are not predicted: their exchange is not known, ")
    assert alerts == [(AlertKind.MISSING, wrong)]
    assert not Path("prices.db.ledger").exists()

    command = shlex.split(wrong.partition("with it: awesome ")[2])
    assert awesome(*(str(SHIPPED) if word == "FILE" else word for word in command)).code == 0
    part, _ = predict(world)
    assert (part.status, part.wrong) == (Status.DONE, ())
    assert predictions(Path("prices.db.ledger")) == [(share, "2013-03-01", 0) for share in SHARES]
