"""Which returns of a share do not look like a market's, and what is likely behind each.

A return is judged in logs, less what the market did, against the share's robust standard deviation s: that of its
median absolute deviation, or of the 40 sessions around (for a ratio: before) where these were wilder, and wider on days
on which all shares are.

    large   beyond the bounds: 50 % in a session, or 12 s
    wrong   such a move is taken back within three sessions, to the level of before; or it equals a simple ratio of
            prices (a split, a bonus issue, a unit) so well that an event on an ordinary day explains it better than a
            move of the market; or the factor steps and the close does not; or it is more than twentyfold

Better means: the density of ordinary days around the ratio's log, times how often such an event is missing from data,
is above the density of real moves of that size; a share that trades on as ever after the day speaks for the event. So a
calm share's -50 % is a split, -45 % is not, and of a share that is wild at the time neither is.

The first returns of a share and those over a long suspension are large at the most, as both can be anything; and moves
of three ticks or less are none.
"""

from __future__ import annotations

import math

import numpy as np

from components.feature_store.arrays import Booleans, Floats
from components.feature_store.series import PriceSeries
from components.plausibility.market import MAD, NO_MARKET, Market
from components.plausibility.record import Bounds, Grade, Suspect

_FIRST_RETURNS = 5
_SUSPENSION = 30
"""Days without a session, and eight times the usual number, from where on a share was suspended."""

_FEW_RETURNS = 20
_USUAL = 0.02
"""Standard deviation of daily log returns of a share that has too few of its own to tell, where no market says."""

_LEAST = math.log(1.05)
"""A smaller move is never a suspect, however still the share."""

_TAKEN_BACK = 3
_SPIKE = 8.0
"""Standard deviations that a spike has at the least, where it is beyond the bound in per cent alone."""

_TICKS = 3.01
_BEYOND_ALL = math.log(20)
_NO_PRICE = 0.02
"""Part of a share's returns beyond the bound in per cent, from where on it is hardly a price."""

_STEP = math.log(1.1)
"""Of a factor, from where on it is no ordinary dividend."""

_MOST_PER_SHARE = 100
_AROUND = 20
_WILDER = 0.8
"""Of the deviation of the sessions around, which few returns tell only to a sixth, so that a steady share has its own.
"""

_AFTER = 5

# How often a day's event is missing from data, and which one it then is: larger over smaller price, and its weight.
_MISSING = 4e-4
_FORWARD = {2: 20, 3: 8, 4: 8, 5: 8, 10: 8, 20: 3, 100: 8, 1000: 2, 3 / 2: 3, 4 / 3: 0.2, 13 / 10: 0.2, 5 / 4: 0.2}
_FORWARD |= dict.fromkeys((6, 7, 8, 9, 12, 15, 25, 30, 40, 50), 1)
_REVERSE = {2: 4, 3: 3, 4: 3, 5: 4, 10: 6, 20: 3, 100: 8, 1000: 2, 3 / 2: 0.5, 13 / 10: 0.2}
_REVERSE |= dict.fromkeys((6, 7, 8, 12, 15, 25, 30, 40, 50), 1)
_MOVES = np.log([*(1 / ratio for ratio in _FORWARD), *_REVERSE])
_WEIGHTS = np.array([*_FORWARD.values(), *_REVERSE.values()], dtype=np.float64)
_LOG_OFTEN = np.log(_MISSING * _WEIGHTS / _WEIGHTS.sum())
_UNITS = {100: "pence and pounds, cents and units", 1000: "a unit of thousands"}
_EQUAL, _NEAR = 3.0, 0.08
"""Standard deviations around the log of a ratio that still count as equal to it, and the most that they may be."""


def find_suspects(series: PriceSeries, market: Market = NO_MARKET, bounds: Bounds | None = None) -> list[Suspect]:
    """Judges the returns of a share.

    Args:
        series: its prices.
        market: what all shares did.
        bounds: from where on a return is large.

    Returns:
        The suspects by day; of each share a hundred at the most.
    """
    if len(series) < 2:
        return []
    return _Judge(series, market, bounds or Bounds()).suspects()


def may_hold_suspects(closes: Floats, bounds: Bounds) -> Booleans:
    """Tells in which windows of adjusted closes a return is large enough to be judged at all.

    Args:
        closes: above 0, [n, closes].
        bounds: from where on a return is large.

    Returns:
        Booleans, [n].
    """
    # A little less than the least, as a product of close and factor has been rounded.
    least = 0.99 * min(_LEAST, math.log1p(bounds.largest))
    moves: Booleans = (np.abs(np.diff(np.log(closes), axis=1)) > least).any(axis=1)
    return moves


