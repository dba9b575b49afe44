"""What features and labels are worth on panels, of walks whose rank ICs are made."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks import levers

DAYS = pd.date_range("2010-01-04", periods=600, freq="B")
LEVEL = {("window_returns", "up"): 0.0, ("market_relative", "outperform"): 0.02}


def walked(work: Path, database: Path, formatter: str, label: str) -> Mapping[str, Mapping[str, Any]]:
    """Rank ICs of one panel on all days, of the other on the second half; noise that all walks of a panel share."""
    days = DAYS if database.stem == "us20" else DAYS[300:]
    noise = np.random.default_rng(len(days)).normal(0, 0.02, len(days))
    mean = LEVEL.get((formatter, label), 0.0)
    later = {"linear": mean, "lightgbm": mean - 0.001}
    return {
        model: {"first": pd.Series([mean], DAYS[:1]), "later": pd.Series(noise + level, days)}
        for model, level in later.items()
    }


def test_the_best_of_the_first_fold_is_held_against_todays_on_the_later_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    written: dict[str, Any] = {}
    monkeypatch.setattr(levers, "_walk", walked)
    monkeypatch.setattr(levers, "prepare", lambda panel, data: SimpleNamespace(database=tmp_path / f"{panel.name}.db"))
    monkeypatch.setattr(levers, "write_result", lambda name, payload: written.update(payload))
    monkeypatch.setattr("sys.argv", ["levers"])

    assert levers.main() == 0
    assert written["chosen"] == ["market_relative", "outperform"]
    above, _, trees = written["asked"]
    assert above["found"] == pytest.approx(0.02)  # the noise is the same, so that the paired interval has no width
    assert above["95 %"] == "0.0200 to 0.0200"
    assert trees["found"] == pytest.approx(0.001)
    both = {(row["formatter"], row["label"], row["model"]): row for row in written["rank_ic"] if row["panel"] == "both"}
    one, half = (walked(tmp_path, Path(name), *levers.TODAY)["linear"]["later"] for name in ("us20.db", "us431.db"))
    expected = np.append(one[:300], (one[300:].to_numpy() + half.to_numpy()) / 2).mean()
    today = both[(*levers.TODAY, "linear")]
    assert (today["days"], today["rank ic"]) == (600, pytest.approx(expected, abs=5e-5))


def test_what_is_asked_fails_where_nothing_is_gained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(levers, "_walk", lambda work, database, *pair: walked(work, database, *levers.TODAY))
    monkeypatch.setattr(levers, "prepare", lambda panel, data: SimpleNamespace(database=tmp_path / f"{panel.name}.db"))
    monkeypatch.setattr(levers, "write_result", lambda name, payload: None)
    monkeypatch.setattr("sys.argv", ["levers"])
    assert levers.main() == 1
