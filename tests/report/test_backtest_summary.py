"""A backtest's sentence and table."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path

import pytest
from hand_made_backtest import ABOVE, AROUND, BELOW, NOTHING, UNKNOWN, changed, made_run
from shown import printed

from components.evidence.interval import Interval
from components.trials.found import Overfitting
from pipeline.report.backtest_summary import backtest_rows, judge, print_backtest
from pipeline.report.words import points, rate, ratio
from pipeline.runs.results import MarketSummary
from pipeline.runs.tries import Tries
from pipeline.uses.backtest import backtest_run


@pytest.mark.parametrize(
    ("sharpe", "tone", "label", "said"),
    [
        (AROUND, "plain", "No edge after costs can be claimed", "-0.60 to +1.00 contains 0: no edge after costs can"),
        (BELOW, "warning", "It loses after costs", "-1.80 to -0.20 lies below 0: it loses"),
        (ABOVE, "good", "An edge after costs on these days", "one of 2 models tried, and its 95 % interval +0.20 to"),
        (UNKNOWN, "plain", "Too few days", "too few for an interval: no edge after costs can be claimed"),
        (NOTHING, "plain", "Nothing to trade", "never gains or loses on 120 test days: no edge can be claimed"),
    ],
)
def test_the_sentence_claims_what_the_interval_allows(
    tmp_path: Path, sharpe: Interval, tone: str, label: str, said: str
) -> None:
    report, _ = made_run(tmp_path / "run")
    result = backtest_run(tmp_path / "run").result
    verdict = judge(report, changed(result, sharpe, AROUND), "linear")
    assert (verdict.tone, verdict.label) == (tone, label)
    assert said in verdict.sentence
    assert verdict.sentence[-1] == "."
    assert not re.search(r"[.!?]\s|nan", verdict.sentence)


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (ABOVE, r"long-only is ahead of equal weight by \+100% a year, 95 % interval \+20\.0% to \+180%"),
        (AROUND, r"long-only cannot be told from equal weight: \+20\.0% a year, 95 % interval -60\.0% to \+100%"),
        (BELOW, r"long-only is behind equal weight: -100% a year"),
        (UNKNOWN, r"long-only cannot be told from equal weight\.$"),
    ],
)
def test_long_only_is_judged_by_its_difference(tmp_path: Path, difference: Interval, said: str) -> None:
    report, _ = made_run(tmp_path / "run")
    result = backtest_run(tmp_path / "run").result
    assert re.search(said, judge(report, changed(result, AROUND, difference), "linear").sentence)


def test_an_edge_on_a_synthetic_market_says_nothing_of_real_prices(tmp_path: Path) -> None:
    report, _ = made_run(tmp_path / "run", names=("linear",), market=MarketSummary("reversal", 0.545))
    result = changed(backtest_run(tmp_path / "run").result, ABOVE, AROUND)
    sentence = judge(report, result, "linear").sentence
    assert "an edge of the synthetic market reversal, not of real prices" in sentence
    assert "models tried" not in sentence


@pytest.mark.parametrize("width", [80, 120])
def test_no_figure_of_the_table_is_torn(tmp_path: Path, width: int) -> None:
    report, _ = made_run(tmp_path / "run", names=("logistic_regression", "custom_dnn"))
    result = backtest_run(tmp_path / "run").result
    # As wide as figures of real runs come.
    wide = Interval(-0.466, -0.686, -0.246, 0.1)
    result = changed(changed(result, BELOW, wide, "logistic_regression"), BELOW, wide, "custom_dnn")
    shown = printed(width, print_backtest, report, result, "custom_dnn")
    assert max(map(len, shown.splitlines())) <= width
    text = " ".join(shown.split())
    rows = backtest_rows(result)
    assert [(row.model, row.portfolio) for row in rows] == [
        ("logistic_regression", "long-short"), ("logistic_regression", "long-only"),
        ("custom_dnn", "long-short"), ("custom_dnn", "long-only"), ("", "equal weight"),
    ]  # fmt: skip
    # In two rows, whose column has figures of 100 % and more and so no decimals, and in the sentence.
    assert text.count("-69% to -25%") == 2
    assert text.count("-68.6% to -24.6%") == 1
    for row in rows:
        for figure in (row.annual_return, row.sharpe, row.sharpe_interval, row.max_drawdown, row.turnover):
            assert figure in text
        assert row.difference_interval in text
    assert "costs 10 basis points, quantile 20%, held for 1 session" in text


def test_the_rows_hold_the_figures(tmp_path: Path) -> None:
    made_run(tmp_path / "run")
    result = backtest_run(tmp_path / "run", costs=5, quantile=0.34).result
    portfolio = result.models["rnn"].long_only
    row = next(row for row in backtest_rows(result) if (row.model, row.portfolio) == ("rnn", "long-only"))
    # Others of these columns reach 100 %, so none has decimals.
    assert row.annual_return == f"{100 * portfolio.after_costs.annual_return:+.0f}%"
    assert row.sharpe == ratio(portfolio.after_costs.sharpe.value)
    assert row.sharpe_before == ratio(portfolio.before_costs.sharpe.value)
    assert row.difference == points(portfolio.after_costs.difference.value, decimals=0)  # type: ignore[union-attr]
    assert row.turnover == rate(portfolio.turnover)
    assert (result.costs, result.quantile) == (5, 0.34)


def test_made_intervals_are_what_they_are_called() -> None:
    assert ABOVE.low > 0 > BELOW.high
    assert AROUND.low < 0 < AROUND.high
    assert math.isnan(UNKNOWN.low)


def test_an_edge_that_the_best_of_many_tries_may_have_is_not_claimed(tmp_path: Path) -> None:
    best = Overfitting(30, 120, "rnn of 2026-01-02T03:04:05Z", 0.1, 0.6, 0.5, 0.3)
    tries = Tries("2012-01-02", "2012-06-15", 120, (), True, overfitting=best)
    report, _ = made_run(tmp_path / "run", tries=tries)
    made = backtest_run(tmp_path / "run")
    judged = judge(report, changed(made.result, ABOVE, AROUND), "linear")
    assert (judged.tone, judged.label) == ("plain", "It may be the best of many tries")
    assert "the best of 30 models" in judged.sentence
    assert "deflated Sharpe ratio of 0.600" in judged.sentence
    shown = printed(400, print_backtest, report, made.result, "linear")
    assert "that of rnn of 2026-01-02 03:04 UTC is the best: its Sharpe ratio of 1.59 a year may be the best" in shown
    assert "p-value of 0.300" in shown
    sure = dataclasses.replace(tries, overfitting=dataclasses.replace(best, deflated=0.97))
    proven = dataclasses.replace(report, tries=sure)
    assert judge(proven, changed(made.result, ABOVE, AROUND), "linear").tone == "good"
