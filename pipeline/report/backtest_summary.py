"""A backtest for people: the table, and one sentence that claims no more than the intervals."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.evidence.words import low_to_high
from components.plausibility.record import name_some, what_to_do
from pipeline.report.summary import TONE_STYLES, titled_table
from pipeline.report.tries import SURE, best_portfolio, or_unknown
from pipeline.report.verdict import Verdict
from pipeline.report.words import basis_points, points, points_of_one_precision, rate, ratio, share_percent
from pipeline.runs.results import RunReport

if TYPE_CHECKING:
    from components.backtest import Backtest, PortfolioResult
    from components.evidence.interval import Interval

EQUAL_WEIGHT = "equal weight"

_NAME_WIDTH = 11
"""Columns of a terminal that the longest names have; beyond, they wrap at their underscores."""


@dataclass(frozen=True)
class BacktestRow:
    """One portfolio, every figure as it is written, after costs but where it says before.

    Equal weight has no model, and no difference: the mean return a year less that of equal weight, both after costs.
    Turnover is one-way, a day; the intervals are of 95 %.
    """

    model: str
    portfolio: str
    annual_return: str
    annual_volatility: str
    sharpe: str
    sharpe_interval: str
    sharpe_before: str
    sharpe_before_interval: str
    max_drawdown: str
    turnover: str
    difference: str
    difference_interval: str


def backtest_rows(result: Backtest) -> tuple[BacktestRow, ...]:
    """Writes every portfolio as a row of the table, equal weight last."""
    portfolios = [one for _, _, one in _portfolios(result)]
    differences = [one.after_costs.difference for one in portfolios if one.after_costs.difference is not None]
    of_year = points_of_one_precision(one.after_costs.annual_return for one in portfolios)
    of_difference = points_of_one_precision(end for one in differences for end in (one.value, one.low, one.high))
    return tuple(_row(*one, of_year, of_difference) for one in _portfolios(result))


def backtest_table(result: Backtest) -> Table:
    """Builds the table for a terminal; readable from 80 columns on.

    Returns:
        A row a portfolio: return and volatility a year, Sharpe after and before costs, drawdown, turnover and the
        difference from equal weight, with 95 % intervals over blocks of days.
    """
    held = "1 session" if result.horizon == 1 else f"{result.horizon} sessions"
    title = (
        f"Test split {result.days[0]} to {result.days[-1]}: {len(result.days):,} days, {result.shares} shares\n"
        f"costs {basis_points(result.costs)}, quantile {share_percent(result.quantile)}, held for {held}"
    )
    table = titled_table(title, tight=True)
    table.add_column("portfolio", width=_NAME_WIDTH, overflow="fold")
    table.add_column("a year\n(vol.)", min_width=7)
    table.add_column("Sharpe\n(95 %)", min_width=14)
    table.add_column("at no\ncosts", min_width=5)
    table.add_column("draw-\ndown", min_width=6)
    table.add_column("turn-\nover", min_width=6)
    table.add_column("vs equal\nweight (95 %)", min_width=16)
    for row in backtest_rows(result):
        model = row.model if len(row.model) <= _NAME_WIDTH else row.model.replace("_", " ")
        table.add_row(
            Text(f"{model}\n{row.portfolio}" if model else row.portfolio),
            f"{row.annual_return}\n({row.annual_volatility})",
            f"{row.sharpe}\n{row.sharpe_interval}",
            row.sharpe_before,
            row.max_drawdown,
            row.turnover,
            f"{row.difference}\n{row.difference_interval}" if row.difference else "",
        )
    return table


def print_backtest(report: RunReport, result: Backtest, model: str, console: Console) -> None:
    """Prints the table and the verdict under it."""
    console.print(backtest_table(result))
    judged = judge(report, result, model)
    console.print(Text(judged.sentence, style=TONE_STYLES[judged.tone]))
    if report.tries is not None and report.tries.overfitting is not None:
        console.print(Text(best_portfolio(report.tries.overfitting)))


def judge(report: RunReport, result: Backtest, model: str) -> Verdict:
    """Says in one sentence what may be claimed of a model, and no more.

    Returns:
        The verdict: a warning where prices are wrong, whatever was gained by them; else good where the interval of the
        long-short Sharpe ratio after costs lies above 0, a warning where it lies below, else plain.
    """
    if report.wrong_prices:
        return Verdict(
            "warning",
            "Wrong prices were traded",
            f"No market makes the returns of {name_some(report.wrong_prices)}: where the test split holds such prices "
            f"they are traded here, so no figure of this table can be believed; "
            f"{what_to_do(report.wrong_prices, report.data.database)}, and run again.",
        )
    portfolios = result.models[model]
    sharpe = portfolios.long_short.after_costs.sharpe
    days = f"{len(result.days):,} test days"
    costs = f"after costs of {basis_points(result.costs)}"
    if math.isnan(sharpe.value):
        return Verdict(
            "plain",
            "Nothing to trade",
            f"The long-short portfolio of {model} never gains or loses on {days}: no edge can be claimed.",
        )
    said = f"{model}'s long-short Sharpe {costs} is {ratio(sharpe.value)} on {days}"
    if math.isnan(sharpe.low):
        return Verdict("plain", "Too few days", f"{said}, too few for an interval: no edge after costs can be claimed.")
    ends = f"its 95 % interval {low_to_high(sharpe.low, sharpe.high, ratio)}"
    beside = _beside_equal_weight(portfolios.long_only.after_costs.difference)
    if sharpe.low > 0:
        tried = len(report.models)
        best_of = f", one of {tried} models tried" if tried > 1 else ""
        where = (
            "these days, not of other years"
            if report.market is None
            else f"the synthetic market {report.market.scenario}, not of real prices"
        )
        best = None if report.tries is None else report.tries.overfitting
        if best is not None and not best.deflated >= SURE:
            return Verdict(
                "plain",
                "It may be the best of many tries",
                f"{said}, and {ends} lies above 0, but so may that of the best of {best.tries} models without an "
                "edge: of all that were tried on these days the best portfolio has a deflated Sharpe ratio of "
                f"{or_unknown(best.deflated)}, and {SURE} would be needed; {beside}.",
            )
        return Verdict(
            "good",
            "An edge after costs on these days",
            f"{said}{best_of}, and {ends} lies above 0: an edge of {where}; {beside}.",
        )
    if sharpe.high < 0:
        return Verdict("warning", "It loses after costs", f"{said}, and {ends} lies below 0: it loses; {beside}.")
    return Verdict(
        "plain",
        "No edge after costs can be claimed",
        f"{said}, and {ends} contains 0: no edge after costs can be claimed; {beside}.",
    )


def _beside_equal_weight(difference: Interval | None) -> str:
    if difference is None or math.isnan(difference.low):
        return "long-only cannot be told from equal weight"
    ends = low_to_high(difference.low, difference.high, points)
    words = f"{points(difference.value)} a year, 95 % interval {ends}"
    if difference.low > 0:
        return f"long-only is ahead of equal weight by {words}"
    if difference.high < 0:
        return f"long-only is behind equal weight: {words}"
    return f"long-only cannot be told from equal weight: {words}"


def _portfolios(result: Backtest) -> Iterator[tuple[str, str, PortfolioResult]]:
    for name, model in result.models.items():
        yield name, "long-short", model.long_short
        yield name, "long-only", model.long_only
    yield "", EQUAL_WEIGHT, result.equal_weight


def _row(
    model: str,
    portfolio: str,
    result: PortfolioResult,
    of_year: Callable[[float], str],
    of_difference: Callable[[float], str],
) -> BacktestRow:
    after, before = result.after_costs, result.before_costs
    difference = after.difference
    return BacktestRow(
        model=model,
        portfolio=portfolio,
        annual_return=of_year(after.annual_return),
        annual_volatility=rate(after.annual_volatility),
        sharpe=ratio(after.sharpe.value),
        sharpe_interval=low_to_high(after.sharpe.low, after.sharpe.high, ratio),
        sharpe_before=ratio(before.sharpe.value),
        sharpe_before_interval=low_to_high(before.sharpe.low, before.sharpe.high, ratio),
        max_drawdown=points(after.max_drawdown),
        turnover=rate(result.turnover),
        difference="" if difference is None else of_difference(difference.value),
        difference_interval="" if difference is None else low_to_high(difference.low, difference.high, of_difference),
    )
