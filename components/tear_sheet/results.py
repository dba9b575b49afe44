"""A tear sheet's figures, as a run keeps them. Nothing heavier than the standard library is imported here."""

from __future__ import annotations

from dataclasses import dataclass

from components.evidence.interval import Interval


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
