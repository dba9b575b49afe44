"""Runs the straightforward pipeline and measures each of its steps.

    python -m benchmarks.straightforward.run --csv-dir DIR --work DIR --epochs 1

The last line printed is one JSON object: `{step: {wall, cpu, peak_rss}}`, seconds and MiB, from the import of TFX to
the last node; the pipeline's nodes have TFX's names.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock

from benchmarks.measure import StepClock

if TYPE_CHECKING:
    from benchmarks.straightforward.pipeline import Settings


@contextmanager
def _timed_nodes(clock: StepClock) -> Iterator[None]:
    """Within the block, every node that a runner launches is measured under its own name."""
    from tfx.orchestration.portable.launcher import Launcher

    class TimedLauncher(Launcher):
        def __init__(self, pipeline_node: Any, **kwargs: Any) -> None:
            super().__init__(pipeline_node=pipeline_node, **kwargs)
            self._name = pipeline_node.node_info.id

        def launch(self) -> Any:
            with clock.step(self._name):
                return super().launch()

    with mock.patch("tfx.orchestration.portable.launcher.Launcher", TimedLauncher):
        yield


def run(settings: Settings, clock: StepClock) -> None:
    """Runs the whole pipeline with TFX's LocalDagRunner.

    Args:
        settings: What to run; the working folder should be new, or the metadata of its earlier runs are reused.
        clock: Takes the use of each node.
    """
    from tfx import v1 as tfx

    from benchmarks.straightforward.pipeline import create_pipeline

    settings.work.mkdir(parents=True, exist_ok=True)
    with _timed_nodes(clock):
        tfx.orchestration.LocalDagRunner().run(create_pipeline(settings))


def main(argv: Sequence[str] | None = None) -> int:
    """The command line; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csv-dir", type=Path, required=True, help="holds train.csv, eval.csv and test.csv")
    parser.add_argument("--work", type=Path, required=True, help="takes the artifacts and the metadata")
    parser.add_argument("--epochs", type=int, default=10, help="at most so many passes over the train split")
    parser.add_argument("--patience", type=int, default=3, help="epochs without a better eval loss before it stops")
    parser.add_argument("--batch-size", type=int, default=32, help="rows a gradient step")
    args = parser.parse_args(argv)
    missing = [name for name in ("train.csv", "eval.csv", "test.csv") if not (args.csv_dir / name).is_file()]
    if missing:
        parser.error(f"{args.csv_dir} lacks {', '.join(missing)}")

    # TensorFlow reads its log level when it is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    clock = StepClock()
    with clock.step("import"):
        from benchmarks.straightforward.pipeline import Settings
    run(
        Settings(
            csv_dir=args.csv_dir.resolve(),
            work=args.work.resolve(),
            epochs=args.epochs,
            patience=args.patience,
            batch_size=args.batch_size,
        ),
        clock,
    )
    print(json.dumps(clock.as_json()), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
