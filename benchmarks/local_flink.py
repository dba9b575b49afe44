"""A standalone Flink on this machine, as `tools/get_flink.py` fetched it, with what Beam adds to it.

Every process is a child of this one, small, and ended with the block.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

_SECONDS = 120
_OPENED = ("lang", "net", "io", "nio", "lang.reflect", "text", "time", "util", "util.concurrent")
_JAVA = (
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseSerialGC",
    *(f"--add-opens=java.base/java.{name}=ALL-UNNAMED" for name in _OPENED),
)
_ENTRY = "org.apache.flink.runtime"

_CONFIG = """
jobmanager.bind-host: 127.0.0.1
jobmanager.rpc.address: 127.0.0.1
jobmanager.rpc.port: {rpc}
blob.server.port: {blob}
rest.address: 127.0.0.1
rest.bind-address: 127.0.0.1
rest.port: {rest}
jobmanager.memory.process.size: 700m
jobmanager.memory.jvm-metaspace.size: 160m
jobmanager.memory.jvm-overhead.min: 64m
jobmanager.memory.jvm-overhead.max: 100m
jobmanager.memory.off-heap.size: 64m
taskmanager.bind-host: 127.0.0.1
taskmanager.host: 127.0.0.1
taskmanager.numberOfTaskSlots: 1
taskmanager.cpu.cores: 1
taskmanager.memory.task.heap.size: 192m
taskmanager.memory.task.off-heap.size: 64m
taskmanager.memory.framework.heap.size: 128m
taskmanager.memory.framework.off-heap.size: 64m
taskmanager.memory.managed.size: 64m
taskmanager.memory.network.min: 128m
taskmanager.memory.network.max: 128m
taskmanager.memory.jvm-metaspace.size: 200m
taskmanager.memory.jvm-overhead.min: 64m
taskmanager.memory.jvm-overhead.max: 64m
taskmanager.network.sort-shuffle.min-buffers: 64
classloader.parent-first-patterns.additional: org.apache.beam
heartbeat.interval: 2000
heartbeat.timeout: 20000
slot.request.timeout: 20000
io.tmp.dirs: {folder}
"""


@dataclass
class LocalFlink:
    """A Flink that runs.

    Attributes:
        master: its REST address.
        job_endpoint: of Beam's job server.
        workers: of the worker pool.
        processes: all of them.
        managers: those of the TaskManagers.
        pool: the process of the worker pool.
        start_manager: starts one more TaskManager.
    """

    master: str
    job_endpoint: str
    workers: str
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    managers: list[subprocess.Popen[bytes]] = field(default_factory=list)
    pool: subprocess.Popen[bytes] | None = None
    start_manager: Callable[[], subprocess.Popen[bytes]] | None = None

    def jobs(self) -> list[tuple[str, str]]:
        """Id and state of every job so far, the first one first."""
        with urllib.request.urlopen(f"http://{self.master}/jobs/overview", timeout=5) as reply:
            jobs = json.load(reply)["jobs"]
        return [(job["jid"], job["state"]) for job in sorted(jobs, key=lambda job: job["start-time"])]

    def flags(self, parallelism: int) -> list[str]:
        """Flags of `awesome run`."""
        return [
            *("--beam-runner", "flink", "--flink-master", self.master, "--beam-job-endpoint", self.job_endpoint),
            *("--beam-workers", self.workers, "--beam-parallelism", str(parallelism)),
        ]


@contextlib.contextmanager
def local_flink(home: Path, folder: Path, managers: int = 2) -> Iterator[LocalFlink]:
    """Starts it, waits until every TaskManager is there, and ends it.

    Args:
        home: as `tools/get_flink.py` left it.
        folder: takes the configuration and the logs.
        managers: how many TaskManagers, of one slot each.

    Raises:
        RuntimeError: it did not come up; the message names the log.
    """
    rpc, blob, rest, jobs, pool = _free_ports(5)
    (folder / "log").mkdir(parents=True, exist_ok=True)
    (folder / "config.yaml").write_text(_CONFIG.format(rpc=rpc, blob=blob, rest=rest, folder=folder))
    (folder / "log4j.properties").write_text(
        "rootLogger.level = INFO\nrootLogger.appenderRef.out.ref = Out\nappender.out.name = Out\n"
        "appender.out.type = CONSOLE\nappender.out.layout.type = PatternLayout\n"
        "appender.out.layout.pattern = %d %-5p %c - %m%n\n"
    )
    flink = LocalFlink(f"127.0.0.1:{rest}", f"127.0.0.1:{jobs}", f"127.0.0.1:{pool}")
    with contextlib.ExitStack() as stack:

        def start(name: str, *command: str | Path) -> subprocess.Popen[bytes]:
            # Nothing of the checkout may be found by chance: a worker has what is installed.
            kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
            with open(folder / "log" / f"{name}.log", "wb") as log:
                process = subprocess.Popen(
                    [str(word) for word in command],
                    cwd="/",
                    env={**kept, "FLINK_CONF_DIR": str(folder)},
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            stack.callback(_end, process)
            flink.processes.append(process)
            return process

        def java(name: str, heap: int, main: str | Path, *arguments: str) -> subprocess.Popen[bytes]:
            log4j = f"-Dlog4j.configurationFile=file:{folder / 'log4j.properties'}"
            return start(name, "java", f"-Xmx{heap}m", *_JAVA, log4j, "-cp", home / "lib" / "*", main, *arguments)

        def manager() -> subprocess.Popen[bytes]:
            main, number = f"{_ENTRY}.taskexecutor.TaskManagerRunner", len(flink.managers)
            flink.managers.append(java(f"taskmanager-{number}", 320, main, "--configDir", str(folder)))
            return flink.managers[-1]

        java("jobmanager", 256, f"{_ENTRY}.entrypoint.StandaloneSessionClusterEntrypoint", "--configDir", str(folder))
        job_server = ["--job-port", str(jobs), "--artifact-port=0", "--expansion-port=0", "--job-host=127.0.0.1"]
        job_server += [f"--flink-master={flink.master}", f"--artifacts-dir={folder / 'staged'}"]
        java("job-server", 256, home / "JobServer.java", *job_server)
        flink.pool = start("workers", sys.executable, "-m", "awesome", "workers", "--port", str(pool))
        flink.start_manager = manager
        for _ in range(managers):
            manager()
        _wait(lambda: _slots(flink.master) == managers, f"no {managers} TaskManagers", folder)
        _wait(lambda: _listens(flink.job_endpoint), "no job server", folder)
        _wait(lambda: _listens(flink.workers), "no worker pool", folder)
        yield flink


def cpu_seconds(processes: Sequence[subprocess.Popen[bytes]]) -> float:
    """What processes that run have used so far, with all that come from them, those that have ended among them."""
    children: dict[int, list[int]] = {}
    ticks: dict[int, int] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        pid = int(path.parent.name)
        children.setdefault(int(fields[1]), []).append(pid)
        ticks[pid] = sum(map(int, fields[11:15]))  # of its own, and of the children that it has waited for
    found, total = [process.pid for process in processes], 0
    while found:
        pid = found.pop()
        total += ticks.get(pid, 0)
        found += children.get(pid, [])
    return float(total / os.sysconf("SC_CLK_TCK"))


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def _slots(master: str) -> int:
    try:
        with urllib.request.urlopen(f"http://{master}/overview", timeout=5) as reply:
            return int(json.load(reply)["slots-total"])
    except (OSError, ValueError):
        return 0


def _listens(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with contextlib.suppress(OSError), socket.create_connection((host, int(port)), timeout=5):
        return True
    return False


def _wait(there: Callable[[], bool], missing: str, folder: Path) -> None:
    end = time.monotonic() + _SECONDS
    while not there():
        if time.monotonic() > end:
            raise RuntimeError(f"{missing} after {_SECONDS} s; the logs are in {folder / 'log'}")
        time.sleep(0.3)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
