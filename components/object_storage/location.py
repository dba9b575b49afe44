"""A storage: a folder, or a prefix in an S3 or COS bucket, behind one small interface over fsspec."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from components.errors import StorageError
from components.object_storage.failures import Place, is_missing, translated
from components.whole_files import whole_file

Advance = Callable[[int], None]
"""Called with the bytes that were moved since the last call."""

_SMALLEST_PART = 5 * 2**20
_PARTS_AT_ONCE = 4
_CONNECT_TIMEOUT, _READ_TIMEOUT = 4, 20
_TRIES_BEFORE_AN_ANSWER = 2
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}")
_COS_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]*-[0-9]{8,12}")
_COS_REGION = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True)
class StorageSettings:
    """How object storage is reached; what is None is left to the libraries' defaults.

    Attributes:
        s3_endpoint: URL of an S3 server that is not Amazon's, such as https://minio.example:9000.
        cos_region: Region of COS buckets, such as ap-shanghai.
        cos_endpoint: URL of COS instead of https://cos.REGION.myqcloud.com, such as an internal one.
        cos_key: COS's SecretId.
        cos_secret: COS's SecretKey.
        part_size: Bytes of a part of a multipart upload, 5 MiB at least; four are under way at once.
        tries: How often a request is made before it is given up, once the server has answered; before that, twice at
            most, so that a dead one is known in seconds.
    """

    s3_endpoint: str | None = None
    cos_region: str | None = None
    cos_endpoint: str | None = None
    cos_key: str | None = field(default=None, repr=False)
    cos_secret: str | None = field(default=None, repr=False)
    part_size: int = 8 * 2**20
    tries: int = 5


def parse_url(url: str) -> tuple[str, str]:
    """The scheme of a storage's URL (file, s3 or cos) and what follows it.

    Args:
        url: as in `Storage.at`.

    Raises:
        StorageError: there is no such storage.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "file", url
    if scheme not in ("file", "s3", "cos"):
        raise StorageError(f"{scheme}://: there is no such storage; use file://, s3:// or cos://, or a folder's path")
    return scheme, rest


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
        scheme, rest = parse_url(url)
        opened = {"file": cls._local, "s3": cls._s3, "cos": cls._cos}[scheme]
        return opened(rest, settings or StorageSettings())

    @property
    def url(self) -> str:
        """The storage's URL without a trailing slash; for a folder, its absolute path."""
        return self._place.url

    def url_of(self, name: str) -> str:
        """Returns the URL of something in the storage, for messages."""
        return f"{self._place.url}/{name}"

    def names(self, folder: str) -> tuple[str, ...]:
        """Lists everything below a folder.

        Args:
            folder: A name.

        Returns:
            Sorted names relative to the storage; empty if there is nothing.

        Raises:
            StorageError: The storage cannot be listed.
        """
        with self._answering(folder):
            try:
                if self._place.kind == "file":
                    found = self._filesystem.find(f"{self._root}/{folder}", on_error=_unless_missing)
                else:
                    found = self._filesystem.find(f"{self._root}/{folder}")
            except FileNotFoundError as error:
                if not is_missing(error):
                    raise
                return ()
        start = len(self._root) + 1
        return tuple(sorted(str(name)[start:] for name in found if not str(name).endswith("/")))

    def read(self, name: str) -> bytes | None:
        """Reads something small whole.

        Returns:
            Its content; None if it is not there.

        Raises:
            StorageError: It cannot be read.
        """
        with self._answering(name):
            try:
                return bytes(self._filesystem.cat_file(self._path(name)))
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
            arguments = {"chunksize": self._settings.part_size, "max_concurrency": _PARTS_AT_ONCE}
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
                self._filesystem.get_file(self._path(name), str(file), callback=_callback(advance))
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
            self._filesystem.rm_file(self._path(name))

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

    # --- opening

    @classmethod
    def _local(cls, text: str, settings: StorageSettings) -> Storage:
        from fsspec.implementations.local import LocalFileSystem

        if not text:
            raise StorageError("the storage's URL is empty; name a folder, or a URL with file://, s3:// or cos://")
        root = os.path.abspath(os.path.expanduser(text)).rstrip("/")
        filesystem = LocalFileSystem(auto_mkdir=True, skip_instance_cache=True)
        return cls(Place("file", root), filesystem, root, settings)

    @classmethod
    def _s3(cls, rest: str, settings: StorageSettings) -> Storage:
        bucket, root = _bucket_of("s3", rest)
        if not _BUCKET.fullmatch(bucket):
            raise StorageError(f"s3://{bucket}: is no name of a bucket; write s3://BUCKET/FOLDER")
        endpoint = _checked_endpoint("s3_endpoint", settings.s3_endpoint)
        host = "Amazon S3" if endpoint is None else urlsplit(endpoint).netloc
        config = _config(settings) if endpoint is None else {**_config(settings), **_without_new_checksums()}
        return cls._bucket(Place("s3", f"s3://{root}", bucket, host), root, settings, config, endpoint_url=endpoint)

    @classmethod
    def _cos(cls, rest: str, settings: StorageSettings) -> Storage:
        bucket, root = _bucket_of("cos", rest)
        if not _COS_BUCKET.fullmatch(bucket):
            raise StorageError(
                f"cos://{bucket}: a COS bucket's name ends in the app id; write it whole, such as prices-1250000000"
            )
        region = settings.cos_region
        if not region or not _COS_REGION.fullmatch(region):
            raise StorageError(
                f"cos://{bucket}: the region is not set; set cos_region (AWESOME_COS_REGION), such as ap-shanghai"
            )
        # Without this check botocore would go on and send Amazon's key to Tencent.
        if not settings.cos_key or not settings.cos_secret:
            raise StorageError(f"cos://{bucket}: there are no credentials; set COS_SECRET_ID and COS_SECRET_KEY")
        endpoint = _checked_endpoint("cos_endpoint", settings.cos_endpoint) or f"https://cos.{region}.myqcloud.com"
        config = {
            **_config(settings),
            **_without_new_checksums(),
            "signature_version": "s3v4",
            "s3": {"addressing_style": "virtual"},
        }
        return cls._bucket(
            Place("cos", f"cos://{root}", bucket, urlsplit(endpoint).netloc),
            root,
            settings,
            config,
            endpoint_url=endpoint,
            client_kwargs={"region_name": region},
            key=settings.cos_key,
            secret=settings.cos_secret,
        )

    @classmethod
    def _bucket(
        cls, place: Place, root: str, settings: StorageSettings, config: dict[str, Any], **arguments: Any
    ) -> Storage:
        from s3fs import S3FileSystem

        if settings.part_size < _SMALLEST_PART:
            raise StorageError(f"part_size: S3 takes no parts below {_SMALLEST_PART} bytes, got {settings.part_size}")
        filesystem = S3FileSystem(
            config_kwargs=config,
            # With more, s3fs asks for the size before each read and does not take up a broken download.
            max_concurrency=1,
            use_listings_cache=False,
            skip_instance_cache=True,
            **arguments,
        )
        filesystem.retries = min(_TRIES_BEFORE_AN_ANSWER, settings.tries)
        return cls(place, filesystem, root, settings)

    # --- inside

    def _path(self, name: str) -> str:
        return f"{self._root}/{name}"

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
        path = self._path(name)
        if self._place.kind != "file":
            yield path
            return
        with whole_file(Path(path), sync=True) as partial:
            yield str(partial)


