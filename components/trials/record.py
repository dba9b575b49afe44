"""The record of tries: an append-only file of JSON lines beside a database, one line a try.

A try is whatever was asked of some test days and whose answer somebody could see: a run, a fold of a walk-forward, an
experiment. What a later try has to show depends on all of them (hurdle.py), so each leaves what that needs: of every
model the AUC, its error, and what each test day added to it.

    {"trials": 1, "complete": true}         first: the record began with its database
    {"id": "...", "time": "...", ...}       a try
    {"gap": "...", "time": "..."}           why tries may be missing: from here on their number is a lower bound
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import fcntl
import hashlib
import json
import math
import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from components.errors import UserError
from components.records import Number, RecordError, from_json, to_json

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_T = TypeVar("_T")

SUFFIX = ".trials.jsonl"
"""Of the record's name, after the database's."""

NO_RECORD = "the database is older than its record, or the record was deleted"
UNWRITTEN = "this try could not be added to the record"
_GAP = b'{"gap"'
_NUMBER_BYTES = 4
_MOST_NEEDED = 8.0
"""Standard errors that 10^9 independent tries would not ask for; a level as high is 1 in a float."""


class TrialsError(UserError):
    """A record of tries cannot be read or written."""


class RecordGrew(TrialsError):
    """Somebody added a try to a record since it was read."""


@dataclass(frozen=True)
class Series:
    """Numbers of one model, one a test day of its try, in single precision.

    Attributes:
        packed: the numbers, little-endian float32, base64.
    """

    packed: str = ""

    @classmethod
    def of(cls, values: NDArray[np.floating]) -> Series:
        """Packs an array [days]."""
        import numpy as np

        return cls(base64.b64encode(np.asarray(values, "<f4").tobytes()).decode())

    @property
    def values(self) -> NDArray[np.float64]:
        """The numbers, [days]; empty where they are not known."""
        import numpy as np

        return np.frombuffer(base64.b64decode(self.packed), "<f4").astype(np.float64)


@dataclass(frozen=True)
class TriedModel:
    """One model of a try.

    Attributes:
        name: of the model.
        auc: on the test days.
        error: standard error of it, over resampled blocks of days; NaN where there are too few days.
        blessed: whether it was allowed to be pushed.
        needed: how many standard errors above 1/2 it had to be, on the normal scale; NaN where that was not asked.
        answers: digest of its probabilities: the same answers on the same rows are no new try.
        influence: what each test day adds to AUC - 1/2, which they sum up to; empty where it is not known.
        returns: of a long-short portfolio of its scores on each test day, before costs; empty where not known.
    """

    name: str
    auc: Number
    error: Number
    blessed: bool
    needed: Number
    answers: str
    influence: Series = Series()
    returns: Series = Series()


@dataclass(frozen=True)
class Trial:
    """One try.

    Attributes:
        id: digest of what was seen: test rows and answers.
        time: when, UTC, as in 2026-11-29T19:27:04Z.
        kind: "run", "walk-forward", "experiment", "judged", "retraining", "comparison", "search".
        asked: what was asked, in words by name: formatter, models, seed, pipeline.
        horizon: sessions ahead of the label.
        rows: digest of the test rows: shares, days and labels.
        days: the test days, YYYYMMDD, ascending; of a comparison and a search those of the eval split.
        models: what was seen of each model.
        compared_for: first and last day of a test split that it was a candidate for and never saw; empty for none.
    """

    id: str
    time: str
    kind: str
    asked: Mapping[str, str]
    horizon: int
    rows: str
    days: tuple[int, ...]
    models: tuple[TriedModel, ...]
    compared_for: tuple[int, ...] = ()

    def counts_on(self, days: Collection[int]) -> bool:
        """Whether it counts where these days, YYYYMMDD, are tested: it saw one of them, or was a candidate for one."""
        return not set(days).isdisjoint(self.days) or any(self._is_candidate(day, day) for day in days)

    def _is_candidate(self, first: int, last: int) -> bool:
        return bool(self.compared_for) and self.compared_for[0] <= last and first <= self.compared_for[-1]


@dataclass(frozen=True)
class Header:
    """The first line of a record.

    Attributes:
        trials: version of the format.
        complete: the record began with its database, so that no try is older than it.
    """

    trials: int = 1
    complete: bool = False


@dataclass(frozen=True)
class Gap:
    """A line that says why tries may be missing.

    Attributes:
        gap: why, in words.
        time: when that was found, UTC.
    """

    gap: str
    time: str


@dataclass(frozen=True)
class Record:
    """What a record holds.

    Attributes:
        complete: no try is known to be missing; otherwise their number is a lower bound.
        trials: in the order of the file.
        gaps: why tries may be missing, in words; none of a complete record.
    """

    complete: bool
    trials: tuple[Trial, ...]
    gaps: tuple[str, ...] = ()

    @property
    def bound(self) -> str:
        """What stands before their number: "at least " where it is a lower bound."""
        return "" if self.complete else "at least "

    def on(self, days: Collection[int]) -> tuple[Trial, ...]:
        """The tries that count on any of some days, YYYYMMDD."""
        wanted = set(days)
        return tuple(trial for trial in self.trials if trial.counts_on(wanted))

    def counting(self, trial: Trial) -> Record:
        """This record with a try that should be in it: one that could not be written there is counted all the same."""
        if any(one.id == trial.id for one in self.trials):
            return self
        return Record(False, (*self.trials, trial), (*self.gaps, UNWRITTEN))

    def between(self, first: int, last: int) -> tuple[Trial, ...]:
        """The tries that count on any day from one to another, YYYYMMDD, both among them."""
        seen = {trial.id for trial in self.trials if any(first <= day <= last for day in trial.days)}
        return tuple(one for one in self.trials if one.id in seen or one._is_candidate(first, last))


def record_path(database: str | Path) -> Path:
    """The record of the tries on a database's prices; of a link to one, that beside the database itself.

    >>> record_path("data/awesome.db").name
    'awesome.db.trials.jsonl'
    """
    path = Path(database)
    return Path(f"{path.resolve() if path.is_symlink() else path}{SUFFIX}")


def digest(*arrays: NDArray[np.generic]) -> str:
    """Digest of arrays' bytes, in their order, 16 hexadecimal digits."""
    import numpy as np

    whole = hashlib.sha256()
    for array in arrays:
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()[:16]


