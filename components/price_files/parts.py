"""Shares that come in parts, such as a file a day: joined before they are written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from components.feature_store.arrays import Integers
from components.price_files.found import Found, Refusal, ShareRows
from components.price_files.layout import Layout
from components.price_files.same_days import Repeats, sort_days
from components.price_files.stamps import day_text
from components.price_files.written import first_difference, other_close

_SHOWN = 3


class Parts:
    """Rows of shares from several files.

    Shares with a factor or an adjusted close are not joined, as whether those of two files are on one scale the files
    do not say; but those with a vendor's factor that counts from the listing on are.

    Attributes:
        rows: How many there are.
    """

    def __init__(self) -> None:
        """Begins without any."""
        self.rows = 0
        self._parts: dict[tuple[str, bool], list[tuple[Path, Layout, ShareRows]]] = {}

    def take_from(self, found: Found) -> None:
        """Takes over the shares of a file that can be joined to others."""
        kept = []
        for share in found.shares:
            adjusted = _is_adjusted(share)
            if adjusted and not (found.layout.vendor is not None and found.layout.vendor.lasting_factor):
                kept.append(share)
            else:
                self._parts.setdefault((share.share_id, adjusted), []).append((found.path, found.layout, share))
                self.rows += len(share.rows)
        found.shares = kept

    def check(self, found: Found, share: ShareRows) -> None:
        """Refuses a file that has another close of a share's day than a part with which it is not joined.

        Raises:
            ImportFileError: It has; the message names both files, the share and the day.
        """
        for path, _, part in self._parts.get((share.share_id, not _is_adjusted(share)), ()):
            if at := first_difference(share, part.days, part.numbers["close"]):
                raise other_close(found, share, at[0], part.numbers["close"][at[1]], path)

    def joined(self) -> Iterator[Found]:
        """Yields each share, once, and forgets it; days that differ between files are refused in all of them."""
        parts, self._parts, self.rows = self._parts, {}, 0
        while parts:
            share_id, adjusted = next(iter(parts))
            yield _join(share_id, parts.pop((share_id, adjusted)))


def _is_adjusted(share: ShareRows) -> bool:
    return bool({"factor", "adj_close"} & set(share.numbers))


def _join(share_id: str, parts: list[tuple[Path, Layout, ShareRows]]) -> Found:
    path, layout, share = parts[0]
    if len(parts) == 1:
        return Found(path, layout, [share])
    fields = dict.fromkeys(name for _, _, part in parts for name in part.numbers)
    rows = np.concatenate([part.rows for _, _, part in parts])
    days = np.concatenate([part.days for _, _, part in parts])
    numbers = {
        name: np.concatenate([part.numbers.get(name, np.full(len(part.rows), np.nan)) for _, _, part in parts])
        for name in fields
    }
    file = np.repeat(np.arange(len(parts)), [len(part.rows) for _, _, part in parts])
    kept, refused = sort_days(rows, days, numbers, Repeats())
    found = Found(path, layout)
    if len(kept):
        files = tuple(parts[number][0] for number in file[kept].tolist())
        fields_kept = {name: values[kept] for name, values in numbers.items()}
        found.shares.append(ShareRows(share_id, rows[kept], days[kept], fields_kept, files))
    positions = np.array([at for at, _ in refused], dtype=np.int64)
    for day in np.unique(days[positions]).tolist():
        here = positions[days[positions] == day]
        shown = _shown(here, rows, numbers["close"], [str(parts[number][0]) for number in file[here].tolist()])
        for at in here.tolist():
            reason = f"the date comes in several files and its rows differ: {shown}; keep the right one"
            name = str(parts[int(file[at])][0])
            found.refused.append(Refusal(int(rows[at]), share_id, day_text(day), reason, name))
    return found


def _shown(positions: Integers, rows: Integers, close: np.ndarray, files: list[str]) -> str:
    texts = [
        f"close {close[at]:.15g} in {file}, row {rows[at]}"
        for at, file in zip(positions[:_SHOWN].tolist(), files, strict=False)
    ]
    return "; ".join(texts) + (f" and {len(positions) - _SHOWN} more" if len(positions) > _SHOWN else "")
