"""What users of tear sheets look for, as parts of a page: the signal by itself, and a portfolio's days."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from components.evidence.interval import UNKNOWN, Interval
from components.evidence.words import low_to_high, number
from components.tear_sheet.results import Drawdown, PortfolioFigures, SignalFigures
from components.tear_sheet.signal import GROUPS, MOST_ROWS, Signal, read_signals
from pipeline.report.palette import Chart
from pipeline.report.words import points, points_of_one_precision, ratio

if TYPE_CHECKING:
    import pandas as pd

    from pipeline.report.palette import Style

_PORTFOLIOS = {"long_short": "long-short", "long_only": "long-only", "equal_weight": "equal weight"}
"""What the portfolios of a tear sheet are called on a page."""

_BASIS_POINTS = 10_000


@dataclass(frozen=True)
class SignalSection:
    """The scores beside what followed.

    Attributes:
        charts: each with its caption.
        rows: of the table, a row a model: its name, and as text the spread between the outer groups, the rank IC of the
            next session's scores and how alike these are.
        without: why there is nothing to show; empty where there is.
        note: on what was looked at; may be empty.
    """

    charts: tuple[tuple[Chart, str], ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()
    without: str = ""
    note: str = ""


@dataclass(frozen=True)
class MonthCell:
    """A month's return: as text, and how strongly it is coloured, from -1 to 1; empty where it was not traded."""

    text: str = ""
    strength: float = 0.0


@dataclass(frozen=True)
class ExposureRow:
    """A portfolio's exposure to equal weight, as texts: each figure and the ends of its interval."""

    model: str
    portfolio: str
    beta: tuple[str, str]
    alpha: tuple[str, str]
    correlation: tuple[str, str]


@dataclass(frozen=True)
class PortfolioSheet:
    """The days of a model's long-short portfolio after costs, and every portfolio's exposure to the market.

    Attributes:
        model: whose portfolio it is.
        rolling: the chart of the Sharpe ratio as time passes; None where the days are too few.
        caption: of it, or why there is none.
        months: by year, its twelve months and the whole.
        drawdowns: the worst, the deepest first.
        exposures: a row a portfolio.
    """

    model: str
    rolling: Chart | None
    caption: str
    months: tuple[tuple[int, tuple[MonthCell, ...]], ...]
    drawdowns: tuple[Drawdown, ...]
    exposures: tuple[ExposureRow, ...]


def signal_section(
    predictions: pd.DataFrame,
    models: Sequence[str],
    horizon: int,
    styles: Mapping[str, Style],
    signals: Mapping[str, Signal] | None = None,
) -> SignalSection:
    """Shows every model's scores; a section that says why where there are too few shares or days.

    Args:
        predictions: as in `read_signals`.
        models: columns.
        horizon: sessions ahead that returns reach.
        styles: by model.
        signals: what `read_signals` says of them, where that is known.
    """
    from pipeline.report.rank_ic_chart import rank_ic_chart
    from pipeline.report.tear_sheet_charts import estimates_chart

    if len(predictions) == 0 or not models:
        return SignalSection(without="There are no predictions to look at.")
    seen = signals or read_signals(predictions, models, horizon)
    found = {name: one.figures for name, one in seen.items()}
    first = next(iter(found.values()))
    if all(math.isnan(one.decay[0].value) for one in found.values() if one.decay) or not first.lags:
        return SignalSection(
            without="Shares are ranked within a day, which takes three of them, and a second day to look ahead from."
        )
    lags = [str(lag) for lag in first.lags]
    charts = [
        (
            rank_ic_chart(next(iter(seen.values())).days, {name: one.daily for name, one in seen.items()}, styles),
            "A mean of days that lie close together says how the rank IC wandered, and has no interval here: of "
            "windows that overlap the eye makes trends of nothing. That of all days has one, in the tables.",
        ),
        (
            estimates_chart(
                "quantiles",
                "Return by quantile group",
                {name: [_scaled(group) for group in one.groups] for name, one in found.items()},
                [str(place) for place in range(1, GROUPS + 1)],
                styles,
                ("group of scores, the highest last", "basis points beside the day's mean"),
                decimals=1,
            ),
            f"Mean return over the horizon of each fifth of a day's shares less that of all, with 95 % intervals over "
            f"blocks of days. Scores that know something climb from 1 to {GROUPS}; one group that sticks out does not "
            "make a signal.",
        ),
        (
            estimates_chart(
                "decay",
                "How fast the signal decays",
                {name: one.decay for name, one in found.items()},
                lags,
                styles,
                ("sessions from score to return", "rank IC"),
            ),
            "Rank IC of a day's scores with the return that begins so many sessions later, with 95 % intervals over "
            "blocks of days. Hollow: the interval holds 0. Several lags were looked at: one in twenty of them leaves 0 "
            "aside by luck."
            + (f" At a horizon of {horizon}, lags below it see a part of the same return." if horizon > 1 else ""),
        ),
        (
            estimates_chart(
                "persistence",
                "How long scores stay",
                {name: one.persistence for name, one in found.items()},
                lags,
                styles,
                ("sessions between scores", "rank autocorrelation"),
            ),
            "Rank correlation of a day's scores with those of so many sessions later, with 95 % intervals over blocks "
            "of days. What turns over in a session has to earn the costs of a session.",
        ),
    ]
    return SignalSection(
        charts=tuple((chart, caption) for chart, caption in charts if chart is not None),
        rows=tuple(_signal_row(name, one) for name, one in found.items()),
        note=""
        if first.every == 1
        else f"Of more than {MOST_ROWS:,} rows, decay and persistence look at one day in {first.every}.",
    )


