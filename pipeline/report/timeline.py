"""The splits of a run along a time line, to scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from components.feature_example_gen.splits import SPLITS
from pipeline.runs.results import RunReport, SplitResult

_LAST_TICK = 87.0
"""Per cent of the line, so that a year has room on a telephone's."""


@dataclass(frozen=True)
class Span:
    """A stretch of the time line: train, eval, test or gap; its start and length are in per cent of the line."""

    kind: str
    left: float
    width: float
    words: str


@dataclass(frozen=True)
class Tick:
    """A year's mark on the time line, in per cent of the line from its left."""

    left: float
    label: str


def ordered_splits(splits: Mapping[str, SplitResult]) -> list[str]:
    """Train, eval and test first and in this order, whatever else there is after them."""
    return [name for name in SPLITS if name in splits] + [name for name in splits if name not in SPLITS]


def _day(text: str) -> date | None:
    try:
        return datetime.fromisoformat(text[:10]).date()
    except ValueError:
        return None


def _line(report: RunReport) -> tuple[date, date] | None:
    """First and last day of the time line; None where no dates are known."""
    texts = [report.data.first, report.data.last]
    for split in report.splits.values():
        texts += [split.first, split.last]
    days = [day for day in map(_day, texts) if day is not None]
    return (min(days), max(days)) if days and min(days) < max(days) else None


def spans(report: RunReport) -> list[Span]:
    """The splits and the gaps between them, in the order of time."""
    line = _line(report)
    if line is None:
        return []
    start, total = line[0], (line[1] - line[0]).days + 1
    dated = []
    for name in ordered_splits(report.splits):
        split = report.splits[name]
        first, last = _day(split.first), _day(split.last)
        if first is not None and last is not None:
            dated.append((first, last, name, split))
    dated.sort(key=lambda item: item[:2])
    found: list[Span] = []
    before: tuple[date, str] | None = None
    for first, last, name, split in dated:
        if before is not None and (first - before[0]).days > 1:
            # Only the days in between: the splits' own ends are inside them.
            days = (first - before[0]).days - 1
            words = f"gap of {days} days between {before[1]} and {name}: purge and embargo"
            found.append(Span("gap", _share((before[0] - start).days + 1, total), _share(days, total), words))
        words = f"{name}: {split.first} to {split.last}, {split.rows:,} rows, {split.sessions:,} sessions"
        width = _share((last - first).days + 1, total)
        found.append(Span(name if name in SPLITS else "other", _share((first - start).days, total), width, words))
        before = (last, name)
    return found


def _share(days: int, total: int) -> float:
    return round(100 * days / total, 3)


def ticks(report: RunReport) -> list[Tick]:
    """Years along the time line, seven at most."""
    line = _line(report)
    if line is None:
        return []
    start, end = line
    total = (end - start).days + 1
    years = list(range(start.year + 1, end.year + 1))
    step = max(1, math.ceil(len(years) / 7))
    marked = [Tick(_share((date(year, 1, 1) - start).days, total), str(year)) for year in years[::step]]
    # Near the right end its label would be cut off.
    return [tick for tick in marked if tick.left <= _LAST_TICK]
