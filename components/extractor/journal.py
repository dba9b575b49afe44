"""The journal of an extraction: what is done already, so that a killed one can be resumed.

A file of JSON lines beside the database: the plan, then each share as it is done. A share is entered after its
transaction, so one that was killed in between is only fetched once more. The file is locked while an extraction works
on the database, and goes away when every share is current.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from components.errors import ExtractionError
from components.extractor.plan import ExtractionPlan
from components.extractor.report import ShareOutcome
from components.records import from_json, to_json
from components.whole_files import whole_file

_SUFFIX = ".extraction.jsonl"


class Journal:
    """The open journal of one extraction. Make one with `Journal.of`."""

    def __init__(self, path: Path, stream: TextIO) -> None:
        """Wraps a locked file; use `Journal.of` instead."""
        self._path = path
        self._stream = stream

    @classmethod
    @contextmanager
    def of(cls, database: Path) -> Iterator[Journal]:
        """The journal of a database, locked while the block runs.

        Raises:
            ExtractionError: another extraction works on the database, or the file cannot be written.
        """
        whole = database.absolute()  # a path such as "." has no name
        path = whole.with_name(whole.name + _SUFFIX)
        try:
            journal = cls(path, _locked(path))
        except BlockingIOError:
            raise ExtractionError(f"{database}: another extraction works on it; wait for its end") from None
        except OSError as error:
            raise ExtractionError(f"{path} cannot be written: {error.strerror}; name another database") from None
        try:
            yield journal
        finally:
            if not os.fstat(journal._stream.fileno()).st_size:
                path.unlink(missing_ok=True)
            journal._stream.close()

    def read(self) -> tuple[ExtractionPlan, list[ShareOutcome]] | None:
        """The plan and the outcomes of the extraction that is to be resumed; None if there is none.

        Raises:
            ExtractionError: the file is not a journal.
        """
        found = self._read()
        return None if found is None else (found[0].plan, found[1])

    def refetches(self) -> bool:
        """Whether the extraction that is to be resumed replaces what is stored; raises as `read`."""
        found = self._read()
        return found is not None and found[0].refetch

    def _read(self) -> tuple[_Begin, list[ShareOutcome]] | None:
        self._stream.seek(0)
        try:
            lines = self._stream.read().split("\n")
            whole = lines[:-1]  # what follows the last line's end was cut off by a kill
            if not whole:
                return None
            return from_json(_Begin, whole[0]), [from_json(ShareOutcome, line) for line in whole[1:]]
        except ValueError as error:
            raise ExtractionError(
                f"{self._path} is not the journal of an extraction ({error}); remove it and start without --resume"
            ) from error

    def begin(self, plan: ExtractionPlan, done: list[ShareOutcome], refetch: bool = False) -> None:
        """Starts anew; a kill in the middle leaves the journal as it was.

        Args:
            plan: what is to be extracted.
            done: shares that are done already.
            refetch: whether what is stored of the others is to be replaced.
        """
        with ExitStack() as on_error:
            with whole_file(self._path) as path:
                fresh = on_error.enter_context(path.open("w+", encoding="utf-8"))
                # Locked before it takes the place of the locked one, so that nobody comes in between.
                fcntl.flock(fresh, fcntl.LOCK_EX | fcntl.LOCK_NB)
                fresh.writelines(_line(record) for record in (_Begin(plan, refetch), *done))
                fresh.flush()
            on_error.pop_all()
        self._stream.close()
        self._stream = fresh

    def enter(self, outcome: ShareOutcome) -> None:
        """Enters a share that is done."""
        self._stream.write(_line(outcome))
        self._stream.flush()

    def clear(self) -> None:
        """Nothing is left to resume."""
        self._stream.seek(0)
        self._stream.truncate()


@dataclass(frozen=True)
class _Begin:
    """The first line."""

    plan: ExtractionPlan
    refetch: bool = False


def _line(record: object) -> str:
    # ASCII only, so that a line cut off anywhere can still be read as text.
    return to_json(record, indent=None, ascii_only=True) + "\n"


def _locked(path: Path) -> TextIO:
    while True:
        stream = path.open("a+", encoding="utf-8")
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(stream.fileno()).st_nlink:
                return stream
        except BaseException:
            stream.close()
            raise
        stream.close()  # it was removed by its last user just now
