"""Which versions of a model there are, and which ones answer: new ones are taken up, and old ones drained.

The folder is that of TensorFlow Serving, BASE/VERSION/saved_model.pb, and so is what is served: the highest version, or
the highest few. A version answers once it has proved itself; until then, and where it does not, those before it go on.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from components.errors import UserError
from pipeline.serving.errors import Code, ServingError, invalid
from pipeline.serving.messages import State
from pipeline.serving.signatures import SAVED_MODEL
from pipeline.serving.version import ServedVersion

_LOG = logging.getLogger("awesome.serve")

Load = Callable[[int, Path], ServedVersion]
_Fingerprint = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Wanted:
    """Which version a request asks for; the highest one that answers where it names none.

    Attributes:
        model: name of the model.
        number: of a version.
        label: of a version.
    """

    model: str
    number: int | None = None
    label: str | None = None


@dataclass(frozen=True)
class VersionStatus:
    """How a version stands.

    Attributes:
        number: of the version.
        state: of TensorFlow Serving.
        code: OK, or why it does not answer.
        message: the same in words.
    """

    number: int
    state: State
    code: Code = Code.OK
    message: str = ""


@dataclass
class _Held:
    """A version in memory, and how many requests are asking it."""

    version: ServedVersion
    asking: int = 0
    retired: bool = False


@dataclass
class Versions:
    """The versions of one model; any thread may lease one, and one thread looks for new ones.

    Attributes:
        base: folder of the numbered versions.
        model: name that clients know it by.
        load: reads and tries a version.
        most: how many of the highest versions answer.
        labels: names of versions.
    """

    base: Path
    model: str
    load: Load
    most: int = 1
    labels: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Nothing answers before the first look."""
        self._lock = threading.Lock()
        self._looking = threading.Lock()
        self._held: dict[int, _Held] = {}
        self._statuses: dict[int, VersionStatus] = {}
        self._refused: dict[int, _Fingerprint] = {}
        self._seen: dict[int, _Fingerprint] = {}
        self._there: set[int] = set()
        self._looked = False
        self.switches = 0

    def look(self) -> None:
        """Takes up what is new and retires what is old.

        A folder that is new is left alone until it is the same at two looks, but for the first one: whoever copies a
        model may still be at it.
        """
        with self._looking:
            there = self._numbers()
            seen: dict[int, _Fingerprint] = {}
            answering: list[int] = []
            for number in sorted(there, reverse=True):
                if len(answering) == self.most:
                    break  # hundreds of old versions are nobody's work
                if number not in self._held:
                    seen[number] = _fingerprint(self.base / str(number))
                if number in self._held or self._take_up(number, seen[number]):
                    answering.append(number)
            self._there, self._seen, self._looked = there, seen, True
            if answering:  # a folder that is gone for a moment, such as a mount, stops nobody from answering
                self._retire(set(self._held) - set(answering))
            with self._lock:
                self._refused = {number: one for number, one in self._refused.items() if number in there}
                gone = [n for n, s in self._statuses.items() if s.state is State.END and n not in there]
                for number in gone[:-1]:  # the last one is kept, so that its clients learn of it
                    del self._statuses[number]

    def _numbers(self) -> set[int]:
        try:
            names = [path.name for path in self.base.iterdir() if (path / SAVED_MODEL).is_file()]
        except OSError:
            return set()
        return {int(name) for name in names if name.isascii() and name.isdecimal() and str(int(name)) == name}

    def _take_up(self, number: int, fingerprint: _Fingerprint) -> bool:
        if self._refused.get(number) == fingerprint:
            return False
        is_new = number not in self._there or self._seen.get(number, fingerprint) != fingerprint
        if self._looked and is_new:
            self._set(VersionStatus(number, State.START))
            return False
        self._set(VersionStatus(number, State.LOADING))
        try:
            version = self.load(number, self.base / str(number))
        except Exception as error:  # whatever is wrong with the new one, the old one goes on
            text = str(error) if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
            self._refused[number] = fingerprint
            self._set(VersionStatus(number, State.END, Code.FAILED_PRECONDITION, text))
            going = self.numbers()
            goes_on = f"version {going[-1]} goes on" if going else "no version answers"
            _LOG.error("version %d of %s is refused, %s: %s", number, self.model, goes_on, text)
            return False
        with self._lock:
            self._refused.pop(number, None)
            self._held[number] = _Held(version)
            self._statuses[number] = VersionStatus(number, State.AVAILABLE)
            self.switches += 1
        _LOG.info("version %d of %s answers", number, self.model)
        return True

    def _retire(self, numbers: set[int]) -> None:
        for number in sorted(numbers):
            with self._lock:
                held = self._held.pop(number)
                held.retired = True
                drained = held.asking == 0
                self._statuses[number] = VersionStatus(number, State.END if drained else State.UNLOADING)
            _LOG.info("version %d of %s is %s", number, self.model, "unloaded" if drained else "drained")

    def _set(self, status: VersionStatus) -> None:
        with self._lock:
            self._statuses[status.number] = status

    @contextmanager
    def lease(self, wanted: Wanted) -> Iterator[ServedVersion]:
        """A version that stays loaded while the block runs.

        Raises:
            ServingError: none of that name, number or label answers.
        """
        with self._lock:
            held = self._find(wanted)
            held.asking += 1
        try:
            yield held.version
        finally:
            with self._lock:
                held.asking -= 1
                number = held.version.number
                if held.retired and held.asking == 0 and number not in self._held:
                    self._statuses[number] = VersionStatus(number, State.END)

    def _find(self, wanted: Wanted) -> _Held:
        number = wanted.number
        if wanted.model == self.model and wanted.label is not None:
            number = self.labels.get(wanted.label)
            if number is None:
                raise invalid(f"Unrecognized servable version label: {wanted.label}")
        if wanted.model == self.model and self._held and number is None:
            return self._held[max(self._held)]
        if wanted.model != self.model or number is None or number not in self._held:
            asked = f"Latest({wanted.model})" if number is None else f"Specific({wanted.model}, {number})"
            raise ServingError(Code.NOT_FOUND, f"Servable not found for request: {asked}")
        return self._held[number]

    def numbers(self) -> list[int]:
        """The versions that answer, the highest last."""
        with self._lock:
            return sorted(self._held)

    def statuses(self, wanted: Wanted) -> list[VersionStatus]:
        """How all versions stand, the highest first, or the one that was asked for.

        Raises:
            ServingError: there is none.
        """
        with self._lock:
            found = dict(self._statuses) if wanted.model == self.model else {}
        number = wanted.number
        if wanted.label is not None and wanted.model == self.model:
            number = self.labels.get(wanted.label)
            if number is None:
                raise invalid(f"Unrecognized servable version label: {wanted.label}")
        if number is not None:
            if number not in found:
                raise ServingError(Code.NOT_FOUND, f"Could not find version {number} of model {wanted.model}")
            return [found[number]]
        if not found:
            raise ServingError(Code.NOT_FOUND, f"Could not find any versions of model {wanted.model}")
        return [found[one] for one in sorted(found, reverse=True)]

    def refused(self) -> list[VersionStatus]:
        """The versions that must not answer, the highest first."""
        with self._lock:
            found = [one for one in self._statuses.values() if one.code is not Code.OK]
        return sorted(found, key=lambda one: -one.number)


def _fingerprint(folder: Path) -> _Fingerprint:
    """Names, sizes and times of all files of a folder."""
    found = []
    try:
        for path in sorted(folder.rglob("*")):
            stat = path.stat()
            found.append((str(path.relative_to(folder)), stat.st_size, stat.st_mtime_ns))
    except OSError:  # it is changing under our eyes
        found.append(("", -1, -1))
    return tuple(found)
