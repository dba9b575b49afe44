"""The synthetic markets there are, by name."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from components.synthetic_market.autoregression import Autoregression, LongAutoregression, Survivors
from components.synthetic_market.beyond_windows import MarketFactor, ResidualReversal, ShareDrift, Weekday
from components.synthetic_market.leans import LargerMove, SignProduct, SizeAgreement, Threshold
from components.synthetic_market.on_volume import VolumeReversal
from components.synthetic_market.regimes import Regime, Turbulence
from components.synthetic_market.scenario import WINDOW_RETURNS, Scenario, ScenarioError

_MOMENTUM_WEIGHT = 0.5 / WINDOW_RETURNS
_YEAR, _SKIPPED = 252, 21

SCENARIOS: Mapping[str, Scenario] = MappingProxyType(
    {
        scenario.name: scenario
        for scenario in (
            Autoregression("null", "pure noise: nothing can be known"),
            Autoregression("reversal", "the next return is -0.10 x the latest one, plus noise", (-0.10,)),
            Autoregression("reversal_easy", "the next return is -0.30 x the latest one, plus noise", (-0.30,)),
            Autoregression(
                "momentum",
                "the next return is 0.5 x the mean of the last 20, plus noise",
                (_MOMENTUM_WEIGHT,) * WINDOW_RETURNS,
            ),
            SignProduct("xor", "the next return leans up after two of the same sign, down otherwise"),
            Regime("regime", "each share trends or reverts, by a hidden state that changes every 50 sessions or so"),
            MarketFactor("market_factor", "shares move together and nothing can be known but by leaking the day"),
            ShareDrift("share_drift", "each share drifts at its own pace: only share_id tells"),
            SignProduct("xor_far", "as xor, of the latest return and the one four sessions before it", lag=4),
            SizeAgreement("sizes", "the next return leans up after two large moves or two small ones, down otherwise"),
            LargerMove("larger", "the next return leans up after a move larger than the one before, down otherwise"),
            Threshold("threshold", "a move of more than 1.2 deviations is in part taken back, a smaller one is not"),
            Turbulence("turbulence", "each share trends while it is calm and reverts in turmoil, which changes rarely"),
            ResidualReversal("residual_reversal", "what a share did besides the market is in part taken back"),
            Survivors(
                "survivors", "pure noise, and shares that fall far are delisted: without these, the fallen recover"
            ),
            LongAutoregression(
                "momentum_year",
                "the next return is 0.8 x the mean of the last 252 less the last 21, plus noise",
                (0.0,) * _SKIPPED + (0.8 / (_YEAR - _SKIPPED),) * (_YEAR - _SKIPPED),
            ),
            VolumeReversal(
                "volume_reversal", "returns on high volume are in part taken back, those on low volume go on"
            ),
            Weekday("weekday", "shares lean down on Mondays and Tuesdays, up on Thursdays and Fridays"),
        )
    }
)
"""Every scenario by its name."""


def get_scenario(name: str) -> Scenario:
    """The scenario called ``name``.

    Args:
        name: a key of `SCENARIOS`.

    Returns:
        The scenario.

    Raises:
        ScenarioError: there is none of that name; the message lists those there are.
    """
    try:
        return SCENARIOS[name]
    except KeyError:
        known = ", ".join(SCENARIOS)
        raise ScenarioError(f"there is no market scenario {name!r}: choose one of {known}") from None
