"""Where Beam's steps run: in this process, on Flink, or on whatever stands behind Beam's Job API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

DIRECT_RUNNER = (
    # The runner that Beam's DirectRunner hands a batch to. That one first tries to download another, Prism, and builds
    # the pipeline for it in vain, at every step.
    "--runner=FnApiRunner",
    # One process is the fastest at this size.
    "--direct_running_mode=in_memory",
    "--direct_num_workers=1",
    # Workers in this process need no packages. Without this, TFX packs itself for them at every step: 4 s each.
    "--requirements_file=/dev/null",
)

_REMOTE_RUNNERS = ("FlinkRunner", "PortableRunner")

Runner = Literal["direct", "flink", "portable"]


@dataclass(frozen=True)
class Engine:
    """What runs FeatureExampleGen, StatisticsGen, Transform and the Evaluator.

    Attributes:
        runner: `direct` is this process; `flink` a Flink cluster; `portable` any runner behind a job service.
        flink_master: HOST:PORT of Flink's REST interface; None where the job service knows it.
        job_server: Beam's job server for that Flink, a jar that Beam starts for each step; None for the one that Beam
            then fetches by itself, and unused where a job service runs.
        job_endpoint: HOST:PORT of a job service that runs.
        workers: HOST:PORT of the worker pool, as every TaskManager reaches it.
        parallelism: into how many parts a step is split.
        start_seconds: after which no worker that came is a failure.
    """

    runner: Runner = "direct"
    flink_master: str | None = None
    job_server: str | None = None
    job_endpoint: str | None = None
    workers: str = "localhost:50000"
    parallelism: int = 1
    start_seconds: float = 30

    @property
    def remote(self) -> bool:
        """Whether steps run in other processes than this one."""
        return self.runner != "direct"

    @property
    def arguments(self) -> tuple[str, ...]:
        """Beam's arguments."""
        if not self.remote:
            return DIRECT_RUNNER
        master = [f"--flink_master={self.flink_master}"] if self.flink_master else []
        if self.job_endpoint:
            service = ["--runner=PortableRunner", f"--job_endpoint={self.job_endpoint}"]
        else:
            service = ["--runner=FlinkRunner"]
            service += [f"--flink_job_server_jar={self.job_server}"] if self.job_server else []
        return (
            *service,
            *master,
            "--environment_type=EXTERNAL",
            f"--environment_config={self.workers}",
            # Workers have the project installed. With an image named, TFX packs nothing for them; it is not pulled.
            "--sdk_container_image=installed",
            # Else Beam stages a list of this process's packages with every step.
            "--experiments=disable_logging_submission_environment",
            f"--parallelism={self.parallelism}",
            # A worker imports TensorFlow once a step instead of once a stage, and is gone soon after the last one.
            "--environment_cache_millis=30000",
        )


def engine_of(arguments: Sequence[str], start_seconds: float) -> Engine:
    """The engine whose `arguments` these are, as a compiled pipeline holds them.

    Args:
        arguments: Beam's.
        start_seconds: after which no worker that came is a failure; Beam's arguments do not hold it.
    """
    values = {name: value for name, _, value in (one.removeprefix("--").partition("=") for one in arguments)}
    if values.get("runner") not in _REMOTE_RUNNERS:
        return Engine()
    return Engine(
        runner="flink" if values["runner"] == "FlinkRunner" or "flink_master" in values else "portable",
        flink_master=values.get("flink_master"),
        job_server=values.get("flink_job_server_jar"),
        job_endpoint=values.get("job_endpoint"),
        workers=values["environment_config"],
        parallelism=int(values["parallelism"]),
        start_seconds=start_seconds,
    )
