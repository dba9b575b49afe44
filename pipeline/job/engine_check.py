"""Asks the engine that Beam's steps are to run on, before the first of them: a step would wait without a word."""

from __future__ import annotations

import http.client
import json
import re
import socket
import time
import urllib.request
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from components.errors import EngineError
from components.whole_files import write_whole
from pipeline.code_digest import code_digest
from pipeline.engine import Engine

_SHIPPED = ("components", "models")
_CONNECT_SECONDS = 5


@dataclass(frozen=True)
class Seen:
    """What a worker sees.

    Attributes:
        code: digest of the project's code that it has installed.
        host: its name.
    """

    code: str
    host: str


def check_engine(engine: Engine, folder: Path) -> None:
    """Has a worker of the engine run one element; nothing is done where the steps run in this process.

    Args:
        engine: where Beam's steps are to run.
        folder: of the pipeline's artifacts, which workers must reach under the same name; it is made.

    Raises:
        EngineError: something does not answer, no worker starts in time, or the worker has other code or files.
    """
    if not engine.remote:
        return
    began = time.monotonic()
    if engine.flink_master is not None:
        _check_flink(engine.flink_master)
    if engine.job_endpoint is not None:
        _check_listens("beam_job_endpoint", engine.job_endpoint, "start Beam's job server there")
    folder.mkdir(parents=True, exist_ok=True)
    answer = folder.absolute() / f".engine-{uuid.uuid4().hex}.json"
    try:
        _ask(engine, answer, engine.start_seconds - (time.monotonic() - began))
        seen = _read(answer, engine)
    finally:
        answer.unlink(missing_ok=True)
    if seen.code != code_digest(_SHIPPED):
        raise EngineError(
            f"beam_workers: the worker on {seen.host} has another version of awesome installed than this process; "
            "install the same on both and start the worker pool again"
        )


def look(answer: str) -> None:
    """What a worker does: it leaves what it sees in the file that it was given, whose folder must be there."""
    seen = Seen(code_digest(_SHIPPED), socket.gethostname())
    write_whole(Path(answer), json.dumps({"code": seen.code, "host": seen.host}))


def reason(error: BaseException) -> str | None:
    """What went wrong with a job on an engine, in one line; None where the error is none of an engine's.

    Args:
        error: as the step raised it.
    """
    import grpc

    text = str(error)
    if isinstance(error, grpc.RpcError):
        details = error.details() if isinstance(error, grpc.Call) else text
        return f"the job service is gone ({' '.join(str(details).split())})"
    if not isinstance(error, RuntimeError) or not re.match(r"Pipeline \S+ failed in state \w+", text):
        return None
    # Java's exceptions hold the worker's traceback, whose last line says what it was.
    said = re.findall(
        r"^(?:Caused by: )?((?:[\w.]+\.)?\w*(?:Error|Exception)\b.*?)(?: \[while running .*)?$", text, re.M
    )
    first = re.sub(r"^Pipeline \S+ failed in state \w+: ", "", text.splitlines()[0])
    return " ".join((said[-1] if said else first).split())


def _check_listens(setting: str, address: str, remedy: str) -> None:
    host, _, port = address.rpartition(":")
    try:
        socket.create_connection((host, int(port)), timeout=_CONNECT_SECONDS).close()
    except OSError as error:
        raise EngineError(f"{setting}: nothing answers at {address} ({error.strerror or error}); {remedy}") from None


def _check_flink(master: str) -> None:
    _check_listens("flink_master", master, "start Flink, or name its REST address")
    try:
        with urllib.request.urlopen(f"http://{master}/overview", timeout=_CONNECT_SECONDS) as reply:
            slots = int(json.load(reply)["slots-total"])
    except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError):
        raise EngineError(f"flink_master: what answers at {master} is no JobManager; name Flink's REST port") from None
    if not slots:
        raise EngineError(f"flink_master: the Flink at {master} has no TaskManager; start one")


def _ask(engine: Engine, answer: Path, seconds: float) -> None:
    """Runs the job of one element."""
    import apache_beam as beam

    pipeline = beam.Pipeline(argv=[*_alone(engine.arguments)])
    _ = pipeline | beam.Create([str(answer)]) | beam.Map(look)
    try:
        result = pipeline.run()
        state = result.wait_until_finish(duration=max(seconds, 1) * 1000)
    except Exception as error:
        if (why := reason(error)) is None:
            raise
        raise EngineError(f"beam_workers: {why}{_remedy(why, engine)}") from None
    if state != "DONE":
        result.cancel()
        raise EngineError(
            f"beam_workers: no worker started within {engine.start_seconds:g} s; look at the log of the worker pool at "
            f"{engine.workers}: it starts `python`, which must be one that has awesome installed"
        )


def _alone(arguments: Sequence[str]) -> list[str]:
    return [one for one in arguments if not one.startswith(("--parallelism", "--environment_cache_millis"))]


def _remedy(why: str, engine: Engine) -> str:
    if "ModuleNotFoundError" in why:
        return "; install awesome where the worker pool runs"
    if "FileNotFoundError" in why or "No such file" in why:
        return "; workers must see the workspace under the same name: put it on a volume that both share"
    return f"; the worker pool is looked for at {engine.workers}"


def _read(answer: Path, engine: Engine) -> Seen:
    try:
        told: dict[str, Any] = json.loads(answer.read_text(encoding="utf-8"))
    except OSError:
        raise EngineError(
            f"workspace: what a worker of {engine.workers} writes to {answer.parent} does not arrive here; put it on a "
            "volume that both share"
        ) from None
    return Seen(**told)
