"""The backtest of a run, as tables."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pipeline.report.backtest_summary import EQUAL_WEIGHT
from pipeline.uses.backtest import backtest_run

if TYPE_CHECKING:
    from components.backtest import Backtest, PortfolioResult


def portfolio_table(result: Backtest) -> pd.DataFrame:
    """Every portfolio of every model after costs, equal weight last.

    Returns:
        A row a portfolio: return, volatility, Sharpe ratio with its interval, drawdown, turnover a day, and the mean
        return a year less that of equal weight with its interval.
    """
    rows = [_row(name, "long-short", model.long_short) for name, model in result.models.items()]
    rows += [_row(name, "long-only", model.long_only) for name, model in result.models.items()]
    rows.append(_row("", EQUAL_WEIGHT, result.equal_weight))
    return pd.DataFrame(rows).set_index(["portfolio", "model"])


def costs_table(run: Path, model: str, costs: Sequence[float], quantile: float) -> pd.DataFrame:
    """A model's portfolios at several costs, in basis points of what is traded.

    Returns:
        A row a portfolio and cost: return, Sharpe ratio with its interval, turnover a day.
    """
    rows = []
    for one in costs:
        portfolios = backtest_run(run, model, one, quantile).result.models[model]
        for name, portfolio in (("long-short", portfolios.long_short), ("long-only", portfolios.long_only)):
            row = _row(model, name, portfolio)
            kept = ("portfolio", "return", "Sharpe", "Sharpe low", "Sharpe high", "turnover")
            rows.append({"costs": one} | {key: row[key] for key in kept})
    return pd.DataFrame(rows).set_index(["portfolio", "costs"]).sort_index()


def month_table(result: Backtest, model: str) -> pd.DataFrame:
    """Compounded returns after costs by calendar month.

    Returns:
        A row a month: long-short, long-only, equal weight, and long-only less equal weight.
    """
    portfolios = result.models[model]
    days = pd.DatetimeIndex(result.days)
    daily = pd.DataFrame(
        {
            "long-short": portfolios.long_short.after_costs.returns,
            "long-only": portfolios.long_only.after_costs.returns,
            EQUAL_WEIGHT: result.equal_weight.after_costs.returns,
        },
        index=days,
    )
    months = np.expm1(np.log1p(daily).groupby(days.to_period("M")).sum()).rename_axis("month")
    months["ahead"] = months["long-only"] - months[EQUAL_WEIGHT]
    return months


def _row(model: str, portfolio: str, result: PortfolioResult) -> dict[str, Any]:
    after = result.after_costs
    nan = float("nan")
    ahead = after.difference
    return {
        "portfolio": portfolio,
        "model": model,
        "return": after.annual_return,
        "volatility": after.annual_volatility,
        "Sharpe": after.sharpe.value,
        "Sharpe low": after.sharpe.low,
        "Sharpe high": after.sharpe.high,
        "drawdown": after.max_drawdown,
        "turnover": result.turnover,
        "difference": nan if ahead is None else ahead.value,
        "difference low": nan if ahead is None else ahead.low,
        "difference high": nan if ahead is None else ahead.high,
    }
