"""A storage: a folder, or a prefix in an S3 or COS bucket, behind one small interface over fsspec."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from components.errors import StorageError
from components.object_storage.failures import Place, is_missing, translated
from components.object_storage.opening import StorageSettings, open_place
from components.whole_files import PARTIAL, clear_left, whole_file

Advance = Callable[[int], None]
"""Called with the bytes that were moved since the last call."""

_MIB = 2**20
_MOST_PARTS = 10_000
_LARGEST_PART = 5 * 2**30
"""What S3 and COS take of one object, and of one part of it."""

_PARTS_AT_ONCE = 4
_MOST_AT_ONCE = 256 * _MIB
"""Bytes of parts that are in memory together, while one fits."""


class Storage:
    """An open storage; make one with `Storage.at` and close it, or use it in a `with` statement.

    Names are relative to the storage's URL and separated by '/'. Writing a name replaces what was there in one go: a
    reader sees the old content or the new, never a part. Anything that goes wrong is a StorageError.
    """

    def __init__(self, place: Place, filesystem: Any, root: str, settings: StorageSettings) -> None:
        """Wraps an fsspec file system; use `at` instead."""
        self._place = place
        self._filesystem = filesystem
        self._root = root
        self._settings = settings
        self._client: Any = None

    @classmethod
    def at(cls, url: str, settings: StorageSettings | None = None) -> Storage:
        """Opens a storage. Nothing is sent yet, so a wrong key or bucket shows at the first use.

        Args:
            url: file:///folder, a plain path, s3://bucket/prefix or cos://bucket-appid/prefix.
            settings: How it is reached.

        Raises:
            StorageError: The URL or a setting cannot be used.
        """
        settings = settings or StorageSettings()
        return cls(*open_place(url, settings), settings)

    @property
    def url(self) -> str:
        """The storage's URL without a trailing slash; for a folder, its absolute path."""
        return self._place.url

    def url_of(self, name: str) -> str:
        """Returns the URL of something in the storage, for messages."""
        return f"{self._place.url}/{name}"

    def place_of(self, name: str) -> str:
        """Returns the URL of something that should be there, and for a bucket the host that was asked for it."""
        at = f" at {self._place.host}" if self._place.host else ""
        return f"{self.url_of(name)}{at}"

    def names(self, folder: str) -> tuple[str, ...]:
        """Lists everything below a folder that is whole: sorted names relative to the storage.

        Raises:
            StorageError: The storage cannot be listed.
        """
        with self._answering(folder):
            try:
                options = {"on_error": _unless_missing} if self._place.kind == "file" else {}
                found = self._filesystem.find(f"{self._root}/{folder}", **options)
            except FileNotFoundError as error:
                if not is_missing(error):
                    raise
                return ()
        start = len(self._root) + 1
        names = (str(name)[start:] for name in found if not str(name).endswith("/"))
        return tuple(sorted(name for name in names if not _is_partial(self._place.kind, name)))

    def read(self, name: str) -> bytes | None:
        """Reads something small whole; None if it is not there.

        Raises:
            StorageError: It cannot be read.
        """
        with self._answering(name):
            try:
                return bytes(self._filesystem.cat_file(f"{self._root}/{name}"))
            except FileNotFoundError as error:
                if not is_missing(error):
                    raise
                return None

    def write(self, name: str, content: bytes) -> None:
        """Writes something small.

        Raises:
            StorageError: It cannot be written.
        """
        with self._answering(name), self._whole(name) as path:
            self._filesystem.pipe_file(path, content)

    def upload(self, file: Path, name: str, advance: Advance | None = None) -> None:
        """Sends a file.

        Args:
            file: The file.
            name: What it becomes.
            advance: Told of every part that was sent.

        Raises:
            StorageError: The file cannot be read or the name not be written; what was there before is still there.
        """
        if not file.is_file():
            raise StorageError(f"{file}: does not exist, so it cannot be sent to {self.url_of(name)}")
        arguments: dict[str, Any] = {}
        if self._place.kind != "file":
            part, at_once = parts_of(file.stat().st_size, self._settings.part_size)
            arguments = {"chunksize": part, "max_concurrency": at_once}
        with self._answering(name), self._whole(name) as path:
            callback = _callback(advance)
            self._filesystem.put_file(str(file), path, callback=callback, **arguments)
        if self._place.kind == "file" and advance is not None:
            advance(file.stat().st_size)

    def download(self, name: str, file: Path, advance: Advance | None = None) -> None:
        """Fetches a file; where the connection breaks, it is taken up again from there, a few times.

        Args:
            name: What to fetch.
            file: Where to; its folder must exist. It is written as it comes, and left where it is when that fails.
            advance: Told of every part that came.

        Raises:
            StorageError: The name is not there, or the file cannot be fetched or written.
        """
        with self._answering(name):
            try:
                self._filesystem.get_file(f"{self._root}/{name}", str(file), callback=_callback(advance))
            except FileNotFoundError as error:
                if not is_missing(error):
                    raise
                raise StorageError(f"{self.url_of(name)}: is not there; push it again") from None
        if self._place.kind == "file" and advance is not None:
            advance(file.stat().st_size)

    def remove(self, name: str) -> None:
        """Removes something; it need not be there.

        Raises:
            StorageError: It cannot be removed.
        """
        with self._answering(name), contextlib.suppress(FileNotFoundError):
            self._filesystem.rm_file(f"{self._root}/{name}")

    def clear_left(self, folder: str) -> None:
        """Removes what killed programs of this machine were writing below a folder of the file system.

        What they leave in a bucket is invisible; a rule of the bucket's own removes it.
        """
        if self._place.kind == "file":
            for place, _, _ in os.walk(f"{self._root}/{folder}"):
                clear_left(Path(place))

    def close(self) -> None:
        """Closes the connections. What fails then is of no use to anybody, as nothing is under way any more."""
        client, self._client = self._client, None
        if client is not None:
            from fsspec.asyn import sync

            with contextlib.suppress(Exception):
                sync(self._filesystem.loop, client.close, timeout=5)

    def __enter__(self) -> Storage:
        """Returns the storage itself."""
        return self

    def __exit__(self, *error: object) -> None:
        """Closes the storage."""
        self.close()

    # --- inside

    @contextlib.contextmanager
    def _answering(self, name: str) -> Iterator[None]:
        """Translates errors; makes the client that `close` closes; gets patient once the server has answered."""
        with translated(self._place, name):
            if self._place.kind != "file" and self._client is None:
                self._client = self._filesystem.connect()
            yield
            if self._place.kind != "file":
                self._filesystem.retries = self._settings.tries

    @contextlib.contextmanager
    def _whole(self, name: str) -> Iterator[str]:
        """Gives the path to write to. An object appears whole by itself; a file is renamed when it is."""
        path = f"{self._root}/{name}"
        if self._place.kind != "file":
            yield path
            return
        with whole_file(Path(path), sync=True) as partial:
            yield str(partial)


def parts_of(size: int, smallest: int) -> tuple[int, int]:
    """How a file is cut for a bucket, whose server takes no more than 10,000 parts of one object.

    >>> parts_of(200 * 2**30, 8 * 2**20)
    (22020096, 4)

    Args:
        size: of the file, in bytes.
        smallest: bytes of a part where that is enough.

    Returns:
        Bytes of a part, and how many are sent at once.

    Raises:
        StorageError: no server takes so large an object.
    """
    part = max(smallest, -(-size // _MOST_PARTS // _MIB) * _MIB)
    if part > _LARGEST_PART:
        raise StorageError(
            f"a file of {size / 2**40:.1f} TiB is too large for object storage, which takes {_MOST_PARTS:,} parts of "
            f"{_LARGEST_PART // 2**30} GiB; keep fewer shares in one database"
        )
    return part, max(1, min(_PARTS_AT_ONCE, _MOST_AT_ONCE // part))


def _callback(advance: Advance | None) -> Any:
    from fsspec.callbacks import Callback

    callback = Callback()
    if advance is not None:
        callback.relative_update = advance
    return callback


def _is_partial(kind: str, name: str) -> bool:
    return kind == "file" and name.rpartition("/")[2].startswith(PARTIAL)


def _unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