class _Judge:
    """The returns of one share; all arrays are of shape (n - 1,), the return that ends on session i + 1 at i."""

    def __init__(self, series: PriceSeries, market: Market, bounds: Bounds) -> None:
        self._series, self._market, self._bounds = series, market, bounds
        self._time = series.time[1:]
        self._change = np.diff(series.level)
        less = self._change - market.between(series.time[:-1], self._time)
        deviations = [_deviation(moves, market.usual) for moves in (less, self._change)]
        # Some shares go their own way; for them the market's moves would be noise.
        self._own = less if deviations[0] <= deviations[1] else self._change
        self._deviation, self._whole = min(deviations), max(deviations)
        # And one that once did not follow the market has not moved by its opposite.
        self._size = np.minimum(np.abs(less), np.abs(self._change))

    def suspects(self) -> list[Suspect]:
        size = self._size
        # Few returns pass this: what is dear comes after it.
        at = np.flatnonzero((size > max(6 * self._deviation, _LEAST)) | self._beyond(np.arange(len(size))))
        if len(at):
            at = at[self._worth_a_look(at)]
        if len(at):
            at = at[~self._few_ticks(at)]
        beyond = self._beyond(at)
        if np.count_nonzero(beyond) >= max(3, _NO_PRICE * len(size)) and len(size) >= 5 * _FEW_RETURNS:
            return [self._no_price(at[beyond])]
        if len(at) > _MOST_PER_SHARE:
            at = np.sort(at[np.argsort(size[at])[-_MOST_PER_SHARE:]])
        found: dict[int, Suspect] = {}
        rest = []
        for one in at.tolist():
            if one in found:
                continue
            deviation = self._deviation_around(one, at)
            back = self._taken_back(one, deviation)
            if back is None:
                rest.append((one, deviation))
            else:
                self._add_spike(one, back, found)
        for one, deviation in rest:
            if one not in found and (suspect := self._judge(one, deviation)) is not None:
                found[one] = suspect
        return [found[one] for one in sorted(found)]

    def _worth_a_look(self, at: np.ndarray) -> Booleans:
        """Which of some returns can be large, or wrong for another reason: near a ratio, or as the factor steps."""
        size, factor = self._size[at], self._series.factor
        worth: Booleans = self._beyond(at) | (size > max(self._bounds.deviations * self._whole, _LEAST))
        worth |= np.abs(self._own[at][:, np.newaxis] - _MOVES).min(axis=1) <= _NEAR
        worth |= np.abs(np.log(factor[at + 1] / factor[at])) > _STEP
        return worth

    # --- bounds

    def _beyond(self, at: np.ndarray) -> Booleans:
        """Which of some returns are beyond the bound in per cent."""
        return np.abs(np.expm1(np.copysign(self._size[at], self._own[at]))) > self._bounds.largest

    def _is_large(self, one: int, deviation: float) -> bool:
        most = max(self._bounds.deviations * deviation, _LEAST)
        return bool(self._beyond(np.array([one]))[0]) or float(self._size[one]) > most

    def _few_ticks(self, at: np.ndarray) -> Booleans:
        """Which of some returns are moves of a few ticks, where the prices of the share are multiples of one."""
        close, factor = self._series.close, self._series.factor
        steps = np.abs(np.diff(close))
        moved = steps[steps > 1e-9 * close[1:]]
        if len(moved) < 10:
            return np.zeros(len(at), dtype=bool)
        tick = float(moved.min())
        multiples = close / tick
        if np.abs(multiples - np.round(multiples)).max() > 0.01:
            return np.zeros(len(at), dtype=bool)
        few: Booleans = (steps[at] <= _TICKS * tick) & (factor[at + 1] == factor[at])
        return few

    def _deviation_around(self, one: int, at: np.ndarray) -> float:
        """What the size of a return is measured by: the share's deviation, or that of a wilder time or day."""
        near = np.arange(max(0, one - _AROUND), min(len(self._own), one + _AROUND + 1))
        # A spike's way back would count as a wild day of its own.
        near = near[(near != one) & ~((near > one) & (near <= one + _TAKEN_BACK) & np.isin(near, at))]
        return self._unruly(one, max(self._whole, self._local(near)))

    def _deviation_before(self, one: int) -> float:
        """The noise of an ordinary session of that time, which what follows a return cannot have raised."""
        return self._unruly(one, max(self._deviation, self._local(np.arange(max(0, one - 2 * _AROUND), one))))

    def _local(self, sessions: np.ndarray) -> float:
        if len(sessions) < _FEW_RETURNS:
            return 0.0
        return _WILDER * MAD * float(np.median(np.abs(self._own[sessions])))

    def _unruly(self, one: int, deviation: float) -> float:
        return deviation * float(self._market.unrest_on(self._time[one : one + 1])[0])

    def _at_most_large(self, one: int) -> bool:
        """Whether a return can be anything: the first ones of a share, and that after a suspension."""
        if abs(self._own[one]) > _BEYOND_ALL:
            return False
        gaps = np.diff(self._series.time).astype(np.int64)
        return one < _FIRST_RETURNS or bool(gaps[one] > max(_SUSPENSION, 8 * np.median(gaps)))

    # --- grades

    def _judge(self, one: int, deviation: float) -> Suspect | None:
        own = float(self._own[one])
        large = self._is_large(one, deviation)
        if not self._at_most_large(one):
            ordinary = self._deviation_before(one)
            if self._factor_alone(one, ordinary):
                return self._suspect(one, Grade.WRONG, self._factor_words(one))
            ratio, surplus = self._ratio(one, ordinary)
            if surplus > 0:
                return self._suspect(one, Grade.WRONG, self._event_words(one, ratio))
            if abs(own) > _BEYOND_ALL:
                return self._suspect(one, Grade.WRONG, self._event_words(one, own))
        if not large:
            return None
        return self._suspect(one, Grade.LARGE, self._large_words(one, deviation))

    def _taken_back(self, one: int, deviation: float) -> int | None:
        """The return that brings the level back to that of before, within three sessions; None if none does."""
        own = float(self._own[one])
        if not self._is_large(one, deviation) or self._size[one] <= _SPIKE * deviation or self._at_most_large(one):
            return None
        level = own
        for later in range(one + 1, min(one + 1 + _TAKEN_BACK, len(self._own))):
            step = float(self._own[later])
            level += step
            near = min(max(3 * deviation * math.sqrt(later - one + 1), 0.02), abs(own) / 4)
            # A mistake ends as it began, in one step; a market comes back in several.
            if abs(level) <= near and step * own < 0 and abs(step) > 0.75 * abs(own):
                return later
        return None

    def _factor_alone(self, one: int, deviation: float) -> bool:
        """Whether the factor makes the move, and the close has none."""
        factor = self._series.factor
        step = math.log(factor[one + 1] / factor[one])
        rest = float(self._own[one]) - step
        return abs(step) > _STEP and abs(rest) <= min(4 * deviation, abs(step) / 3)

    def _ratio(self, one: int, deviation: float) -> tuple[float, float]:
        """The log of the simple ratio that explains a return best, and by how much better than a market does."""
        own = float(self._own[one])
        deviation = max(deviation, 1e-3)
        off = (own - _MOVES) / deviation
        with_event = _LOG_OFTEN - off**2 / 2 - math.log(deviation * math.sqrt(2 * math.pi))
        with_event[np.abs(own - _MOVES) > min(_EQUAL * deviation, _NEAR)] = -np.inf
        best = int(np.argmax(with_event))
        surplus = float(with_event[best]) - _log_density(own, deviation)
        surplus += self._ordinary_after(one, deviation) + self._ordinary_range(one)
        return float(_MOVES[best]), surplus

    def _ordinary_after(self, one: int, deviation: float) -> float:
        """Log likelihood that the next returns are a share's ordinary ones, over that they follow news.

        News leaves a share three times as wild, or, where it is bought up, a quarter as wild. Bounded, as it is no
        proof: news may be digested in a day, and another event may follow.
        """
        squares = (self._own[one + 1 : one + 1 + _AFTER] / deviation) ** 2
        wild = -squares / 18 - math.log(3)
        still = -8 * squares + math.log(4)
        news = float(np.logaddexp(wild.sum(), still.sum())) - math.log(2)
        return float(np.clip(-squares.sum() / 2 - news, -4, 0.7))

    def _ordinary_range(self, one: int) -> float:
        """Log likelihood that the day's range is an ordinary one, over that of a day of news; 0 where it is not known.

        News gives a day some three times its range, an event none more. Bounded, as ranges scatter.
        """
        ranges = self._series.ranges
        if ranges is None:
            return 0.0
        before = ranges[max(0, one + 1 - 2 * _AROUND) : one + 1]
        before = before[before > 0]
        if len(before) < _FEW_RETURNS or not ranges[one + 1] > 0:
            return 0.0
        times = math.log(ranges[one + 1] / float(np.median(before)))
        log_ordinary = -((times / 0.4) ** 2) / 2 - math.log(0.4)
        log_news = -(((times - 1) / 0.6) ** 2) / 2 - math.log(0.6)
        return float(np.clip(log_ordinary - log_news, -4, 3))

    # --- words

    def _suspect(self, one: int, grade: Grade, cause: str, partner: int | None = None) -> Suspect:
        other = "" if partner is None else str(self._time[partner])
        change = float(np.expm1(min(self._change[one], 700.0)))
        return Suspect(self._series.share_id, str(self._time[one]), change, grade, cause, other)

    def _add_spike(self, one: int, back: int, found: dict[int, Suspect]) -> None:
        sessions = "1 session" if back == one + 1 else f"{back - one} sessions"
        times = math.exp(abs(float(self._own[one])))
        what = f"{times:.4g} times too {'high' if self._own[one] > 0 else 'low'}" if times >= 2 else "off"
        cause = f"the level is {what} for {sessions} and taken back on {self._time[back]}: a mistake of the source"
        found[one] = self._suspect(one, Grade.WRONG, cause, back)
        found[back] = self._suspect(back, Grade.WRONG, f"takes back the move of {self._time[one]}", one)

    def _large_words(self, one: int, deviation: float) -> str:
        many = "" if not deviation else f"{abs(self._own[one]) / deviation:.0f} standard deviations of the share; "
        if one < _FIRST_RETURNS:
            return f"{many}one of its first sessions: a new listing?"
        days = int((self._series.time[one + 1] - self._series.time[one]).astype(int))
        if self._at_most_large(one):
            return f"{many}the first session after {days} days: a suspension, or a row that is missing?"
        return f"{many}news, or an event that the factors lack"

    def _event_words(self, one: int, log_ratio: float) -> str:
        close, factor = self._series.close, self._series.factor
        step = factor[one + 1] / factor[one]
        if abs(math.log(step)) <= _STEP:
            return _ratio_words(log_ratio)
        moved = close[one + 1] / close[one]
        return f"the factor steps by {step:.4g} and the close by {moved:.4g}: the factor is not that of the event"

    def _factor_words(self, one: int) -> str:
        factor = self._series.factor
        times = factor[one + 1] / factor[one]
        return (
            f"the factor steps by {times:.4g} and the close does not move with it: the close is adjusted already, or "
            "the event belongs to another day"
        )

    def _no_price(self, beyond: np.ndarray) -> Suspect:
        one = int(beyond[np.argmax(self._size[beyond])])
        cause = (
            f"{len(beyond):,} of {len(self._own):,} returns of {self._series.share_id} are beyond "
            f"{100 * self._bounds.largest:.4g} %, this one is the largest: hardly a price "
            "(a volume, an indicator, a unit that comes and goes?)"
        )
        return self._suspect(one, Grade.WRONG, cause)


