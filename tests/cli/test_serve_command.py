"""`awesome serve` as it is installed: it starts, says where it listens, and ends when it is told; or refuses."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from command_line import COMMAND, clean_environment

from pipeline.secrets import serve_token
from pipeline.settings import SettingsError

Awesome = Callable[..., Any]


@contextmanager
def serving(folder: Path, *options: str, **variables: str) -> Iterator[tuple[subprocess.Popen[str], int, str]]:
    """The process, its port, and what it wrote until it listened."""
    command = [COMMAND, "serve", "--port", "0", *options]
    environment = clean_environment(**variables)
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stderr is not None
        said = ""
        try:
            for line in process.stderr:
                said += line
                if found := re.search(r"http://[^ ]+:(\d+)/v1/models/", line):
                    yield process, int(found[1]), said
                    return
            raise AssertionError(said)
        finally:
            process.kill()


def test_the_server_waits_for_a_first_version_asks_for_its_token_and_ends_when_told(folder: Path) -> None:
    (folder / "token").write_text("t0ken\n")
    options = ("--grpc-port", "0")
    with serving(folder, *options, AWESOME_SERVE_TOKEN_FILE="token") as (process, port, said):
        assert "/v1/models/awesome-window_returns-h1, gRPC at 127.0.0.1:" in said
        assert process.stderr is not None
        assert "holds no version that answers; the server waits for one" in process.stderr.readline()
        address = f"http://127.0.0.1:{port}"
        assert httpx.get(f"{address}/healthz").status_code == 200
        assert httpx.get(f"{address}/readyz").status_code == 503
        assert httpx.get(f"{address}/metrics").status_code == 401
        assert httpx.get(f"{address}/metrics", headers={"Authorization": "Bearer t0ken"}).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) in (0, -signal.SIGTERM)
        assert process.stderr.read() == ""


def test_a_taken_port_is_refused_in_a_line(awesome: Awesome) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        line = awesome("serve", "--port", str(port), "--no-grpc").refusal
    assert line.startswith(f"127.0.0.1:{port} cannot be listened on; another server may be there: name another --port")


def test_other_addresses_are_refused_without_a_token(awesome: Awesome) -> None:
    assert awesome("serve", "--host", "0.0.0.0").refusal.startswith("host 0.0.0.0: others than this machine could ask")


@pytest.mark.parametrize("label", ["stable", "=3", "stable=", "stable=x"])
def test_a_label_that_is_none_is_refused(awesome: Awesome, label: str) -> None:
    assert "is not LABEL=VERSION, such as stable=1700000000" in awesome("serve", "--label", label).refusal


def test_a_file_is_no_folder_of_versions(awesome: Awesome, folder: Path) -> None:
    (folder / "model.pb").touch()
    assert "model.pb is a file; name the folder of the versions" in awesome("serve", "--base", "model.pb").refusal


# The token


def test_a_token_is_that_of_the_environment_or_of_a_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert serve_token() is None
    monkeypatch.setenv("AWESOME_SERVE_TOKEN", " a1 ")
    found = serve_token()
    assert found is not None
    assert found.get_secret_value() == "a1"
    monkeypatch.delenv("AWESOME_SERVE_TOKEN")
    (folder / "token").write_text("b2\n")
    monkeypatch.setenv("AWESOME_SERVE_TOKEN_FILE", "token")
    found = serve_token()
    assert found is not None
    assert found.get_secret_value() == "b2"


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"AWESOME_SERVE_TOKEN": "a b"}, "AWESOME_SERVE_TOKEN: is no token"),
        ({"AWESOME_SERVE_TOKEN": "a", "AWESOME_SERVE_TOKEN_FILE": "empty"}, "are both set; set one of them"),
        ({"AWESOME_SERVE_TOKEN_FILE": "gone"}, "AWESOME_SERVE_TOKEN_FILE: gone cannot be read"),
        ({"AWESOME_SERVE_TOKEN_FILE": "empty"}, "AWESOME_SERVE_TOKEN_FILE: empty is empty"),
        ({"AWESOME_SERVE_TOKEN_FILE": "binary"}, "AWESOME_SERVE_TOKEN_FILE: binary cannot be read (it is no text)"),
    ],
)
def test_a_token_that_is_none_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], message: str
) -> None:
    (folder / "empty").write_text("\n")
    (folder / "binary").write_bytes(b"\xff\xfe")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=re.escape(message)):
        serve_token()


@pytest.mark.parametrize(("told", "threads"), [("", "1"), ("3", "3")])
def test_small_matrices_need_no_threads_unless_somebody_says_how_many(told: str, threads: str) -> None:
    code = (
        "import os, pipeline.cli.jobs, pipeline.cli.serve; from pipeline.cli.common import algebra_in_one_thread;"
        "algebra_in_one_thread(); print(os.environ['OPENBLAS_NUM_THREADS'])"
    )
    environment = clean_environment(OPENBLAS_NUM_THREADS=told)
    if not told:
        del environment["OPENBLAS_NUM_THREADS"]
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == threads
