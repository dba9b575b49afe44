"""A run of FeatureExampleGen alone, and what it left."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tfx_runs import run_components

from components.feature_example_gen.config import ExampleGenConfig
from components.feature_example_gen.splits import SPLITS

Run = Callable[..., "Result"]


@dataclass(frozen=True)
class Result:
    """One run of the component."""

    cached: bool
    artifact: Any
    files: dict[str, list[Path]]

    def number(self, name: str) -> int:
        return int(self.artifact.get_int_custom_property(name))

    def text(self, name: str) -> str:
        return str(self.artifact.get_string_custom_property(name))

    def rows(self, split: str) -> list[dict[str, list[Any]]]:
        """The examples of a split, file by file, as FeatureExampleGen wrote them."""
        import tensorflow as tf

        rows = []
        for record in tf.data.TFRecordDataset([str(file) for file in self.files[split]]).as_numpy_iterator():
            features = tf.train.Example.FromString(record).features.feature
            rows.append({name: list(getattr(f, f.WhichOneof("kind")).value) if f.WhichOneof("kind") else []
                         for name, f in features.items()})  # fmt: skip
        return rows

    @property
    def last_rows(self) -> dict[str, str]:
        """The last day of each share that the examples hold, in any split."""
        last: dict[str, str] = {}
        for row in (row for split in SPLITS for row in self.rows(split)):
            [share], [day] = row["share_id"], row["time"]
            last[share.decode()] = max(last.get(share.decode(), ""), str(day))
        return last


def run_example_gen(folder: Path, config: ExampleGenConfig, beam: Sequence[str] | None = None) -> Result:
    """Runs the component in one process, or as `beam` says."""
    from components.feature_example_gen.component import FeatureExampleGen
    from pipeline.pipeline import DIRECT_RUNNER

    # Naming requirements keeps TFX from packing itself for workers elsewhere, which takes seconds each time.
    one_process = (*DIRECT_RUNNER, f"--requirements_file={os.devnull}")
    step = run_components(folder, [FeatureExampleGen(config)], beam=beam or one_process)["FeatureExampleGen"]
    [artifact] = step.outputs["examples"]
    files = {split: sorted((Path(artifact.uri) / f"Split-{split}").iterdir()) for split in SPLITS}
    return Result(step.cached, artifact, files)