def _bucket_of(scheme: str, rest: str) -> tuple[str, str]:
    """Splits what follows s3:// or cos:// into the bucket and the whole path without slashes at its end."""
    path = rest.rstrip("/")
    bucket, *folders = path.split("/")
    if "@" in bucket or ":" in bucket:
        raise StorageError(
            f"{scheme}://: credentials and ports do not belong into the URL; write {scheme}://BUCKET/FOLDER"
        )
    if any(part in ("", ".", "..") or not part.isprintable() for part in folders) or set("?#") & set(path):
        raise StorageError(f"{scheme}://{bucket}: the folder holds empty parts, '..', '?', '#' or unusable characters")
    return bucket, path


def _checked_endpoint(name: str, endpoint: str | None) -> str | None:
    if not endpoint:
        return None
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        raise StorageError(f"{name}: is no URL; write it like https://host:9000") from None
    if parts.username or parts.password:
        raise StorageError(f"{name}: credentials do not belong into the endpoint; write it like https://host:9000")
    if not usable:
        raise StorageError(f"{name}: {endpoint!r} is no URL; write it like https://host:9000")
    return endpoint


def _config(settings: StorageSettings) -> dict[str, Any]:
    """Botocore's settings: so few tries that a dead host is known in seconds; s3fs adds its own."""
    return {
        "connect_timeout": _CONNECT_TIMEOUT,
        "read_timeout": _READ_TIMEOUT,
        "retries": {"total_max_attempts": min(2, settings.tries), "mode": "standard"},
    }


def _without_new_checksums() -> dict[str, Any]:
    """Servers other than Amazon's do not take the trailing checksums that botocore sends since 1.36 unasked."""
    from botocore.config import Config

    names = ("request_checksum_calculation", "response_checksum_validation")
    return {name: "when_required" for name in names if name in Config.OPTION_DEFAULTS}


def _callback(advance: Advance | None) -> Any:
    from fsspec.callbacks import Callback

    callback = Callback()
    if advance is not None:
        callback.relative_update = advance
    return callback


def _unless_missing(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
