"""How often a rising loss rings for nothing, and how soon it is found, for benchmarks.drift."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.stats import rankdata

from benchmarks.drift_markets import MARKETS, Array
from components.drift.distances import YEAR
from components.drift.losses import LossReference, loss_drift, make_loss_reference

SHARES = 30
BACKTESTS = ((1, 100), (1, 250), (20, 250), (20, 500))
"""Horizon and days."""
OURS = "awesome"
RISES = (0.2, 0.5, 1.0)
"""Of the daily loss, in deviations of a day."""
_DETECTION = 2500
"""Sessions to a false alarm that the e-detector is set to, on the average at least: one in ten years."""


def loss_tables(market: str, repeats: int) -> dict[str, list[dict[str, Any]]]:
    """False alarms on a market where nothing can be known, and what is found of rises."""
    calm, rising = [], []
    for horizon, days in BACKTESTS:
        print(f"losses, {market}, horizon {horizon}, {days} days", file=sys.stderr, flush=True)
        rang = dict.fromkeys(itertools.product(_NUMBERS, RULES), 0)
        found: dict[float, list[int]] = {rise: [] for rise in RISES}
        for seed in range(repeats):
            for name, (backtest, live) in _daily(market, horizon, days, seed).items():
                reference = _reference(name, backtest, horizon)
                for rule, rings in RULES.items():
                    rang[name, rule] += rings(reference, live)
                if name == "log loss":
                    for rise in RISES:
                        rung = loss_drift(reference, live + rise * reference.deviation).rang
                        found[rise].append(YEAR if rung is None else rung + 1)
        about = {"market": market, "horizon": horizon, "backtest": days}
        ours = {name: rang[name, OURS] / repeats for name in _NUMBERS}
        others = {
            rule: sum(rang[name, rule] for name in _NUMBERS) / len(_NUMBERS) / repeats for rule in RULES if rule != OURS
        }
        calm.append({**about, **ours, **others, "asked": "", "holds": ""})
        found_by = {f"found, {rise:g}": float(np.mean(np.array(after) < YEAR)) for rise, after in found.items()}
        median = {f"median day, {rise:g}": float(np.median(after)) for rise, after in found.items() if rise >= 0.5}
        rising.append({**about, **found_by, **median})
    return {"losses without change": calm, "losses that rise": rising}


def _reference(name: str, backtest: Array, horizon: int) -> LossReference:
    return make_loss_reference(backtest, horizon=horizon, measure=name, higher_is_worse=name == "log loss")


def _daily(market: str, horizon: int, days: int, seed: int) -> dict[str, tuple[Array, Array]]:
    """By measure: what a model without skill has on the days of a backtest and, after a gap, on a year of live ones."""
    rng = np.random.default_rng(seed)
    count = days + horizon + YEAR
    returns = MARKETS[market](SHARES, count + horizon, rng)
    total = np.cumsum(returns, axis=0)
    ahead = total[horizon:] - total[:-horizon]
    # A model's answers change slowly, and lean to the side of rises or falls from day to day.
    score = rng.standard_normal((count, SHARES)) + rng.standard_normal((count, 1))
    for t in range(1, count):
        score[t] = 0.9 * score[t - 1] + 0.44 * score[t]
    probability = 1 / (1 + np.exp(-0.05 * score))
    return {
        name: (values[:days], values[days + horizon :])
        for name, values in ((name, number(probability, ahead)) for name, number in _NUMBERS.items())
    }


def _log_loss(probability: Array, ahead: Array) -> Array:
    found: Array = -np.log(np.where(ahead > 0, probability, 1 - probability)).mean(axis=1)
    return found


def _rank_ic(probability: Array, ahead: Array) -> Array:
    one, other = (rankdata(values, axis=1) - (SHARES + 1) / 2 for values in (probability, ahead))
    found: Array = (one * other).sum(axis=1) / (one**2).sum(axis=1)
    return found


_NUMBERS: Mapping[str, Callable[[Array, Array], Array]] = {"log loss": _log_loss, "rank IC": _rank_ic}


def _ours(reference: LossReference, live: Array) -> bool:
    return loss_drift(reference, live).rings


def _every_day(reference: LossReference, live: Array) -> bool:
    """A test at 5 % every day, from the tenth on, whether the mean so far is worse than the backtest's."""
    sign = 1 if reference.higher_is_worse else -1
    mean = np.cumsum(sign * (live - reference.mean)) / np.arange(1, len(live) + 1)
    error = reference.deviation / np.sqrt(np.arange(1, len(live) + 1))
    return bool((mean > 1.645 * error)[9:].any())


def _e_detector(reference: LossReference, live: Array) -> bool:
    """Shiryaev and Roberts' e-detector (Shin, Ramdas and Rinaldo, 2022) for a bounded mean; one a day of the horizon.

    It takes the backtest's mean as known. Numbers are brought to [-1, 1]: a rank IC is within; a log loss is, less the
    mean, with the answers of this benchmark.
    """
    sign = 1 if reference.higher_is_worse else -1
    worse = np.clip(sign * (live - reference.mean), -1, 1)
    bets = np.array([0.1, 0.2, 0.4, 0.8])
    level = np.zeros((reference.horizon, len(bets)))
    for day, value in enumerate(worse):
        at = day % reference.horizon
        level[at] = (1 + level[at]) * (1 + bets * value)
        if level.mean() > _DETECTION / reference.horizon:
            return True
    return False


RULES: Mapping[str, Callable[[LossReference, Array], bool]] = {
    OURS: _ours,
    "e-detector": _e_detector,
    "5 % every day": _every_day,
}
