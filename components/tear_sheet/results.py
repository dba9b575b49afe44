"""A tear sheet's figures, as a run keeps them. Nothing heavier than the standard library is imported here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from components.evidence.interval import Interval
from components.records import Number


@dataclass(frozen=True)
class SignalFigures:
    """What a model's scores are like.

    Attributes:
        groups: by quantile, the lowest scores first: mean return of the group over the horizon less that of all shares
            of the day.
        spread: that of the highest group less that of the lowest one.
        lags: sessions, ascending.
        decay: at each lag, the mean over days of the rank correlation of a day's scores with the returns of so many
            sessions later; at 0 it is the rank IC.
        persistence: at each lag, the mean over days of the rank correlation of a day's scores with those of so many
            sessions later; 1 at 0.
        every: of so many days one is looked at in `decay` and `persistence`.
    """

    groups: tuple[Interval, ...]
    spread: Interval
    lags: tuple[int, ...]
    decay: tuple[Interval, ...]
    persistence: tuple[Interval, ...]
    every: int


@dataclass(frozen=True)
class Drawdown:
    """A loss from a former height, until the height is reached again.

    Attributes:
        peak: the day on whose close the height stood, ISO; the first day where it is the beginning.
        trough: of the lowest value.
        recovered: of the first value as high as the peak; empty where there is none yet.
        depth: the loss, from -1 to 0.
        days: sessions from the peak until it is recovered, or until the last one.
    """

    peak: str
    trough: str
    recovered: str
    depth: Number
    days: int


@dataclass(frozen=True)
class Exposure:
    """What a portfolio owes to the market, by a line through daily returns.

    Attributes:
        beta: its slope.
        alpha: its height where the market stands still, times 252: the mean return a year beside what beta explains.
        correlation: of the daily returns.
    """

    beta: Interval
    alpha: Interval
    correlation: Interval


@dataclass(frozen=True)
class PortfolioFigures:
    """The days of a model's long-short portfolio after costs, and every portfolio's exposure to equal weight.

    Attributes:
        model: whose portfolio it is.
        costs: basis points of what is traded.
        quantile: share of a day's shares on each side.
        months: compounded return of each month that was traded in, by month, such as "2012-09".
        drawdowns: the worst, the deepest first.
        exposures: by model or baseline, of its portfolios `long_short` and `long_only`.
        window: sessions that each rolling figure is of.
        rolling_days: the last days of the windows, ISO; empty where there are fewer days than a window has.
        rolling: Sharpe ratio a year of each window, of `long_short`, `long_only` and `equal_weight`.
    """

    model: str
    costs: Number
    quantile: Number
    months: Mapping[str, Number]
    drawdowns: tuple[Drawdown, ...]
    exposures: Mapping[str, Mapping[str, Exposure]]
    window: int
    rolling_days: tuple[str, ...]
    rolling: Mapping[str, tuple[Interval, ...]]
