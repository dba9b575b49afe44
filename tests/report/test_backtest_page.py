"""A backtest's page, its file, and its section of the report."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hand_made_backtest import ABOVE, AROUND, NASTY, changed, made_run
from shown import Page, assert_needs_nothing_from_elsewhere, printed

from pipeline.report.backtest import BacktestSection, backtest_section, traded_of
from pipeline.report.backtest_summary import backtest_rows, judge, print_backtest
from pipeline.report.templates import load_template
from pipeline.runs.results import RunReport
from pipeline.uses.backtest import backtest_run, write_backtest

ROOT = Path(__file__).parents[2]


def section(report: RunReport, predictions: pd.DataFrame) -> BacktestSection:
    return backtest_section(report, traded_of(report, predictions))


def test_the_page_shows_the_sentence_the_table_and_the_chart_and_needs_nothing_else(tmp_path: Path) -> None:
    report, _ = made_run(tmp_path / "run")
    made = backtest_run(tmp_path / "run", model="rnn")
    source = write_backtest(made).read_text(encoding="utf-8")
    page = Page(source)
    assert page.words().count(judge(report, made.result, "rnn").sentence) == 1
    assert "rnn after costs of 10 basis points" in page.words()
    assert "3 rows without a label" in page.words()
    for row in backtest_rows(made.result):
        assert f"{row.sharpe} {row.sharpe_interval}" in page.words()
    assert [tag for tag, _ in page.elements].count("svg") == 2
    assert_needs_nothing_from_elsewhere(source)


def test_a_model_s_name_is_escaped(tmp_path: Path) -> None:
    made_run(tmp_path / "run", names=(NASTY,))
    source = write_backtest(backtest_run(tmp_path / "run")).read_text(encoding="utf-8")
    assert_needs_nothing_from_elsewhere(source)
    assert NASTY not in source
    assert NASTY in Page(source).words()


def test_the_file_holds_every_figure_and_no_nan(tmp_path: Path) -> None:
    _, frame = made_run(tmp_path / "run")
    frame.assign(rnn=0.5).to_parquet(tmp_path / "run" / "predictions.parquet")
    made = backtest_run(tmp_path / "run")
    write_backtest(made)
    raw = json.loads(
        (tmp_path / "run" / "backtest.json").read_text(), parse_constant=lambda name: pytest.fail(f"{name} is no JSON")
    )
    assert (raw["schema_version"], raw["model"], raw["run"]) == (1, "linear", made.report.created)
    assert raw["verdict"] == judge(made.report, made.result, "linear").sentence
    figures = raw["backtest"]["models"]
    assert figures["rnn"]["long_short"]["after_costs"]["sharpe"]["value"] is None
    linear = made.result.models["linear"].long_short
    assert figures["linear"]["long_short"]["turnover"] == linear.turnover
    assert figures["linear"]["long_short"]["before_costs"]["returns"] == list(linear.before_costs.returns)
    assert len(raw["backtest"]["days"]) == len(linear.before_costs.returns)


def test_the_champion_is_looked_at_else_the_first_model(tmp_path: Path) -> None:
    made_run(tmp_path / "none")
    made_run(tmp_path / "champion", champion="rnn")
    assert backtest_run(tmp_path / "none").model == "linear"
    assert backtest_run(tmp_path / "champion").model == "rnn"
    assert backtest_run(tmp_path / "champion" / "report.json", model="linear").model == "linear"


def test_baselines_stand_beside_the_models_but_are_not_counted_as_tried(tmp_path: Path) -> None:
    baselines = {"logistic_regression": {"auc": AROUND}, "lightgbm": {"auc": AROUND}}
    report, frame = made_run(tmp_path / "run", names=("linear",), baselines=baselines)
    # A run that was made without one of them.
    frame.assign(logistic_regression=frame["linear"]).to_parquet(tmp_path / "run" / "predictions.parquet")
    made = backtest_run(tmp_path / "run", model="logistic_regression")
    assert list(made.result.models) == ["linear", "logistic_regression"]
    assert made.result.models["logistic_regression"] == made.result.models["linear"]
    assert backtest_run(tmp_path / "run").model == "linear"
    assert "models tried" not in judge(report, changed(made.result, ABOVE, AROUND), "linear").sentence
    text = printed(80, print_backtest, made.report, made.result, made.model)
    assert re.search(r"^ logistic .*\n regression ", text, re.MULTILINE)


def test_growth_over_orders_of_magnitude_and_ruin_are_drawn(tmp_path: Path) -> None:
    report, frame = made_run(tmp_path / "run")
    rich = section(report, frame.assign(linear=0.5 + frame["next_return"]))
    assert rich.chart is not None
    assert rich.verdict.tone == "good"
    ruined = section(report, frame.assign(next_return=np.where(frame.index % 7 == 3, 4.0, 0.0)))
    assert ruined.chart is not None
    assert "largest loss -100%" in ruined.chart.description


def rendered(**variables: Any) -> str:
    return load_template(ROOT / "pipeline" / "report" / "report_backtest.html.j2").render(**variables)


def test_the_section_stands_in_another_page(tmp_path: Path) -> None:
    report, frame = made_run(tmp_path / "run")
    made = section(report, frame)
    text = Page(rendered(backtest=made)).words()
    assert text.startswith(f"What it is worth {made.verdict.label}. {made.verdict.sentence}")
    assert "Sharpe at no costs" in text


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda frame: frame[frame["share_id"] == "S0"], "A backtest needs at least two shares"),
        (lambda frame: frame.iloc[:0], "here are none"),
        (lambda frame: frame.drop(columns=["next_return", "forward_return"]), "no column forward_return"),
    ],
)
def test_a_section_that_cannot_be_made_says_why(
    tmp_path: Path, change: Callable[[pd.DataFrame], pd.DataFrame], said: str
) -> None:
    report, frame = made_run(tmp_path / "run")
    made = section(report, change(frame))
    assert made.chart is None
    assert said in Page(rendered(backtest=made)).words()
    assert "portfolio" not in Page(rendered(backtest=made)).words()


def test_what_is_held_longer_than_labels_are_known_is_said(tmp_path: Path) -> None:
    settings = {"formatter": "window_returns", "horizon": 3, "seed": 0, "models": "linear"}
    report, frame = made_run(tmp_path / "run", names=("linear",), settings=settings)
    made = section(report, frame.drop(index=[9, 20, 31, 44]))
    assert any("counts as unchanged" in note for note in made.notes)
    assert any("held for 3 sessions, in as many overlapping parts" in note for note in made.notes)
    assert not any("counts as unchanged" in note for note in section(report, frame).notes)