def now() -> str:
    """The present as a record writes it."""
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_record(path: Path) -> Record:
    """Reads a record; one that is not there is empty and not complete.

    Raises:
        TrialsError: a line is no try; a last line that a killed writer left unfinished is passed over.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Record(False, (), (NO_RECORD,))
    except OSError as error:
        raise TrialsError(f"{path}: cannot be read ({error.strerror})") from None
    return parse_record(content, str(path))


def parse_record(content: bytes, name: str) -> Record:
    """Reads the content of a record's file, whose name errors give.

    Raises:
        TrialsError: as in `read_record`.
    """
    lines = _whole_lines(content).split(b"\n")[:-1]
    if not lines:
        return Record(False, (), (NO_RECORD,))
    trials: dict[str, Trial] = {}
    gaps: dict[str, None] = {}
    header = _line(Header, name, 1, lines[0])
    if header.trials != Header.trials:
        raise TrialsError(f"{name}: its format {header.trials} is not one that this version reads; update awesome")
    if not header.complete:
        gaps[NO_RECORD] = None
    for number, line in enumerate(lines[1:], 2):
        if line.startswith(_GAP):
            gaps[_line(Gap, name, number, line).gap] = None
        else:
            trial = _line(Trial, name, number, line, _check)
            trials.setdefault(trial.id, trial)
    return Record(not gaps, tuple(trials.values()), tuple(gaps))


def _whole_lines(content: bytes) -> bytes:
    """The content without the half line of a killed writer; an editor may have left out the end of the last line."""
    whole = content.rfind(b"\n") + 1
    try:
        json.loads(content[whole:])
    except (ValueError, RecursionError):
        return content[:whole]
    return content + b"\n"


def _line(kind: type[_T], name: str, number: int, line: bytes, check: Callable[[_T], None] = lambda _: None) -> _T:
    try:
        found = from_json(kind, line)
        check(found)
        return found
    except RecordError as error:
        raise TrialsError(
            f"{name}, line {number}: no try ({error}); mend or move the line, the tries are counted from this file"
        ) from None


def _check(trial: Trial) -> None:
    """Refuses what no run writes, and what later runs cannot be judged by."""
    if any(day >= after for day, after in zip(trial.days, trial.days[1:], strict=False)):
        raise RecordError("days: they do not ascend")
    if len(trial.compared_for) not in (0, 2):
        raise RecordError("compared_for: neither two days nor none")
    for place, model in enumerate(trial.models):
        if not math.isnan(model.needed) and not 0 < model.needed < _MOST_NEEDED:
            raise RecordError(f"models.{place}.needed: {model.needed:g} is no number of standard errors")
        for name, series in (("influence", model.influence), ("returns", model.returns)):
            try:
                size = len(base64.b64decode(series.packed, validate=True))
            except ValueError:
                size = -1
            if size % _NUMBER_BYTES:
                raise RecordError(f"models.{place}.{name}: no packed numbers")


def render_record(record: Record) -> bytes:
    """The content of the file of a record."""
    begun = [gap for gap in record.gaps if gap != NO_RECORD]
    lines = [Header(complete=NO_RECORD not in record.gaps), *(Gap(gap, now()) for gap in begun), *record.trials]
    return b"".join(_rendered(line) for line in lines)


def _rendered(line: object) -> bytes:
    return f"{to_json(line, indent=None)}\n".encode()


@contextlib.contextmanager
def begun_with(database: str | Path) -> Iterator[None]:
    """Begins the record of a database that the block makes: no try can be older, so it is complete.

    Nothing is done where the database or its record was there before, or where the block makes none.

    Raises:
        TrialsError: the file cannot be written.
    """
    path = record_path(database)
    new = not Path(database).exists() and not path.exists()
    try:
        yield
    finally:
        if new and Path(database).exists() and not path.exists():
            append(path, (), complete=True)


def append(
    path: Path,
    trials: Iterable[Trial],
    complete: bool = False,
    gaps: Iterable[str] = (),
    after: Record | None = None,
) -> int:
    """Adds tries and gaps that the record does not hold yet; writers wait for each other.

    Args:
        path: of the record; made where it is not there.
        trials: what to add.
        complete: of a record that is made: no try is older than it.
        gaps: why tries may be missing.
        after: what was read of the record, on which the tries rest: nothing is added where there is more by now.

    Returns:
        How many tries were new.

    Raises:
        RecordGrew: it holds tries that `after` lacks.
        TrialsError: the file cannot be written, or a line is no try.
    """
    try:
        with path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.seek(0)
            content = file.read()
            whole = _whole_lines(content)
            held = parse_record(whole, str(path)) if whole else Record(complete, ())
            known = {trial.id for trial in held.trials}
            if after is not None and known - {trial.id for trial in after.trials}:
                raise RecordGrew(f"{path}: a try was added while another one was judged")
            new = {trial.id: trial for trial in trials if trial.id not in known}
            missing = [Gap(gap, now()) for gap in dict.fromkeys(gaps) if gap not in held.gaps]
            if whole and not new and not missing:
                return 0
            if len(whole) < len(content):
                file.truncate(len(whole))
            file.write(whole[len(content) :])
            lines = [] if whole else [Header(complete=complete)]
            file.write(b"".join(_rendered(line) for line in (*lines, *missing, *new.values())))
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise TrialsError(f"{path}: cannot be written ({error.strerror})") from None
    return len(new)


def merge(path: Path, other: Record, complete: bool = False) -> int:
    """Adds what another record holds; where that one may lack tries, so may this one from now on.

    Args:
        path: of the record; made where it is not there.
        other: what to add.
        complete: of a record that is made: nothing can have been tried here before it.

    Returns:
        How many tries were new.

    Raises:
        TrialsError: the file cannot be written, or a line is no try.
    """
    return append(path, other.trials, complete, other.gaps)
