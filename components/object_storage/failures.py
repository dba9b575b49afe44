"""What storage libraries complain of, as one line that a user can act on.

The texts of a server or a library are never passed on: a signature error quotes the request, a proxy error the proxy's
password. Only codes and class names are. Classes are known by name, so that no library has to be installed for it.
"""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from components.errors import StorageError

Kind = Literal["file", "s3", "cos"]


@dataclass(frozen=True)
class Place:
    """Where a storage is, as far as messages speak of it.

    Attributes:
        kind: File system, S3, or Tencent's COS.
        url: The storage's URL; it holds no secret.
        bucket: The bucket; empty for a file system.
        host: Who answers for it; empty for a file system.
    """

    kind: Kind
    url: str
    bucket: str = ""
    host: str = ""


_CREDENTIALS = {
    "file": "",
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the AWS profile",
    "cos": "COS_SECRET_ID and COS_SECRET_KEY",
}
_REGION = {"file": "", "s3": "AWS_DEFAULT_REGION", "cos": "cos_region (AWESOME_COS_REGION)"}

_NO_BUCKET = ("NoSuchBucket", "InvalidBucketName")
_MEANINGS = {
    _NO_BUCKET: "there is no bucket {bucket} ({code}) at {host}; make it or fix the URL",
    ("AccessDenied", "AllAccessDisabled", "AccountProblem", "403", "Forbidden", "MethodNotAllowed"): (
        "access is denied ({code}) by {host}; check the bucket's policy and {credentials}"
    ),
    (
        *("InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "InvalidSecurity"),
        *("TokenRefreshRequired", "401", "Unauthorized"),
    ): "the credentials are not accepted ({code}) by {host}; check {credentials}",
    (
        *("AuthorizationHeaderMalformed", "PermanentRedirect", "TemporaryRedirect", "Redirect", "301", "307"),
        *("IllegalLocationConstraintException", "InvalidRegionName", "PathStyleDomainForbidden"),
    ): "the bucket is not where it was looked for ({code}), at {host}; check {region} and the endpoint",
    (
        "RequestTimeTooSkewed",
        "RequestExpired",
    ): "the request's time is not accepted ({code}) by {host}; set this machine's clock",
    ("SlowDown", "ServiceUnavailable", "InternalError", "RequestTimeout", "500", "502", "503", "504", "429"): (
        "{host} cannot serve now ({code}); run the same command again later"
    ),
    ("QuotaExceeded", "EntityTooLarge"): "{host} takes no more ({code}); make room or raise the quota",
}
"""What codes of S3 answers mean."""

_NO_CREDENTIALS = {
    *("NoCredentialsError", "PartialCredentialsError", "CredentialRetrievalError", "TokenRetrievalError"),
    *("SSOError", "NoAuthTokenError", "ProfileNotFound", "ConfigParseError", "ConfigNotFound"),
    "MetadataRetrievalError",
}
_BROKEN_LINK = {
    *("HTTPClientError", "ConnectionError", "ClientError", "TimeoutError", "IncompleteReadError", "gaierror"),
    *("ResponseParserError", "ResponseStreamingError", "IncompleteRead", "ClientPayloadError"),
}
_LIBRARIES = ("botocore", "aiobotocore", "aiohttp", "fsspec", "s3fs", "urllib3")


@contextlib.contextmanager
def translated(place: Place, name: str = "") -> Iterator[None]:
    """Turns what a storage library raises into a StorageError of one line, without the original's text.

    Args:
        place: Where the storage is.
        name: What is read or written there, below the storage's URL.

    Raises:
        StorageError: In place of whatever the storage libraries and the operating system raise.
    """
    try:
        yield
    except Exception as error:
        if not _is_storage_trouble(error):
            raise
        # Not chained: the original's text may hold what must not reach a log.
        url = f"{place.url}/{name}" if name else place.url
        raise StorageError(_explained(error, place, url)) from None


def is_missing(error: BaseException) -> bool:
    """Tells whether an error says that a key or file is not there, although its bucket is."""
    return isinstance(error, FileNotFoundError) and _code_of(error) not in _NO_BUCKET


def _code_of(error: BaseException) -> str:
    """Returns the code of the S3 answer behind an error, such as NoSuchKey; empty if there is none."""
    for link in _chain(error):
        response = getattr(link, "response", None)
        if isinstance(response, dict):
            return str(response.get("Error", {}).get("Code", ""))
    return ""


def _explained(error: BaseException, place: Place, url: str) -> str:
    """Returns one line: what is wrong at which URL and what to do; it holds no secret."""
    code = _code_of(error)
    if code:
        return f"{url}: {_of_code(code, place)}"
    names = {kind.__name__ for link in _chain(error) for kind in type(link).__mro__}
    if names & _NO_CREDENTIALS:
        what = "there are no credentials that can be used"
        return f"{url}: {what}; set {_CREDENTIALS[place.kind]}, for {place.host}"
    if "SSLError" in names or "ClientConnectorCertificateError" in names:
        return (
            f"{url}: the certificate of {place.host} is not accepted; check the endpoint and the system's certificates"
        )
    if names & _BROKEN_LINK and place.kind != "file":
        return (
            f"{url}: {place.host} does not answer, or the connection broke; "
            "check the network and the endpoint, then run the same command again"
        )
    if isinstance(error, OSError):
        return _of_system(error, url)
    where = f" at {place.host}" if place.host else ""
    return f"{url}: cannot be used{where} ({type(error).__name__}); check the URL and the storage settings"


def _of_code(code: str, place: Place) -> str:
    unknown = "{host} refuses the request ({code}); check the URL and the storage settings"
    meaning = next((text for codes, text in _MEANINGS.items() if code in codes), unknown)
    told = {"credentials": _CREDENTIALS[place.kind], "region": _REGION[place.kind]}
    return meaning.format(code=code, bucket=place.bucket, host=place.host, **told)


def _of_system(error: OSError, url: str) -> str:
    where = str(error.filename) if error.filename else url
    if error.errno == errno.ENOSPC:
        return f"{where}: the disk is full; make room, then run the same command again"
    reason = error.strerror or type(error).__name__
    told = f"{where}: {reason}" if where.startswith(url) else f"{url}: {reason} ({where})"
    return f"{told}; make the folder one that this user can read and write, or name another storage"


def _is_storage_trouble(error: BaseException) -> bool:
    if isinstance(error, (OSError, TimeoutError)) or type(error).__name__ in ("TimeoutError", "FSTimeoutError"):
        return True
    return any(kind.__module__.split(".")[0] in _LIBRARIES for kind in type(error).__mro__)


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__
