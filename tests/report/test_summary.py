"""The terminal's table of a run."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from judged_runs import REVERSAL, model, report
from rich.console import Console

from components.evidence.interval import Interval
from pipeline.report.summary import print_summary
from pipeline.runs.results import MarketSummary, RunReport


def printed(run: RunReport, width: int) -> list[str]:
    console = Console(width=width, file=io.StringIO(), color_system=None)
    print_summary(run, console)
    return console.file.getvalue().splitlines()  # type: ignore[attr-defined]


@pytest.mark.parametrize("market", [None, REVERSAL])
def test_the_table_fits_80_columns_and_no_number_is_torn(market: MarketSummary | None) -> None:
    models = {name: model(0.5021, skill=0.046) for name in ("linear", "dnn", "custom_dnn", "rnn")}
    models["rnn"] = model(0.5372, blessed=True, skill=0.822)
    lines = printed(report(models, champion="rnn", market=market), 80)
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    words = text.split()
    for word in ("custom_dnn", "0.502", "(0.492-0.512)", "0.537", "(0.527-0.547)", "0.511", "(0.523)", "-0.012"):
        assert word in words
    assert ("82%" in words) == (market is not None)
    assert ("skill" in words) == (market is not None)
    assert "champion" in text
    assert "0.5" in words, "the reason is there to its end"


def test_a_reason_is_not_read_as_markup() -> None:
    lines = printed(report({"linear": model(0.5, reason="threshold [red]0.5[/red] missed")}), 200)
    assert any("threshold [red]0.5[/red] missed" in line for line in lines)


def test_a_baseline_without_a_figure_is_printed_without_it() -> None:
    run = replace(report({"linear": model(0.5)}), baselines={"lightgbm": {"auc": Interval(0.51, 0.49, 0.53, 0.01)}})
    [line] = [line for line in printed(run, 120) if line.lstrip().startswith("lightgbm")]
    assert line.split() == ["lightgbm", "0.510", "n/a", "n/a", "baseline"]
