"""What the pod before the first node runs: the database and the record of its tries from object storage to the volume.

`python -m awesome_kubeflow.database_pull --help`. Object storage is a boundary of the pipeline: TFX reads the volume.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from awesome_kubeflow.errors import NodeError
from awesome_kubeflow.pod.process import pod_options, run_pod, take_storage_secret

if TYPE_CHECKING:
    from awesome_kubeflow.pod.executor_io import ExecutorInput
    from pipeline.plan import Plan

TASK_ID = "PullDatabase"

_LOG = logging.getLogger("awesome.node")
_MIB = 2**20


def main(arguments: Sequence[str] | None = None) -> int:
    """Pulls the database; returns the exit code: 0, or 1 where the database that was there before still is."""
    return run_pod(lambda: _run(arguments), TASK_ID)


def _run(arguments: Sequence[str] | None) -> None:
    from awesome_kubeflow.pod.executor_io import ExecutorInput, write_outputs
    from awesome_kubeflow.steps.page import Section, page
    from components.feature_store import FeatureStore
    from components.object_storage import pull_database, pull_tries
    from components.trials.record import read_record, record_path
    from pipeline.job.prices import idle_decisions
    from pipeline.node_settings import load_node_settings
    from pipeline.plan import load_plan
    from pipeline.uses.storage import open_storage

    options = pod_options(
        "database_pull",
        __doc__,
        "--database",
        "where to, on the volume",
        arguments,
        of_a_run=False,
        beside={"--panel": "URL of a panel, which comes instead of the database"},
    )
    outputs = ExecutorInput.from_json(options.executor_input)
    take_storage_secret(load_node_settings())
    plan = load_plan({"panel": options.panel or None})
    database = Path(options.database)
    database.parent.mkdir(parents=True, exist_ok=True)
    if options.panel:
        _pull_panel(plan, database, outputs)
        return
    with open_storage(plan) as storage:
        # First: whoever sees the database must not know of fewer tries.
        tries = pull_tries(storage, database)
        pulled = pull_database(storage, database)
    idle: list[str] = []
    if plan.decisions:  # of this cluster alone: AWESOME_ACCEPT and AWESOME_EXCLUDE
        with FeatureStore.create(database) as store:
            store.decide(plan.decisions)
            shares = [one.share_id for one in store.shares()]
            idle = idle_decisions(replace(plan, database=database), store, shares)
    for line in idle:
        _LOG.warning("%s", line)
    manifest, record = pulled.manifest, read_record(record_path(database))
    facts = {
        "from": pulled.url,
        "to": str(pulled.database),
        "size": f"{manifest.file.size / _MIB:.1f} MiB",
        "time": f"{pulled.seconds:.1f} s",
        "data": manifest.data_digest,
        "tries": f"{tries} not known here before, of {record.bound}{len(record.trials)}",
    }
    if plan.decisions:
        facts["decisions"] = "; ".join(map(str, plan.decisions))
    if idle:
        facts["decisions that change nothing"] = "; ".join(idle)
    verdict = f"{manifest.shares:,} shares, the last session is {manifest.last_session or 'none'}."
    write_outputs(outputs, page(TASK_ID, Section(verdict), facts), None)
    _LOG.info("done in %.1f s: %s", pulled.seconds, verdict)


def _pull_panel(plan: Plan, folder: Path, outputs: ExecutorInput) -> None:
    """The files of a panel that are not on the volume yet; the record of its tries is on the volume alone."""
    from awesome_kubeflow.pod.executor_io import write_outputs
    from awesome_kubeflow.steps.page import Section, page
    from components.price_panel.opening import open_to_decide
    from pipeline.job.panel import fetch_panel

    moved = fetch_panel(replace(plan, database=folder))
    if moved is None:
        raise NodeError(f"{plan.settings.panel}: is no URL of object storage")
    if plan.decisions:
        with open_to_decide(folder) as store:
            store.decide(plan.decisions)
    manifest = moved.manifest
    facts = {
        "from": str(plan.settings.panel),
        "to": str(folder),
        "files": f"{moved.files} of {len(manifest.files)} came, {moved.size / _MIB:.1f} MiB",
        "decisions": "; ".join(map(str, plan.decisions)) or "none",
    }
    last = max((one.last for one in manifest.files), default="none")
    verdict = f"{manifest.rows:,} prices, the last session is {last}."
    write_outputs(outputs, page(TASK_ID, Section(verdict), facts), None)
    _LOG.info("done: %s", verdict)


if __name__ == "__main__":
    raise SystemExit(main())
