"""Rows of one share and one day: equal ones are one, others prove nothing, and intraday files are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from components.feature_store.arrays import Booleans, Floats, Integers

_SHOWN = 4


@dataclass
class Repeats:
    """What was seen of days that come more than once, over all shares of a file.

    Attributes:
        days: Number of days of shares.
        differing: Of those, how many have rows that differ.
        example: The first of those: the day, and its rows.
        rows_of_differing: How many rows these have.
    """

    days: int = 0
    differing: int = 0
    rows_of_differing: int = 0
    example: tuple[int, Integers] | None = field(default=None)

    def are_intraday(self) -> bool:
        """Tells whether the file holds several bars a day."""
        return self.days >= 2 and 2 * self.differing > self.days and self.rows_of_differing >= 3 * self.differing


def sort_days(
    rows: Integers, days: Integers, numbers: Mapping[str, Floats], repeats: Repeats
) -> tuple[Integers, list[tuple[int, str]]]:
    """Puts the rows of a share in the order of their days, one a day.

    Args:
        rows: Their numbers, for messages, shape (n,).
        days: Their days, shape (n,).
        numbers: Their fields, each of shape (n,).
        repeats: Is told what was seen.

    Returns:
        The positions to keep, ascending by day; and the positions that are refused, each with its reason.
    """
    order = np.arange(len(days))
    if not (days[1:] > days[:-1]).all():
        order = np.argsort(days, kind="stable")
    ordered = days[order]
    first = np.append(True, ordered[1:] != ordered[:-1])[: len(order)]
    repeats.days += int(first.sum())
    if first.all():
        return order, []
    same = _same_as_before(order, numbers)
    group = np.cumsum(first) - 1
    unequal = np.flatnonzero(~first & ~same)
    bad_groups = np.unique(group[unequal])
    bad = np.isin(group, bad_groups)
    refused: list[tuple[int, str]] = []
    starts = np.append(np.flatnonzero(first), len(order))
    for number in bad_groups.tolist():
        members = order[starts[number] : starts[number + 1]]
        repeats.differing += 1
        repeats.rows_of_differing += len(members)
        if repeats.example is None:
            repeats.example = int(days[members[0]]), rows[members]
        reason = _reason(members, rows, numbers)
        refused += [(at, reason) for at in members.tolist()]
    return order[first & ~bad], refused


def _same_as_before(order: Integers, numbers: Mapping[str, Floats]) -> Booleans:
    same = np.ones(len(order), dtype=bool)
    for values in numbers.values():
        ordered = values[order]
        before, after = ordered[:-1], ordered[1:]
        same[1:] &= (before == after) | (np.isnan(before) & np.isnan(after))
    return same


def _reason(members: Integers, rows: Integers, numbers: Mapping[str, Floats]) -> str:
    differing = [name for name, values in numbers.items() if len(set(map(repr, values[members].tolist()))) > 1]
    shown = [
        f"{', '.join(f'{name} {numbers[name][at]:.15g}' for name in differing)} in row {rows[at]}"
        for at in members[:_SHOWN].tolist()
    ]
    more = f" and {len(members) - _SHOWN} more" if len(members) > _SHOWN else ""
    return f"the date comes twice and its rows differ: {'; '.join(shown)}{more}; keep the right one"
