"""What predictions are worth: portfolios held by them day by day, their costs, and how sure the outcome is."""

from __future__ import annotations

from components.backtest.panel import BacktestError, Panel, make_panel, read_panel
from components.backtest.portfolios import equal_weight, held_targets, long_short, top_quantile
from components.backtest.results import (
    DEFAULT_COSTS,
    DEFAULT_QUANTILE,
    Backtest,
    ModelBacktest,
    Performance,
    PortfolioResult,
    backtest,
    check_trading,
    sharpe_ratio,
)
from components.backtest.trading import Trading, trade

__all__ = [
    "DEFAULT_COSTS",
    "DEFAULT_QUANTILE",
    "Backtest",
    "BacktestError",
    "ModelBacktest",
    "Panel",
    "Performance",
    "PortfolioResult",
    "Trading",
    "backtest",
    "check_trading",
    "equal_weight",
    "held_targets",
    "long_short",
    "make_panel",
    "read_panel",
    "sharpe_ratio",
    "top_quantile",
    "trade",
]
