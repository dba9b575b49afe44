"""Runs the straightforward pipeline and measures each of its steps.

    python -m benchmarks.straightforward.run --csv-dir DIR --work DIR --epochs 1

The last line printed is one JSON object: `{step: {wall, cpu, peak_rss}}`, seconds and MiB, from the import of TFX to
the last node; the pipeline's nodes have TFX's names.
"""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any
from unittest import mock

from benchmarks.measure import Steps, measured


def run(csv_dir: Path, work: Path, epochs: int) -> Steps:
    """Runs the whole pipeline with TFX's LocalDagRunner; arguments as in `create_pipeline`.

    The working folder should be new, or the metadata of its earlier runs are reused.
    """
    steps: Steps = {}
    with measured(steps, "import"):
        from tfx import v1 as tfx
        from tfx.orchestration.portable.launcher import Launcher

        from benchmarks.straightforward.pipeline import create_pipeline

    class MeasuredLauncher(Launcher):
        def __init__(self, pipeline_node: Any, **kwargs: Any) -> None:
            super().__init__(pipeline_node=pipeline_node, **kwargs)
            self._name = pipeline_node.node_info.id

        def launch(self) -> Any:
            with measured(steps, self._name):
                return super().launch()

    work.mkdir(parents=True, exist_ok=True)
    with mock.patch("tfx.orchestration.portable.launcher.Launcher", MeasuredLauncher):
        tfx.orchestration.LocalDagRunner().run(create_pipeline(csv_dir, work, epochs))
    return steps


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csv-dir", type=Path, required=True, help="holds train.csv, eval.csv and test.csv")
    parser.add_argument("--work", type=Path, required=True, help="takes the artifacts and the metadata")
    parser.add_argument("--epochs", type=int, default=10, help="at most so many passes over the train split")
    args = parser.parse_args()
    missing = [name for name in ("train.csv", "eval.csv", "test.csv") if not (args.csv_dir / name).is_file()]
    if missing:
        parser.error(f"{args.csv_dir} lacks {', '.join(missing)}")
    # TensorFlow reads its log level when it is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    print(json.dumps(run(args.csv_dir.resolve(), args.work.resolve(), args.epochs)), flush=True)


if __name__ == "__main__":
    main()
