"""A run's backtest as a section of a page: what was traded, what it is worth, and how to read it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.backtest import DEFAULT_COSTS, DEFAULT_QUANTILE, Backtest, BacktestError, backtest
from components.tear_sheet.portfolio import portfolio_figures
from components.tear_sheet.results import PortfolioFigures
from pipeline.report.backtest_summary import BacktestRow, backtest_rows, judge
from pipeline.report.palette import Chart
from pipeline.report.tear_sheet import PortfolioSheet, portfolio_sheet
from pipeline.report.templates import load_template
from pipeline.report.tries import best_portfolio
from pipeline.report.verdict import Verdict
from pipeline.report.words import basis_points, readable_time, share_percent
from pipeline.runs.results import ReportError, RunReport

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class BacktestSection:
    """What a page shows of a backtest.

    Attributes:
        verdict: what it means; where it could not be made, why.
        rows: the table, empty where it could not be made.
        chart: growth and drawdown of the chosen model; None where it could not be made.
        notes: how it was traded, and what is not in the figures, a sentence each.
        sheet: the days of the chosen model's portfolio; None where it could not be made.
    """

    verdict: Verdict
    rows: tuple[BacktestRow, ...] = ()
    chart: Chart | None = None
    notes: tuple[str, ...] = ()
    sheet: PortfolioSheet | None = None


@dataclass(frozen=True)
class Traded:
    """A backtest at the default costs, its tear sheet's figures, and what is drawn; else `why` there is none."""

    result: Backtest | None = None
    figures: PortfolioFigures | None = None
    chart: Chart | None = None
    sheet: PortfolioSheet | None = None
    why: str = ""


def traded_of(report: RunReport, predictions: pd.DataFrame) -> Traded:
    """Trades a run's predictions, and draws what comes of it; says why where they cannot be traded."""
    from pipeline.report.backtest_chart import growth_chart

    try:
        result, model = trade(report, predictions, DEFAULT_COSTS, DEFAULT_QUANTILE), default_model(report)
    except (BacktestError, ReportError) as error:
        return Traded(why=str(error))
    figures = portfolio_figures(result, model)
    return Traded(result, figures, growth_chart(result, model), portfolio_sheet(figures, len(result.days)))


def backtest_section(report: RunReport, traded: Traded) -> BacktestSection:
    """Makes the section of a run's page of what was drawn; predictions that cannot be traded give one that says why."""
    if traded.result is None or traded.chart is None or traded.sheet is None:
        return BacktestSection(Verdict("plain", "No backtest", f"{traded.why[:1].upper()}{traded.why[1:]}."))
    return _section(report, traded.result, default_model(report), traded.chart, traded.sheet)


def render_backtest(report: RunReport, result: Backtest, model: str) -> str:
    """Makes the page of `awesome backtest`; `model` is the one that the chart and the verdict are about."""
    return load_template(Path(__file__).with_name("backtest.html.j2")).render(
        backtest=section_of(report, result, model),
        report=report,
        created=readable_time(report.created),
        result=result,
        model=model,
        costs=basis_points(result.costs),
        standalone=True,
    )


def default_model(report: RunReport) -> str:
    """The model that a backtest is about where none is named: the champion, else the first.

    Raises:
        BacktestError: the run has no model.
    """
    if not report.models:
        raise BacktestError("the run has no model to trade by: run `awesome run` again")
    # Not the one with the highest return: that would be a choice made by the test split.
    if report.champion is not None and report.champion in report.models:
        return report.champion
    return next(iter(report.models))


def traded_models(report: RunReport, predictions: pd.DataFrame) -> list[str]:
    """The run's models, and the baselines beside them; reports of older runs have none."""
    return [*report.models, *(name for name in report.baselines if name in predictions.columns)]


def trade(report: RunReport, predictions: pd.DataFrame, costs: float, quantile: float) -> Backtest:
    """Trades a run's predictions, at costs in basis points of what is traded.

    Raises:
        BacktestError: they cannot be traded.
    """
    return backtest(
        predictions, traded_models(report, predictions), horizon=report.horizon, costs=costs, quantile=quantile
    )


def section_of(report: RunReport, result: Backtest, model: str) -> BacktestSection:
    """What a page shows of a backtest; `model` is the one that the chart and the verdict are about."""
    from pipeline.report.backtest_chart import growth_chart

    sheet = portfolio_sheet(portfolio_figures(result, model), len(result.days))
    return _section(report, result, model, growth_chart(result, model), sheet)


def _section(report: RunReport, result: Backtest, model: str, chart: Chart, sheet: PortfolioSheet) -> BacktestSection:
    return BacktestSection(judge(report, result, model), backtest_rows(result), chart, _notes(report, result), sheet)


def _notes(report: RunReport, result: Backtest) -> tuple[str, ...]:
    sessions = "the next session" if result.horizon == 1 else f"{result.horizon} sessions, in as many overlapping parts"
    share = share_percent(result.quantile)
    notes = [
        f"At each day's close the {result.shares} shares are ranked by their probability. Long-short buys the highest "
        f"{share} with all of the capital and sells as much of the lowest {share} short; long-only buys the highest "
        f"alone; at least one share a side. They are held for {sessions}. Ties share their places.",
        f"Costs are {basis_points(result.costs)} of whatever is bought or sold, also of getting back to the weights "
        "after prices have moved them. Turnover is half of that trade, a day.",
        "Equal weight holds all shares alike, is brought back to it every day, and pays the same costs.",
        "Not in the figures: impact on the price, fees for borrowing shares, interest and taxes. A probability is "
        "known only after the close at which it is traded here.",
        "The intervals resample blocks of days. They say nothing about other years, and nothing about how many models, "
        "quantiles and settings were tried before; the deflated Sharpe ratio does, of models.",
    ]
    test = report.splits.get("test")
    if test is not None and test.unlabelled:
        notes.append(
            f"{test.unlabelled:,} rows without a label (close unchanged, or what follows not yet known) are not "
            "ranked: a share is left out on such a day, which nobody could have known on it."
        )
    unpriced = max(
        portfolio.unpriced for model in result.models.values() for portfolio in (model.long_short, model.long_only)
    )
    if unpriced > 0:
        notes.append(
            f"Up to {share_percent(unpriced)} of what is held has no known return on a day, as its row has no label; "
            "it counts as unchanged."
        )
    if report.tries is not None and report.tries.overfitting is not None:
        notes.append(best_portfolio(report.tries.overfitting))
    return tuple(notes)
