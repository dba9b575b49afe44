"""What goes wrong between us and Kubeflow Pipelines, as one line each; and what no command shows."""

from __future__ import annotations

import datetime as dt
import ipaddress
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from pipelines_server import PipelinesServer, pipelines_server

from awesome_kubeflow.cluster import ClusterSettings, cluster_settings
from awesome_kubeflow.errors import ApiError, CompileError, NoAnswerError
from awesome_kubeflow.server import client
from awesome_kubeflow.server.api import PipelinesApi
from awesome_kubeflow.server.client import Connection, connection
from awesome_kubeflow.server.records import Run, State

NOW = dt.datetime(2026, 1, 5, 12, tzinfo=dt.UTC)
LIST = ("GET", "/apis/v2beta1/pipelines")
FORWARD = "`kubectl --context training-stage -n kubeflow port-forward svc/ml-pipeline 8888:8888`"


def connected(url: str, **changes: str) -> PipelinesApi:
    return PipelinesApi(Connection(url, url, "training-stage", **changes))


@pytest.fixture
def server() -> Iterator[tuple[PipelinesServer, PipelinesApi]]:
    with pipelines_server() as (state, url):
        yield state, connected(url)


def stage(**changes: object) -> ClusterSettings:
    return cluster_settings({"stage": changes}, "stage")


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (200, b"<html>Sign in</html>", "text/html", "what answers there is not the API of Kubeflow Pipelines v2"),
        (200, b'{"pipelines": [{"id": "of v1"}]}', "application/json", "is not the API of Kubeflow Pipelines v2"),
        (200, b'{"pipelines": 5}', "application/json", "is not the API of Kubeflow Pipelines v2"),
        (302, b"", "text/html", "refuses (HTTP 302): a token goes into the environment, AWESOME_KFP_TOKEN"),
        (401, b"<html>", "text/html", "refuses (HTTP 401): a token goes into the environment, AWESOME_KFP_TOKEN"),
        (403, b"RBAC: access denied", "text/plain", "AWESOME_KFP_TOKEN; it says: RBAC: access denied"),
        (404, b"default backend - 404", "text/plain", "pipelines: {url} has none; it says: default backend - 404"),
        (
            500,
            b'{"message": "a\\n \\u001b[31m b"}',
            "application/json",
            "pipelines: {url} refuses (HTTP 500): a [31m b",
        ),
        (502, b"<html>Bad Gateway</html>", "text/html", "pipelines: {url} refuses (HTTP 502): Bad Gateway"),
        (500, b"x" * 9999, "text/plain", "xxx..."),
    ],
)
def test_what_is_answered_instead_is_one_line(
    server: tuple[PipelinesServer, PipelinesApi], status: int, body: bytes, kind: str, message: str
) -> None:
    state, api = server
    state.broken[LIST] = [(status, body, kind)]
    with pytest.raises(ApiError) as caught:
        list(api.pipelines())
    told = str(caught.value)
    assert message.format(url=api.connection.endpoint) in told
    assert "\n" not in told
    assert len(told) < 600


def test_what_does_not_answer_is_named_with_how_it_is_forwarded() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(NoAnswerError) as caught:
            list(connected(url).pipelines())
    assert str(caught.value) == f"{url} does not answer (Connection refused); is it forwarded? {FORWARD}"


def test_waiting_for_an_answer_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "_TIMEOUT", (0.2, 0.2))
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(NoAnswerError, match="timed out"):
            list(connected(f"http://127.0.0.1:{silent.getsockname()[1]}").pipelines())


def test_nothing_is_asked_twice(server: tuple[PipelinesServer, PipelinesApi]) -> None:
    state, api = server
    state.drop[LIST] = 1
    with pytest.raises(NoAnswerError, match="does not answer"):
        list(api.pipelines())
    assert state.drop[LIST] == 0
    assert list(api.pipelines()) == []


def test_an_upload_that_got_no_answer_is_not_repeated(
    server: tuple[PipelinesServer, PipelinesApi], small_package: Path
) -> None:
    state, api = server
    api.upload(small_package, NOW)
    state.drop["POST", "/apis/v2beta1/pipelines/upload_version"] = 1
    with pytest.raises(NoAnswerError):
        api.upload(small_package, NOW)
    assert len(state.versions) == 1


