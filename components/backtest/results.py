"""A backtest in figures, each with its interval from resampling blocks of days.

Conventions: a year has 252 days; annual return is compounded; volatility is the standard deviation of daily returns
(n - 1) x sqrt(252); Sharpe is the mean of daily returns over their standard deviation x sqrt(252) without a risk-free
rate (Sharpe 1994); drawdown is the loss from the highest value so far, the beginning counted. They are those of the
library empyrical, which computes them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from components.backtest.panel import BacktestError, read_panel
from components.backtest.portfolios import check_quantile, equal_weight, held_targets, long_short, top_quantile
from components.backtest.trading import Trading, trade
from components.evidence.interval import UNKNOWN, Interval
from components.evidence.resampling import DayBlocks, DayStatistic

if TYPE_CHECKING:
    import pandas as pd

DEFAULT_COSTS = 10.0
"""Basis points of what is traded: about a half spread and a fee on large shares."""

DEFAULT_QUANTILE = 0.2
"""A fifth on each side, as in the field's quintile portfolios."""

DAYS_A_YEAR = 252

LEAST_DAYS = 20
"""Days that an interval needs: resamples of fewer are too often the same day again, which seems to vary little."""


@dataclass(frozen=True)
class Performance:
    """How a portfolio did at one level of costs.

    Attributes:
        costs: basis points of what is traded.
        annual_return: compounded growth a year, as a share of one.
        annual_volatility: as a share of one.
        sharpe: Sharpe ratio a year with its 95 % interval; nan where the returns do not vary.
        max_drawdown: largest loss from a former height, from -1 to 0.
        difference: mean daily return less that of equal weight at the same costs, x 252, with its 95 % interval; None
            for equal weight itself.
        returns: return of each day.
    """

    costs: float
    annual_return: float
    annual_volatility: float
    sharpe: Interval
    max_drawdown: float
    difference: Interval | None
    returns: tuple[float, ...]


@dataclass(frozen=True)
class PortfolioResult:
    """A portfolio before and after costs.

    Attributes:
        before_costs: at costs of 0.
        after_costs: at the costs that were asked for.
        turnover: mean over days of the one-way turnover, half of what is bought and sold, as a share of the value; it
            is what costs are paid for.
        target_turnover: the part of it, mean over days, that is due to changed weights alone, not to drifted prices.
        unpriced: share of what was held whose return is not known; it counts as unchanged.
    """

    before_costs: Performance
    after_costs: Performance
    turnover: float
    target_turnover: float
    unpriced: float


@dataclass(frozen=True)
class ModelBacktest:
    """The portfolios of a model.

    Attributes:
        long_short: long the top quantile, short the bottom one, dollar neutral.
        long_only: the top quantile.
    """

    long_short: PortfolioResult
    long_only: PortfolioResult


@dataclass(frozen=True)
class Backtest:
    """A backtest of a test split.

    Attributes:
        days: the days on which is traded, ISO dates.
        shares: how many different shares there are.
        horizon: sessions that each day's choice is held.
        quantile: share of a day's shares on each side.
        costs: basis points of what is traded.
        equal_weight: all shares alike, rebalanced daily, with the same costs.
        models: by name.
    """

    days: tuple[str, ...]
    shares: int
    horizon: int
    quantile: float
    costs: float
    equal_weight: PortfolioResult
    models: Mapping[str, ModelBacktest]


def check_trading(costs: float, quantile: float) -> None:
    """Refuses costs or a quantile that cannot be traded with, with a BacktestError."""
    if not (math.isfinite(costs) and costs >= 0):
        raise BacktestError(f"costs of {costs:g} basis points are not a number from 0 on, such as 10 for 0.1 %")
    check_quantile(quantile)


