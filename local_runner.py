"""The pipeline for the `tfx` program: `tfx pipeline create --engine=local --pipeline_path=local_runner.py`.

Settings are those of `awesome run`: AWESOME_... in the environment, then awesome.toml, then defaults.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console

from components.errors import UserError
from pipeline.configuration import pipeline_config
from pipeline.job.engine_check import check_engine
from pipeline.job.light_imports import light_imports
from pipeline.job.prices import prepare_prices
from pipeline.job.quiet import import_tensorflow, run_log
from pipeline.job.workspace import check_writable, workspace_lock
from pipeline.plan import Plan, load_plan

if TYPE_CHECKING:
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner

_STOPPED = 130  # what a shell gives for a program that Ctrl-C ended


class _StepLines(logging.Handler):
    """Shows what TFX's runner says of each step on a terminal; the log holds the rest."""

    def __init__(self, console: Console) -> None:
        super().__init__(logging.INFO)
        self._console = console
        # The runner also logs its whole configuration, many lines at once.
        self.addFilter(lambda record: record.module == "local_dag_runner" and "\n" not in record.getMessage())

    def emit(self, record: logging.LogRecord) -> None:
        self._console.print(f"  {record.getMessage()}", highlight=False, markup=False)


@contextlib.contextmanager
def _step_lines(console: Console) -> Iterator[None]:
    """Shows the steps while the block runs."""
    # TFX logs with absl, which keeps a verbosity of its own: a logger's level alone is put back by TensorFlow.
    from absl import logging as absl_logging  # type: ignore[import-untyped]

    tfx_logger, lines = absl_logging.get_absl_logger(), _StepLines(console)
    verbosity = absl_logging.get_verbosity()
    tfx_logger.addHandler(lines)
    absl_logging.set_verbosity(absl_logging.INFO)
    try:
        yield
    finally:
        absl_logging.set_verbosity(verbosity)
        tfx_logger.removeHandler(lines)


def create_runner(plan: Plan, console: Console) -> LocalDagRunner:
    """TFX's local runner, which sees to the prices before the first step. Imports TFX.

    `tfx pipeline create`, `compile` and `update` put a stand-in in the place of `LocalDagRunner.run`, which takes the
    pipeline and runs nothing. So all that a run needs hangs on `run_with_ir`, which only the real `run` calls.

    Args:
        plan: what is to be done.
        console: where progress is shown.

    Returns:
        The runner; its `run` raises UserError for what the user can fix.
    """
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner

    from pipeline.job.steps import clear_unfinished, sqlite_metadata

    class PreparedRunner(LocalDagRunner):
        def run_with_ir(self, pipeline: Any, run_options: Any = None) -> None:
            with workspace_lock(plan.workspace):
                check_engine(plan.engine, plan.root)
                prepare_prices(plan, console)
                clear_unfinished(sqlite_metadata(str(plan.metadata.absolute())), plan.root.parent)
                with _step_lines(console):
                    super().run_with_ir(pipeline, run_options)
            console.print(f"The log: {log_path(plan)}", highlight=False, soft_wrap=True)
            console.print("The report: `awesome run` writes it, with these steps from the cache.", soft_wrap=True)

    return PreparedRunner()


def log_path(plan: Plan) -> Path:
    """The log, beside ML Metadata's file in the workspace."""
    return plan.metadata.parent / "local_runner.log"


def main() -> None:
    """Hands the pipeline to the runner; a user's mistake is one clear line and a non-zero exit."""
    try:
        plan = load_plan()
        plan.check_folders()
        log = log_path(plan)
        for folder in (plan.workspace, log.parent):
            check_writable(folder)
        # The imports too: TensorFlow prints its own log unless it finds that somebody takes it.
        with run_log(log):
            with light_imports():
                import_tensorflow()
                from pipeline.job.steps import sqlite_metadata
                from pipeline.pipeline import create_pipeline

            metadata = sqlite_metadata(str(plan.metadata.absolute()))
            create_runner(plan, Console()).run(create_pipeline(pipeline_config(plan), metadata))
    except UserError as error:
        raise SystemExit(f"awesome: {error}") from None
    except KeyboardInterrupt:
        print("awesome: stopped; the next run takes up from the finished steps", file=sys.stderr)
        raise SystemExit(_STOPPED) from None


if __name__ == "__main__":
    main()
