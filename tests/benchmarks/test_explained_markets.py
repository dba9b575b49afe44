"""What `benchmarks.explain` counts."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.explain import null_row, null_summary, signal_row
from components.evidence.interval import Interval
from components.explanation.results import Importance, ModelExplanation, PairImportance, Part


def made(*lost: float, error: float = 0.001, shared: float = 0.03) -> ModelExplanation:
    """A model whose lags lose so much, each interval of 3 standard errors."""
    parts = tuple(
        Importance(Part("returns", at), interval(one, error), one / sum(lost)) for at, one in enumerate(lost, start=1)
    )
    whole = Importance(Part("returns"), interval(sum(lost), error), 1.0)
    pair = PairImportance((Part("returns", 2), Part("returns", 1)), interval(0.04, error), interval(shared, error))
    return ModelExplanation(0.55, (whole,), parts, (pair,))


def interval(value: float, error: float) -> Interval:
    return Interval(value, value - 3 * error, value + 3 * error, error)


def test_a_signal_is_attributed_to_its_lags() -> None:
    row = signal_row(made(0.05, 0.002, -0.001), (1,))
    assert row["attributed"] == pytest.approx(0.05 / 0.051)
    assert row["of what is above 0"] == pytest.approx(0.05 / 0.052)
    assert (row["no other is sure"], row["holds"]) == ("yes", "yes")
    assert signal_row(made(0.05, 0.02, 0.0), (1,))["no other is sure"] == "no"
    assert signal_row(made(0.05, 0.02, 0.0), (1,))["holds"] == "no"
    noisy = signal_row(made(0.05, 0.006, -0.006), (1,))
    assert (noisy["attributed"], noisy["of what is above 0"] < 0.9, noisy["holds"]) == (pytest.approx(1), True, "no")


def test_of_a_pair_the_two_have_to_be_first_and_beyond_doubt() -> None:
    row = signal_row(made(0.04, 0.04, 0.001), (1, 2))
    assert (row["lags"], row["only together"], row["holds"]) == ("1 and 2", pytest.approx(0.75), "yes")
    assert signal_row(made(0.04, 0.04, 0.001, shared=0.002), (1, 2))["holds"] == "no"
    assert signal_row(made(0.04, 0.001, 0.04), (1, 3))["holds"] == "no"
    nothing = signal_row(replace(made(0.001, -0.001, -0.002), pairs=()), (1, 2))
    assert (nothing["only together"], nothing["holds"]) == (0.0, "no")


def test_intervals_without_0_are_counted() -> None:
    # By itself an interval of 400 days is one of some two standard errors, here all together are of three.
    row = null_row(made(0.0025, 0.0005, -0.004), 400)
    assert row == {"cases": 4, "contain 0": 3, "contain 0 alone": 2}
    quiet = null_row(made(0.0005, 0.0005, -0.0005), 400)
    assert quiet == {"cases": 4, "contain 0": 4, "contain 0 alone": 4}
    summary = null_summary([row, *[quiet] * 19])
    assert [(one["share"], one["holds"]) for one in summary] == [(79 / 80, "yes"), (78 / 80, ""), (0.95, "")]
    assert [one["holds"] for one in null_summary([row, quiet])] == ["no", "", ""]
