"""The day-wide columns there are: what each is, how many sessions it reaches back, and how it is made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from models.features import WINDOW

if TYPE_CHECKING:
    from models.day_wide.activity import Activity
    from models.day_wide.prices import DayPrices, Floats

RETURNS = WINDOW - 1
"""Returns of a window, and the sessions that one reaches back."""

YEAR, MONTH, QUARTER = 252, 21, 60
"""Sessions."""


@dataclass(frozen=True)
class DayColumn:
    """A raw feature of a share and session.

    Attributes:
        name: of it in the examples; a formatter's feature names it as its source.
        words: what it is.
        reach: sessions of its share before the row's own whose close it is made of, a window's included.
        make: its values, one a row of the prices, float64 [rows]; nan where it is not known.
        width: 1, or the length of the window of values, the row's own the last; of parts, how many there are.
        bars: what it is made of beside closes, by the names of `ShareCloses.bars`.
        parts: the columns of one value that it holds side by side, [rows, parts]; none where it is a column itself.
    """

    name: str
    words: str
    reach: int
    make: Callable[[DayPrices], Floats]
    width: int = 1
    bars: tuple[str, ...] = ()
    parts: tuple[DayColumn, ...] = ()


def side_by_side(name: str, parts: Iterable[DayColumn]) -> DayColumn:
    """Columns of one value as one of several: each feature costs every step of a run, and further numbers of it little.

    Args:
        name: of the column.
        parts: what it holds.
    """
    held = tuple(parts)

    def make(prices: DayPrices) -> Floats:
        import numpy as np  # for whoever computes

        made = np.empty((len(prices), len(held)))
        for place, part in enumerate(held):
            made[:, place] = part.make(prices)
        return made

    return DayColumn(
        name,
        f"side by side: {', '.join(part.name for part in held)}",
        max(part.reach for part in held),
        make,
        len(held),
        tuple(sorted({bar for part in held for bar in part.bars})),
        held,
    )


VOLUME, RANGE, OPEN = ("volume",), ("high", "low"), ("open",)
"""Of a bar."""


def _active(make: Callable[[Activity], Floats]) -> Callable[[DayPrices], Floats]:
    def made(prices: DayPrices) -> Floats:
        from models.day_wide.activity import Activity  # NumPy is for whoever computes

        return make(Activity(prices))

    return made


ACTIVITY = (
    DayColumn(
        "volume_shock_20",
        "log of the day's volume over the geometric mean of the 20 sessions before, less the market's mean of the day",
        RETURNS,
        _active(lambda activity: activity.volume_shock(RETURNS)),
        bars=VOLUME,
    ),
    DayColumn(
        "volume_shock_60",
        "the same over the 60 sessions before",
        QUARTER,
        _active(lambda activity: activity.volume_shock(QUARTER)),
        bars=VOLUME,
    ),
    DayColumn(
        "day_rank_volume_20",
        "rank of the volume shock of 20 sessions within the day",
        RETURNS,
        _active(lambda activity: activity.volume_rank(RETURNS)),
        bars=VOLUME,
    ),
    DayColumn(
        "return_at_volume",
        "the day's market-relative return, over the root mean square of the last 60, times the volume shock of 60 "
        "sessions",
        QUARTER,
        _active(lambda activity: activity.return_at_volume(QUARTER)),
        bars=VOLUME,
    ),
    DayColumn(
        "log_parkinson",
        "log of Parkinson's volatility, of the logs of high over low, of the window's 21 sessions, less the market's "
        "mean of the day",
        RETURNS,
        _active(lambda activity: activity.log_parkinson(RETURNS)),
        bars=RANGE,
    ),
    DayColumn(
        "day_rank_parkinson",
        "rank of that volatility within the day",
        RETURNS,
        _active(lambda activity: activity.parkinson_rank(RETURNS)),
        bars=RANGE,
    ),
    DayColumn(
        "range_shock_20",
        "log of the day's log of high over low over the mean of the 20 sessions before, less the market's mean of the "
        "day",
        RETURNS,
        _active(lambda activity: activity.range_shock(RETURNS)),
        bars=RANGE,
    ),
    DayColumn(
        "gap",
        "market-relative return from the close before to the open, over the root mean square of the last 20 returns",
        RETURNS,
        _active(lambda activity: activity.gap(RETURNS)),
        bars=OPEN,
    ),
    DayColumn(
        "intraday",
        "market-relative return from the open to the close, likewise",
        RETURNS,
        _active(lambda activity: activity.intraday(RETURNS)),
        bars=OPEN,
    ),
)
"""Those that need more of a day's bar than its close."""

