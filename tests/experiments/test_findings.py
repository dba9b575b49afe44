"""Verdicts and sentences follow from the numbers alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from made_findings import area, gain, made, report
from shown import Page, assert_needs_nothing_from_elsewhere, printed

from components.evidence.interval import Interval
from components.evidence.words import signed
from pipeline.studies.experiments.findings import difference, judge_claims
from pipeline.studies.experiments.page import render_page
from pipeline.studies.experiments.tables import print_experiments


@pytest.mark.parametrize(
    ("shuffled", "dated", "verdict"),
    [
        (0.83, 0.50, "leak"),
        (0.51, 0.50, "no leak"),
        (0.60, 0.59, "not shown"),  # above chance under both: too little to call it either
        (0.50, 0.53, "no leak"),
        (0.49, 0.40, "not shown"),  # above the dated one, but not above chance
        (0.535, 0.50, "not shown"),  # the difference is beyond its interval, the intervals still touch
    ],
)
def test_a_leak_needs_both_intervals_apart_and_above_chance(shuffled: float, dated: float, verdict: str) -> None:
    assert made("dnn", shuffled, dated).verdict == verdict


@pytest.mark.parametrize(
    ("shuffled", "dated", "why"),
    [
        (0.60, 0.59, "above chance when shuffled, but +0.010 (-0.018 to 0.038) does not set the two apart;"),
        (0.535, 0.50, "and more than dated (+0.035 (0.007 to 0.063)), but the two intervals overlap;"),
        (0.49, 0.40, "more shuffled than dated (+0.090 (0.062 to 0.118)), but not above chance;"),
    ],
)
def test_a_sentence_says_why_nothing_is_shown(shuffled: float, dated: float, why: str) -> None:
    assert why in made("dnn", shuffled, dated).sentence


def test_a_wide_dated_interval_hides_a_leak_and_is_not_called_none() -> None:
    finding = made("dnn", 0.674, 0.587, horizon=20)
    blurred = replace(finding, dated=replace(finding.dated, auc=area(0.587, 0.05)))
    assert blurred.verdict == "not shown"
    assert "nothing can be known of this market" in blurred.sentence


def test_no_interval_shows_nothing() -> None:
    nan = float("nan")
    finding = made("dnn", 0.83, 0.5)
    blind = replace(finding, dated=replace(finding.dated, auc=Interval(0.5, nan, nan, nan)))
    assert blind.verdict == "not shown"
    assert "(n/a)" in blind.sentence
    assert "an interval cannot be had" in blind.sentence


def test_the_sentence_says_what_the_day_predicts_only_where_it_is_a_feature() -> None:
    with_time, without = made("linear_time", 0.83, 0.5).sentence, made("dnn", 0.83, 0.5).sentence
    assert with_time.startswith("linear_time: leak. AUC 0.830 (0.810 to 0.850) shuffled, 0.500")
    assert "predicts 0.830 from the 34.0 rows" in with_time
    assert "0.841 from very many" in with_time
    assert "predicts" not in without
    assert "The day is no feature" in without


def test_a_difference_of_independent_figures() -> None:
    change = difference(area(0.6, 0.03), area(0.5, 0.04))
    assert change.value == pytest.approx(0.1)
    assert change.standard_error == pytest.approx(0.05)
    assert change.low == pytest.approx(0.1 - 1.959964 * 0.05)


@pytest.mark.parametrize(
    ("shuffled", "dated", "verdict"), [(0.3, 0.0, "confirmed"), (0.3, 0.1, "refuted in 1 of 1"), (0.0, 0.0, "open")]
)
def test_the_tip_on_time_is_judged_by_both_splits(shuffled: float, dated: float, verdict: str) -> None:
    [claim] = judge_claims([], [gain(shuffled, dated)])
    assert claim.verdict.startswith(verdict)
    assert f"by {signed(shuffled)} (" in claim.evidence[0]


@pytest.mark.parametrize(
    ("one", "twenty", "verdict"),
    [
        (0.60, 0.50, "confirmed"),
        (0.50, 0.50, "not confirmed as skill"),
        (0.50, 0.40, "not confirmed as skill"),  # easier only because 20 days is worse than a coin
    ],
)
def test_one_day_is_easier_only_with_skill(one: float, twenty: float, verdict: str) -> None:
    [claim] = judge_claims([made("dnn", 0.6, one), made("dnn", 0.6, twenty, horizon=20)], [])
    assert claim.verdict.startswith(verdict)
    assert judge_claims([made("dnn", 0.6, one)], []) == ()


@pytest.mark.parametrize("width", [80, 100, 149, 150])
def test_no_number_is_cut_on_a_terminal(width: int) -> None:
    text = printed(width, print_experiments, report())
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= width
    assert text.count("(0.810-0.850)") == 14
    assert "11.054" in text


def test_the_page_is_self_contained_and_escapes() -> None:
    page = render_page(report())
    assert "<b>market" not in page
    assert_needs_nothing_from_elsewhere(page)
    assert page.count("<svg") == 2
    assert [one.get("id") for one in Page(page).all("h2")] == ["part-1", "part-2", "trained"], "contents lead to them"
    assert "dnn, shuffled: 0.830 (0.810 to 0.850)" in page, "a chart that is asked answers"
    # A row without a name belongs to the one above it.
    assert page.count('data-order="told"') == 2
    assert all(finding.sentence in page.replace("&#39;", "'") for finding in report().findings)


def test_the_file_has_every_number() -> None:
    import json

    values = json.loads(report().to_json())
    assert len(values["experiments"]) == 14
    assert values["experiments"][1]["shuffled"]["auc"]["low"] == pytest.approx(0.81)
    assert values["experiments"][0]["reported"]["auc"] == 0.5334816
