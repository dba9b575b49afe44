"""The project's pipeline with the paths that the pods of a cluster see."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from awesome_kubeflow.cluster import ClusterSettings
from pipeline.naming import is_url, panel_folder
from pipeline.plan import Plan, resolve

if TYPE_CHECKING:
    from tfx.orchestration.pipeline import Pipeline


def cluster_plan(plan: Plan, cluster: ClusterSettings) -> Plan:
    """The same plan on the cluster's volume, whose folder holds `awesome.db`, `tfx/` and `serving/`.

    Args:
        plan: of the command; database, workspace and market are the cluster's instead. The folder of a panel is one
            of the volume.
        cluster: where the pipeline is to run.

    Returns:
        The plan; Kubeflow Pipelines knows its name with '-' for other signs.
    """
    data = Path(cluster.data_folder)
    on_volume: dict[str, Any] = {"workspace": data, "db": data / "awesome.db", "market": None}
    if plan.settings.panel is not None and not is_url(plan.settings.panel):
        on_volume["panel"] = str(data / panel_folder(plan.settings.panel, data))
    return resolve(plan.settings.model_copy(update=on_volume), plan.origins, home=data)


def cluster_pipeline(plan: Plan, cluster: ClusterSettings) -> Pipeline:
    """The pipeline of `awesome run`, on the cluster's volume. Imports TFX; writes nothing."""
    from pipeline.configuration import pipeline_config
    from pipeline.pipeline import create_pipeline

    return create_pipeline(pipeline_config(cluster_plan(plan, cluster), write_files=False))
