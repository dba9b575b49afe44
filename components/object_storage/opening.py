"""What a storage's URL and settings mean: a folder, or a prefix in an S3 or COS bucket, as an fsspec file system."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Any, NamedTuple, get_args
from urllib.parse import urlsplit

from components.errors import StorageError
from components.object_storage.failures import Kind, Place

_SMALLEST_PART = 5 * 2**20
_CONNECT_TIMEOUT, _READ_TIMEOUT = 4, 20
_TRIES_BEFORE_AN_ANSWER = 2
_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,62}")
_COS_BUCKET = re.compile(r"[a-z0-9][a-z0-9-]*-[0-9]{8,12}")
_COS_REGION = re.compile(r"[a-z0-9-]+")


@dataclass(frozen=True)
class StorageSettings:
    """How object storage is reached; what is None is left to the libraries' defaults.

    Attributes:
        s3_endpoint: URL of an S3 server that is not Amazon's, such as https://minio.example:9000; None for what AWS's
            own settings say (AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the profile).
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
    """The scheme of a storage's URL (file, s3 or cos) and what follows it; see `Storage.at`.

    Raises:
        StorageError: there is no such storage.
    """
    scheme, separator, rest = url.partition("://")
    if not separator:
        return "file", url
    if scheme not in get_args(Kind):
        raise StorageError(f"{scheme}://: there is no such storage; use file://, s3:// or cos://, or a folder's path")
    return scheme, rest


class Opened(NamedTuple):
    """A storage's place, its fsspec file system, and where in that it begins."""

    place: Place
    filesystem: Any
    root: str


def open_place(url: str, settings: StorageSettings) -> Opened:
    """Finds out what a URL means; see `Storage.at`. Nothing is sent yet.

    Raises:
        StorageError: The URL or a setting cannot be used.
    """
    scheme, rest = parse_url(url)
    return {"file": _local, "s3": _s3, "cos": _cos}[scheme](rest, settings)


def _local(text: str, settings: StorageSettings) -> Opened:
    from fsspec.implementations.local import LocalFileSystem

    if not text:
        raise StorageError("the storage's URL is empty; name a folder, or a URL with file://, s3:// or cos://")
    root = os.path.abspath(os.path.expanduser(text)).rstrip("/")
    if os.path.isfile(root):
        raise StorageError(f"{text} is a file, and a storage is a folder; name another one")
    filesystem = LocalFileSystem(auto_mkdir=True, skip_instance_cache=True)
    return Opened(Place("file", root), filesystem, root)


def _s3(rest: str, settings: StorageSettings) -> Opened:
    bucket, root = _bucket_of("s3", rest)
    if not _BUCKET.fullmatch(bucket):
        raise StorageError(f"s3://{bucket}: is no name of a bucket; write s3://BUCKET/FOLDER")
    endpoint = _checked_endpoint("s3_endpoint", settings.s3_endpoint) or _configured_endpoint()
    host = "Amazon S3" if endpoint is None else urlsplit(endpoint).netloc
    config = _config(settings) if endpoint is None else {**_config(settings), **_without_new_checksums()}
    return _in_bucket(Place("s3", f"s3://{root}", bucket, host), root, settings, config, endpoint_url=endpoint)


def _cos(rest: str, settings: StorageSettings) -> Opened:
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
    return _in_bucket(
        Place("cos", f"cos://{root}", bucket, urlsplit(endpoint).netloc),
        root,
        settings,
        config,
        endpoint_url=endpoint,
        client_kwargs={"region_name": region},
        key=settings.cos_key,
        secret=settings.cos_secret,
    )


def _in_bucket(place: Place, root: str, settings: StorageSettings, config: dict[str, Any], **arguments: Any) -> Opened:
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
    return Opened(place, filesystem, root)


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


def _configured_endpoint() -> str | None:
    """The S3 server that AWS's own settings name, as botocore understands them; None for Amazon's.

    In this order: AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL, the section of services that the profile names, its
    endpoint_url; none of them where AWS_IGNORE_CONFIGURED_ENDPOINT_URLS or the profile says so.
    """
    from botocore.exceptions import BotoCoreError
    from botocore.session import Session

    name = "AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 or the AWS profile's endpoint_url"
    try:
        # With a key, so that nobody is asked for one; nothing is sent.
        client = Session().create_client("s3", aws_access_key_id="none", aws_secret_access_key="none")
    except BotoCoreError:
        return None  # a profile that is not there: the first use says so
    except ValueError:
        raise StorageError(f"{name}: is no URL; write it like https://host:9000") from None
    endpoint = _checked_endpoint(name, client.meta.endpoint_url)
    host = str(urlsplit(endpoint or "").hostname)
    return None if re.fullmatch(r"(.+\.)?(amazonaws\.com(\.cn)?|api\.aws)", host) else endpoint


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
