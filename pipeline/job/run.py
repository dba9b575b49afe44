"""The main job: prices in, models trained and judged, a report out. TFX is imported inside, behind the cheap checks."""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from components.errors import StoreError, UserError
from components.evidence.findings import PREDICTIONS_FILE
from components.feature_example_gen.splits import plan_splits
from components.feature_store import FeatureStore
from pipeline.configuration import (
    check_choices,
    database_path,
    extracts,
    metadata_path,
    pipeline_config,
    split_settings,
)
from pipeline.job.gathering import gather_report
from pipeline.job.quiet import import_tensorflow, run_log
from pipeline.runs.results import RunReport
from pipeline.settings import Settings

if TYPE_CHECKING:
    from rich.console import Console

    from components.feature_store import ImportReport

SHIPPED_PRICES = Path(__file__).resolve().parents[2] / "data" / "prices.csv.gz"
LOG_FILE = "run.log"
LATEST = "latest"
"""The link in a workspace to its last finished run."""


class OutputError(UserError):
    """A folder cannot be written, or another run works in it."""


@dataclass(frozen=True)
class _Clock:
    """Seconds of the parts of a run that are no pipeline steps, in the order they ended."""

    seconds: dict[str, float]

    @contextlib.contextmanager
    def measured(self, name: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        self.seconds[name] = time.perf_counter() - begin


def run(settings: Settings, console: Console) -> tuple[RunReport, Path]:
    """Does the main job.

    Args:
        settings: all of them.
        console: where progress is shown.

    Returns:
        The report, which is also written, and the run's folder.

    Raises:
        UserError: something the user can mend; nothing of the database was changed.
    """
    check_choices(settings)
    clock = _Clock({})
    check_writable(settings.workspace)
    with workspace_lock(settings.workspace), output_folder(settings) as folder, run_log(folder / LOG_FILE):
        prepare_prices(settings, console, clock.seconds)
        with clock.measured("imports"), console.status("Loading TensorFlow and TFX"):
            import_tensorflow()
            from pipeline.job.steps import run_pipeline, sqlite_metadata
            from pipeline.pipeline import create_pipeline
        from pipeline.job.console import ConsoleListener

        console.print(f"  [green]✓[/] {'imports':<24} {clock.seconds['imports']:7.1f} s")
        config = pipeline_config(settings)
        metadata_file = metadata_path(settings)
        metadata_file.parent.mkdir(parents=True, exist_ok=True)
        pipeline = create_pipeline(config, sqlite_metadata(str(metadata_file.absolute())))
        bars = ("FeatureExampleGen",) if extracts(settings) else ()
        with ConsoleListener(console, bars) as listener:
            steps = run_pipeline(pipeline, listener)
        with clock.measured("report"), console.status("Writing the report"):
            report = gather_report(settings, steps, clock.seconds, folder)
        console.print(f"  [green]✓[/] {'report':<24} {clock.seconds['report']:7.1f} s")
        point_latest(settings.workspace, folder)
    return report, folder


def point_latest(workspace: Path, folder: Path) -> None:
    """Lets runs/latest stand for the last finished run.

    Args:
        workspace: that takes the link.
        folder: of the run.
    """
    link, partial = workspace / LATEST, workspace / f".{LATEST}"
    partial.unlink(missing_ok=True)
    partial.symlink_to(folder.resolve(), target_is_directory=True)
    partial.replace(link)


@contextlib.contextmanager
def output_folder(settings: Settings, stem: str = "report") -> Iterator[Path]:
    """Makes the run's folder; a mistake of the user's takes it away again if it holds nothing or an empty log.

    Args:
        settings: the folder is `output`, or a new one in the workspace.
        stem: of the page and of the JSON, which is written last: where it is, the folder is complete.

    Yields:
        The folder, without what a killed run was writing.

    Raises:
        OutputError: it cannot be written, or holds an earlier run or anything that no run writes.
    """
    folder = settings.output or settings.workspace / datetime.datetime.now().strftime("%Y-%m-%dT%H-%M-%S")
    # A run that was killed leaves these: the same command must be able to take up from there.
    whole = rf"{LOG_FILE}|{PREDICTIONS_FILE}|{stem}\.html"
    partial = rf"\.writable|\.({PREDICTIONS_FILE}|{stem}\.html|{stem}\.json)(\.\w+)?"
    left = list(folder.iterdir()) if folder.is_dir() else []
    if not all(path.is_file() and re.fullmatch(f"{whole}|{partial}", path.name) for path in left):
        raise OutputError(f"--output {folder} is not empty; name a new folder, so that no earlier report is lost")
    made = not folder.exists()
    check_writable(folder)
    for path in left:
        if re.fullmatch(partial, path.name):
            path.unlink(missing_ok=True)
    try:
        yield folder
    except UserError:
        log = folder / LOG_FILE
        with contextlib.suppress(OSError):
            if log.exists() and not log.stat().st_size:
                log.unlink()
            if made:
                folder.rmdir()
        raise


def check_writable(folder: Path) -> None:
    """Makes a folder where it is missing and writes in it.

    Args:
        folder: of a run, or the workspace.

    Raises:
        OutputError: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as error:
        why = "it is a file" if folder.is_file() else error.strerror
        raise OutputError(f"{folder} cannot be written ({why}); name another folder") from None


@contextlib.contextmanager
def workspace_lock(workspace: Path) -> Iterator[None]:
    """One run at a time in a workspace: two would write the same metadata.

    Args:
        workspace: an existing folder.

    Raises:
        OutputError: another run holds it.
    """
    with (workspace / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise OutputError(f"another run works in {workspace}; wait for it or name another --workspace") from None
        yield


def prepare_prices(settings: Settings, console: Console, seconds: dict[str, float] | None = None) -> None:
    """Sees to the prices before a run, whatever runs the steps.

    A synthetic market is made; the shipped prices are imported where no database was named and none is there. With a
    source the first step sees to the prices, and only what it would refuse is refused here.

    Args:
        settings: all of them.
        console: where progress is shown.
        seconds: takes the time of what was done.

    Raises:
        StoreError: the store is missing, or does not hold what the settings ask for.
        SplitError: its sessions do not suffice for the splits.
        ExtractionError: the source, a share's name or the key cannot be used.
    """
    if extracts(settings):
        from components.extractor import check_plan
        from pipeline.extraction import extraction_plan

        check_plan(extraction_plan(settings), settings.db)
        return
    ensure_prices(settings, console, seconds)
    _check_store(settings)


def ensure_prices(settings: Settings, console: Console, seconds: dict[str, float] | None = None) -> None:
    """Makes the synthetic market, or imports the shipped prices where no database was named and none is there.

    Args:
        settings: all of them.
        console: where progress is shown.
        seconds: takes the time of what was done.

    Raises:
        StoreError: the database that was named does not exist.
    """
    clock = _Clock({} if seconds is None else seconds)
    path = database_path(settings)
    if settings.market is not None:
        from components.synthetic_market import generate, get_scenario, write_market

        scenario = get_scenario(settings.market)
        with clock.measured("market"), console.status(f"Making the market {settings.market}"):
            path.parent.mkdir(parents=True, exist_ok=True)
            market = generate(
                scenario, shares=settings.market_shares, sessions=settings.market_sessions, seed=settings.seed
            )
            write_market(market, path)
        console.print(f"  [green]✓[/] {'market':<24} {clock.seconds['market']:7.1f} s  {path}", soft_wrap=True)
    elif not path.exists():
        if path != Settings.model_fields["db"].default:
            raise StoreError(f"--db {path} does not exist; import prices first: awesome prices import FILE --db {path}")
        with clock.measured("prices"), console.status("Importing the shipped prices"):
            imported = import_shipped_prices(path)
        console.print(
            f"  [green]✓[/] {'prices':<24} {clock.seconds['prices']:7.1f} s  "
            f"{imported.taken} prices of {len(imported.shares)} shares from {SHIPPED_PRICES.name} into {path}",
            soft_wrap=True,
        )


def import_shipped_prices(path: Path) -> ImportReport:
    """Imports the prices that come with the project into a store that is not there yet.

    Args:
        path: of the store.

    Returns:
        What was taken.

    Raises:
        StoreError: it cannot be written.
    """
    from components.feature_store import import_prices

    # Half of the prices under the database's name would be taken for all of them by the next run.
    partial = path.with_name(f".{path.name}.partial")
    partial.unlink(missing_ok=True)
    imported = import_prices(SHIPPED_PRICES, partial, source="file:prices.csv.gz")
    partial.rename(path)
    return imported


def _check_store(settings: Settings) -> None:
    """Refuses a store that cannot serve before TensorFlow is loaded."""
    from components.feature_example_gen.config import ExampleGenConfig

    path = database_path(settings)
    with FeatureStore.open(path) as store:
        shares = [s.share_id for s in ExampleGenConfig(str(path), settings.shares).select(store.shares())]
        plan_splits(store.sessions(shares), split_settings(settings))
