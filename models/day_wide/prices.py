"""Prices of many shares, and what is computed of them for every share and session: NumPy alone.

Rows stand share by share, each share's in order of its own sessions; a lag is counted in these, so a share that missed
sessions reaches further back than others, as its window of closes does. What one reaches across is bounded (`span`),
so that whoever reads the last sessions alone finds the same rows known as whoever reads all.

Equal bits are a matter of definition here. Logs of prices are rounded to multiples of 2^-40: sums of them are exact in
float64, in whatever order they are added. Sums of what is not so rounded are added in an order that follows from their
number alone (`summed`).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.float64]
Integers: TypeAlias = npt.NDArray[np.int64]
Days: TypeAlias = npt.NDArray[np.datetime64]

_GRID = 2.0**-40
_LEAST_VOLATILITY = 1e-6
_MARKET_STEP = 5
"""Sessions of the market since a share's close before, beyond which its return is none of a day's."""


def span(steps: int) -> int:
    """Sessions of the market that so many of a share's own may reach across: twice as many, and ten.

    >>> span(20), span(252)
    (50, 514)
    """
    return 2 * steps + 10


def sessions_needed(reach: int) -> int:
    """Sessions of the market before a row's own that decide what a column of such a reach is there.

    A window's oldest return may end as far back as it spans; those of the others that it is ranked among may have
    begun further back still.
    """
    return span(reach) + span(1) + 1


@dataclass(frozen=True, eq=False)
class ShareCloses:
    """The closes of one share.

    Attributes:
        share_id: the share.
        days: its sessions, ascending, datetime64[D] [n].
        close: adjusted closes, above 0, [n].
        member: whether the share belongs to the market on each of them, where it is of it at all; None for always, [n].
        bars: what else is known of the sessions, by name, [n], nan where it is not: open, high and low, adjusted as
            closes are, and volume in shares of the first day, so that a split changes none of them.
    """

    share_id: str
    days: Days
    close: Floats
    member: npt.NDArray[np.bool_] | None = None
    bars: Mapping[str, Floats] = field(default_factory=dict)

    def until(self, last: np.datetime64) -> ShareCloses:
        """Those up to a day."""
        known = int(np.searchsorted(self.days, last, side="right"))
        member = None if self.member is None else self.member[:known]
        bars = {name: values[:known] for name, values in self.bars.items()}
        return ShareCloses(self.share_id, self.days[:known], self.close[:known], member, bars)

    def members(self) -> npt.NDArray[np.bool_]:
        """Whether it belongs to the market on each day, [n]."""
        return np.ones(len(self.days), bool) if self.member is None else self.member


class DayPrices:
    """Prices of some shares, of which some are the market.

    Attributes:
        days: every session of the market, ascending, [sessions].
        begin: by share, where its rows begin.
        session: of each row, an index into `days`, [rows].
        start: of each row, the first row of its share, [rows].
        of_market: whether a row's share belongs to the market on its day, [rows].
        level: logs of closes on a grid, [rows].
    """

    def __init__(self, shares: Iterable[ShareCloses], market: Collection[str]) -> None:
        """Takes prices.

        Args:
            shares: each once, in any order.
            market: the shares that are the market: what they do on days on which they belong to it decides means and
                ranks, and all of their sessions are the market's. Rows of others on other days are left out.
        """
        ordered = sorted((one for one in shares if len(one.days)), key=lambda one: one.share_id)
        known = frozenset(market)
        every = [one.days for one in ordered if one.share_id in known]
        self.days = np.unique(np.concatenate(every)) if every else np.empty(0, "datetime64[D]")
        kept = [(one, np.flatnonzero(np.isin(one.days, self.days, assume_unique=True))) for one in ordered]
        sizes = np.array([len(at) for _, at in kept], np.int64)
        begins = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self.begin: Mapping[str, int] = {one.share_id: int(at) for (one, _), at in zip(kept, begins[:-1], strict=True)}
        self.start = np.repeat(begins[:-1], sizes)
        member = [one.members()[at] & (one.share_id in known) for one, at in kept]
        self.of_market = np.concatenate(member) if member else np.empty(0, bool)
        day = np.concatenate([one.days[at] for one, at in kept]) if kept else self.days
        close = np.concatenate([one.close[at] for one, at in kept]) if kept else np.empty(0)
        self.session = np.searchsorted(self.days, day).astype(np.int64)
        self.level = on_grid(np.log(np.ascontiguousarray(close, np.float64)))
        self._position = np.arange(len(self.level))
        self._made: dict[tuple[object, ...], Floats] = {}
        self._bars = {name: _joined(name, kept) for name in {name for one, _ in kept for name in one.bars}}

    def __len__(self) -> int:
        """Returns the number of rows."""
        return len(self.level)

    def once(self, key: tuple[object, ...], make: Callable[[], Floats]) -> Floats:
        """What several columns are made of, made for the first of them; nobody changes it."""
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]

    def logs(self, name: str) -> Floats:
        """Logs of something else of a bar on the grid, [rows]; nan where it is not known, or 0."""
        values = self._bars.get(name, np.full(len(self), np.nan))
        return on_grid(np.log(np.where(values > 0, values, np.nan)))

    def lagged(self, values: Floats, steps: int) -> Floats:
        """The values of as many of a share's own sessions before, [rows]; nan where none is near enough."""
        if not steps:
            return values
        there = self._near(steps)
        return np.where(there, values[np.where(there, self._position - steps, 0)], np.nan)

    def _near(self, steps: int) -> npt.NDArray[np.bool_]:
        """Whether a share has a session so many before each row, and not further off than `span`, [rows]."""
        before = self._position - steps
        there = before >= self.start
        return there & (self.session - self.session[np.where(there, before, 0)] <= span(steps))

    def summed(self, values: Floats, steps: int) -> Floats:
        """The sum of the values of a share's last sessions, [rows]; nan where not all are known."""
        return np.where(self._near(steps), self._added(values, steps), np.nan)

    def summed_before(self, values: Floats, steps: int) -> Floats:
        """As `summed`, of as many sessions before each row's own."""
        return np.where(self._near(steps), self.lagged(self._added(values, steps), 1), np.nan)

    def summed_with(self, values: Floats, steps: int) -> Floats:
        """As `summed`, of as many sessions before each row's own and of that."""
        return np.where(self._near(steps), self._added(values, steps + 1), np.nan)

    def _added(self, values: Floats, steps: int) -> Floats:
        """Added up by halves, so the order follows from the number alone."""
        total: Floats | None = None
        block, size, taken = values, 1, 0
        while steps >= size:
            if steps & size:
                part = self.lagged(block, taken)
                total = part if total is None else total + part
                taken += size
            block = block + self.lagged(block, size)
            size *= 2
        assert total is not None
        return total

    def moved(self, steps: int, until: int = 0) -> Floats:
        """The log return from a share's session `steps` before a row's own to that of `until` before, [rows]."""
        return self.lagged(self.level, until) - self.lagged(self.level, steps)

    @cached_property
    def market(self) -> Floats:
        """The mean of the market's shares' log returns on each of its sessions, [sessions].

        A return that ends on the session counts, if it began at most five of the market's sessions before; 0 where
        there is none.
        """
        return self.day_mean(np.where(self.recent, self.moved(1), np.nan))

    @cached_property
    def recent(self) -> npt.NDArray[np.bool_]:
        """Whether a share's session before is at most five of the market's before each row's own, [rows]."""
        before = self.session[np.maximum(self._position - 1, 0)]
        return (self._position > self.start) & (self.session - before <= _MARKET_STEP)

    def day_mean(self, values: Floats) -> Floats:
        """The mean of the market's values that are known on each of its sessions, [sessions]; 0 where there is none."""
        use = np.flatnonzero(self.of_market & ~np.isnan(values))
        total = np.bincount(self.session[use], values[use], minlength=len(self.days))
        count = np.bincount(self.session[use], minlength=len(self.days))
        return on_grid(total / np.maximum(count, 1))

    def beyond_market(self, steps: int, until: int = 0) -> Floats:
        """`moved` less what the market moved in the same sessions, [rows]."""
        return self.lagged(self._beside, until) - self.lagged(self._beside, steps)

    @cached_property
    def _beside(self) -> Floats:
        """Level less the market's index, [rows]."""
        # Both are on the grid, so differences are exact, and those of any other beginning.
        return self.level - np.cumsum(self.market)[self.session]

    def volatility(self, steps: int) -> Floats:
        """Root mean square of a share's last market-relative returns, [rows]."""
        return self.once(("volatility", steps), lambda: np.sqrt(self.summed(self._squares, steps) / steps))

    @cached_property
    def _squares(self) -> Floats:
        return np.square(self.beyond_market(1))

    def log_volatility(self, steps: int) -> Floats:
        """Log of `volatility`, [rows]; of one below a hundredth of a basis point, that of a hundredth."""
        return np.log(np.maximum(self.volatility(steps), _LEAST_VOLATILITY))

    def momentum(self, steps: int, until: int, over: int) -> Floats:
        """`beyond_market` in deviations of a sum of as many independent returns, [rows]; 0 where nothing moved.

        Their size is that of the share's last `over` market-relative returns.
        """
        size = self.volatility(over) * np.sqrt(steps - until)
        moved = self.beyond_market(steps, until)
        return np.where(size > 0, moved / np.where(size > 0, size, 1.0), 0.0 * size)

    def rank(self, values: Floats) -> Floats:
        """Where each value stands among the market's of its session, [rows]: -1/2 below all of them, 1/2 above all.

        A value that is the market's own stands in the middle of its place, so the lowest of n has -1/2 + 1/2n; ties
        stand in the middle of theirs. nan stays nan, and is no value of the others'.
        """
        found = np.full(len(values), np.nan)
        rows = np.flatnonzero(~np.isnan(values))
        order = rows[np.lexsort((values[rows], self.session[rows]))]
        if not len(order):
            return found
        session, value = self.session[order], values[order]
        member = np.concatenate([[0], np.cumsum(self.of_market[order])])  # of the market before each place
        new_day = np.append(True, session[1:] != session[:-1])
        new_value = new_day | np.append(True, value[1:] != value[:-1])
        of_day = _from_to(new_day)
        of_value = _from_to(new_value)
        before = member[of_value[0]] - member[of_day[0]]
        equal = member[of_value[1]] - member[of_value[0]]
        count = member[of_day[1]] - member[of_day[0]]
        found[order] = (before + equal / 2) / np.maximum(count, 1) - np.where(count > 0, 0.5, 0.0)
        return found


def _from_to(first: npt.NDArray[np.bool_]) -> tuple[Integers, Integers]:
    """Where the run that each place belongs to begins, and behind its end, [places] each; `first` begins one."""
    begins = np.flatnonzero(first)
    run = np.cumsum(first) - 1
    return begins[run], np.append(begins[1:], len(first))[run]


def _joined(name: str, kept: Iterable[tuple[ShareCloses, Integers]]) -> Floats:
    """Something else of the bars of some rows of each share, nan where a share has none of it, [rows]."""
    return np.concatenate([one.bars[name][at] if name in one.bars else np.full(len(at), np.nan) for one, at in kept])


def on_grid(values: Floats) -> Floats:
    """Rounded to multiples of 2^-40."""
    return np.rint(values / _GRID) * _GRID
