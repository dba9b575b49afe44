"""What the pod after the last node runs: the report of the run, and its models and tries to object storage.

`python -m awesome_kubeflow.run_report --help`. The report is that of `awesome run`, from what ML Metadata knows of the
run; it lies on the volume, in runs/RUN, and its page is what the step shows. A second try takes the report that is
there, so that models are pushed once.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from awesome_kubeflow.errors import NodeError
from awesome_kubeflow.pod.process import (
    check_store,
    metadata_connection,
    pod_options,
    run_parameters,
    run_pod,
    start_json_log,
    take_storage_secret,
)
from components.records import RecordError, from_json
from pipeline.job.quiet import import_tensorflow

if TYPE_CHECKING:
    from awesome_kubeflow.parameters import RunParameters
    from pipeline.node_settings import NodeSettings
    from pipeline.settings import Settings

TASK_ID = "RunReport"
NEEDED = ("FeatureExampleGen", "ModelSelector", "Pusher")
"""Ids of the nodes without which there is no report."""

_LOG = logging.getLogger("awesome.node")


@dataclass(frozen=True)
class CompiledRun:
    """What a report needs of the pipeline and no pod can tell by itself.

    Attributes:
        pipeline: its name, as compiled.
        nodes: ids of its nodes.
        models: names of its models, with their versions.
        settings: of the pipeline, beside what the run's parameters set: splits, seed, database, the audit's limit, and
            hyperparameters that are not the models' own.
        formatter: as compiled.
        horizon: as compiled, sessions.
        runs: folder of the reports.
    """

    pipeline: str
    nodes: tuple[str, ...]
    models: tuple[str, ...]
    settings: dict[str, Any]
    formatter: str
    horizon: int
    runs: str

    def to_json(self) -> str:
        """As one line of text."""
        return json.dumps(asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> CompiledRun:
        """Reads what `to_json` wrote.

        Raises:
            NodeError: it is none.
        """
        try:
            return from_json(cls, text)
        except RecordError:
            raise NodeError("--compiled: is nothing that the compiler wrote; compile the package again") from None


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the report, and pushes models and tries where a storage is named; returns the exit code."""
    return run_pod(lambda: _run(arguments), TASK_ID)


def _run(arguments: Sequence[str] | None) -> None:
    from awesome_kubeflow.pod.executor_io import ExecutorInput, write_outputs
    from pipeline.node_settings import load_node_settings
    from pipeline.runs.folder import REPORT_HTML, REPORT_JSON

    began = time.monotonic()
    options = pod_options(
        "run_report", "Reports on a run.", "--compiled", "the pipeline, as the compiler described it", arguments
    )
    outputs = ExecutorInput.from_json(options.executor_input)
    node_settings = load_node_settings()
    check_store(node_settings)
    take_storage_secret(node_settings)
    compiled = CompiledRun.from_json(options.compiled)
    folder = Path(compiled.runs) / options.run_id
    if not (folder / REPORT_JSON).exists():
        import_tensorflow()
        # TensorFlow and absl have put handlers of their own in the meantime.
        start_json_log(TASK_ID)

        parameters = run_parameters(options)
        _write_report(compiled, options.run_id, parameters, node_settings, folder)
    _push_models(folder)
    write_outputs(outputs, (folder / REPORT_HTML).read_text(encoding="utf-8"), None)
    _LOG.info("done in %.1f s, the report is in %s", time.monotonic() - began, folder)


def _write_report(
    compiled: CompiledRun, run_id: str, parameters: RunParameters, node_settings: NodeSettings, folder: Path
) -> None:
    from awesome_kubeflow.names import renamed
    from components.trials.record import record_path
    from pipeline.job.gathered_tries import gather_tries
    from pipeline.job.gathering import gather_report
    from pipeline.job.steps import finished_steps
    from pipeline.plan import resolve

    name = renamed(compiled.pipeline, (compiled.formatter, compiled.horizon), parameters)
    steps = finished_steps(metadata_connection(node_settings), name, run_id, compiled.nodes)
    if missing := [node for node in compiled.nodes if node not in steps]:
        raise NodeError(f"run {run_id}: the metadata store knows of no end of {', '.join(missing)}")
    folder.mkdir(parents=True, exist_ok=True)
    came_from = {"accept_suspicion": "the run's parameter accept_suspicion"}
    settings = _settings(compiled, parameters)
    plan = resolve(settings, came_from, home=settings.db.parent)  # as the package was compiled
    gather_tries(metadata_connection(node_settings), plan.database, record_path(plan.database))
    gather_report(plan, steps, {}, folder)


def _settings(compiled: CompiledRun, parameters: RunParameters) -> Settings:
    from pipeline.settings import Settings

    settings = dict(compiled.settings)
    hyperparameters = {name: dict(values) for name, values in settings.pop("hyperparameters", {}).items()}
    for name, values in parameters.hyperparameters.items():
        hyperparameters[name] = hyperparameters.get(name, {}) | dict(values)
    return Settings(**settings, **parameters.to_settings(), models=compiled.models, hyperparameters=hyperparameters)


def _push_models(folder: Path) -> None:
    from components.object_storage import push_model, push_tries
    from pipeline.plan import load_plan
    from pipeline.uses.publish import database_of, models_to_push
    from pipeline.uses.storage import open_storage

    plan = load_plan()
    if not plan.settings.storage_url:
        return
    with open_storage(plan) as storage:
        for facts, folders in models_to_push(folder):
            pushed = push_model(storage, facts, folders)
            _LOG.info("%s: %s", facts.model, "already there" if pushed.already_there else f"pushed to {pushed.url}")
        if (database := database_of(folder)) is not None:
            _LOG.info("tries pushed that the storage did not hold: %s", push_tries(storage, database))


if __name__ == "__main__":
    raise SystemExit(main())
