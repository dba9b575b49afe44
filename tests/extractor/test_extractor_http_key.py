"""The key and other secrets: where they travel, and where they never show."""

from __future__ import annotations

import logging
from dataclasses import replace
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import pytest
from hosts import ASKED_WITH_KEY, FAST, KEY, TIINGO, ask, ask_with_key, client_with_key, host_of, send

from components.errors import HostError
from components.extractor.replay import Fault, ReplayServer

# --- the key


def test_the_key_travels_in_the_header_only(server: ReplayServer) -> None:
    assert ask_with_key(server.url).status == 200
    assert KEY not in "".join(request.target for request in server.requests)
    with host_of(lambda handler, _: send(handler, 200)) as host:
        ask_with_key(host.url)
    assert host.headers[0]["Authorization"] == f"Token {KEY}"
    assert KEY not in host.paths[0]


def _everything(error: BaseException | None) -> str:
    texts = []
    while error is not None:
        texts.append(f"{error} {error!r}")
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 429, 500])
def test_the_key_is_in_no_reply_error_or_log(status: int, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="urllib3")  # kfp, once imported, makes it silent
    text = f"{KEY}: no such key; your Token {KEY}".encode()
    shown = ""
    with host_of(lambda handler, _: send(handler, status, text, Content_Type="text/html")) as host:
        with client_with_key(host.url) as asking:
            for _ in range(4):  # the circuit's message repeats another one
                try:
                    reply = asking.get("GE", ASKED_WITH_KEY)
                    error: Exception = TIINGO.refusal("GE", reply, "unusable")
                    shown += repr(reply)
                except HostError as refused:
                    error = refused
                shown += _everything(error)
            shown += repr(asking)
    assert host.headers[0]["Authorization"] == f"Token {KEY}"
    assert any(record.name.startswith("urllib3") for record in caplog.records)
    assert KEY not in shown
    assert KEY not in "\n".join(f"{record.getMessage()} {record.__dict__}" for record in caplog.records)


@pytest.mark.parametrize("kind", ["reset", "reset-midway", "slow"])
def test_the_key_is_in_no_error_of_a_broken_connection(
    server: ReplayServer, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    server.faults.add(Fault(kind))
    with pytest.raises(HostError) as raised:
        ask_with_key(server.url, replace(FAST, timeout=0.2, attempts=2))
    assert KEY not in _everything(raised.value)
    assert KEY not in caplog.text


@pytest.fixture
def netrc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "netrc"
    file.write_text(
        "machine 127.0.0.1 login somebody password hidden\nmachine localhost login somebody password hidden\n"
    )
    file.chmod(0o600)
    monkeypatch.setenv("NETRC", str(file))


@pytest.mark.usefixtures("netrc")
def test_no_password_of_netrc_is_sent() -> None:
    with host_of(lambda handler, _: send(handler, 200)) as host:
        ask(host.url)
        ask_with_key(host.url)
    assert [headers.get("Authorization") for headers in host.headers] == [None, f"Token {KEY}"]


@pytest.mark.usefixtures("netrc")
@pytest.mark.parametrize("elsewhere", ["127.0.0.1", "localhost"])
def test_the_key_does_not_travel_to_another_host(elsewhere: str) -> None:
    with host_of(lambda handler, _: send(handler, 200, b"[]")) as other:
        target = other.url.replace("127.0.0.1", elsewhere) + "/there"  # another port is another host, too
        with host_of(lambda handler, _: send(handler, 302, b"", Location=target)) as host:
            assert ask_with_key(host.url).body == b"[]"
    assert host.headers[0]["Authorization"] == f"Token {KEY}"
    assert other.paths == ["/there"]
    assert "Authorization" not in other.headers[0]


def test_the_key_travels_on_within_its_host() -> None:
    def answer(handler: BaseHTTPRequestHandler, number: int) -> None:
        if number == 1:
            send(handler, 301, b"", Location="/there")
        else:
            send(handler, 200)

    with host_of(answer) as host:
        ask_with_key(host.url)
    assert host.paths[1] == "/there"
    assert [headers.get("Authorization") for headers in host.headers] == [f"Token {KEY}"] * 2


def test_redirects_in_a_circle_end() -> None:
    with host_of(lambda handler, number: send(handler, 302, b"", Location=f"/{number}")) as host:
        with pytest.raises(HostError, match="TooManyRedirects from 127"):
            ask(host.url)
    assert len(host.paths) == 4
