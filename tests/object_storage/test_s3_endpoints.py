"""Which S3 server is asked, who says so, and that an old one is not asked for what it does not know."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import unquote
from xml.sax.saxutils import escape

import botocore.session
import pytest
from http_here import Answer, Request, answering
from links import Link, refusing
from places import CODE, MONDAY, SECRET, Place, digest_of, write_database

from components.errors import StorageError
from components.object_storage import Storage, StorageSettings, list_databases, pull_database, push_database

URL = "s3://prices/awesome"


def old_server(objects: dict[str, bytes]) -> Answer:
    """An S3 server of before 2025: it knows no checksums but Content-MD5, and no body in chunks of AWS's own."""

    def error(status: int, code: str) -> tuple[int, bytes, str]:
        return status, f"<?xml version='1.0'?><Error><Code>{code}</Code></Error>".encode(), "application/xml"

    def answer(request: Request) -> tuple[int, bytes, str]:
        told = {name.lower(): value for name, value in request.headers.items()}
        if "aws-chunked" in told.get("content-encoding", "") or "x-amz-trailer" in told:
            return error(501, "NotImplemented")
        if any("checksum" in name for name in told):
            return error(400, "InvalidArgument")
        key = unquote(request.path)
        if request.method == "PUT":
            objects[key] = request.content
            return 200, b"", "text/plain"
        if request.method == "DELETE":
            objects.pop(key, None)
            return 204, b"", "text/plain"
        if "list-type" in request.query:
            start = f"{key.rstrip('/')}/"
            names = [one[len(start) :] for one in objects if one.startswith(start + request.query.get("prefix", ""))]
            found = "".join(
                f"<Contents><Key>{escape(name)}</Key><Size>{len(objects[start + name])}</Size>"
                "<LastModified>2024-01-01T00:00:00.000Z</LastModified></Contents>"
                for name in names
            )
            head = f"<KeyCount>{len(names)}</KeyCount><IsTruncated>false</IsTruncated>"
            return 200, f"<ListBucketResult>{head}{found}</ListBucketResult>".encode(), "application/xml"
        return (200, objects[key], "application/octet-stream") if key in objects else error(404, "NoSuchKey")

    return answer


def by_variable(name: str) -> Callable[[pytest.MonkeyPatch, Path, str], None]:
    return lambda patch, folder, endpoint: patch.setenv(name, endpoint)


def by_profile(text: str, **variables: str) -> Callable[[pytest.MonkeyPatch, Path, str], None]:
    def configure(patch: pytest.MonkeyPatch, folder: Path, endpoint: str) -> None:
        (folder / "config").write_text(text.replace("ENDPOINT", endpoint))
        patch.setenv("AWS_CONFIG_FILE", str(folder / "config"))
        for name, value in variables.items():
            patch.setenv(name, value)

    return configure


SERVICES = "\nservices = mine\n[services mine]\ns3 =\n  endpoint_url = ENDPOINT\n"
WAYS = {
    "AWS_ENDPOINT_URL": by_variable("AWS_ENDPOINT_URL"),
    "AWS_ENDPOINT_URL_S3": by_variable("AWS_ENDPOINT_URL_S3"),
    "the default profile": by_profile("[default]\nendpoint_url = ENDPOINT\n"),
    "a profile": by_profile("[profile lab]\nendpoint_url = ENDPOINT\n", AWS_PROFILE="lab"),
    "a profile's services": by_profile(
        f"[profile lab]\nendpoint_url = http://127.0.0.1:1{SERVICES}", AWS_PROFILE="lab"
    ),
}


@pytest.mark.parametrize("configure", WAYS.values(), ids=WAYS)
def test_awss_own_settings_name_the_server(
    configure: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, objects = write_database(tmp_path / "awesome.db"), dict[str, bytes]()
    with answering(old_server(objects), protocol="HTTP/1.1") as endpoint:
        configure(monkeypatch, tmp_path, endpoint)
        with Storage.at(URL) as storage:
            push_database(storage, database, CODE, now=MONDAY)
            assert [one.name for one in list_databases(storage)] == ["awesome.db"]
            pull_database(storage, tmp_path / "pulled.db")
            host = re.escape(endpoint.removeprefix("http://"))
            with pytest.raises(StorageError, match=f"features at {host}: holds no database of 2000-01-01"):
                pull_database(storage, tmp_path / "pulled.db", "2000-01-01")
        assert digest_of(tmp_path / "pulled.db") == digest_of(database)
        assert len(objects) == 2
    with refusing(403, "AccessDenied", SECRET) as endpoint:
        configure(monkeypatch, tmp_path, endpoint)
        with Storage.at(URL, StorageSettings(tries=1)) as storage, pytest.raises(StorageError) as refusal:
            storage.read("a")
    assert f"access is denied (AccessDenied) by {endpoint.removeprefix('http://')}; check" in str(refusal.value)


def test_the_first_that_is_set_counts(s3: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The own setting, the service's variable, the variable, the profile's services, the profile."""
    assert s3.link is not None
    assert s3.settings.s3_endpoint is not None
    right, wrong = s3.settings.s3_endpoint, "http://127.0.0.1:1"
    ways = [
        by_profile("[default]\nendpoint_url = ENDPOINT\n"),
        by_profile(f"[default]\nendpoint_url = {wrong}{SERVICES}"),
        by_variable("AWS_ENDPOINT_URL"),
        by_variable("AWS_ENDPOINT_URL_S3"),
    ]
    for configure in ways:
        configure(monkeypatch, tmp_path, right)
        assert botocore.session.Session().create_client("s3").meta.endpoint_url == right  # as AWS's own programs do
        with Storage.at(URL) as storage:
            assert storage.read("a") is None
        configure(monkeypatch, tmp_path, wrong)
    with Storage.at(URL, s3.settings) as storage:
        assert storage.read("a") is None


def test_what_aws_is_told_to_ignore_is_ignored(link: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{link.port}")
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    with Storage.at(URL) as storage:
        assert storage._place.host == "Amazon S3"
    assert link.connections == 0


@pytest.mark.parametrize(
    ("endpoint", "said"),
    [
        ("minio:9000", "is no URL; write it like https://host:9000"),
        ("minio", "is no URL; write it like https://host:9000"),
        ("ftp://minio", "is no URL; write it like https://host:9000"),
        (f"http://key:{SECRET}@minio:9000", "credentials do not belong into the endpoint"),
    ],
)
def test_an_address_that_is_none_is_refused(endpoint: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    with pytest.raises(StorageError) as refusal:
        Storage.at(URL)
    assert re.search("^AWS_ENDPOINT_URL, AWS_ENDPOINT_URL_S3 or the AWS profile's endpoint_url: ", str(refusal.value))
    assert said in str(refusal.value)
    assert SECRET not in str(refusal.value)


def test_a_dead_server_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with Storage.at(URL, StorageSettings(tries=1)) as storage, pytest.raises(StorageError) as refusal:
        storage.read("a")
    assert "127.0.0.1:1 does not answer" in str(refusal.value)
    assert "Amazon" not in str(refusal.value)