def _deviation(own: Floats, usual: float) -> float:
    """The robust standard deviation of a share's returns, that of its moves where it mostly stands still."""
    moves = own[own != 0]
    if len(moves) < _FEW_RETURNS:
        known = usual if math.isfinite(usual) and usual > 0 else _USUAL
        return max(known, MAD * float(np.median(np.abs(own)))) if len(own) > _FIRST_RETURNS else known
    still = 2 * len(moves) <= len(own)
    return MAD * float(np.median(np.abs(moves if still else own - np.median(own))))


def _log_density(own: float, deviation: float) -> float:
    """Log density of real moves of a size: the tail of a share's own returns, and that of jumps on news.

    Daily returns have a tail that falls with the cube (Gopikrishnan et al., Phys. Rev. E 60, 5305, 1999). The size of
    both is set so that of calm large shares one in 3,000 days brings more than 20 %, and one in a million 70 %.
    """
    size = abs(own)
    wild = 2e-3 * (5 * deviation / size) ** 3
    news = 3e-4 * (0.2 / size) ** 5
    return math.log((3 * wild + 5 * news) / (2 * size))


def _ratio_words(log_ratio: float) -> str:
    """What a move by a ratio is likely to be."""
    times = math.exp(abs(log_ratio))
    whole = f"{times:.0f}" if abs(times - round(times)) < 0.02 * times else f"{times:.4g}"
    way = "down" if log_ratio < 0 else "up"
    for unit, what in _UNITS.items():
        if abs(math.log(times / unit)) <= _NEAR:
            return f"a factor of {unit} {way}, as of {what}"
    if times > max(_UNITS):
        return f"a factor of {times:,.0f} {way}, more than any event makes: a mistake of the source"
    names = {1.5: "3-for-2", 4 / 3: "4-for-3", 5 / 4: "5-for-4", 6 / 5: "6-for-5", 1.3: "13-for-10"}
    named = next((name for value, name in names.items() if abs(value - times) < 1e-6), None)
    if log_ratio < 0:
        return f"a {named or whole + '-for-1'} split or bonus issue that the factors lack, or another unit"
    return f"a 1-for-{whole} reverse split that the factors lack, or another unit"