def _scaled(one: Interval) -> Interval:
    return Interval(*(_BASIS_POINTS * part for part in (one.value, one.low, one.high, one.standard_error)))


def _signal_row(name: str, one: SignalFigures) -> tuple[str, ...]:
    def written(estimate: Interval, decimals: int = 3) -> tuple[str, str]:
        def write(value: float) -> str:
            return number(value, signed=True, decimals=decimals)

        return write(estimate.value), low_to_high(estimate.low, estimate.high, write)

    at = {lag: place for place, lag in enumerate(one.lags)}
    later = [part[at[1]] if 1 in at else UNKNOWN for part in (one.decay, one.persistence)]
    cells = (written(_scaled(one.spread), 1), written(one.decay[0]), *map(written, later))
    return (name, *(text for cell in cells for text in cell))


def portfolio_sheet(found: PortfolioFigures, sessions: int) -> PortfolioSheet:
    """What a page shows of a portfolio's days, of which there are so many `sessions`."""
    from pipeline.report.tear_sheet_charts import rolling_chart

    rolling = None
    caption = f"A rolling Sharpe ratio needs {found.window} sessions, and there are {sessions}."
    if found.rolling_days:
        days = np.array(found.rolling_days, dtype="datetime64[D]")
        rolling = rolling_chart({_PORTFOLIOS[name]: (days, one) for name, one in found.rolling.items()}, found.window)
        caption = (
            f"Of the latest {found.window} sessions at each point, after costs; the bands hold 95 % over blocks of "
            "these sessions. Neighbouring points share most of their sessions, so a long stay above 0 is one finding "
            "and not many."
        )
    rows = [
        (name, _PORTFOLIOS[portfolio], one)
        for name, portfolios in found.exposures.items()
        for portfolio, one in portfolios.items()
    ]
    write = points_of_one_precision(end for *_, one in rows for end in (one.alpha.value, one.alpha.low, one.alpha.high))
    return PortfolioSheet(
        model=found.model,
        rolling=rolling,
        caption=caption,
        months=_months(found.months),
        drawdowns=found.drawdowns,
        exposures=tuple(
            ExposureRow(
                name,
                portfolio,
                (ratio(one.beta.value), low_to_high(one.beta.low, one.beta.high, ratio)),
                (write(one.alpha.value), low_to_high(one.alpha.low, one.alpha.high, write)),
                (ratio(one.correlation.value), low_to_high(one.correlation.low, one.correlation.high, ratio)),
            )
            for name, portfolio, one in rows
        ),
    )


def _months(found: Mapping[str, float]) -> tuple[tuple[int, tuple[MonthCell, ...]], ...]:
    largest = max(map(abs, found.values()), default=0) or 1
    years: dict[int, dict[int, float]] = {}
    for name, value in found.items():
        year, month = map(int, name.split("-"))
        years.setdefault(year, {})[month] = value
    rows = []
    for year, months in sorted(years.items()):
        cells = [
            MonthCell(points(months[month]), round(months[month] / largest, 2)) if month in months else MonthCell()
            for month in range(1, 13)
        ]
        whole = math.prod(1 + value for value in months.values()) - 1
        rows.append((year, (*cells, MonthCell(points(whole)))))
    return tuple(rows)
