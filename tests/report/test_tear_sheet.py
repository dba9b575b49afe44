"""The tear sheet of a page: figures of components.tear_sheet as people read them, a word where there are none."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import numpy as np
import pytest
from hand_made_run import NAMES, made_page, made_run
from shown import Page

from components.records import to_json
from components.tear_sheet.portfolio import portfolio_figures, rolling_sharpe, worst_drawdowns
from components.tear_sheet.signal import read_signals
from pipeline.report.backtest import trade
from pipeline.report.page import render_html, write_report
from pipeline.report.palette import model_styles
from pipeline.report.tear_sheet import portfolio_sheet, signal_section
from pipeline.runs.folder import read_report


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
    sheet = portfolio_sheet(portfolio_figures(result, "linear"), len(result.days))
    assert len(sheet.exposures) == 2 * len(result.models)
    assert all(row.beta[0] in words and row.alpha[1] in words for row in sheet.exposures)
    assert sheet.rolling is not None
    assert "sessions at each point, after costs; the bands hold 95 %" in sheet.caption


def test_the_portfolio_s_figures_stand_in_report_json(tmp_path: Path) -> None:
    report, predictions, histories = made_run(champion=True)
    written = write_report(report, predictions, histories, tmp_path)
    found = read_report(tmp_path / "report.json").portfolio
    assert found is not None
    assert to_json(found) == to_json(written.portfolio)
    result = trade(report, predictions, 10, 0.2)
    assert (found.model, found.costs, found.quantile) == (report.champion, 10, 0.2)
    traded = result.models[found.model]
    own, days = np.array(traded.long_short.after_costs.returns), np.array(result.days, dtype="datetime64[D]")
    for month, value in found.months.items():
        assert value == pytest.approx(np.prod(1 + own[days.astype("datetime64[M]") == np.datetime64(month)]) - 1)
    assert set(found.months) == set(map(str, days.astype("datetime64[M]")))
    assert list(found.drawdowns) == worst_drawdowns(days, own)
    assert list(found.exposures) == list(result.models)
    both = np.array(traded.long_only.after_costs.returns), np.array(result.equal_weight.after_costs.returns)
    slope = np.polyfit(both[1], both[0], 1)[0]
    assert found.exposures[found.model]["long_only"].beta.value == pytest.approx(slope)
    ends, sharpe = rolling_sharpe(days, both[1], found.window)
    assert found.rolling_days == tuple(map(str, ends))
    assert found.rolling["equal_weight"] == tuple(sharpe)
    assert {len(one) for one in found.rolling.values()} == {len(ends)}


def test_a_portfolio_that_does_not_move_leaves_no_nan_in_report_json(tmp_path: Path) -> None:
    report, predictions, histories = made_run(names=("linear",), days=80)
    ranked = predictions.assign(forward_return=0.0, linear=predictions["share_id"].rank(method="dense") / 100)
    write_report(report, ranked, histories, tmp_path)
    text = (tmp_path / "report.json").read_text()
    assert "NaN" not in text
    found = read_report(tmp_path / "report.json").portfolio
    assert found is not None
    # The first session's costs are the only return, and later windows lie behind it.
    assert np.isnan(found.rolling["long_short"][-1].value)


def test_predictions_that_cannot_be_traded_leave_no_portfolio(tmp_path: Path) -> None:
    report, predictions, histories = made_run(names=("linear",), days=30)
    alone = predictions[predictions["share_id"] == predictions["share_id"].iloc[0]]
    assert write_report(report, alone, histories, tmp_path).portfolio is None
    assert read_report(tmp_path / "report.json").portfolio is None


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
