"""Manifests: what lies at a place, written after everything else. Without one, nothing is there."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from components.errors import StorageError
from components.records import Number, RecordError, from_json, to_json, to_plain
from models.labels import UP

FORMAT = 1
"""The layout of a manifest; a reader refuses another one."""

_SHA256 = re.compile(r"[0-9a-f]{64}")
_CHUNK = 2**20
_T = TypeVar("_T")


@dataclass(frozen=True)
class StoredFile:
    """A file of what was pushed.

    Attributes:
        path: Relative to the manifest's folder, separated by '/'.
        size: In bytes.
        sha256: Of its content, in hexadecimal.
    """

    path: str
    size: int
    sha256: str


@dataclass(frozen=True)
class CodeVersion:
    """The code that made something.

    Attributes:
        version: Of the package.
        digest: Of the source files.
    """

    version: str
    digest: str


@dataclass(frozen=True)
class DatabaseManifest:
    """A feature store that was pushed.

    Attributes:
        file: The database; its path is its name.
        data_digest: `FeatureStore.digest` of all shares.
        shares: Number of shares in FEATURE.
        last_session: The latest session, ISO date; None for an empty database.
        created: When it was pushed, ISO 8601 in UTC.
        code: What pushed it.
    """

    file: StoredFile
    data_digest: str
    shares: int
    last_session: str | None
    created: str
    code: CodeVersion

    @property
    def files(self) -> tuple[StoredFile, ...]:
        """The database alone."""
        return (self.file,)

    def to_json(self) -> bytes:
        """The content of the manifest's file."""
        return _dump("database", self)

    @classmethod
    def from_json(cls, content: bytes, url: str) -> DatabaseManifest:
        """Reads a manifest's file, whose URL errors name.

        Raises:
            StorageError: It is no manifest of a database, or of another format.
        """
        manifest = _read("database", cls, content, url)
        _check_files(manifest.files, url)
        return manifest


@dataclass(frozen=True)
class ModelFacts:
    """What is known of a trained model.

    Attributes:
        model: Its name, such as rnn.
        version: When its run ended, such as 20261123T213000Z.
        architecture_version: Version of its architecture; None if the model does not say.
        formatter: Its DataFormatter.
        horizon: Sessions ahead.
        auc: Area under the ROC curve on the test split; NaN if it was not measured, like the next two.
        auc_low: Lower end of the AUC's 95 % interval.
        auc_high: Upper end of it.
        blessed: Whether it passed its thresholds.
        champion: Whether it was the best blessed one of its run.
        created: When its run ended, ISO 8601 in UTC.
        data_digest: Fingerprint of the feature table it was made on.
        market: The synthetic market it was made on; None for real prices.
        code: What made it.
        database: Name of the database it was made on; empty where an older version pushed it.
        tries: How many tries saw a day of its test split, its own among them; None where an older version pushed it.
        tries_complete: Whether no try is known to be missing; otherwise their number is a lower bound.
        parts: Package, version and digest of those of its parts that come from outside of the project.
        label: Name of what it predicts.
        hyperparameters: Those that are not its architecture's own, by name; an older version does not say.
    """

    model: str
    version: str
    architecture_version: int | None
    formatter: str
    horizon: int
    auc: Number
    auc_low: Number
    auc_high: Number
    blessed: bool
    champion: bool
    created: str
    data_digest: str
    market: str | None
    code: CodeVersion
    database: str = ""
    tries: int | None = None
    tries_complete: bool = False
    parts: tuple[str, ...] = ()
    label: str = UP
    hyperparameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class ModelManifest:
    """A model that was pushed.

    Attributes:
        facts: What is known of it.
        files: Its files, sorted by path.
    """

    facts: ModelFacts
    files: tuple[StoredFile, ...]

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)

    def to_json(self) -> bytes:
        """The content of the manifest's file."""
        return _dump("model", {**to_plain(self.facts), "files": self.files})

    @classmethod
    def from_json(cls, content: bytes, url: str) -> ModelManifest:
        """Reads a manifest's file, whose URL errors name.

        Raises:
            StorageError: It is no manifest of a model, or of another format.
        """
        facts = _read("model", ModelFacts, content, url)
        files = _read("model", _Files, content, url).files
        _check_files(files, url)
        if len({file.path for file in files}) != len(files):
            raise StorageError(f"{url}: names a file twice; push it again")
        return cls(facts, files)


@dataclass(frozen=True)
class _Files:
    """The files in a manifest of a model."""

    files: tuple[StoredFile, ...]


def describe_file(file: Path, path: str) -> StoredFile:
    """Reads a file for its size and digest; its manifest calls it `path`.

    Raises:
        StorageError: It cannot be read.
    """
    digest = hashlib.sha256()
    size = 0
    try:
        with file.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except OSError as error:
        raise StorageError(f"{file}: cannot be read: {error.strerror}") from None
    return StoredFile(path, size, digest.hexdigest())


@dataclass(frozen=True)
class _Header:
    """How every manifest begins."""

    format: Any = None
    kind: Any = None


def _dump(kind: str, fields: Any) -> bytes:
    return (to_json({**to_plain(_Header(FORMAT, kind)), **to_plain(fields)}) + "\n").encode()


def _read(kind: str, record: type[_T], content: bytes, url: str) -> _T:
    try:
        header = from_json(_Header, content)
    except RecordError as error:
        raise StorageError(f"{url}: is no manifest ({error}); push again") from None
    if header.kind != kind:
        raise StorageError(f"{url}: is no manifest of a {kind}; push again")
    if header.format != FORMAT:
        raise StorageError(
            f"{url}: has format {header.format!r}, this version of awesome reads {FORMAT}; upgrade it or push again"
        )
    try:
        return from_json(record, content)
    except RecordError as error:
        raise StorageError(f"{url}: is no whole manifest: {error}; push again") from None


def _check_files(files: tuple[StoredFile, ...], url: str) -> None:
    """Refuses a file that a pull cannot write to, or that would lead out of its folder."""
    for file in files:
        parts = PurePosixPath(file.path).parts
        leads_out = not parts or file.path != "/".join(parts) or ".." in parts or "\\" in file.path or "\0" in file.path
        if leads_out or file.path.startswith("/") or file.size < 0 or not _SHA256.fullmatch(file.sha256):
            raise StorageError(f"{url}: names a file {file.path!r} that cannot be; push again")
