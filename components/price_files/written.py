"""The closes that the files of one import gave, so that none of them changes another one's without a word."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from components.errors import ImportFileError
from components.feature_store.arrays import Floats, Integers
from components.price_files.found import Found, ShareRows
from components.price_files.stamps import day_text

_SAME = 1e-6  # no two prices are so near, and floats of 32 bits are nearer


def first_difference(share: ShareRows, days: Integers, close: Floats) -> tuple[int, int] | None:
    """Finds the first day on which a share has another close than it had in files before.

    Args:
        share: Its rows in a file.
        days: Its days in files before, ascending, shape (m,).
        close: The closes of these, shape (m,).

    Returns:
        The position among the rows of `share` and that among `days`; None if there is no such day.
    """
    if not len(days) or days[-1] < share.days[0] or share.days[-1] < days[0]:
        return None
    there = np.minimum(np.searchsorted(days, share.days), len(days) - 1)
    same = np.isclose(share.numbers["close"], close[there], rtol=_SAME, atol=0)
    differing = np.flatnonzero((days[there] == share.days) & ~same)
    return (int(differing[0]), int(there[differing[0]])) if len(differing) else None


def other_close(found: Found, share: ShareRows, at: int, close: float, path: Path) -> ImportFileError:
    """Says that a row has another close than `path` has of its day, so that its file cannot be taken."""
    day = day_text(int(share.days[at]))
    if found.layout.named_by_file:
        return ImportFileError(
            f"{found.path}: {path} names the same share, {share.share_id}, and has another close on {day}; "
            "import them one by one, with --share"
        )
    return ImportFileError(
        f"{found.path}, row {share.rows[at]}: the close of {share.share_id} on {day} is "
        f"{share.numbers['close'][at]:.15g}, and {close:.15g} in {path}, which was taken before; keep the right one"
    )


@dataclass(frozen=True)
class _Closes:
    """Days as in `ShareRows`, int32; closes, float64; the numbers of the files, int32; each of shape (n,)."""

    days: Integers
    close: Floats
    file: Integers

    def with_later(self, other: _Closes) -> _Closes:
        days, first = np.unique(np.concatenate([self.days, other.days]), return_index=True)
        close, file = np.concatenate([self.close, other.close]), np.concatenate([self.file, other.file])
        return _Closes(days, close[first], file[first])


class WrittenCloses:
    """Closes by share and day, with the file of each."""

    def __init__(self) -> None:
        """Begins without any."""
        self._files: dict[Path, int] = {}
        self._shares: dict[str, list[_Closes]] = {}

    def add(self, share: ShareRows, path: Path) -> None:
        """Keeps the closes of a share; `path` is their file, where the rows name none."""
        numbers = [self._files.setdefault(file, len(self._files)) for file in share.files or [path]]
        file = np.broadcast_to(np.array(numbers, dtype=np.int32), share.days.shape)
        pieces = self._shares.setdefault(share.share_id, [])
        pieces.append(_Closes(share.days.astype(np.int32), share.numbers["close"], file))
        # Each piece is more than twice as long as the next one, so that many short files are few pieces.
        while len(pieces) > 1 and len(pieces[-2].days) <= 2 * len(pieces[-1].days):
            later = pieces.pop()
            pieces.append(pieces.pop().with_later(later))

    def check(self, found: Found, share: ShareRows) -> None:
        """Refuses a file that has another close of a share's day than was added.

        Raises:
            ImportFileError: It has; the message names both files, the share and the day.
        """
        for piece in self._shares.get(share.share_id, ()):
            if at := first_difference(share, piece.days, piece.close):
                path = list(self._files)[piece.file[at[1]]]
                raise other_close(found, share, at[0], piece.close[at[1]], path)
