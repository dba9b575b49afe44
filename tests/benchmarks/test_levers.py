"""What features and labels are worth on panels: of walks whose rank ICs are made, and what a walk is made of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks import levers
from benchmarks.lever_walks import LIGHTGBM, LINEAR, PanelPrices, fold_sessions
from models.formatters import get_formatter

DAYS = pd.date_range("2010-01-04", periods=600, freq="B")
GOOD = ("momentum_ranks", "outperform")
LEVEL = {levers.TODAY: 0.0, GOOD: 0.02}


class Made:
    """Daily rank ICs of one panel on all days, of the other on the second half; noise that all walks of it share."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, level: dict[levers.Pair, float]) -> None:
        self.level, self.written = level, dict[str, Any]()
        monkeypatch.setattr(levers, "fetch", lambda panel, data: None)
        monkeypatch.setattr(levers, "read_closes", lambda panel, archive: pd.DataFrame({"A": [1.0]}, DAYS[:1]))
        monkeypatch.setattr(levers, "_scores", lambda kept, prices, pair, model: (pair, model))
        monkeypatch.setattr(levers, "_daily", self.daily)
        monkeypatch.setattr(levers, "write_result", lambda name, payload: self.written.update(payload))
        monkeypatch.setattr("sys.argv", ["levers", "--data", str(tmp_path), "--keep", str(tmp_path)])

    def daily(self, prices: PanelPrices, walked: tuple[levers.Pair, str]) -> levers.Daily:
        days = DAYS if prices.name == "us20" else DAYS[300:]
        noise = np.random.default_rng(len(days)).normal(0, 0.02, len(days))
        mean = self.level.get(walked[0], 0.0) - (0.001 if walked[1] == LIGHTGBM else 0)
        orders = (levers.RETURN, levers.RESIDUAL, levers.SKIPPED)
        first = pd.DataFrame(dict.fromkeys(orders, mean), DAYS[:2])
        return levers.Daily(first, pd.DataFrame(dict.fromkeys(orders, noise + mean), days))


def test_the_best_of_the_first_folds_is_held_against_todays_on_the_later_ones(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = Made(monkeypatch, tmp_path, LEVEL)

    assert levers.main() == 0

    assert made.written["chosen"] == list(GOOD)
    above, _, trees = made.written["asked"][:3]
    assert above["found"] == pytest.approx(0.02)  # the noise is the same, so that the paired interval has no width
    assert above["found 95 %"] == "0.0200 to 0.0200"
    assert above["days needed"] <= 1
    assert trees["found"] == pytest.approx(0.001)
    both = {(row["formatter"], row["label"], row["model"]): row for row in made.written["by_return"][-9:]}
    one, half = (
        made.daily(PanelPrices(name, DAYS.to_numpy(), (), np.empty(0)), (levers.TODAY, LINEAR)).later[levers.RETURN]
        for name in ("us20", "us431")
    )
    expected = np.append(one[:300], (one[300:].to_numpy() + half.to_numpy()) / 2).mean()
    today = both["window_returns", "up", LINEAR]
    assert (today["days"], today["rank ic"]) == (600, pytest.approx(expected, abs=5e-5))


def test_what_is_asked_fails_where_nothing_is_gained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    made = Made(monkeypatch, tmp_path, {})
    assert levers.main() == 1
    assert made.written["chosen"] == list(levers.TODAY)


def test_days_needed_are_those_on_which_the_interval_just_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = Made(monkeypatch, tmp_path, {GOOD: 0.004, levers.TODAY: 0.004})
    levers.main()
    above = made.written["asked"][1]
    low, high = (float(end) for end in above["found 95 %"].split(" to "))
    assert above["days needed"] == pytest.approx(600 * ((high - low) / 2 / above["found"]) ** 2, rel=0.1)


@pytest.fixture(scope="module")
def prices() -> PanelPrices:
    """Closes of 25 shares, which share a market that each follows in its own measure."""
    rng = np.random.default_rng(0)
    days = np.busday_offset("2007-01-04", np.arange(1500))
    market = 0.01 * rng.standard_normal((len(days), 1))
    moves = market * np.linspace(0.5, 1.5, 25) + 0.01 * rng.standard_normal((len(days), 25))
    return PanelPrices("us431", days, tuple(f"S{at:02}" for at in range(25)), 50 * np.cumprod(1 + moves, axis=0))


def test_residuals_are_what_is_left_beside_a_beta_of_days_before(prices: PanelPrices) -> None:
    returns = pd.DataFrame(prices.closes).pct_change().to_numpy()
    market = returns.mean(axis=1)
    at = 700
    past = slice(at - 251, at + 1)
    beta = [np.polyfit(market[past], returns[past, share], 1)[0] for share in range(25)]
    expected = returns[at + 1] - np.array(beta) * market[at + 1]
    np.testing.assert_allclose(prices.residual[at], expected, rtol=0, atol=1e-12)
    assert np.isnan(prices.residual[-1]).all()
    assert not np.isnan(prices.residual[252:-1]).any()


def test_no_session_of_a_fold_is_in_two_splits_and_tested_ones_follow_each_other(prices: PanelPrices) -> None:
    folds = fold_sessions(prices, get_formatter("momentum_ranks"))
    tested = np.concatenate([fold["test"] for fold in folds])
    assert (np.diff(tested) == 1).all()
    assert tested[-1] == len(prices.days) - 2  # the last session has no next one
    for fold in folds:
        assert fold["train"][0] == 252
        assert fold["train"][-1] + 1 + 21 < fold["eval"][0]
        assert fold["eval"][-1] + 1 + 21 < fold["test"][0]


@pytest.mark.parametrize("name", sorted({formatter for formatter, _ in levers.PAIRS}))
def test_features_know_no_later_day_and_are_known_from_where_the_formatter_reaches(
    prices: PanelPrices, name: str
) -> None:
    formatter = get_formatter(name)
    made = prices.features(formatter)
    cut = PanelPrices(prices.name, prices.days[:600], prices.shares, prices.closes[:600]).features(formatter)
    assert list(made) == [feature.name for feature in formatter.features]
    for feature, values in made.items():
        np.testing.assert_array_equal(values[:600], cut[feature], err_msg=feature)
        assert np.isfinite(values[formatter.reach :]).all(), feature
