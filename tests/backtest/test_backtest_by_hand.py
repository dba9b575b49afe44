"""Three shares on four days, every figure worked out by hand."""

from __future__ import annotations

import math
import statistics

import numpy as np
import pytest
from made_predictions import RETURNS, SCORES, predictions

from components.backtest import Trading, backtest, equal_weight, held_targets, long_short, top_quantile, trade

# On the third day the first two tie for the one place of a fifth.
LONG = np.array([[1, 0, 0], [0, 0, 1], [0.5, 0.5, 0], [0, 1, 0]])
SHORT = np.array([[0, 0, 1], [1, 0, 0], [0, 0, 1], [1, 0, 0]])
GROSS = [0.2, 0.3, 0.0, 0.2]
# From day to day: what the weights have drifted to, then the distance to the new ones.
# A 1 x 1.1 / 1.2 = 11/12, C -1 x 0.9 / 1.2 = -3/4; then A -0.9 / 1.3 = -9/13, C 1.2 / 1.3 = 12/13; then 0.55, 0.45, -1.
TRADED = [2.0, (1 + 11 / 12) + (1 + 3 / 4), (0.5 + 9 / 13) + 0.5 + (1 + 12 / 13), 1.55 + 0.55 + 1.0]


def test_weights() -> None:
    np.testing.assert_allclose(top_quantile(SCORES, 0.2), LONG)
    np.testing.assert_allclose(long_short(SCORES, 0.2), LONG - SHORT)
    np.testing.assert_allclose(equal_weight(np.ones((4, 3), dtype=bool)), 1 / 3)


def test_returns_trades_and_turnover() -> None:
    trading = trade(LONG - SHORT, RETURNS)
    np.testing.assert_allclose(trading.gross_returns, GROSS, atol=1e-15)
    np.testing.assert_allclose(trading.traded, TRADED)
    np.testing.assert_allclose(trading.turnover, np.array(TRADED) / 2)
    np.testing.assert_allclose(trading.target_turnover, [1, 2, 2, 1.5])
    assert trading.unpriced == 0


def test_figures() -> None:
    result = backtest(predictions(RETURNS, model=SCORES), ["model"], costs=100).models["model"].long_short
    net = [gross - 0.01 * traded for gross, traded in zip(GROSS, TRADED, strict=True)]
    assert result.after_costs.returns == pytest.approx(net)
    assert result.before_costs.returns == pytest.approx(GROSS)
    after = result.after_costs
    # empyrical's conventions, by the standard library.
    assert after.annual_return == pytest.approx(math.prod(1 + r for r in net) ** (252 / 4) - 1)
    assert after.annual_volatility == pytest.approx(statistics.stdev(net) * math.sqrt(252))
    assert after.sharpe.value == pytest.approx(statistics.mean(net) / statistics.stdev(net) * math.sqrt(252))
    # Only the third day loses, 0.01 of what was traded.
    assert after.max_drawdown == pytest.approx(net[2])
    assert result.before_costs.max_drawdown == 0
    # Equal weight makes 0, 1/15, 0, 0.
    benchmark = statistics.mean([0, 0.2 / 3, 0, 0])
    assert result.before_costs.difference.value == pytest.approx(252 * (statistics.mean(GROSS) - benchmark))
    assert result.turnover == pytest.approx(sum(TRADED) / 8)
    assert result.target_turnover == pytest.approx(6.5 / 4)


def test_a_loss_on_the_first_day_is_a_drawdown() -> None:
    frame = predictions([[-0.1, 0.0], [0.0, 0.0], [0.2, 0.0]], model=[0.9, 0.1])
    performance = backtest(frame, ["model"], costs=0).models["model"].long_only.before_costs
    assert performance.max_drawdown == pytest.approx(-0.1)


def test_two_sessions_are_held_in_two_overlapping_halves() -> None:
    held = held_targets(LONG - SHORT, 2)
    np.testing.assert_allclose(held, [[1, 0, -1], [0, 0, 0], [-0.25, 0.25, 0], [-0.25, 0.75, -0.5]])
    result = backtest(predictions(RETURNS, model=SCORES), ["model"], horizon=2, costs=0).models["model"].long_short
    assert result.before_costs.returns == pytest.approx([0.2, 0.0, -0.05, 0.25])


@pytest.mark.parametrize("horizon", [1, 3, 50])
def test_held_targets_are_means_of_the_latest_ones(horizon: int) -> None:
    targets = np.random.default_rng(0).standard_normal((20, 4))
    expected = [targets[max(0, day - horizon + 1) : day + 1].mean(axis=0) for day in range(20)]
    np.testing.assert_allclose(held_targets(targets, horizon), expected)


def test_costs_are_subtracted_exactly() -> None:
    frame = predictions(RETURNS, model=SCORES)
    trading = trade(long_short(SCORES, 0.2), RETURNS)
    for costs in (0.0, 1.0, 10.0, 250.0):
        result = backtest(frame, ["model"], costs=costs).models["model"].long_short
        expected = trading.gross_returns - costs / 10_000 * trading.traded
        assert result.after_costs.returns == tuple(expected.tolist())
        assert result.after_costs.costs == costs
        assert result.before_costs.returns == tuple(trading.gross_returns.tolist())


def test_more_than_everything_cannot_be_lost() -> None:
    # The share that is short triples twice over.
    returns = np.array([[0.0, 2.5], [0.1, 0.0], [0.1, 0.0], [0.1, 0.0]])
    portfolio = backtest(predictions(returns, model=[0.9, 0.1]), ["model"]).models["model"].long_short
    assert portfolio.after_costs.returns[0] == -1
    assert portfolio.after_costs.max_drawdown == -1
    assert portfolio.after_costs.annual_return == -1
    trading = trade(long_short(np.tile([0.9, 0.1], (4, 1)), 0.2), returns)
    assert trading.traded[1] == 2, "what is worth nothing is bought anew"


def test_a_held_share_without_a_row_counts_as_unchanged_and_is_counted() -> None:
    frame = predictions([[0.1, 0.1, 0.1]] * 4, absent=[(1, 0)], model=[0.9, 0.5, 0.1])
    result = backtest(frame, ["model"], horizon=2, costs=0)
    # The second day holds half of the first share from the day before, and half of the second share.
    assert result.models["model"].long_only.before_costs.returns == pytest.approx([0.1, 0.05, 0.1, 0.1])
    assert result.models["model"].long_only.unpriced == pytest.approx(0.5 / 4)
    assert backtest(frame, ["model"], horizon=1).models["model"].long_only.unpriced == 0


def test_a_portfolio_of_nothing_has_nothing_unpriced() -> None:
    trading = trade(np.zeros((2, 2)), np.full((2, 2), np.nan))
    assert isinstance(trading, Trading)
    assert trading.unpriced == 0
    assert trading.traded.tolist() == [0, 0]