def certificate(folder: Path) -> Path:
    """A self-signed one for 127.0.0.1, with its key in the same file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now, now + dt.timedelta(1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    path = folder / "here.pem"
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return path


def test_certificates_of_one_s_own_are_named(tmp_path: Path) -> None:
    path = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with pipelines_server(context) as (_, url):
        with pytest.raises(
            NoAnswerError, match=r"does not answer over TLS \(SSLError .*ca_certificate in awesome.toml"
        ):
            list(connected(url).pipelines())
        assert list(PipelinesApi(connection(stage(endpoint=url, ca_certificate=str(path)))).pipelines()) == []
    with pytest.raises(ApiError, match=r"clusters\.stage\.ca_certificate: there is no file /nowhere"):
        connection(stage(endpoint=url, ca_certificate="/nowhere"))


@pytest.mark.parametrize(
    ("endpoint", "message"),
    [
        ("127.0.0.1:8888", "is an address such as http://127.0.0.1:8888, not '127.0.0.1:8888'"),
        ("ftp://host", "is an address such as"),
        ("http://", "is an address such as"),
        ("http://host:port", "is not an address such as"),
        ("http://host/#/runs", "is an address such as"),
        ("http://me:secret@host", "holds a user or password; leave them out"),
    ],
)
def test_an_endpoint_that_is_none_is_named(endpoint: str, message: str) -> None:
    with pytest.raises(ApiError, match=f"^--endpoint: {message}") as caught:
        connection(stage(), endpoint=endpoint)
    assert "secret" not in str(caught.value)
    for name in ("endpoint", "ui"):
        with pytest.raises(CompileError, match=rf"^clusters\.stage\.{name}: {message}"):
            stage(**{name: endpoint})


def test_a_token_is_not_in_what_python_shows() -> None:
    shown = repr(connection(stage(endpoint="http://host"), "s3cret"))
    assert "http://host" in shown
    assert "s3cret" not in shown


def test_a_token_that_the_server_repeats_is_not_told() -> None:
    with pipelines_server() as (state, url):
        state.broken[LIST] = [(500, b"what is Bearer s3cret?", "text/plain")]
        with pytest.raises(ApiError, match=r"what is Bearer \*\*\*\?$"):
            list(connected(url, token="s3cret").pipelines())


def test_a_pipeline_goes_with_all_its_versions_but_not_from_under_a_schedule(
    server: tuple[PipelinesServer, PipelinesApi], small_package: Path
) -> None:
    state, api = server
    state.page = 2
    for minute in range(5):
        version = api.upload(small_package, NOW + dt.timedelta(minutes=minute))
    schedule, _ = api.replace_schedule("daily", version.pipeline, "0 0 11 ? * 1", {"days": 5})
    with pytest.raises(
        ApiError, match=f"schedule daily still runs it; first: awesome kubeflow schedule --delete {schedule.id}"
    ):
        api.delete_pipeline(version.pipeline)
    assert len(state.versions) == 5
    api.delete_schedule(schedule.id)
    run = api.create_run(version, {"days": 5}, NOW)
    assert api.delete_pipeline(version.pipeline) == 5
    assert (state.pipelines, state.versions) == ({}, {})
    # The record of what it did stays, and can be looked at.
    assert api.run(run.id).state == "PENDING"
    api.delete_run(run.id)
    assert list(api.runs()) == []


def test_a_pipeline_without_versions_says_so(server: tuple[PipelinesServer, PipelinesApi]) -> None:
    state, api = server
    state.create_pipeline({}, {"display_name": "empty"})
    with pytest.raises(ApiError, match="pipeline empty: has no version; `awesome kubeflow upload` adds one"):
        api.newest_version(api.find_pipeline("empty"))


@pytest.mark.parametrize("name", ["日本", "A" * 120])
def test_a_pipeline_is_found_by_a_name_that_no_task_may_have(
    server: tuple[PipelinesServer, PipelinesApi], name: str
) -> None:
    state, api = server
    state.create_pipeline({}, {"display_name": name})
    assert api.find_pipeline(name).name == name
    with pytest.raises(ApiError, match="has none of this name"):
        api.find_pipeline("!!!")


# a run that is followed, some looks at which get no answer

LOOKS = 12
"""In a row without an answer, after which it is given up."""


@dataclass
class Answers:
    """What `PipelinesApi.run` gives: a state, or an error."""

    left: list[Any]
    asked: int = 0

    def run(self, run_id: str) -> Run:
        self.asked += 1
        answer = self.left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return Run(run_id, "a run", answer, None, None, "", ())


def followed(answers: Answers) -> tuple[Run, list[State]]:
    changes: list[State] = []
    return PipelinesApi.follow(cast(PipelinesApi, answers), "1", 0, changes.append), changes


def test_looks_without_an_answer_only_count_in_a_row() -> None:
    silent = [NoAnswerError("away")] * (LOOKS - 1)
    run, changes = followed(Answers([*silent, "RUNNING", *silent, "RUNNING", "SUCCEEDED"]))
    assert run.state == "SUCCEEDED"
    assert [change.state for change in changes] == ["RUNNING", "SUCCEEDED"]


def test_an_endpoint_that_stays_away_is_told() -> None:
    answers = Answers([NoAnswerError("away")] * (LOOKS + 1))
    with pytest.raises(NoAnswerError, match="away"):
        followed(answers)
    assert answers.asked == LOOKS


def test_a_refusal_is_told_at_once() -> None:
    answers = Answers([ApiError("refuses"), "SUCCEEDED"])
    with pytest.raises(ApiError, match="refuses"):
        followed(answers)
    assert answers.asked == 1


@pytest.mark.parametrize("state", ["SUCCEEDED", "FAILED", "SKIPPED", "CANCELED"])
def test_it_ends_with_the_run(state: str) -> None:
    run, _ = followed(Answers(["", "PENDING", "CANCELING", "PAUSED", state]))
    assert run.state == state
