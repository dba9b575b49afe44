"""Who may ask, and how much; what goes wrong is said, and no secret is shown."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from pushed import MODEL, Sloped, load_sloped, names, push, windows
from pydantic import SecretStr
from running import running

from pipeline.serving.answering import Answers
from pipeline.serving.errors import ServingError
from pipeline.serving.gate import Gate, Limits
from pipeline.serving.server import ServeConfig, ServeError

TOKEN = "k3y-of-the-house"
PREDICT = f"/v1/models/{MODEL}:predict"


def body(count: int = 2) -> dict[str, Any]:
    return {"signature_name": "predict_closes", "inputs": {"share_id": names(count), "closes": windows(count).tolist()}}


def refused(answer: httpx.Response, status: int) -> str:
    assert answer.status_code == status, answer.text
    return str(answer.json()["error"])


# Tokens


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.3.4", "server.example"])
def test_others_than_this_machine_need_a_token(tmp_path: Path, host: str) -> None:
    with pytest.raises(ServeError, match="AWESOME_SERVE_TOKEN"):
        ServeConfig(tmp_path, MODEL, host=host).check()
    ServeConfig(tmp_path, MODEL, host=host, token=SecretStr(TOKEN)).check()


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_this_machine_needs_none(tmp_path: Path, host: str) -> None:
    ServeConfig(tmp_path, MODEL, host=host).check()


@pytest.mark.parametrize(
    "shown", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", TOKEN, f"Bearer {TOKEN}x", "Bearer é"]
)
def test_without_the_token_nothing_but_probes_is_answered(base: Path, shown: str) -> None:
    with running(base, token=SecretStr(TOKEN)) as server:
        given = {"Authorization": shown.encode()} if shown else {}
        for path in (f"/v1/models/{MODEL}", f"/v1/models/{MODEL}/metadata", "/v1/forecast", "/metrics", "/v1/x"):
            answer = server.http.get(path, headers=given)
            assert "asks for a token" in refused(answer, 401)
            assert answer.headers["www-authenticate"] == "Bearer"
        refused(server.ask(body(), headers=given), 401)
        for path in ("/healthz", "/readyz"):
            assert server.http.get(path, headers=given).status_code == 200


def test_with_the_token_everything_is_answered_and_no_log_shows_it(
    base: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "awesome.serve")
    caplog.set_level(logging.DEBUG, "uvicorn")

    class Failing(Sloped):
        def forecast(self, share_ids: Any, closes: Any, *, day: Any = None) -> Any:
            raise RuntimeError("no more memory")

    with running(base, load=lambda folder: Failing(1), token=SecretStr(TOKEN)) as server:
        given = {"Authorization": f"bearer {TOKEN}"}
        assert server.http.get("/metrics", headers=given).status_code == 200
        assert refused(server.ask(body(), headers=given), 500) == "the server failed; its log says more"
    assert "no more memory" in caplog.text
    assert TOKEN not in caplog.text
    assert TOKEN not in repr(ServeConfig(base, MODEL, token=SecretStr(TOKEN)))


@pytest.mark.parametrize("name", ["", "a/b", "a:predict"])
def test_a_name_that_no_address_can_hold_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ServeError, match="--name"):
        ServeConfig(tmp_path, name).check()


# Sizes


def test_a_body_that_is_too_long_is_not_read(base: Path) -> None:
    with running(base, limits=Limits(body_bytes=2000)) as server:
        assert "longer than 2000 bytes" in refused(server.ask(body(50)), 413)

        def pieces() -> Any:
            for _ in range(30):
                yield b" " * 100

        answer = server.http.post(PREDICT, content=pieces())  # without a declared length
        assert "longer than 2000 bytes" in refused(answer, 413)
        assert server.ask(body(1)).status_code == 200


def test_a_declared_length_is_refused_before_anything_is_sent(base: Path) -> None:
    with running(base, limits=Limits(body_bytes=2000)) as server:
        with socket.create_connection(("127.0.0.1", server.started.port), 10) as wire:
            wire.sendall(f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: 999999999999\r\n\r\n".encode())
            assert wire.recv(100).startswith(b"HTTP/1.1 413 ")


def test_more_rows_than_a_request_may_have_are_refused(base: Path) -> None:
    with running(base, limits=Limits(rows=10)) as server:
        assert server.ask(body(10)).status_code == 200
        assert "has 11 rows; this server takes 10 a request" in refused(server.ask(body(11)), 413)


# Rates


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_second_s_worth_of_requests_may_come_at_once() -> None:
    clock = Clock()
    gate = Gate(Limits(rate=3), None, clock)

    def asks(count: int) -> int:
        passed = 0
        for _ in range(count):
            with contextlib.suppress(ServingError), gate.admitted(None):
                passed += 1
        return passed

    assert asks(10) == 3
    clock.now += 1 / 3 + 1e-9
    assert asks(10) == 1
    clock.now += 1000
    assert asks(10) == 3


def test_a_rate_below_one_a_second_still_lets_one_in() -> None:
    clock = Clock()
    gate = Gate(Limits(rate=0.5), None, clock)
    with gate.admitted(None):
        pass
    clock.now += 1.9
    with pytest.raises(ServingError, match=r"more than 0\.5 requests a second"), gate.admitted(None):
        pass
    clock.now += 0.2
    with gate.admitted(None):
        pass


def test_who_asks_too_often_is_told_to_wait(base: Path) -> None:
    with running(base, limits=Limits(rate=2)) as server:
        answers = [server.ask(body()) for _ in range(8)]
        late = [one for one in answers if one.status_code != 200]
        assert late
        assert "more than 2 requests a second" in refused(late[0], 429)
        assert late[0].headers["retry-after"] == "1"
        assert server.http.get("/readyz").status_code == 200


def test_more_requests_at_a_time_than_allowed_are_turned_away(base: Path) -> None:
    slow = Sloped(1)
    with running(base, load=lambda folder: slow, limits=Limits(concurrent=1)) as server, ThreadPoolExecutor() as pool:
        slow.go_on.clear()
        slow.answering.clear()
        first = pool.submit(server.ask, body())
        assert slow.answering.wait(10)
        assert "1 requests are being answered" in refused(server.ask(body()), 503)
        slow.go_on.set()
        assert first.result(10).status_code == 200
        assert server.ask(body()).status_code == 200


def test_an_answer_that_takes_too_long_is_a_timeout(base: Path) -> None:
    slow = Sloped(1)
    with running(base, load=lambda folder: slow, limits=Limits(seconds=0.2)) as server:
        slow.go_on.clear()
        assert refused(server.ask(body()), 504) == "the answer took longer than 0.2 seconds"
        slow.go_on.set()


def test_a_body_that_does_not_come_is_a_timeout(base: Path) -> None:
    with running(base, limits=Limits(seconds=0.2)) as server:
        with socket.create_connection(("127.0.0.1", server.started.port), 10) as wire:
            wire.sendall(f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{{".encode())
            assert wire.recv(100).startswith(b"HTTP/1.1 504 ")


def test_requests_in_hand_are_answered_when_the_server_is_stopped(base: Path) -> None:
    slow = Sloped(1)
    with ThreadPoolExecutor() as pool:
        with running(base, load=lambda folder: slow) as server:
            slow.go_on.clear()
            slow.answering.clear()
            url = server.url + PREDICT
            asked = pool.submit(httpx.post, url, json=body(), timeout=20)
            assert slow.answering.wait(10)
            threading.Timer(0.3, slow.go_on.set).start()
        assert asked.result(10).status_code == 200


# Where it listens


def test_a_port_that_is_taken_is_one_line(base: Path) -> None:
    with running(base) as server:
        with pytest.raises(ServeError, match=f"127.0.0.1:{server.started.port} cannot be listened on.*--port"):
            with running(base, port=server.started.port):
                pass
        with pytest.raises(
            ServeError, match=f"127.0.0.1:{server.started.grpc_port} cannot be listened on.*--grpc-port"
        ):
            with running(base, grpc_port=server.started.grpc_port):
                pass


def test_grpc_can_be_left_out(base: Path) -> None:
    with running(base, grpc_port=None) as server:
        assert server.started.grpc_port is None
        assert server.ask(body()).status_code == 200


# What is written down


def test_every_answer_is_written_down_before_it_is_given(base: Path) -> None:
    written: list[Answers] = []
    with running(base, record=written.append) as server:
        answer = server.ask(body(3))
        server.ask({"signature_name": "predict_closes", "instances": [1]})
    [one] = written
    assert (one.share_ids, one.version.number, one.sessions) == (tuple(names(3)), 3, None)
    np.testing.assert_array_equal(one.closes, windows(3))
    np.testing.assert_array_equal(one.probabilities, np.float32(answer.json()["outputs"])[:, 0])
    assert one.made_at.utcoffset() is not None


def test_an_answer_that_cannot_be_written_down_is_not_given(base: Path) -> None:
    def fail(answers: Answers) -> None:
        raise OSError("the disk is full")

    with running(base, record=fail) as server:
        assert refused(server.ask(body()), 500) == "the server failed; its log says more"


# What is counted


def test_metrics_count_requests_rows_and_versions(base: Path) -> None:
    with running(base, load=load_sloped) as server:
        server.ask(body(5))
        server.ask({})
        end = time.monotonic() + 10
        while "INVALID_ARGUMENT" not in (text := server.http.get("/metrics").text):
            assert time.monotonic() < end
    lines = text.splitlines()
    assert 'awesome_serve_requests_total{code="OK",method="predict",protocol="rest"} 1.0' in lines
    assert 'awesome_serve_requests_total{code="INVALID_ARGUMENT",method="predict",protocol="rest"} 1.0' in lines
    assert 'awesome_serve_rows_total{version="3"} 5.0' in lines
    assert f'awesome_serve_version{{model="{MODEL}",version="3"}} 1.0' in lines
    assert "awesome_serve_refused_versions 0.0" in lines
    assert 'awesome_serve_request_seconds_count{method="predict",protocol="rest"} 2.0' in lines


def test_readiness_says_which_version_is_refused(base: Path) -> None:
    push(base, 4, answers_of=99)
    with running(base) as server:
        answer = server.http.get("/readyz")
        assert answer.status_code == 200
        found = answer.json()
        assert (found["ready"], found["versions"]) == (True, ["3"])
        assert found["refused"][0]["version"] == "4"
        assert "its answers to its own examples differ" in found["refused"][0]["why"]
        assert server.http.get(f"/v1/models/{MODEL}/versions/4").json()["model_version_status"][0]["status"] == {
            "error_code": "FAILED_PRECONDITION",
            "error_message": found["refused"][0]["why"],
        }


def test_a_server_without_a_version_is_alive_and_not_ready(tmp_path: Path) -> None:
    with running(tmp_path / MODEL) as server:
        assert server.http.get("/healthz").json() == {"alive": True}
        assert server.http.get("/readyz").status_code == 503
        assert "Servable not found" in refused(server.ask(json.loads(json.dumps(body()))), 404)
