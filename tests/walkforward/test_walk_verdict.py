"""Whether as many folds above chance are more than luck, against SciPy's binomial distribution."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from scipy.stats import binom

from components.evidence.interval import Interval
from pipeline.studies.walkforward.scores import HorizonScores, Part, Score
from pipeline.studies.walkforward.verdict import Finding, count_above, summarise
from pipeline.studies.walkforward.verdict import find as find_with

ABOVE, AROUND = Interval(0.52, 0.505, 0.535, 0.008), Interval(0.501, 0.48, 0.522, 0.01)
UNKNOWN = Interval(0.51, math.nan, math.nan, math.nan)


def part(name: str, **models: Interval) -> Part:
    scores = {model: Score(auc, 0.51, AROUND) for model, auc in models.items()}
    return Part(name, "2007-01-02", "2007-12-31", 250, 1000, 0.52, scores)


def scores(
    folds: Sequence[dict[str, Interval]], overall: dict[str, Interval], best: float | None = None
) -> HorizonScores:
    parts = tuple(part(f"fold {i}", **models) for i, models in enumerate(folds, 1))
    return HorizonScores(1, parts, parts, part("all folds", **overall), best)


def find(scores: HorizonScores, plausible: float = 0.53) -> Finding:
    return find_with(scores, plausible)


@pytest.mark.parametrize(("above", "folds"), [(0, 5), (1, 5), (2, 5), (3, 3), (4, 10)])
def test_the_probability_is_the_binomial_one(above: int, folds: int) -> None:
    parts = [part(f"fold {i}", m=ABOVE if i < above else AROUND) for i in range(folds)]
    found = count_above(parts, "m")
    assert (found.above, found.parts) == (above, folds)
    assert found.probability == pytest.approx(binom.sf(above - 1, folds, 0.025))


def test_a_part_without_an_interval_is_not_counted() -> None:
    assert count_above([part("fold 1", m=ABOVE), part("fold 2", m=UNKNOWN)], "m").parts == 1


def test_one_of_five_folds_is_what_luck_gives_and_two_are_more() -> None:
    one = find(scores([{"m": ABOVE}, *[{"m": AROUND}] * 4], {"m": AROUND}))
    assert (one.tone, one.label) == ("plain", "no more than luck")
    assert one.sentence == (
        "Horizon 1: the 95 % interval of m lies above chance in 1 of 5 folds and 1 of 5 years, which a model without "
        "skill reaches with a probability of 12%: no more than luck may give; its AUC over all folds is 0.501 (95 % "
        "interval 0.480 to 0.522)."
    )
    two = find(scores([*[{"m": ABOVE}] * 2, *[{"m": AROUND}] * 3], {"m": ABOVE}))
    assert (two.tone, two.label) == ("good", "more than luck")
    assert "0.6%: more than luck; its AUC over all folds is 0.520" in two.sentence
    assert two.sentence.endswith(", before any costs.")


def test_of_many_models_the_best_needs_more() -> None:
    # Two of five folds have 0.6 %; the best of ten such models at most 5.9 %.
    names = [f"m{i}" for i in range(10)]
    folds = [{name: ABOVE if name == "m7" and i < 2 else AROUND for name in names} for i in range(5)]
    found = find(scores(folds, dict.fromkeys(names, AROUND)))
    assert (found.model, found.models, found.label) == ("m7", 10, "no more than luck")
    assert found.probability == pytest.approx(10 * binom.sf(1, 5, 0.025))
    assert "m7, the best of 10 models, lies above chance in 2 of 5 folds" in found.sentence
    assert "with a probability of at most 5.9%" in found.sentence


def test_of_equals_the_one_with_the_highest_auc_is_named() -> None:
    folds = [{"a": AROUND, "b": AROUND}] * 3
    found = find(scores(folds, {"a": AROUND, "b": ABOVE}))
    assert found.model == "b"
    assert "in 0 of 3 folds and 0 of 3 years, which is what luck gives" in found.sentence


def test_without_an_interval_there_is_nothing_to_say() -> None:
    found = find(scores([{"m": UNKNOWN}], {"m": UNKNOWN}))
    assert found.label == "no more than luck"
    assert found.sentence.startswith("Horizon 1: no fold has enough days for an interval")


def test_more_than_is_plausible_on_real_prices_is_a_warning_and_on_a_market_it_is_not() -> None:
    high = Interval(0.6, 0.58, 0.62, 0.01)
    folds = [{"m": high}] * 5
    real = find(scores(folds, {"m": high}))
    assert (real.tone, real.label) == ("warning", "suspect a leak")
    assert "more than 0.53 on real daily prices points to a leak" in real.sentence
    allowed = find(scores(folds, {"m": high}), plausible=0.61)
    assert (allowed.tone, allowed.label) == ("good", "more than luck")
    made = find(scores(folds, {"m": high}, best=0.61))
    assert (made.tone, made.label) == ("good", "more than luck")
    assert made.sentence.endswith("where 0.610 is the best possible.")
    assert find(scores(folds, {"m": high}, best=math.nan)).tone == "good"
    null = find(scores(folds, {"m": high}, best=0.5))
    assert null.tone == "warning"
    assert null.sentence.endswith("on a market without any signal.")


def test_the_verdict_names_the_horizons_only_where_they_differ() -> None:
    luck = find(scores([{"m": AROUND}] * 5, {"m": AROUND}))
    more = find(scores([{"m": ABOVE}] * 5, {"m": ABOVE}))
    assert summarise([luck, luck]).label == "No more than luck"
    both = summarise([luck, more])
    assert (both.tone, both.label) == ("good", "Horizon 1: no more than luck; horizon 1: more than luck")
    assert both.sentence == f"{luck.sentence} {more.sentence}"
