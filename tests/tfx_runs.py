"""Components behind TFX's launcher, without a pipeline of the project around them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def run_components(folder: Path, components: Sequence[Any], listener: Any = None, beam: Sequence[str] = ()) -> Any:
    """The steps by node id; what runs in one folder shares a root (`root`), a metadata store and so a cache."""
    from tfx.orchestration import pipeline as tfx_pipeline

    from pipeline.job.steps import run_pipeline, sqlite_metadata

    pipeline = tfx_pipeline.Pipeline(
        pipeline_name="components",
        pipeline_root=str(folder / "root"),
        components=list(components),
        enable_cache=True,
        metadata_connection_config=sqlite_metadata(str(folder / "metadata.db")),
        beam_pipeline_args=list(beam),
    )
    return run_pipeline(pipeline, listener)
