"""The live records that are judged by the benchmark of the ledger, and that it goes on where it was stopped."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks import ledger, measure
from benchmarks.live_records import numbers_with_means, rank_ics, reversal, without_signal
from components.evidence.correlation import daily_rank_ic


def test_rank_ics_of_whole_markets_are_the_daily_ones() -> None:
    days = without_signal("market factor", 7, 30, (5,), seed=0)[5]
    rows = np.repeat(np.arange(len(days.scores)), 7)
    np.testing.assert_allclose(rank_ics(days), daily_rank_ic(days.scores.ravel(), days.returns.ravel(), rows)[1])


@pytest.mark.parametrize("market", ledger.MARKETS)
def test_scores_know_nothing_of_what_follows(market: str) -> None:
    for horizon, days in without_signal(market, 10, 4000, (1, 20), seed=1).items():
        ranks = rank_ics(days)[::horizon]
        assert abs(ranks.mean()) < 4 * ranks.std() / np.sqrt(len(ranks))
        assert np.all(np.abs(days.probabilities - 0.5) <= 0.03)


def test_a_factor_moves_the_shares_that_the_model_prefers() -> None:
    spread = {name: rank_ics(without_signal(name, 30, 500, (1,), seed=2)[1]).std() for name in ledger.MARKETS}
    assert spread["market factor"] > 1.3 * spread["plain"]


def test_the_model_of_reversal_has_learned_it() -> None:
    days = reversal(100, 300, seed=0)
    assert rank_ics(days).mean() == pytest.approx(0.09, abs=0.015)
    rises = days.returns > 0
    assert rises[days.probabilities > 0.55].mean() > 0.53


def test_made_numbers_have_the_means_they_say() -> None:
    found = [numbers_with_means(400, 20, seed) for seed in range(500)]
    apart = np.mean([numbers - means for numbers, means in found], axis=0)
    assert np.abs(apart).max() < 0.02
    assert np.ptp(found[0][1]) == pytest.approx(0.06)
    assert np.abs([numbers for numbers, _ in found]).max() < 1


def test_a_run_goes_on_where_it_was_stopped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ledger, "_DATA", tmp_path / "data" / "ledger.jsonl")
    monkeypatch.setattr(measure, "RESULTS", tmp_path)
    monkeypatch.setattr(ledger, "SESSIONS", 300)
    monkeypatch.setattr(sys, "argv", ["ledger", "--records", "2"])
    code = ledger.main()
    first = json.loads((tmp_path / "ledger.json").read_text())
    assert {row["market"] for row in first["nothing"]} == set(ledger.MARKETS)
    assert code == any(row["holds"] == "no" for table in ("nothing", "signal", "held") for row in first[table])

    def never(*_: object) -> None:
        raise AssertionError("judged again")

    for name in ("without_signal", "reversal", "numbers_with_means"):
        monkeypatch.setattr(ledger, name, never)
    assert ledger.main() == code
    assert json.loads((tmp_path / "ledger.json").read_text()) == first
