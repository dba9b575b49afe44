"""One interface over a folder, S3 and COS: what is written, what is sent, what is refused and how it is said."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from http_here import Request, answering
from links import refusing
from places import COS_BUCKET, COS_HOST, PART, SECRET, Place, leftovers

from components.errors import StorageError
from components.object_storage import Storage, StorageSettings
from components.object_storage.location import parts_of

COS = StorageSettings(cos_region="ap-shanghai", cos_key="AKIDcos", cos_secret=SECRET)


def test_what_is_written_is_read_listed_and_removed(place: Place) -> None:
    with place.open() as storage:
        assert storage.names("a") == ()
        assert storage.read("a/b.json") is None
        storage.write("a/b.json", b"one")
        storage.write("a/b.json", b"two")
        storage.write("a/deep/c", b"")
        storage.write("ab/d", b"neighbour")
        assert storage.names("a") == ("a/b.json", "a/deep/c")
        assert storage.read("a/b.json") == b"two"
        storage.remove("a/b.json")
        storage.remove("a/b.json")
        assert storage.names("a") == ("a/deep/c",)


def test_a_file_comes_back_as_it_was_sent(place: Place, tmp_path: Path) -> None:
    content = os.urandom(12 * 2**20)  # three parts
    (tmp_path / "sent").write_bytes(content)
    up: list[int] = []
    down: list[int] = []
    with place.open() as storage:
        storage.upload(tmp_path / "sent", "a/file", up.append)
        storage.download("a/file", tmp_path / "got", down.append)
    assert (tmp_path / "got").read_bytes() == content
    assert sum(up) == sum(down) == len(content)
    if place.link is not None:
        parts = [head for head in place.link.requests() if "partNumber=" in head]
        assert len(parts) == 3
        assert max(up) == PART


def test_cos_is_asked_at_the_buckets_own_host(make_place: Callable[[str], Place], tmp_path: Path) -> None:
    place = make_place("cos")
    (tmp_path / "sent").write_bytes(b"x" * 11 * 2**20)
    with place.open() as storage:
        storage.upload(tmp_path / "sent", "a/file")
        storage.read("a/file")
    heads = place.link.requests()
    assert len(heads) >= 6  # begin, three parts, end, read
    for head in heads:
        assert f"\r\nHost: {COS_BUCKET}.{COS_HOST}:{place.link.port}\r\n" in head
        assert head.split()[1].startswith("/awesome/a/file")
        assert "Credential=AKIDcos/" in head
        assert "/ap-shanghai/s3/aws4_request" in head
        # What COS does not take: checksums that nobody asked for, in a trailer of the body.
        assert "x-amz-checksum" not in head.lower()
        assert "aws-chunked" not in head
        assert "trailer" not in head.lower()
        assert SECRET not in head


@pytest.mark.parametrize(
    ("url", "settings", "said"),
    [
        ("cos://prices/awesome", COS, "ends in the app id; write it whole, such as prices-1250000000"),
        ("cos://prices-2/awesome", COS, "ends in the app id"),
        ("cos://prices-1250000000", replace(COS, cos_region=None), "set cos_region"),
        ("cos://prices-1250000000", replace(COS, cos_region="x.evil/"), "set cos_region"),
        # The AWS keys of the environment are there, and are not for Tencent.
        ("cos://prices-1250000000", replace(COS, cos_secret=None), "set COS_SECRET_ID and COS_SECRET_KEY"),
        ("cos://prices-1250000000", replace(COS, cos_key=""), "set COS_SECRET_ID and COS_SECRET_KEY"),
        (f"s3://key:{SECRET}@prices/a", StorageSettings(), "credentials and ports do not belong"),
        (f"cos://key:{SECRET}@prices-1250000000/a", COS, "credentials and ports do not belong"),
        ("s3://", StorageSettings(), "is no name of a bucket"),
        ("s3://a b/c", StorageSettings(), "is no name of a bucket"),
        ("s3://prices/../other", StorageSettings(), "'..'"),
        ("s3://prices//a", StorageSettings(), "empty parts"),
        ("s3://prices/a?versionId=1", StorageSettings(), "unusable characters"),
        ("gs://prices/a", StorageSettings(), "use file://, s3:// or cos://"),
        ("", StorageSettings(), "the storage's URL is empty"),
        ("s3://prices", StorageSettings(s3_endpoint=f"http://k:{SECRET}@host"), "s3_endpoint: credentials"),
        ("s3://prices", StorageSettings(s3_endpoint="host:9000"), "s3_endpoint: 'host:9000' is no URL"),
        ("s3://prices", StorageSettings(s3_endpoint="http://host:x"), "s3_endpoint: is no URL"),
        ("cos://prices-1250000000", replace(COS, cos_endpoint="ftp://host"), "cos_endpoint: 'ftp://host' is no URL"),
        ("s3://prices", StorageSettings(part_size=2**20), "part_size"),
    ],
)
def test_what_cannot_be_opened_says_why(url: str, settings: StorageSettings, said: str) -> None:
    with pytest.raises(StorageError) as refusal:
        Storage.at(url, settings)
    assert said in str(refusal.value)
    assert SECRET not in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_settings_do_not_show_their_secrets() -> None:
    assert SECRET not in repr(COS)
    assert "AKIDcos" not in repr(COS)


@pytest.mark.parametrize(
    ("status", "code", "said"),
    [
        (404, "NoSuchBucket", "there is no bucket prices (NoSuchBucket)"),
        (403, "AccessDenied", "access is denied (AccessDenied)"),
        (403, "InvalidAccessKeyId", "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"),
        (403, "SignatureDoesNotMatch", "the credentials are not accepted"),
        (403, "RequestTimeTooSkewed", "set this machine's clock"),
        (400, "AuthorizationHeaderMalformed", "check AWS_DEFAULT_REGION"),
        (503, "ServiceUnavailable", "cannot serve now (ServiceUnavailable)"),
        (501, "NotImplemented", "refuses the request (NotImplemented)"),
    ],
)
def test_a_refusal_is_one_line_without_the_servers_text(status: int, code: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with refusing(status, code, f"StringToSign {SECRET}") as endpoint:
        settings = StorageSettings(s3_endpoint=endpoint, tries=1)
        with Storage.at("s3://prices/awesome", settings) as storage:
            for act in (
                lambda: storage.read("a"),
                lambda: storage.names("a"),
                lambda: storage.write("a", b""),
                lambda: storage.upload(tmp_path / "file", "a"),
                lambda: storage.download("a", tmp_path / "got"),
            ):
                with pytest.raises(StorageError) as refusal:
                    act()
                message = str(refusal.value)
                assert message.startswith("s3://prices/awesome/a: ")
                assert said in message
                assert SECRET not in message
                assert "\n" not in message
                assert refusal.value.__cause__ is None
                assert refusal.value.__suppress_context__


def test_cos_names_its_own_credentials(make_place: Callable[[str], Place]) -> None:
    place = make_place("cos")
    with refusing(403, "InvalidAccessKeyId", SECRET) as endpoint:
        port = endpoint.rpartition(":")[2]
        settings = replace(place.settings, cos_endpoint=f"http://{COS_HOST}:{port}")
        with Storage.at(place.url, settings) as storage, pytest.raises(StorageError, match="check COS_SECRET_ID and"):
            storage.read("a")


def test_no_credentials_at_all_says_which_to_set(s3: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    with s3.open() as storage, pytest.raises(StorageError, match="there are no credentials that can be used; set AWS_"):
        storage.read("a")


def test_a_missing_profile_is_not_a_defect(s3: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with s3.open() as storage, pytest.raises(StorageError, match="there are no credentials that can be used"):
        storage.read("a")


def test_a_dead_endpoint_is_asked_a_few_times_only() -> None:
    asked: set[tuple[str, str]] = set()

    def hangs_up(request: Request) -> tuple[int, bytes, str]:
        # aiohttp sends again under the same headers when a connection breaks; how often depends on its version.
        asked.add((request.headers["amz-sdk-invocation-id"], request.headers["amz-sdk-request"]))
        return 0, b"", ""

    with answering(hangs_up, protocol="HTTP/1.1") as endpoint:
        settings = StorageSettings(s3_endpoint=endpoint)
        with Storage.at("s3://prices/awesome", settings) as storage, pytest.raises(StorageError) as refusal:
            storage.read("a")

    assert 1 < len(asked) <= 2 * 2 * 2  # for the object, then for its folder; s3fs asks twice, botocore twice each time
    assert f"{endpoint.removeprefix('http://')} does not answer, or the connection broke" in str(refusal.value)


def test_a_broken_download_is_taken_up_where_it_broke(s3: Place, tmp_path: Path) -> None:
    content = os.urandom(4 * 2**20)
    (tmp_path / "sent").write_bytes(content)
    link = s3.link

    def heal(_: int) -> None:
        if link.broken:
            link.heal()

    with Storage.at(s3.url, replace(s3.settings, tries=5)) as storage:
        storage.upload(tmp_path / "sent", "a")
        link.break_after("down", 2**20)
        storage.download("a", tmp_path / "got", heal)
    assert (tmp_path / "got").read_bytes() == content
    again = [head for head in link.requests() if "Range: bytes=" in head]
    assert again  # it really broke


def test_a_failed_write_leaves_the_old_file_and_nothing_beside_it(folder_storage: Place, tmp_path: Path) -> None:
    with folder_storage.open() as storage:
        storage.write("a/b", b"old")
        with pytest.raises(StorageError, match="missing"):
            storage.upload(tmp_path / "missing", "a/b")
        assert storage.read("a/b") == b"old"
    assert leftovers(tmp_path / "storage") == []


def test_a_plain_path_is_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with Storage.at("place with [brackets] and ünicode/") as storage:
        storage.write("a/b*", b"x")
        assert storage.names("a") == ("a/b*",)
        assert storage.url == str(tmp_path / "place with [brackets] and ünicode")
    assert (tmp_path / "place with [brackets] and ünicode" / "a" / "b*").read_bytes() == b"x"


def test_a_file_where_a_folder_should_be_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError, match="file is a file, and a storage is a folder"):
        Storage.at(str(tmp_path / "file"))


def test_a_program_ends_at_once_and_without_warnings(s3: Place) -> None:
    """Also when nobody closed the storage."""
    script = (
        "import sys\n"
        "from components.object_storage import Storage, StorageSettings\n"
        f"settings = StorageSettings(s3_endpoint={s3.settings.s3_endpoint!r})\n"
        f"with Storage.at({s3.url!r}, settings) as closed:\n"
        "    closed.write('a', b'x')\n"
        f"left_open = Storage.at({s3.url!r}, settings)\n"
        "print(left_open.read('a'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error::ResourceWarning", "-c", script], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "b'x'\n", "")


@pytest.mark.parametrize("tebibytes", [0, 8 / 2**20, 78 / 1024, 79 / 1024, 0.2, 1, 4.9, 48])
@pytest.mark.parametrize("smallest", [PART, 8 * 2**20, 64 * 2**20])
def test_no_file_is_cut_into_more_parts_than_a_server_takes(tebibytes: float, smallest: int) -> None:
    for size in (int(tebibytes * 2**40), int(tebibytes * 2**40) + 1):
        part, at_once = parts_of(size, smallest)
        assert smallest <= part <= 5 * 2**30
        assert math.ceil(size / part) <= 10_000
        assert part == smallest or math.ceil(size / (part - 2**20)) > 10_000  # no larger than need be
        assert at_once == 1 or at_once * part <= 2**28


def test_a_file_that_no_server_takes_is_refused() -> None:
    assert parts_of(10_000 * 5 * 2**30, PART)[0] == 5 * 2**30
    with pytest.raises(
        StorageError, match=r"48\.8 TiB is too large for object storage, which takes 10,000 parts of 5 G"
    ):
        parts_of(10_000 * 5 * 2**30 + 1, PART)


def test_the_parts_that_are_sent_are_as_large_as_that(
    s3: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.object_storage.location._MOST_PARTS", 3)
    content = os.urandom(15 * 2**20 + 1)  # four parts of the smallest size
    (tmp_path / "sent").write_bytes(content)
    with s3.open() as storage:
        storage.upload(tmp_path / "sent", "a/file")
        assert storage.read("a/file") == content
    assert s3.link is not None
    assert len([head for head in s3.link.requests() if "partNumber=" in head]) == 3
