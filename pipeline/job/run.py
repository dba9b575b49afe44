"""The main job: prices in, models trained and judged, a report out. TFX is imported inside, behind the cheap checks."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from components.evidence.tried import RUN
from components.plausibility import read_suspects
from components.price_panel.opening import open_prices
from components.trials.record import record_path
from pipeline.configuration import pipeline_config
from pipeline.job.console import Clock, ConsoleListener
from pipeline.job.engine_check import check_engine
from pipeline.job.full_disk import full_disk_named
from pipeline.job.gathering import gather_report
from pipeline.job.light_imports import light_imports
from pipeline.job.prices import prepare_prices, prices_named, say_idle, say_suspects
from pipeline.job.quiet import import_tensorflow, run_log
from pipeline.job.step import Step
from pipeline.job.workspace import check_writable, output_folder, point_latest, workspace_lock
from pipeline.plan import Plan
from pipeline.runs.folder import LOG_FILE
from pipeline.runs.results import RunReport

if TYPE_CHECKING:
    from rich.console import Console


def run(plan: Plan, console: Console, kind: str = RUN, serving: Path | None = None) -> tuple[RunReport, Path]:
    """Does the main job; gives the report, which is also written, and the run's folder.

    Args:
        plan: what is trained, and on what.
        console: where it says what it does.
        kind: that of the try that it is (components/evidence/tried.py).
        serving: the folder that the champion is pushed to; None for the plan's.

    Raises:
        UserError: something the user can fix; nothing of the database was changed.
        PluginError: what comes from outside cannot be used.
    """
    plan.check_parts()
    plan.check_folders()
    check_writable(plan.workspace)
    with (
        full_disk_named(plan.workspace),
        workspace_lock(plan.workspace),
        output_folder(plan.workspace, plan.settings.output) as folder,
        run_log(folder / LOG_FILE),
    ):
        clock = Clock(console)
        prepare_prices(plan, console, clock)
        with clock.measured("imports", "Loading TensorFlow and TFX"), light_imports():
            import_tensorflow()
            from pipeline.job.comparing import choose
            from pipeline.job.gathered_tries import gather_tries
            from pipeline.job.relocation import relocate
            from pipeline.job.steps import clear_unfinished, run_pipeline, sqlite_metadata
            from pipeline.pipeline import create_pipeline

        if plan.engine.remote:
            with clock.measured("engine", "Asking for a worker"):
                check_engine(plan.engine, plan.root)
        plan.metadata.parent.mkdir(parents=True, exist_ok=True)
        store = sqlite_metadata(str(plan.metadata.absolute()))
        relocate(store, plan.workspace)
        clear_unfinished(store, plan.root.parent)
        gather_tries(store, plan.database, record_path(plan.database), kind)
        comparison = None
        if plan.candidates:
            plan, comparison = choose(plan, store, console, clock, _after_extraction(plan, console))
        config = pipeline_config(plan, kind=kind)
        if serving is not None:
            config = replace(config, serving=str(serving.absolute()))
        pipeline = create_pipeline(config, store)
        after = _after_extraction(plan, console)
        with closing(ConsoleListener(console, tuple(after), after)) as listener, prices_named(plan):
            steps = run_pipeline(pipeline, listener)
        with clock.measured("report", "Writing the report"):
            report = gather_report(plan, steps, clock.seconds, folder, comparison)
        point_latest(plan.workspace, folder)
    return report, folder


def _after_extraction(plan: Plan, console: Console) -> dict[str, Callable[[Step], None]]:
    """By step that extracts, what there is to say once it has ended: nobody could judge its prices before."""
    return {} if plan.extraction is None else {"FeatureExampleGen": lambda step: _say_extracted(plan, step, console)}


def _say_extracted(plan: Plan, step: Step, console: Console) -> None:
    """Says what looks wrong in the prices that the first step has extracted."""
    record = read_suspects(step.outputs["examples"][0].uri)
    with open_prices(plan.database) as store:
        say_idle(plan, store, plan.select(store), console)
    if record is not None:
        say_suspects(plan, record, console)
