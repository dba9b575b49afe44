"""Where Beam's steps run: what the settings say, what Beam is told, and what a failed job is told as."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from needed import needed

from components.errors import EngineError
from pipeline.engine import DIRECT_RUNNER, Engine, engine_of
from pipeline.job.engine_check import check_engine, reason
from pipeline.plan import load_plan
from pipeline.settings import SettingsError

pytestmark = pytest.mark.usefixtures("folder")


def test_the_default_is_this_process() -> None:
    engine = load_plan().engine
    assert not engine.remote
    assert engine.arguments == DIRECT_RUNNER


def test_flink_is_told_its_master_and_workers() -> None:
    flags = {"beam_runner": "flink", "flink_master": "flink:8081", "beam_workers": "pool:50000", "beam_parallelism": 4}
    arguments = load_plan(flags).engine.arguments
    assert {
        "--runner=FlinkRunner",
        "--flink_master=flink:8081",
        "--environment_type=EXTERNAL",
        "--environment_config=pool:50000",
        "--parallelism=4",
    } <= set(arguments)
    assert not [one for one in arguments if one.startswith("--requirements_file")]


@pytest.mark.parametrize(
    "engine",
    [
        Engine(),
        Engine("flink", "flink:8081", "/jars/job-server.jar", workers="pool:50000", parallelism=4),
        Engine("flink", "flink:8081", job_endpoint="jobs:8099"),
        Engine("portable", job_endpoint="jobs:8099", parallelism=2),
    ],
)
def test_a_compiled_pipeline_says_its_engine(engine: Engine) -> None:
    assert engine_of(engine.arguments, engine.start_seconds) == engine


def test_a_running_job_server_is_used_for_every_step() -> None:
    flags = {"beam_runner": "portable", "beam_job_endpoint": "jobs:8099"}
    arguments = load_plan(flags).engine.arguments
    assert {"--runner=PortableRunner", "--job_endpoint=jobs:8099"} <= set(arguments)


def test_settings_come_from_the_file_too() -> None:
    Path("awesome.toml").write_text('beam_runner = "flink"\nflink_master = "127.0.0.1:8081"\n')
    assert load_plan().engine.remote


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ({"beam_runner": "flink"}, r"beam_runner \(from --beam-runner\): needs --flink-master HOST:PORT"),
        ({"beam_runner": "portable"}, r"needs --beam-job-endpoint HOST:PORT"),
        ({"beam_runner": "dask"}, r"beam_runner.*'direct', 'flink' or 'portable'"),
        ({"flink_master": "http://flink:8081"}, r"flink_master.*is no HOST:PORT"),
        ({"beam_workers": "50000"}, r"beam_workers.*is no HOST:PORT"),
        ({"beam_job_endpoint": "jobs:80990"}, r"beam_job_endpoint.*is no HOST:PORT"),
        (
            {"beam_runner": "flink", "flink_master": "a:1", "flink_job_server": Path("none.jar")},
            r"flink_job_server \(from --flink-job-server\): is no file; .*'none.jar'",
        ),
    ],
)
def test_what_cannot_be_used_is_one_line(flags: dict[str, object], message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        load_plan(flags)


class _NoFlink(http.server.BaseHTTPRequestHandler):
    reply = b"a page"

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.reply)

    def log_message(self, *arguments: object) -> None:
        """No log."""


class _NoTaskManager(_NoFlink):
    reply = b'{"slots-total": 0}'


class _NoHttp(_NoFlink):
    def do_GET(self) -> None:
        self.wfile.write(b"SSH-2.0-x\r\n")


@pytest.fixture(params=[_NoFlink, _NoHttp, _NoTaskManager])
def server(request: pytest.FixtureRequest) -> Iterator[tuple[type, str]]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), request.param) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield request.param, f"127.0.0.1:{running.server_port}"
        running.shutdown()


def test_what_is_no_flink_or_has_no_task_manager_is_told(server: tuple[type, str], tmp_path: Path) -> None:
    kind, address = server
    expected = "has no TaskManager; start one" if kind is _NoTaskManager else "no JobManager"
    with pytest.raises(EngineError, match=expected):
        check_engine(Engine("flink", address), tmp_path / "root")
    assert not (tmp_path / "root").exists()


def test_nothing_that_listens_is_told(tmp_path: Path) -> None:
    for engine, name in (
        (Engine("flink", "127.0.0.1:1"), "flink_master"),
        (Engine("portable", job_endpoint="127.0.0.1:1"), "beam_job_endpoint"),
    ):
        with pytest.raises(EngineError, match=rf"{name}: nothing answers at 127.0.0.1:1 \(Connection refused\)"):
            check_engine(engine, tmp_path)


def test_a_failed_job_is_told_by_what_the_worker_said() -> None:
    needed("grpc")
    worker = RuntimeError(
        "Pipeline BeamApp-1 failed in state FAILED: java.lang.RuntimeException: Error received from SDK harness\n"
        "Traceback (most recent call last):\n"
        '  File "x.py", line 1, in x\n'
        "ModuleNotFoundError: No module named 'pipeline' [while running 'Map(look)']\n\n"
        "\tat java.base/java.lang.Thread.run(Thread.java:840)"
    )
    assert reason(worker) == "ModuleNotFoundError: No module named 'pipeline'"
    lost = RuntimeError("Pipeline BeamApp-1 failed in state FAILED: org.apache.flink.X: Connection to a:1 lost")
    assert reason(lost) == "org.apache.flink.X: Connection to a:1 lost"
    assert reason(RuntimeError("something else")) is None
    assert reason(ValueError("Pipeline a failed in state FAILED: x")) is None
