"""Bars of days on which the exchange is closed: they are named and left out.

Sources show such bars: a Saturday that is taken back later, a holiday of volume 0 with the close of the day before
(yfinance #415, yahoo_datafeed #3). An event of such a day is one of the next session.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from components.extractor.calendar import ExchangeCalendar
from components.extractor.sources.base import AdjustedCloses, History, Steps
from components.extractor.verify import select
from components.feature_store.arrays import Booleans, Days, Floats

_SHOWN = 3
# Shares that trade on a day off, and the part that they are of all shares of the exchange that were looked at.
_LEAST_TRADING, _MOST_OF_THEM = 2, 0.5


@dataclass(frozen=True)
class DaysOff:
    """Bars of a share that were left out.

    Attributes:
        days: on which the exchange was closed, datetime64[D], ascending, shape (n,).
        traded: whether something was traded on them, shape (n,).
    """

    days: Days
    traded: Booleans

    def __str__(self) -> str:
        """For people; empty if there is none."""
        if not len(self.days):
            return ""
        count = "1 bar" if len(self.days) == 1 else f"{len(self.days)} bars"
        shown = ", ".join(
            f"{day} ({'traded' if traded else 'no volume'})"
            for day, traded in zip(self.days[:_SHOWN], self.traded[:_SHOWN], strict=True)
        )
        return f"{count} of days off left out: {shown}{', ...' if len(self.days) > _SHOWN else ''}"


def is_off(calendar: ExchangeCalendar, time: Days) -> Booleans:
    """Tells which days are no sessions of the exchange; False before its calendar begins."""
    if not len(time):
        return np.zeros(0, dtype=bool)
    sessions = calendar.sessions(time.min().item(), time.max().item())
    if len(sessions) == 0:
        return time >= np.datetime64(calendar.begin, "D")
    nearest = sessions[np.minimum(np.searchsorted(sessions, time), len(sessions) - 1)]
    off: Booleans = (nearest != time) & (time >= np.datetime64(calendar.begin, "D"))
    return off


def without_days_off(history: History, calendar: ExchangeCalendar) -> tuple[History, DaysOff]:
    """Leaves out the bars of days off; an event of one becomes one of the next session.

    A history whose dates are not in order comes back as it is: it is refused for that.
    """
    off = is_off(calendar, history.time)
    if not off.any() or (np.diff(history.time.astype(np.int64)) < 0).any():
        return history, DaysOff(history.time[:0], off[:0])
    left_out = DaysOff(history.time[off], history.volume[off] > 0)
    adjustment = history.adjustment
    if isinstance(adjustment, Steps):
        adjustment = _carried_steps(adjustment, history.close, off)
    elif isinstance(adjustment, AdjustedCloses):
        adjustment = _carried_events(adjustment, off)
    return select(replace(history, adjustment=adjustment), ~off), left_out


def doubtful_calendar(code: str, days_off: Sequence[DaysOff], shares: int) -> str:
    """What to say of days off on which most shares of an exchange have traded: its calendar may be wrong; or nothing.

    Args:
        code: of the exchange.
        days_off: what was left out of each share.
        shares: of the exchange that were looked at.
    """
    traded = [one.days[one.traded] for one in days_off]
    days, counts = np.unique(np.concatenate([np.empty(0, "datetime64[D]"), *traded]), return_counts=True)
    most = (counts >= _LEAST_TRADING) & (counts > _MOST_OF_THEM * shares)
    if not most.any():
        return ""
    shown = [f"{day} ({count} shares)" for day, count in zip(days[most], counts[most], strict=True)][-_SHOWN:]
    return (
        f"most of {shares} shares of {code} have traded on days that its calendar calls off, {', '.join(shown)}; the "
        "bars were left out: the calendar may lack special sessions, upgrade exchange-calendars"
    )


def _carried_events(adjusted: AdjustedCloses, off: Booleans) -> AdjustedCloses:
    """What is said of days off, said of the next session."""
    action = adjusted.action.copy()
    cash, ratio = (None if said is None else said.copy() for said in (adjusted.cash, adjusted.ratio))
    for at in np.flatnonzero(off[:-1]):  # each hands it on to the day after it, which may be off as well
        action[at + 1] |= action[at]
        before = 1.0 if ratio is None or np.isnan(ratio[at]) else float(ratio[at])
        if cash is not None and not np.isnan(cash[at]):
            # Of a share of the session before, which has become as many by then.
            cash[at + 1] = cash[at] + before * np.nan_to_num(cash[at + 1])
        elif cash is not None:
            cash[at + 1] *= before
        if ratio is not None and not np.isnan(ratio[at]):
            ratio[at + 1] = before * (1.0 if np.isnan(ratio[at + 1]) else ratio[at + 1])
    return replace(adjusted, action=action, cash=cash, ratio=ratio)


def _carried_steps(steps: Steps, close: Floats, off: Booleans) -> Steps:
    """The steps of the sessions that stay, as if the others had never been: a dividend is of the close that stays."""
    value = steps.value
    cash = np.zeros(len(value)) if steps.cash is None else steps.cash
    if (value == 1).all():
        return steps
    before = np.append(np.nan, close[:-1])
    # What split * p / (p - dividend) was made of, p being the close before in shares of the day.
    with np.errstate(invalid="ignore"):
        split = np.where(cash > 0, value * before / (before + value * cash), value)
    out, out_cash = value.copy(), cash.copy()
    last, shares, paid, skipped = np.nan, 1.0, 0.0, False
    for at in range(len(value)):
        ratio, dividend = (1.0, 0.0) if at == 0 else (split[at], cash[at])
        shares, paid = shares * ratio, paid / ratio + dividend
        if off[at]:
            skipped = True
            continue
        if skipped:
            price = last / shares
            out[at] = shares * price / (price - paid) if price > paid else 1.0
            out_cash[at] = paid
        last, shares, paid, skipped = close[at], 1.0, 0.0, False
    kept = np.flatnonzero(~off)
    out[kept[:1]] = 1.0
    return Steps(out, out_cash)
