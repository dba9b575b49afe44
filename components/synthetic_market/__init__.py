"""Synthetic markets whose best possible answer is known, so that a pipeline can be measured against the limit.

`SCENARIOS` names the markets, `generate` makes one from a seed, `write_market` puts it into a feature store, and
`Scenario.best_auc` says how well its direction can be known at best.
"""

from __future__ import annotations

from components.synthetic_market.autoregression import Autoregression, Survivors
from components.synthetic_market.bars import Bars
from components.synthetic_market.beyond_windows import MarketFactor, ResidualReversal, ShareDrift, Weekday
from components.synthetic_market.leans import LargerMove, Lean, SignProduct, SizeAgreement, Threshold
from components.synthetic_market.market import Market, generate, is_deathless, write_market
from components.synthetic_market.on_volume import VolumeReversal
from components.synthetic_market.regimes import HiddenState, Regime, Turbulence
from components.synthetic_market.scenario import WINDOW_RETURNS, Scenario, ScenarioError
from components.synthetic_market.scenarios import SCENARIOS, get_scenario

__all__ = [
    "SCENARIOS",
    "WINDOW_RETURNS",
    "Autoregression",
    "Bars",
    "HiddenState",
    "LargerMove",
    "Lean",
    "Market",
    "MarketFactor",
    "Regime",
    "ResidualReversal",
    "Scenario",
    "ScenarioError",
    "ShareDrift",
    "SignProduct",
    "SizeAgreement",
    "Survivors",
    "Threshold",
    "Turbulence",
    "VolumeReversal",
    "Weekday",
    "generate",
    "get_scenario",
    "is_deathless",
    "write_market",
]