def backtest(
    predictions: pd.DataFrame,
    models: Sequence[str],
    *,
    horizon: int = 1,
    costs: float = DEFAULT_COSTS,
    quantile: float = DEFAULT_QUANTILE,
    resamples: int = 1000,
    seed: int = 0,
) -> Backtest:
    """Trades a run's predictions.

    At each day's close the shares are ranked by their probability; the portfolios are bought at that close and held for
    ``horizon`` sessions (see `held_targets`).

    Args:
        predictions: as in `read_panel`.
        models: columns of probabilities.
        horizon: sessions ahead that the models look.
        costs: basis points of what is traded, not negative.
        quantile: share of a day's shares on each side, within (0, 0.5].
        resamples: bootstrap samples of each interval.
        seed: of the resampling.

    Returns:
        The figures.

    Raises:
        BacktestError: the predictions cannot be traded, or an argument is out of its range.
    """
    check_trading(costs, quantile)
    panel = read_panel(predictions, models, horizon)
    # Returns of single days do not overlap, whatever the horizon, so blocks are those of horizon 1.
    blocks = DayBlocks(panel.days, horizon=1, resamples=resamples, seed=seed)
    benchmark = trade(held_targets(equal_weight(panel.present), horizon), panel.returns)

    def result(targets: NDArray[Any]) -> PortfolioResult:
        return _result(trade(held_targets(targets, horizon), panel.returns), costs, blocks, benchmark)

    return Backtest(
        days=tuple(np.datetime_as_string(panel.days).tolist()),
        shares=len(panel.share_ids),
        horizon=horizon,
        quantile=quantile,
        costs=costs,
        equal_weight=_result(benchmark, costs, blocks, None),
        models={
            name: ModelBacktest(
                long_short=result(long_short(scores, quantile)), long_only=result(top_quantile(scores, quantile))
            )
            for name, scores in panel.scores.items()
        },
    )


def sharpe_ratio(returns: NDArray[np.float64], blocks: DayBlocks) -> Interval:
    """Sharpe ratio a year with its 95 % interval.

    Args:
        returns: array [days].
        blocks: of the same days, ascending.

    Returns:
        The ratio, nan where the returns do not vary; its interval is nan too with fewer than 20 days.
    """
    import empyrical

    # Rounding would make a huge ratio of returns that are all alike, such as those of a portfolio that holds nothing.
    if np.ptp(returns) == 0:
        return UNKNOWN

    def resampled(weight: NDArray[Any]) -> float:
        days = float(weight.sum())
        mean = float(weight @ returns) / days
        variance = float(weight @ (returns - mean) ** 2) / (days - 1)
        return math.sqrt(DAYS_A_YEAR) * mean / math.sqrt(variance) if variance > 0 else math.nan

    return _interval(float(empyrical.sharpe_ratio(returns, annualization=DAYS_A_YEAR)), resampled, blocks)


def _interval(value: float, statistic: DayStatistic, blocks: DayBlocks) -> Interval:
    if len(blocks.unique) < LEAST_DAYS:
        return Interval(value, math.nan, math.nan, math.nan)
    return blocks.interval(statistic, value)


def _result(trading: Trading, costs: float, blocks: DayBlocks, benchmark: Trading | None) -> PortfolioResult:
    return PortfolioResult(
        before_costs=_performance(trading, 0.0, blocks, benchmark),
        after_costs=_performance(trading, costs, blocks, benchmark),
        turnover=float(trading.turnover.mean()),
        target_turnover=float(trading.target_turnover.mean()),
        unpriced=trading.unpriced,
    )


def _performance(trading: Trading, costs: float, blocks: DayBlocks, benchmark: Trading | None) -> Performance:
    # Not with the module: empyrical takes a second to import, and the command line's help reads these defaults.
    import empyrical

    returns = trading.net_returns(costs)
    difference = None
    if benchmark is not None:
        ahead = returns - benchmark.net_returns(costs)
        value = DAYS_A_YEAR * float(ahead.mean())
        difference = _interval(value, lambda weight: DAYS_A_YEAR * float(weight @ ahead) / float(weight.sum()), blocks)
    return Performance(
        costs=costs,
        annual_return=float(empyrical.annual_return(returns, annualization=DAYS_A_YEAR)),
        annual_volatility=float(empyrical.annual_volatility(returns, annualization=DAYS_A_YEAR)),
        sharpe=sharpe_ratio(returns, blocks),
        max_drawdown=float(empyrical.max_drawdown(returns)),
        difference=difference,
        returns=tuple(returns.tolist()),
    )
