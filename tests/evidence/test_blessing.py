"""What a model has to show before it may be pushed."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from components.evidence.blessing import judge, level_for
from components.evidence.interval import Interval

BETTER = Interval(0.53, 0.51, 0.55, 0.01)


def difference(value: float, error: float = 0.01) -> Interval:
    return Interval(value, value - 2 * error, value + 2 * error, error)


def test_better_than_chance_beyond_its_interval_is_blessed() -> None:
    verdict = judge(BETTER, 1, None, {})
    assert verdict.blessed
    assert verdict.reason == "AUC 0.5300 is better than chance (0.5100 to 0.5500); there is no predecessor"


@pytest.mark.parametrize(
    ("auc", "candidates", "reason"),
    [
        (Interval(0.49, 0.45, 0.53, 0.02), 1, "AUC 0.4900 is no better than chance"),
        (
            Interval(0.53, 0.499, 0.561, 0.015), 1,
            "AUC 0.5300 may be chance: its interval (0.4990 to 0.5610) contains 0.5",
        ),
        (
            Interval(0.53, 0.499, 0.561, 0.015), 4,
            "AUC 0.5300 may be chance: its interval (0.4990 to 0.5610, 95 % for all 4 models) contains 0.5",
        ),
        (
            Interval(0.6, math.nan, math.nan, math.nan), 1,
            "AUC 0.6000 is better than chance, but there are too few days to tell by how much",
        ),
        (Interval(math.nan, math.nan, math.nan, math.nan), 1, "there is no AUC: all test rows have the same label"),
    ],
)  # fmt: skip
def test_what_may_be_chance_is_not_blessed(auc: Interval, candidates: int, reason: str) -> None:
    verdict = judge(auc, candidates, difference(0.1), {"lightgbm": difference(0.1)})
    assert not verdict.blessed
    assert verdict.reason == reason


def test_worse_than_the_predecessor_by_more_than_its_error_is_not_blessed() -> None:
    assert judge(BETTER, 1, difference(-0.009), {}).blessed
    worse = judge(BETTER, 1, difference(-0.011), {})
    assert not worse.blessed
    assert worse.reason.endswith("but worse than its predecessor (-0.0110, standard error 0.0100)")
    # Without a standard error there is no tolerance.
    assert not judge(BETTER, 1, Interval(-0.0001, math.nan, math.nan, math.nan), {}).blessed


def test_a_model_that_a_baseline_beats_beyond_doubt_is_not_blessed() -> None:
    close = {"logistic_regression": difference(-0.019), "lightgbm": difference(0.03)}
    assert judge(BETTER, 1, None, close).blessed
    beaten = judge(BETTER, 1, None, close | {"lightgbm": difference(-0.021)})
    assert not beaten.blessed
    assert beaten.reason.endswith("but lightgbm is better by 0.0010 to 0.0410")


def test_of_coins_one_run_in_forty_pushes_something() -> None:
    # Independent candidates with normal errors: the intervals together contain 1/2 from above in 97.5 % of runs.
    rng = np.random.default_rng(0)
    runs = 20_000
    for candidates in (1, 4):
        reach = {1: 1.959964, 4: 2.497705}[candidates]  # the normal quantile of level_for(candidates)
        assert NormalDist().inv_cdf((1 + level_for(candidates)) / 2) == pytest.approx(reach, abs=1e-6)
        lucky = np.any(rng.standard_normal((runs, candidates)) > reach, axis=1).mean()
        assert lucky == pytest.approx(0.025, abs=0.004)
