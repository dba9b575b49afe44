"""`awesome trials`, as a user meets it; and a record begins with the database that a command makes."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from needed import needed

from components.feature_store import FeatureStore
from components.trials.record import Series, Trial, TriedModel, append, read_record, record_path

Awesome = Callable[..., Any]

needed("adbc_driver_sqlite")


@pytest.fixture
def days(market_db: Path, folder: Path) -> list[int]:
    """The sessions of awesome.db, which has begun with its record."""
    shutil.copy(market_db, folder / "awesome.db")
    append(record_path(folder / "awesome.db"), (), complete=True)
    with FeatureStore.open(folder / "awesome.db") as store:
        return [int(str(day).replace("-", "")) for day in store.sessions()]


def tried(number: int, days: list[int], blessed: bool = False, horizon: int = 1, kind: str = "run") -> Trial:
    influence = np.random.default_rng(number).normal(size=len(days)) * 1e-3
    models = (
        TriedModel("linear", 0.52, 0.01, blessed, 2.0, f"a{number}", Series.of(influence)),
        TriedModel("rnn", 0.51, 0.01, False, 2.0, f"b{number}", Series.of(-influence)),
    )
    asked = {"models": "linear, rnn", "formatter": "window_returns", "seed": str(number), "pipeline": "p"}
    time = f"2026-11-{number:02d}T08:00:00Z"
    return Trial(f"{number:016x}", time, kind, asked, horizon, f"r{number}", tuple(days), models)


def test_days_that_nobody_looked_at_are_whole(awesome: Awesome, days: list[int]) -> None:
    done = awesome("trials")
    assert (done.code, done.err) == (0, "")
    words = " ".join(done.out.split())
    assert "No try has looked at these" in words
    assert "50% of the test stretch is left" in words
    assert "lower bound" not in words


def test_every_try_on_the_next_runs_test_days_is_listed(
    awesome: Awesome, folder: Path, days: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    trials = [
        tried(1, days[-100:], blessed=True),
        tried(2, days[-100:-40], kind="walk-forward"),
        tried(3, days[:100]),  # no test day of the next run is among them
        tried(4, days[-50:], horizon=20, kind="experiment"),
    ]
    append(record_path(folder / "awesome.db"), trials)
    words = " ".join(awesome("trials").out.split())
    assert "3 tries looked at these" in words
    assert "linear, rnn, window_returns, horizon 1, seed 1" in words
    assert "linear 0.520" in words
    assert "yes: linear" in words
    assert "A next try is judged after 3 earlier tries of 6 different models." in words
    assert f"begins after {str(days[-1])[:4]}-" in words
    words = " ".join(awesome("trials", "--horizon", "20").out.split())
    assert "1 try looked at" in words
    assert "A next try is judged after 3 earlier tries of 6 different models." in words
    assert "4 tries looked at" in " ".join(awesome("trials", "--all").out.split())


def test_days_can_be_named(awesome: Awesome, folder: Path, days: list[int]) -> None:
    append(record_path(folder / "awesome.db"), [tried(1, days[:100]), tried(2, days[200:300])])
    first, last = (f"{str(day)[:4]}-{str(day)[4:6]}-{str(day)[6:]}" for day in (days[50], days[149]))
    found = json.loads(awesome("trials", "--days", f"{first}:{last}", "--json").out)
    assert (found["first"], found["last"], found["days"]) == (first, last, 100)
    [one] = found["tries"]
    assert (one["asked"]["seed"], one["shared"], one["days"], one["best"]) == ("1", 50, 100, "linear")
    assert one["auc_low"] == pytest.approx(0.52 - 1.959964 * 0.01)
    assert found["hurdle"]["runs"] == 1
    assert len(json.loads(awesome("trials", "--days", f"{first}:", "--json").out)["tries"]) == 2


def test_what_may_be_missing_is_said(awesome: Awesome, folder: Path, days: list[int]) -> None:
    append(record_path(folder / "awesome.db"), [tried(1, days[-9:])], gaps=["a storage had no record"])
    words = " ".join(awesome("trials").out.split())
    assert "At least 1 try looked at these" in words
    assert "Their number is a lower bound: a storage had no record." in words
    record_path(folder / "awesome.db").unlink()
    words = " ".join(awesome("trials").out.split())
    assert "No known try has looked at these" in words
    assert "the database is older than its record, or the record was deleted" in words


def test_tries_outlive_the_prices(awesome: Awesome, folder: Path, days: list[int]) -> None:
    append(record_path(folder / "awesome.db"), [tried(1, days[-9:])])
    (folder / "awesome.db").unlink()
    assert "1 try looked at these 9 test days" in " ".join(awesome("trials").out.split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--days", "yesterday"), "--days yesterday: write it as FROM:TO, such as 2020-01-01:2021-12-31"),
        (("--days", "1970-01-01:1970-02-01"), "--days 1970-01-01:1970-02-01: the database has no session there"),
        (("--all", "--days", "2000-01-01:"), "--all takes every day, and --days some; name one of them"),
        (("--db", "missing.db"), "missing.db does not exist"),
    ],
)
def test_a_mistake_is_one_line(awesome: Awesome, days: list[int], arguments: tuple[str, ...], message: str) -> None:
    done = awesome("trials", *arguments)
    assert done.code == 1
    assert done.err.startswith(f"awesome: {message}")
    assert done.err.count("\n") == 1


def test_a_line_that_is_no_try_is_named(awesome: Awesome, folder: Path, days: list[int]) -> None:
    path = record_path(folder / "awesome.db")
    path.write_bytes(path.read_bytes() + b"oops\n")
    assert "awesome.db.trials.jsonl, line 2: no try (not JSON)" in awesome("trials").err


def test_a_command_that_makes_a_database_begins_its_record(awesome: Awesome, folder: Path) -> None:
    lines = [
        f"{day},A,{10 + math.sin(number):.2f}"
        for number, day in enumerate(np.arange("2024-01", "2024-03", dtype="M8[D]"))
    ]
    (folder / "prices.csv").write_text("\n".join(["date,symbol,close", *lines]))
    awesome("prices", "import", "prices.csv", "--db", "dry.db", "--dry-run")
    assert not record_path(folder / "dry.db").exists()
    assert awesome("prices", "import", "prices.csv", "--db", "made.db").code == 0
    assert awesome("market", "null", "--db", "null.db", "--shares", "2", "--sessions", "40").code == 0
    for name in ("made.db", "null.db"):
        record = read_record(record_path(folder / name))
        assert (record.complete, record.trials) == (True, ())
    record_path(folder / "made.db").unlink()
    awesome("prices", "import", "prices.csv", "--db", "made.db")
    assert not record_path(folder / "made.db").exists()
