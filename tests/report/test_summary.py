"""The terminal's table of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from judged_runs import REVERSAL, model, report
from shown import printed

from components.evidence.interval import Interval
from pipeline.report.summary import print_summary
from pipeline.runs.results import MarketSummary


@pytest.mark.parametrize("market", [None, REVERSAL])
def test_the_table_fits_80_columns_and_no_number_is_torn(market: MarketSummary | None) -> None:
    models = {name: model(0.5021, skill=0.046) for name in ("linear", "dnn", "custom_dnn", "rnn")}
    models["rnn"] = model(0.5372, blessed=True, skill=0.822)
    text = printed(80, print_summary, report(models, champion="rnn", market=market))
    assert max(map(len, text.splitlines())) <= 80
    words = text.split()
    for word in ("custom_dnn", "0.502", "(0.492-0.512)", "0.537", "(0.527-0.547)", "0.511", "(0.523)", "-0.012"):
        assert word in words
    assert ("82%" in words) == (market is not None)
    assert ("skill" in words) == (market is not None)
    assert "champion" in text
    assert "0.5" in words, "the reason is there to its end"


def test_a_reason_is_not_read_as_markup() -> None:
    text = printed(200, print_summary, report({"linear": model(0.5, reason="threshold [red]0.5[/red] missed")}))
    assert "threshold [red]0.5[/red] missed" in text


def test_a_baseline_without_a_figure_is_printed_without_it() -> None:
    run = replace(report({"linear": model(0.5)}), baselines={"lightgbm": {"auc": Interval(0.51, 0.49, 0.53, 0.01)}})
    [line] = [line for line in printed(120, print_summary, run).splitlines() if line.lstrip().startswith("lightgbm")]
    assert line.split() == ["lightgbm", "0.510", "n/a", "n/a", "baseline"]
