"""Manifests: what lies at a place, written after everything else. Without one, nothing is there."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from components.errors import StorageError

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
        return _dump("database", asdict(self))

    @classmethod
    def from_json(cls, content: bytes, url: str) -> DatabaseManifest:
        """Reads a manifest.

        Args:
            content: Of its file.
            url: Of its file, for the message.

        Raises:
            StorageError: It is no manifest of a database, or of another format.
        """
        fields = _Fields(_load("database", content, url), url)
        return cls(
            file=_file(fields.get("file", dict), url),
            data_digest=fields.get("data_digest", str),
            shares=fields.get("shares", int),
            last_session=fields.get("last_session", (str, type(None))),
            created=fields.get("created", str),
            code=_code(fields),
        )


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
    """

    model: str
    version: str
    architecture_version: int | None
    formatter: str
    horizon: int
    auc: float
    auc_low: float
    auc_high: float
    blessed: bool
    champion: bool
    created: str
    data_digest: str
    market: str | None
    code: CodeVersion


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
        facts = {name: None if _is_nan(value) else value for name, value in asdict(self.facts).items()}
        return _dump("model", {**facts, "files": [asdict(file) for file in self.files]})

    @classmethod
    def from_json(cls, content: bytes, url: str) -> ModelManifest:
        """Reads a manifest.

        Args:
            content: Of its file.
            url: Of its file, for the message.

        Raises:
            StorageError: It is no manifest of a model, or of another format.
        """
        fields = _Fields(_load("model", content, url), url)
        facts = ModelFacts(
            model=fields.get("model", str),
            version=fields.get("version", str),
            architecture_version=fields.get("architecture_version", (int, type(None))),
            formatter=fields.get("formatter", str),
            horizon=fields.get("horizon", int),
            auc=fields.number("auc"),
            auc_low=fields.number("auc_low"),
            auc_high=fields.number("auc_high"),
            blessed=fields.get("blessed", bool),
            champion=fields.get("champion", bool),
            created=fields.get("created", str),
            data_digest=fields.get("data_digest", str),
            market=fields.get("market", (str, type(None))),
            code=_code(fields),
        )
        files = tuple(_file(item, url) for item in fields.get("files", list))
        if len({file.path for file in files}) != len(files):
            raise StorageError(f"{url}: names a file twice; push it again")
        return cls(facts, files)


def describe_file(file: Path, path: str) -> StoredFile:
    """Reads a file for its size and digest.

    Args:
        file: The file.
        path: What it is called in the manifest.

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


def _is_nan(value: object) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _dump(kind: str, fields: Mapping[str, Any]) -> bytes:
    text = json.dumps({"format": FORMAT, "kind": kind, **fields}, indent=2, allow_nan=False, ensure_ascii=False)
    return (text + "\n").encode()


def _load(kind: str, content: bytes, url: str) -> Mapping[str, Any]:
    try:
        raw = json.loads(content)
    except (ValueError, RecursionError):
        raise StorageError(f"{url}: is no manifest (not JSON); push again") from None
    if not isinstance(raw, dict) or raw.get("kind") != kind:
        raise StorageError(f"{url}: is no manifest of a {kind}; push again")
    if raw.get("format") != FORMAT:
        raise StorageError(
            f"{url}: has format {raw.get('format')!r}, this version of awesome reads {FORMAT}; upgrade it or push again"
        )
    return raw


@dataclass(frozen=True)
class _Fields:
    """The fields of a manifest, taken out with a check of their type."""

    raw: Mapping[str, Any]
    url: str

    def get(self, name: str, kind: type[_T] | tuple[type, ...]) -> Any:
        value = self.raw.get(name)
        # bool is an int to Python and not to a reader of the manifest.
        if name not in self.raw or not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
            raise StorageError(f"{self.url}: is no whole manifest: {name} is missing or odd; push again")
        return value

    def number(self, name: str) -> float:
        value = self.get(name, (int, float, type(None)))
        return float("nan") if value is None else float(value)


def _code(fields: _Fields) -> CodeVersion:
    code = _Fields(fields.get("code", dict), fields.url)
    return CodeVersion(code.get("version", str), code.get("digest", str))


def _file(raw: Any, url: str) -> StoredFile:
    if not isinstance(raw, dict):
        raise StorageError(f"{url}: is no whole manifest: a file is odd; push again")
    fields = _Fields(raw, url)
    file = StoredFile(fields.get("path", str), fields.get("size", int), fields.get("sha256", str))
    parts = PurePosixPath(file.path).parts
    # A pull writes to these paths, so none may lead out of its folder.
    leads_out = not parts or file.path != "/".join(parts) or ".." in parts or "\\" in file.path or "\0" in file.path
    if leads_out or file.path.startswith("/") or file.size < 0 or not _SHA256.fullmatch(file.sha256):
        raise StorageError(f"{url}: names a file {file.path!r} that cannot be; push again")
    return file
