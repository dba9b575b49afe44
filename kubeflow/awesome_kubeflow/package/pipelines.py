"""The project's pipeline with the paths that the pods of a cluster see."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from awesome_kubeflow.cluster import ClusterSettings

if TYPE_CHECKING:
    from tfx.orchestration.pipeline import Pipeline

    from pipeline.settings import Settings


def pipeline_name(settings: Settings) -> str:
    """The pipeline's name in TFX and ML Metadata; Kubeflow Pipelines knows it with '-' for other signs.

    Args:
        settings: see `name_of`.
    """
    from pipeline.configuration import name_of

    return name_of("awesome", settings)


def cluster_pipeline(settings: Settings, cluster: ClusterSettings) -> Pipeline:
    """The pipeline of `awesome run`, on the cluster's volume. Imports TFX; writes nothing.

    Below the volume's folder lie `awesome.db`, `tfx/` (artifacts, the schema) and `serving/` (pushed models).

    Args:
        settings: all of them; database, workspace and market are the cluster's instead.
        cluster: where it is to run.

    Raises:
        UserError: as in `check_choices`.
    """
    from pipeline.configuration import pipeline_config
    from pipeline.pipeline import create_pipeline

    data = Path(cluster.data_folder)
    settings = settings.model_copy(update={"workspace": data, "db": data / "awesome.db", "market": None})
    config = pipeline_config(settings, write_files=False)
    name = pipeline_name(settings)
    config = replace(config, name=name, root=str(data / "tfx" / name), serving=str(data / "serving" / name))
    return create_pipeline(config)
