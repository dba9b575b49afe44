"""A portfolio's days: by month, its Sharpe ratio as time passes, its worst losses, and what it owes to the market."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from components.backtest.results import DAYS_A_YEAR, Backtest
from components.evidence.interval import UNKNOWN, Interval
from components.evidence.resampling import DayBlocks
from components.tear_sheet.intervals import interval_of
from components.tear_sheet.results import Drawdown, Exposure, PortfolioFigures

Days: TypeAlias = NDArray[np.datetime64]
Returns: TypeAlias = NDArray[np.float64]

_POINTS = 120
"""Of a rolling figure, at most; between two of them most days are the same."""

_LEAST_WINDOW = 60
"""Sessions of a rolling window where the test split is too short for windows of a year."""


def portfolio_figures(result: Backtest, model: str) -> PortfolioFigures:
    """Looks at the days of a model's long-short portfolio, and at every portfolio beside equal weight."""
    days = np.array(result.days, dtype="datetime64[D]")
    traded = result.models[model]
    own, long_only, market = (
        np.array(one.after_costs.returns) for one in (traded.long_short, traded.long_only, result.equal_weight)
    )
    window = DAYS_A_YEAR if len(days) >= 2 * DAYS_A_YEAR else _LEAST_WINDOW
    courses = {
        name: rolling_sharpe(days, returns, window)
        for name, returns in (("long_short", own), ("long_only", long_only), ("equal_weight", market))
    }
    ends = courses["long_short"][0]
    return PortfolioFigures(
        model=model,
        costs=result.costs,
        quantile=result.quantile,
        months={
            f"{year}-{month:02d}": value
            for year, months in monthly_returns(days, own).items()
            for month, value in months.items()
        },
        drawdowns=tuple(worst_drawdowns(days, own)),
        exposures={
            name: {
                portfolio: market_exposure(np.array(traded_one.after_costs.returns), market)
                for portfolio, traded_one in (("long_short", one.long_short), ("long_only", one.long_only))
            }
            for name, one in result.models.items()
        },
        window=window,
        rolling_days=tuple(str(day) for day in ends.astype("datetime64[D]")),
        rolling={name: tuple(found) for name, (_, found) in courses.items()},
    )


def monthly_returns(days: Days, returns: Returns) -> dict[int, dict[int, float]]:
    """Compounded return of each month, by year and month.

    Args:
        days: array [days], ascending.
        returns: array [days].
    """
    # Not with the module: each takes a second to import.
    import empyrical
    import pandas as pd

    found: dict[int, dict[int, float]] = {}
    monthly = empyrical.aggregate_returns(pd.Series(returns, pd.DatetimeIndex(days)), "monthly")
    for (year, month), value in monthly.items():
        found.setdefault(int(year), {})[int(month)] = float(value)
    return found


def rolling_sharpe(days: Days, returns: Returns, window: int = DAYS_A_YEAR) -> tuple[Days, list[Interval]]:
    """Sharpe ratio a year of the latest days, each with its interval from blocks of these days alone.

    Args:
        days: array [days], ascending.
        returns: array [days].
        window: days that each is of.

    Returns:
        The last days of the windows, at most 120 of them evenly spread, and the ratios; empty with fewer days than a
        window has. Windows overlap, so neighbouring intervals tell nearly the same.
    """
    if len(returns) < window:
        return days[:0], []
    ends = np.unique(np.linspace(window, len(returns), min(_POINTS, len(returns) - window + 1)).astype(int))
    # A resample depends on the number of days alone, so all windows are drawn alike.
    blocks = DayBlocks(np.arange(window))
    found = []
    for end in ends:
        part = returns[end - window : end]
        value = _sharpe(part.sum(), (part**2).sum(), window)
        totals, squares = blocks.sums(np.column_stack([part, part**2])).T
        drawn = _sharpe(totals, squares, window)
        found.append(interval_of(blocks, float(value), drawn) if np.ptp(part) else UNKNOWN)
    return days[ends - 1], found


def _sharpe(total: Any, squares: Any, days: int) -> Any:
    """Of sums of returns and of their squares."""
    mean = total / days
    variance = np.maximum(squares - days * mean**2, 0) / (days - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = math.sqrt(DAYS_A_YEAR) * mean / np.sqrt(variance)
    return np.where(variance > 0, ratio, np.nan)


def worst_drawdowns(days: Days, returns: Returns, most: int = 5) -> list[Drawdown]:
    """The deepest losses from a former height, the deepest first; they do not overlap.

    Args:
        days: array [days], ascending.
        returns: array [days].
        most: how many.
    """
    value = np.concatenate([[1.0], np.cumprod(1 + returns)])
    height = np.maximum.accumulate(value)
    under = value < height
    edges = np.diff(np.concatenate([[False], under, [False]]).astype(int))
    named = [str(day) for day in days.astype("datetime64[D]")]
    found = []
    for first, after in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        peak, trough = first - 1, first + int(value[first:after].argmin())
        recovered = named[after - 1] if after < len(value) else ""
        depth = float(value[trough] / value[peak] - 1)
        # A value has the name of the day whose return made it; the beginning has that of the first.
        found.append(
            Drawdown(named[max(peak - 1, 0)], named[trough - 1], recovered, depth, int(after - peak) - (not recovered))
        )
    return sorted(found, key=lambda one: one.depth)[:most]


def market_exposure(returns: Returns, market: Returns) -> Exposure:
    """The line through a portfolio's and the market's daily returns, with 95 % intervals over blocks of days.

    Args:
        returns: array [days] of the portfolio, ascending in time.
        market: array [days], of the same days.

    Returns:
        The figures, unknown where either does not vary.
    """
    if len(returns) < 3 or not np.ptp(returns) or not np.ptp(market):
        return Exposure(UNKNOWN, UNKNOWN, UNKNOWN)
    blocks = DayBlocks(np.arange(len(returns)))
    daily = np.column_stack([returns, market, returns * market, returns**2, market**2]) / len(returns)
    value, drawn = _line(daily.sum(axis=0)), _line(blocks.sums(daily))
    bounds = (None, None, (-1.0, 1.0))
    return Exposure(
        *(interval_of(blocks, float(one), many, ends) for one, many, ends in zip(value, drawn, bounds, strict=True))
    )


def _line(moments: NDArray[np.float64]) -> tuple[Any, Any, Any]:
    """Beta, alpha a year and correlation, of means of both, of their product and of their squares, [..., 5]."""
    own, market, product, own_square, market_square = np.moveaxis(moments, -1, 0)
    covariance = product - own * market
    own_variance, market_variance = own_square - own**2, market_square - market**2
    with np.errstate(divide="ignore", invalid="ignore"):
        beta = covariance / market_variance
        correlation = covariance / np.sqrt(own_variance * market_variance)
    return beta, DAYS_A_YEAR * (own - beta * market), correlation
