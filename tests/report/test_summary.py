"""The terminal's table of a run."""

from __future__ import annotations

from dataclasses import replace

import pytest
from judged_runs import REVERSAL, model, report
from shown import printed

from components.evidence.interval import Interval
from components.missing_sessions.summary import MissingSummary
from pipeline.report.summary import print_summary
from pipeline.runs.results import MarketSummary, SplitResult


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
    assert " ".join(words).count("contains 0.5.") == 3, "the reasons are there to their ends"


def test_a_reason_is_not_read_as_markup() -> None:
    text = printed(200, print_summary, report({"linear": model(0.5, reason="threshold [red]0.5[/red] missed")}))
    assert "linear is not blessed: threshold [red]0.5[/red] missed.\n" in text


@pytest.mark.parametrize("market", [None, REVERSAL])
def test_a_row_of_the_table_has_two_lines(market: MarketSummary | None) -> None:
    models = {name: model(0.5021, skill=0.046) for name in ("linear", "custom_dnn")}
    text = printed(80, print_summary, report(models, market=market))
    lines = text.splitlines()
    first = next(at for at, line in enumerate(lines) if line.startswith("  linear"))
    assert lines[first + 2].startswith("  custom_dnn")
    assert lines[first + 4].strip() == ""


def test_a_baseline_without_a_figure_is_printed_without_it() -> None:
    run = replace(report({"linear": model(0.5)}), baselines={"lightgbm": {"auc": Interval(0.51, 0.49, 0.53, 0.01)}})
    [line] = [line for line in printed(120, print_summary, run).splitlines() if line.lstrip().startswith("lightgbm")]
    assert line.split() == ["lightgbm", "0.510", "n/a", "n/a", "baseline"]


def test_what_is_missing_and_what_was_left_out_for_it_is_said() -> None:
    run = report({"linear": model(0.5)})
    assert "issing" not in printed(200, print_summary, run)
    run = replace(
        run,
        missing=MissingSummary(2, 1203, ("IBM lacks 1,200 sessions: 2003-06-04, ...",)),
        splits={
            "train": SplitResult("2001-01-02", "2008-12-31", 10000, 5, 20, 2000, windows_across=1500, labels_across=20),
            "test": SplitResult("2011-02-01", "2013-02-15", 600, 0, 7, 120, windows_across=3),
        },
        settings={**run.settings, "max_missing_sessions": 5},
    )
    text = printed(200, print_summary, run)
    assert "Missing sessions: 2 shares lack 1,203 sessions between first and last price." in text
    assert (
        "Left out: 1,503 windows and 20 labels that reach across more missing sessions than max_missing_sessions "
        "(5 in 20) allows." in text
    )


def test_a_blessed_model_that_is_held_back_is_marked_with_the_check() -> None:
    run = report({"linear": model(0.548, blessed=True), "rnn": model(0.5)})
    assert "held back" not in printed(200, print_summary, run)
    text = printed(200, print_summary, replace(run, held_back={"linear": ("level test",), "rnn": ("level test",)}))
    assert "yes, held back" in text
    assert "linear is held back: level test.\n" in text
    assert "champion" not in text
    assert all("held back" not in line for line in text.splitlines() if line.lstrip().startswith("rnn"))
