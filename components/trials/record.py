"""The record of tries: an append-only file of JSON lines beside a database, one line a try.

A try is whatever was asked of some test days and whose answer somebody could see: a run, a fold of a walk-forward, an
experiment. What a later try has to show depends on all of them (hurdle.py), so each leaves what that needs: of every
model the AUC, its error, and what each test day added to it.
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from components.errors import UserError
from components.records import Number, RecordError, from_json, to_json

_T = TypeVar("_T")

SUFFIX = ".trials.jsonl"
"""Of the record's name, after the database's."""


class TrialsError(UserError):
    """A record of tries cannot be read or written."""


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
        return cls(base64.b64encode(np.asarray(values, "<f4").tobytes()).decode())

    @property
    def values(self) -> NDArray[np.float64]:
        """The numbers, [days]; empty where they are not known."""
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
        kind: "run", "walk-forward", "experiment".
        asked: what was asked, in words by name: formatter, models, seed, pipeline.
        horizon: sessions ahead of the label.
        rows: digest of the test rows: shares, days and labels.
        days: the test days, YYYYMMDD, ascending.
        models: what was seen of each model.
    """

    id: str
    time: str
    kind: str
    asked: Mapping[str, str]
    horizon: int
    rows: str
    days: tuple[int, ...]
    models: tuple[TriedModel, ...]


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
class Record:
    """What a record holds.

    Attributes:
        complete: no try is known to be missing; otherwise their number is a lower bound.
        trials: in the order of the file.
    """

    complete: bool
    trials: tuple[Trial, ...]


def record_path(database: str | Path) -> Path:
    """The record of the tries on a database's prices.

    >>> record_path("data/awesome.db").name
    'awesome.db.trials.jsonl'
    """
    return Path(f"{database}{SUFFIX}")


def digest(*arrays: NDArray[np.generic]) -> str:
    """Digest of arrays' bytes, in their order, 16 hexadecimal digits."""
    whole = hashlib.sha256()
    for array in arrays:
        whole.update(np.ascontiguousarray(array).tobytes())
    return whole.hexdigest()[:16]


def read_record(path: Path) -> Record:
    """Reads a record; one that is not there is empty and not complete.

    Raises:
        TrialsError: a line is no try; a last line that a killed writer left unfinished is passed over.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return Record(False, ())
    except OSError as error:
        raise TrialsError(f"{path}: cannot be read ({error.strerror})") from None
    lines = content.split(b"\n")[:-1]
    if not lines:
        return Record(False, ())
    trials: dict[str, Trial] = {}
    header = _line(Header, path, 1, lines[0])
    for number, line in enumerate(lines[1:], 2):
        trial = _line(Trial, path, number, line)
        trials.setdefault(trial.id, trial)
    return Record(header.complete, tuple(trials.values()))


def _line(kind: type[_T], path: Path, number: int, line: bytes) -> _T:
    try:
        return from_json(kind, line)
    except RecordError as error:
        raise TrialsError(
            f"{path}, line {number}: no try ({error}); mend or move the line, the tries are counted from this file"
        ) from None


def append(path: Path, trials: Iterable[Trial], complete: bool = False) -> int:
    """Adds tries that the record does not hold yet; writers wait for each other.

    Args:
        path: of the record; made where it is not there.
        trials: what to add.
        complete: of a record that is made: no try is older than it.

    Returns:
        How many were new.

    Raises:
        TrialsError: the file cannot be written, or a line is no try.
    """
    try:
        with path.open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            known = {trial.id for trial in read_record(path).trials}
            new = {trial.id: trial for trial in trials if trial.id not in known}
            file.seek(0)
            content = file.read()
            whole = content.rfind(b"\n") + 1
            if whole < len(content):  # a killed writer's half line
                file.truncate(whole)
            lines = [] if whole else [to_json(Header(complete=complete), indent=None)]
            lines += [to_json(trial, indent=None) for trial in new.values()]
            file.write("".join(f"{line}\n" for line in lines).encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise TrialsError(f"{path}: cannot be written ({error.strerror})") from None
    return len(new)
