"""Train, eval and test as ranges of dates, with purge and embargo counted in sessions of the data.

    start                                                                          end
    |------ train ------|purge| embargo |-- eval --|purge| embargo |---- test ----|
                              ^ border             ^ border: the first session that the next split owns

A row belongs to the split that owns its session. It is *purged* where its longest label reaches a border, since its
answer is then made of prices of the next split, and *embargoed* where it stands within the embargo behind a border,
since its window would then hold prices of the split before. Both are counted in the sessions of the row's own share
too: the window of a share that was suspended reaches further back than that of the others. Rows before `start` and from
`end` on are in no split; without these two bounds the splits own all sessions. A window of train may reach back behind
`start`, and a label of test beyond `end`: on neither side is there a split that could be seen. This module is plain
NumPy: no TensorFlow, no TFX.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from components.errors import SplitError
from components.feature_store import WINDOW

SPLITS = ("train", "eval", "test")

# A split with fewer sessions says nothing, neither to early stopping nor to a reader.
MINIMUM_SESSIONS = 20

Dates: TypeAlias = npt.NDArray[np.datetime64]
Ints: TypeAlias = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SplitSettings:
    """What the user asks of the splits.

    Attributes:
        fractions: the shares of the sessions within the bounds that train, eval and test own; they sum to 1.
        dates: the first sessions of eval and test, ISO; they replace the fractions.
        embargo: sessions left out after a border. The default is the length of the window.
        embargo_fixed: whether a person has asked for that embargo, so that it stays whatever a formatter reads.
        reach: sessions of its share before a row's own that its features are made of; a window's 20 at least.
        horizons: every horizon (sessions ahead) that rows get a label for; the longest decides the purge.
        horizon: the one that is trained; a row without this label is left out.
        start: the first session that is used, ISO; None for the first of the data.
        end: the first session that is no longer used, ISO; None for none.
    """

    fractions: tuple[float, float, float] = (0.7, 0.1, 0.2)
    dates: tuple[str, str] | None = None
    embargo: int = WINDOW
    horizons: tuple[int, ...] = (1, 20)
    horizon: int = 1
    start: str | None = None
    end: str | None = None
    reach: int = WINDOW - 1
    embargo_fixed: bool = False

    def __post_init__(self) -> None:
        """Checks the settings.

        Raises:
            SplitError: a setting makes no sense; the message names it.
        """
        if len(self.fractions) != 3 or min(self.fractions) <= 0 or not abs(sum(self.fractions) - 1) <= 1e-6:
            why = f"split fractions {self.fractions} must be three positive numbers that sum to 1"
            raise SplitError(why, "fractions")
        if self.embargo < 0:
            raise SplitError(f"embargo {self.embargo} must not be negative", "embargo")
        if not self.horizons or min(self.horizons) < 1:
            raise SplitError(f"horizons {self.horizons} must be 1 or more each", "horizons")
        if self.horizon not in self.horizons:
            raise SplitError(f"horizon {self.horizon} must be one of the horizons {self.horizons}", "horizon")
        parts = zip(SPLITS[1:], self.dates or (), strict=False)
        given = [("start", self.start, "start"), *((*part, "dates") for part in parts), ("end", self.end, "end")]
        dated = [(*one, _parse_date(one[1], one[2])) for one in given if one[1] is not None]
        for (name, text, setting, date), (later_name, later_text, later_setting, later) in pairwise(dated):
            if date >= later and setting == later_setting:
                raise SplitError(f"split dates {text},{later_text}: eval must begin before test", setting)
            if date >= later:
                why = f"the split's {name} {text} must lie before its {later_name} {later_text}"
                raise SplitError(why, setting if later_setting == "dates" else later_setting)

    def reaching(self, reach: int) -> SplitSettings:
        """The same for a formatter of another reach; an embargo that nobody has asked for goes with it."""
        asked = self.embargo_fixed or self.embargo != self.reach + 1  # earlier versions kept the number alone
        return replace(self, reach=reach, embargo=self.embargo if asked else reach + 1)


@dataclass(frozen=True)
class SplitRange:
    """One split: its sessions by index into `SplitPlan.sessions`, purge and embargo not yet taken off.

    Attributes:
        name: train, eval or test.
        owned: [first, end) of the sessions it owns.
        start: the first session whose rows are used, after the embargo.
    """

    name: str
    owned: tuple[int, int]
    start: int

    @property
    def end(self) -> int:
        """The session behind its last one: the next border."""
        return self.owned[1]


@dataclass(frozen=True)
class SplitPlan:
    """Where the borders lie in the sessions of the data.

    Attributes:
        sessions: every session of the data, ascending, shape [sessions].
        ranges: train, eval, test.
        embargo: as in SplitSettings.
        horizons: as in SplitSettings.
        horizon: as in SplitSettings.
        reach: as in SplitSettings.
    """

    sessions: Dates
    ranges: tuple[SplitRange, SplitRange, SplitRange]
    embargo: int
    horizons: tuple[int, ...]
    horizon: int
    reach: int = WINDOW - 1

    @property
    def lookback(self) -> int:
        """How many sessions of its own share a row must have behind the border: its reach, or a shorter embargo."""
        return min(self.embargo, self.reach)

    def assign(self, session: Ints, oldest: Ints, label_end: Ints) -> tuple[Ints, Ints]:
        """Says for each row where it goes.

        Args:
            session: index of the row's session, shape [rows].
            oldest: index of the session `lookback` sessions of its own share before; -1 where the data does not tell
                it, as in a share's first windows, shape [rows].
            label_end: index of the last session that any of its labels is made of, shape [rows].

        Returns:
            split: 0, 1, 2 for train, eval, test, -1 for rows left out by embargo or purge, shape [rows].
            purged: 0, 1, 2 where that split lost the row to the purge, else -1, shape [rows].
        """
        split = np.full(session.shape, -1, np.int64)
        purged = np.full(session.shape, -1, np.int64)
        for index, part in enumerate(self.ranges):
            # Before the first split and behind the last there is none, so nothing reaches into another there.
            first, last = index == 0, index == len(self.ranges) - 1
            inside = (session >= part.start) & (session < part.end) & ((oldest >= part.owned[0]) | first)
            reaches = inside & (label_end >= part.end) & (not last)
            split[inside & ~reaches] = index
            purged[reaches] = index
        return split, purged


def plan_splits(sessions: Dates, settings: SplitSettings) -> SplitPlan:
    """Draws the borders.

    Args:
        sessions: every session of the data, ascending and distinct, shape [sessions].
        settings: what was asked for.

    Returns:
        The plan.

    Raises:
        SplitError: the data is too short, or a border lies outside it.

    >>> sessions = np.arange("2010-01-01", "2012-09-27", dtype="datetime64[D]")
    >>> [(part.name, str(sessions[part.start])) for part in plan_splits(sessions, SplitSettings()).ranges]
    [('train', '2010-01-01'), ('eval', '2011-12-23'), ('test', '2012-04-01')]
    """
    count = len(sessions)
    start, end = _bounds(sessions, settings)
    if settings.dates is None:
        borders = _borders(start, end, settings.fractions)
    else:
        borders = [int(np.searchsorted(sessions, np.datetime64(_parse_date(text), "D"))) for text in settings.dates]
        for text, border in zip(settings.dates, borders, strict=True):
            if border in (0, count):
                raise SplitError(
                    f"split date {text} lies outside the data, which has {count} sessions"
                    + (f" from {sessions[0]} to {sessions[-1]}" if count else "")
                )
    edges = [start, *borders, end]
    ranges = tuple(
        SplitRange(name, (edges[i], edges[i + 1]), edges[i] + (settings.embargo if i else 0))
        for i, name in enumerate(SPLITS)
    )
    bounded = "" if end - start == count else f" from {sessions[start]} to {sessions[end - 1]}"
    reads = f" (the formatter reads {settings.reach} sessions back)" if settings.reach >= WINDOW else ""
    for part, usable in zip(ranges, _usable(edges, count, settings), strict=True):
        if usable < MINIMUM_SESSIONS:
            raise SplitError(
                f"the data is too short: {end - start} sessions{bounded} leave the {part.name} split {max(usable, 0)} "
                f"sessions after an embargo of {part.start - part.owned[0]}{reads} and the longest horizon of "
                f"{max(settings.horizons)}, and at least {MINIMUM_SESSIONS} are needed; "
                + _what_would_do(start, end, count, settings)
            )
    asked = (settings.embargo, settings.horizons, settings.horizon, settings.reach)
    return SplitPlan(sessions, (ranges[0], ranges[1], ranges[2]), *asked)


def _borders(start: int, end: int, fractions: Sequence[float]) -> list[int]:
    """The first sessions of eval and test."""
    train, evaluation, _ = fractions
    return [start + round((end - start) * part) for part in (train, train + evaluation)]


def _usable(edges: Sequence[int], count: int, settings: SplitSettings) -> tuple[int, int, int]:
    """How many sessions each split has whose rows have features and labels.

    Args:
        edges: where each split begins, and where the last one ends.
        count: sessions of the data.
        settings: embargo, horizons and reach.
    """
    longest = max(settings.horizons)
    # The sessions are those of windows; what reads further back has its first row later.
    without = max(0, settings.reach - (WINDOW - 1) - edges[0])
    # Labels of the last split may be made of later prices, as far as there are any.
    return (
        edges[1] - longest - edges[0] - without,
        edges[2] - longest - edges[1] - settings.embargo,
        min(edges[3], count - longest) - edges[2] - settings.embargo,
    )


def fractions_words(fractions: Sequence[float]) -> str:
    """How fractions are asked for: by the flag, or by the setting."""
    parts = [f"{part:.3g}" for part in fractions]
    return f"--split-fractions {','.join(parts)} (in awesome.toml: split_fractions = [{', '.join(parts)}])"


def _what_would_do(start: int, end: int, count: int, settings: SplitSettings) -> str:
    """What a user can change: the fractions nearest to those that were asked for, if there are such, else the data."""
    for parts in (20, 100):
        asked = [round(part * parts) for part in settings.fractions]
        fitting = [
            (abs(evaluation - asked[1]) + abs(test - asked[2]), -test, (parts - evaluation - test, evaluation, test))
            for evaluation in range(1, parts - 1)
            for test in range(1, parts - evaluation)
            if min(_usable(_edges(start, end, (parts - evaluation - test, evaluation, test), parts), count, settings))
            >= MINIMUM_SESSIONS
        ]
        if fitting:
            chosen = fractions_words([part / parts for part in min(fitting)[2]])
            instead = "" if settings.dates is None else ", with no split_dates"
            return f"take {chosen}{instead}, or bring more sessions"
    # With nothing to spare each split has the least.
    lacking = 3 * MINIMUM_SESSIONS - sum(_usable((start, start, start, end), count, settings))
    lacking = max(lacking, 1)
    less = ", or take a formatter that reads less far back" if settings.reach >= WINDOW else ""
    return f"bring some {lacking} sessions more, or a shorter horizon{less}"


def _edges(start: int, end: int, parts: Sequence[int], of: int) -> tuple[int, int, int, int]:
    first, second = _borders(start, end, [part / of for part in parts])
    return start, first, second, end


def _bounds(sessions: Dates, settings: SplitSettings) -> tuple[int, int]:
    """The first session that is used and the one behind the last, as indices."""
    start, end = 0, len(sessions)
    if settings.start is not None:
        start = int(np.searchsorted(sessions, np.datetime64(_parse_date(settings.start), "D")))
    if settings.end is not None:
        end = int(np.searchsorted(sessions, np.datetime64(_parse_date(settings.end), "D")))
    if start >= end and len(sessions):
        bounds = " and ".join(
            f"{name} {text}" for name, text in (("start", settings.start), ("end", settings.end)) if text is not None
        )
        leave = "leave" if settings.start is not None and settings.end is not None else "leaves"
        raise SplitError(
            f"the split's {bounds} {leave} no session of the data, which has {len(sessions)} from {sessions[0]} to "
            f"{sessions[-1]}"
        )
    return start, end


def describe_plan(plan: SplitPlan) -> Sequence[tuple[str, str, str, int]]:
    """Name, first and last session (ISO) and number of sessions of each split, the embargo taken off."""
    return [(p.name, str(plan.sessions[p.start]), str(plan.sessions[p.end - 1]), p.end - p.start) for p in plan.ranges]


def _parse_date(text: str, setting: str = "") -> datetime.date:
    try:
        date = datetime.date.fromisoformat(text)
    except ValueError:
        date = None
    # Newer Python reads 20190603 and 2019-W23-1 too, older does not.
    if date is None or date.isoformat() != text:
        raise SplitError(f"split date {text!r} is not a date such as 2019-06-03", setting)
    return date
