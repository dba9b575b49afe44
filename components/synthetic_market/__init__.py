"""Synthetic markets whose best possible answer is known, so that a pipeline can be measured against the limit.

`SCENARIOS` names the markets, `generate` makes one from a seed, `write_market` puts it into a feature store, and
`Scenario.best_auc` says how well its direction can be known at best.
"""

from __future__ import annotations

from components.synthetic_market.market import Market, generate, write_market
from components.synthetic_market.scenarios import (
    SCENARIOS,
    WINDOW_RETURNS,
    Autoregression,
    MarketFactor,
    Regime,
    Scenario,
    ScenarioError,
    ShareDrift,
    SignProduct,
    get_scenario,
)

__all__ = [
    "SCENARIOS",
    "WINDOW_RETURNS",
    "Autoregression",
    "Market",
    "MarketFactor",
    "Regime",
    "Scenario",
    "ScenarioError",
    "ShareDrift",
    "SignProduct",
    "generate",
    "get_scenario",
    "write_market",
]
