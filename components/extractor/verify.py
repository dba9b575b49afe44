"""Judges what a source gave before anything of it is stored."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from components.errors import SourceError
from components.extractor.sources.base import AdjustedCloses, Factors, History, Steps
from components.feature_store.arrays import Booleans
from components.feature_store.rules import impossible, outside_range

_Record = TypeVar("_Record", bound=History | Factors | Steps | AdjustedCloses)


def verify(source: str, share: str, history: History, last_closed: dt.date) -> History:
    """Leaves out bars of sessions that are still open, and refuses a history that cannot be true.

    Returns:
        The history in ascending dates, each once, up to `last_closed`, the last session whose bar is final.

    Raises:
        SourceError: a date is out of order or there twice, or a bar is impossible; nothing of the share is taken then,
            as a reply with one false bar proves nothing of the others.
    """
    closed = history.time <= np.datetime64(last_closed, "D")
    if not closed.all():
        # First: sources show the open session's bar, some of them twice.
        history = select(history, closed)
    time = history.time

    def refuse(bad: Booleans, what: str) -> None:
        if bad.any():
            day = int(np.argmax(bad))
            bar = ", ".join(f"{name} {getattr(history, name)[day]:g}" for name in ("open", "high", "low", "close"))
            raise SourceError(f"{source}, share {share}: {what} on {time[day]} ({bar}); nothing was stored")

    refuse(np.append(False, time[1:] == time[:-1])[: len(time)], "the session is there twice")
    refuse(np.append(False, time[1:] < time[:-1])[: len(time)], "the dates are out of order")
    for name in ("close", "open", "high", "low"):
        refuse(impossible(name, getattr(history, name)), f"the {name} is no price")
    refuse(history.high < history.low, "the high is below the low")
    for name in ("open", "close"):
        outside = outside_range(getattr(history, name), history.low, history.high)
        refuse(outside, f"the {name} is outside [low, high]")
    refuse(impossible("volume", history.volume), "the volume is impossible")
    adjustment = history.adjustment
    # An adjusted close of 0 or less is possible where cash is added and not multiplied.
    close = isinstance(adjustment, AdjustedCloses)
    refuse(
        ~np.isfinite(adjustment.value) if close else impossible("factor", adjustment.value),
        "the adjustment is impossible",
    )
    return history


def select(history: _Record, kept: Booleans) -> _Record:
    """Some of the sessions of a history, or of what it holds; `kept` tells which, shape (n,)."""
    cut: dict[str, Any] = {}
    for name, value in vars(history).items():
        if isinstance(value, np.ndarray):
            cut[name] = value[kept]
        elif isinstance(value, (Factors, Steps, AdjustedCloses)):
            cut[name] = select(value, kept)
    return replace(history, **cut)
