"""What the first numbers of columns show: whether they are the open, high, low and close of one share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

MOST_OF_A_BAR = 12
_FEWEST_ROWS = 10
_MOST_IN_A_DAY = 1.5
_ORDERED = (("low", "high"), ("low", "open"), ("low", "close"), ("open", "high"), ("close", "high"))


def numbers_in(cells: Sequence[str]) -> list[float | None]:
    """Reads cells well enough to compare columns, with a comma or a point before the decimals; None for no number.

    >>> numbers_in(["1,234.5", "12,5", "x"])
    [1234.5, 12.5, None]
    """
    return [_number(cell) for cell in cells]


def _number(text: str) -> float | None:
    plain = text.replace(",", "") if "." in text else text.replace(",", ".")
    try:
        return float(plain)
    except ValueError:
        return None


def close_together(one: Sequence[float | None], two: Sequence[float | None]) -> bool:
    """Tells whether two columns stay within a quarter of each other, as far as both are known."""
    return all(x is None or y is None or 0.8 * y <= x <= 1.25 * y for x, y in zip(one, two, strict=False))


def is_bar(columns: Mapping[str, Sequence[float | None]]) -> bool:
    """Tells whether columns called open, high, low and close are a bar, but for a few rows.

    >>> is_bar({"low": [9.0, 9.5], "close": [10.0, 9.9]}), is_bar({"low": [9.0, 9.5], "close": [90.0, 91.0]})
    (True, False)
    """
    checked = held = 0
    for lower, upper in _ORDERED:
        for less, more in zip(columns.get(lower, ()), columns.get(upper, ()), strict=False):
            if less is not None and more is not None:
                checked += 1
                held += less <= more * 1.001 and more < _MOST_IN_A_DAY * less
    return held >= 0.8 * checked


@dataclass(frozen=True)
class HiddenBar:
    """A bar under names that say nothing, by position of its columns.

    Attributes:
        columns: Its columns.
        high: The one that is the highest in every row.
        low: The lowest.
    """

    columns: tuple[int, ...]
    high: int
    low: int


def hidden_bar(columns: Mapping[int, Sequence[float | None]]) -> HiddenBar | None:
    """Looks for one share's bar among columns.

    Some stay together, one of them is always the highest and one the lowest, and of the others one begins where another
    one was the row before.

    Args:
        columns: The first numbers of columns, by position.
    """
    full = {index: [one for one in column if one] for index, column in columns.items()}
    rows = max(map(len, full.values()), default=0)
    full = {index: column for index, column in full.items() if len(column) == rows}
    if rows < _FEWEST_ROWS:
        return None
    for first, column in full.items():
        near = [index for index in full if close_together(column, full[index])]
        if len(near) < 4 or near[0] != first:
            continue
        lines = list(zip(*(full[index] for index in near), strict=True))
        highest = [index for at, index in enumerate(near) if all(line[at] == max(line) for line in lines)]
        lowest = [index for at, index in enumerate(near) if all(line[at] == min(line) for line in lines)]
        if not highest or not lowest or highest[0] == lowest[0]:
            continue
        inner = [full[index] for index in near if index not in (highest[0], lowest[0])]
        if any(_begins_at(one, two) for one in inner for two in inner if one is not two):
            return HiddenBar(tuple(near), highest[0], lowest[0])
    return None


def _begins_at(opens: Sequence[float], closes: Sequence[float]) -> bool:
    gaps = [abs(after / before - 1) for after, before in zip(opens[1:], closes, strict=False)]
    moves = [abs(after / before - 1) for after, before in zip(closes[1:], closes, strict=False)]
    return sorted(gaps)[len(gaps) // 2] < 0.7 * sorted(moves)[len(moves) // 2]
