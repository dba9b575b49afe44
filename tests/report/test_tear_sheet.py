"""The tear sheet of a page: figures of components.tear_sheet as people read them, a word where there are none."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
from hand_made_run import NAMES, made_page, made_run
from shown import Page

from components.tear_sheet.portfolio import worst_drawdowns
from components.tear_sheet.signal import read_signals
from pipeline.report.backtest import trade
from pipeline.report.page import render_html
from pipeline.report.palette import model_styles
from pipeline.report.tear_sheet import portfolio_sheet, signal_section


def test_the_signal_s_figures_stand_in_its_table_and_charts() -> None:
    report, predictions, _ = made_run(champion=True)
    words = Page(made_page(champion=True)).words()
    section = signal_section(predictions, NAMES, report.horizon, model_styles(NAMES))
    assert [chart.name for chart, _ in section.charts] == ["rank-ic", "quantiles", "decay", "persistence"]
    for name in NAMES:
        found = read_signals(predictions, [name], report.horizon)[name].figures
        spread = 10_000 * found.spread.value
        assert f"{name} {spread:+.1f} {10_000 * found.spread.low:+.1f} to {10_000 * found.spread.high:+.1f}" in words
        assert f"{found.decay[0].value:+.3f} {found.decay[0].low:+.3f} to {found.decay[0].high:+.3f}" in words
        decay = next(chart for chart, _ in section.charts if chart.name == "decay")
        (series,) = [one for one in decay.plots[0].series if one.name == name]
        assert list(series.values) == [one.value for one in found.decay]
        assert f"5 {found.decay[4].value:+.3f} (" in decay.description


def test_a_portfolio_s_days_stand_in_its_tables() -> None:
    report, predictions, _ = made_run(champion=True)
    words = Page(made_page(champion=True)).words()
    result = trade(report, predictions, 10, 0.2)
    own = np.array(result.models["linear"].long_short.after_costs.returns)
    days = np.array(result.days, dtype="datetime64[D]")
    for one in worst_drawdowns(days, own):
        assert f"{one.peak} {one.trough} {one.recovered or 'not yet'} {100 * one.depth:.1f}% {one.days}" in words
    september = own[(days >= np.datetime64("2012-09-01")) & (days < np.datetime64("2012-10-01"))]
    assert re.search(rf"2012 {re.escape(f'{100 * (np.prod(1 + september) - 1):+.1f}%')} ", words)
    sheet = portfolio_sheet(result, "linear")
    assert len(sheet.exposures) == 2 * len(result.models)
    assert all(row.beta[0] in words and row.alpha[1] in words for row in sheet.exposures)
    assert sheet.rolling is not None
    assert "sessions at each point, after costs; the bands hold 95 %" in sheet.caption


def test_what_cannot_be_had_is_a_word() -> None:
    report, predictions, histories = made_run(names=("linear",), days=30)
    words = Page(render_html(report, predictions, histories)).words()
    assert "A rolling Sharpe ratio needs 60 sessions, and there are 30." in words
    alone = predictions[predictions["share_id"] == predictions["share_id"].iloc[0]]
    words = Page(render_html(report, alone, histories)).words()
    assert "Shares are ranked within a day, which takes three of them" in words
    assert "Month by month" not in words
    nothing = dataclasses.replace(report, models={})
    assert "no predictions to look at" in signal_section(predictions, [], nothing.horizon, {}).without


def test_a_page_of_ten_years_is_small() -> None:
    assert len(render_html(*made_run(shares=20, days=2500)).encode()) < 2_000_000


@pytest.mark.parametrize("days", [1, 2, 3])
def test_a_test_split_of_a_few_days_is_a_page(days: int) -> None:
    report, predictions, histories = made_run(names=("linear",), days=days)
    assert "The signal by itself" in Page(render_html(report, predictions, histories)).words()
