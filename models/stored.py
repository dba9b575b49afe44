"""Columns of rows on disk: who looks at all rows, to train or to audit, need not have them all in memory.

The files have no name, so that nothing of them is left however the process ends. They lie where TMPDIR says, and in
/var/tmp without it, as /tmp may be memory itself.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import weakref
from collections.abc import Iterator
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

_SCATTERED = 2048
"""Rows that are looked up one by one with one view of the file: what a view has touched counts as memory."""

_FAR = 1 << 14
"""Bytes between two rows, about, from which on they are read one by one, without a view."""

_IN_ORDER = 1 << 16
"""Rows that are put in order at a time."""


class _File:
    """A file without a name, closed when nothing refers to it any more."""

    def __init__(self) -> None:
        self.number, path = tempfile.mkstemp(dir=_roomy())
        os.unlink(path)
        self._folder = os.path.dirname(path)
        weakref.finalize(self, os.close, self.number)

    def write(self, part: memoryview) -> None:
        try:
            while len(part):
                part = part[os.write(self.number, part) :]
        except OSError as error:
            raise OSError(error.errno, error.strerror, self._folder) from None  # a number tells nobody where


class Stored:
    """An array [rows, ...] on disk; indexed by rows, it gives copies in memory."""

    def __init__(self, file: _File, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        """Takes a file that holds the numbers in their order."""
        self._file, self.shape, self.dtype = file, shape, dtype

    def __len__(self) -> int:
        """The rows."""
        return self.shape[0]

    def __getitem__(self, rows: Any) -> NDArray[Any]:
        """The values of some rows: a slice, one place, places [n] or whether each row is asked for, bool [rows]."""
        if isinstance(rows, np.ndarray):
            places = np.flatnonzero(rows) if rows.dtype == bool else rows
            if len(places) and places[-1] - places[0] == len(places) - 1 and np.all(np.diff(places) == 1):
                rows = slice(int(places[0]), int(places[-1]) + 1)
                return self._view()[rows].copy()
            if len(places) and (np.max(places) - np.min(places)) * self._row > len(places) * _FAR:
                return self.scattered(places)
            found = np.empty((len(places), *self.shape[1:]), self.dtype)
            for begin in range(0, len(places), _SCATTERED):
                found[begin : begin + _SCATTERED] = self._view()[places[begin : begin + _SCATTERED]]
            return found
        return np.array(self._view()[rows])

    def scattered(self, places: NDArray[np.integer]) -> NDArray[Any]:
        """The values at places far from each other, [n].

        A view of the file takes them in half the time, but the system brings in so much around each of them that the
        whole file may count as memory.
        """
        size = self._row
        number, read = self._file.number, os.pread
        found = bytearray().join([read(number, size, place * size) for place in places.tolist()])
        return np.frombuffer(found, self.dtype).reshape(len(places), *self.shape[1:])

    @property
    def _row(self) -> int:
        """Bytes of a row."""
        return self.dtype.itemsize * int(np.prod(self.shape[1:]))

    def _view(self) -> NDArray[Any]:
        if not self.shape[0]:
            return np.empty(self.shape, self.dtype)
        length = self.dtype.itemsize * int(np.prod(self.shape))
        view = mmap.mmap(self._file.number, length, access=mmap.ACCESS_READ)
        return np.frombuffer(view, self.dtype).reshape(self.shape)


Values: TypeAlias = "NDArray[Any] | Stored"
"""Of rows, in memory or on disk; indexed by rows, both give arrays."""


def scattered(values: Values, places: NDArray[np.integer]) -> NDArray[Any]:
    """The values at places far from each other, wherever they lie."""
    return values.scattered(places) if isinstance(values, Stored) else values[places]


class Storing:
    """Puts parts of an array behind each other on disk."""

    def __init__(self) -> None:
        """Opens a file without a name."""
        self._file = _File()
        self._rows = 0
        self._like = np.empty((0, 0))

    def add(self, part: NDArray[Any]) -> None:
        """Puts a part behind the others: [rows, ...], of the same shape and type but for the rows.

        Raises:
            OSError: it cannot be written; it names the folder.
        """
        self._file.write(memoryview(np.ascontiguousarray(part)).cast("B") if part.size else memoryview(b""))
        self._rows += len(part)
        self._like = part[:0]

    def whole(self) -> Stored:
        """All parts; nothing is added after that."""
        return Stored(self._file, (self._rows, *self._like.shape[1:]), self._like.dtype)


def in_order(stored: Stored, order: NDArray[np.int64]) -> Stored:
    """The same rows in another order, [rows]."""
    writing = Storing()
    for places in pieces(order, _IN_ORDER):
        writing.add(stored[places])
    return writing.whole() if len(order) else stored


def pieces(places: NDArray[Any], at_once: int) -> Iterator[NDArray[Any]]:
    """Places, so many at a time."""
    for begin in range(0, len(places), at_once):
        yield places[begin : begin + at_once]


def _roomy() -> str | None:
    return None if "TMPDIR" in os.environ or not os.access("/var/tmp", os.W_OK) else "/var/tmp"