OF_CLOSES = (
    DayColumn(
        "market_relative_returns",
        "the last 20 log returns of the share less the market's, the equal-weighted mean of the day",
        RETURNS,
        lambda prices: prices.beyond_market(1),
        RETURNS,
    ),
    DayColumn(
        "day_ranks",
        "ranks of the last 20 returns, each within its own day",
        RETURNS,
        lambda prices: prices.rank(prices.moved(1)),
        RETURNS,
    ),
    DayColumn("day_rank_1", "rank of the return within the day", 1, lambda prices: prices.rank(prices.moved(1))),
    DayColumn(
        "day_rank_5",
        "rank of the return over 5 sessions within the day",
        5,
        lambda prices: prices.rank(prices.moved(5)),
    ),
    DayColumn(
        "day_rank_20",
        "rank of the return over 20 sessions within the day",
        RETURNS,
        lambda prices: prices.rank(prices.moved(RETURNS)),
    ),
    DayColumn(
        "day_rank_volatility",
        "rank of the root mean square of the last 20 market-relative returns within the day",
        RETURNS,
        lambda prices: prices.rank(prices.volatility(RETURNS)),
    ),
    DayColumn(
        "momentum_5",
        "market-relative return over 5 sessions, in deviations: over the root mean square of the last 60 and "
        "the root of 5",
        QUARTER,
        lambda prices: prices.momentum(5, 0, QUARTER),
    ),
    DayColumn(
        "momentum_20",
        "the same over 20 sessions",
        QUARTER,
        lambda prices: prices.momentum(RETURNS, 0, QUARTER),
    ),
    DayColumn(
        "momentum_60",
        "the same over 60 sessions",
        QUARTER,
        lambda prices: prices.momentum(QUARTER, 0, QUARTER),
    ),
    DayColumn(
        "momentum_252_21",
        "market-relative return over 252 sessions less the last 21, over the root mean square of the last 252 "
        "and the root of 231",
        YEAR,
        lambda prices: prices.momentum(YEAR, MONTH, YEAR),
    ),
    DayColumn(
        "day_rank_60",
        "rank of the return over 60 sessions within the day",
        QUARTER,
        lambda prices: prices.rank(prices.moved(QUARTER)),
    ),
    DayColumn(
        "day_rank_252_21",
        "rank of the return over 252 sessions less the last 21 within the day",
        YEAR,
        lambda prices: prices.rank(prices.moved(YEAR, MONTH)),
    ),
    DayColumn(
        "log_volatility_60",
        "log of the root mean square of the last 60 market-relative returns",
        QUARTER,
        lambda prices: prices.log_volatility(QUARTER),
    ),
    DayColumn(
        "log_volatility_252",
        "log of the root mean square of the last 252 market-relative returns",
        YEAR,
        lambda prices: prices.log_volatility(YEAR),
    ),
)
"""Those that closes are enough for."""

_SINGLE: Mapping[str, DayColumn] = MappingProxyType({column.name: column for column in (*OF_CLOSES, *ACTIVITY)})


def _held(name: str, parts: Iterable[str]) -> DayColumn:
    return side_by_side(name, (_SINGLE[part] for part in parts))


_RANKS = ("day_rank_1", "day_rank_5", "day_rank_20", "day_rank_volatility")
_LONG_RANKS = ("day_rank_60", "day_rank_252_21")
_MOMENTUM = ("momentum_5", "momentum_20", "momentum_60", "momentum_252_21")
_VOLATILITIES = ("log_volatility_60", "log_volatility_252")

COLUMNS: Mapping[str, DayColumn] = MappingProxyType(
    {
        **_SINGLE,
        **{
            column.name: column
            for column in (
                _held("market_relative_values", _RANKS),
                _held("market_activity_values", (*_RANKS, *(column.name for column in ACTIVITY))),
                _held("momentum_values", (*_RANKS, *_MOMENTUM, *_LONG_RANKS, *_VOLATILITIES)),
                _held("day_ranks_values", _RANKS[1:]),
                _held("momentum_ranks_values", (*_RANKS[1:], *_LONG_RANKS)),
            )
        },
    }
)
"""Every column by its name."""


def columns_of(sources: Iterable[str]) -> tuple[str, ...]:
    """Those of some raw features that are day-wide columns."""
    return tuple(source for source in sources if source in COLUMNS)


def single_columns_of(sources: Iterable[str]) -> tuple[str, ...]:
    """Those columns, of one that has parts these."""
    return tuple(
        single for name in columns_of(sources) for single in ([part.name for part in COLUMNS[name].parts] or [name])
    )


def reach_of(sources: Iterable[str]) -> int:
    """Sessions of its share before a row's own that any of some raw features is made of: a window's 20 at least."""
    return max([RETURNS, *(COLUMNS[name].reach for name in columns_of(sources))])


def bars_of(sources: Iterable[str]) -> tuple[str, ...]:
    """What is read of bars beside closes for some raw features, in order of names."""
    return tuple(sorted({bar for name in columns_of(sources) for bar in COLUMNS[name].bars}))


def width_of(source: str) -> int:
    """How many values a row has of a raw feature that is not `closes`."""
    return COLUMNS[source].width if source in COLUMNS else 1
