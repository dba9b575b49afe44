"""A panel is written and looked at, wherever it lies."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from components.errors import ImportFileError, PanelError
from components.object_storage.panels import pull_panel, push_panel
from components.price_panel.manifest import MANIFEST, is_panel
from components.price_panel.opening import open_prices
from components.price_panel.tables import is_table, write_table
from components.price_panel.verifying import Verified, verify_panel
from components.price_panel.writing import Progress, Written, write_store
from components.trials.record import begun_with
from components.whole_files import temporary_folder
from pipeline.job.panel import panel_storage
from pipeline.plan import Plan


def write_panel(
    plan: Plan,
    prices: Path | None,
    files: Sequence[str],
    source: str,
    file_rows: int,
    progress: Progress | None = None,
) -> Written:
    """Adds prices to the plan's panel, which is made where it is missing.

    Args:
        plan: names the panel, and the shares of a database that are taken.
        prices: a database or another panel; None for that of the settings, where no files are named.
        files: a folder of Parquet files, or files as an import takes them.
        source: what to call the origin of the files' prices.
        file_rows: prices of a file, about.
        progress: told of each share.

    Raises:
        UserError: the prices cannot be read, or contradict the panel; nothing was written.
    """
    folder, storage = plan.database, panel_storage(plan)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if storage is None:
        with begun_with(folder):
            return _write(plan, folder, prices, files, source, file_rows, progress)
    with storage:
        if storage.read(MANIFEST) is not None:
            pull_panel(storage, folder)
        elif is_panel(folder):
            raise PanelError(f"{storage.url}: the panel is gone, and {folder} is left of it; remove it, or write there")
        with begun_with(folder):
            written = _write(plan, folder, prices, files, source, file_rows, progress)
        push_panel(storage, folder)
    return written


def verify(plan: Plan, progress: Progress | None = None) -> Verified:
    """Looks at every file of the plan's panel; one in object storage is brought whole, into a folder that goes again.

    Raises:
        UserError: there is no panel, or it cannot be reached.
    """
    storage = panel_storage(plan)
    if storage is None:
        return verify_panel(plan.database, progress)
    with storage, temporary_folder("panel") as folder:
        pull_panel(storage, folder)
        return verify_panel(folder, progress)


def _write(
    plan: Plan,
    folder: Path,
    prices: Path | None,
    files: Sequence[str],
    source: str,
    file_rows: int,
    progress: Progress | None,
) -> Written:
    shares = plan.settings.shares
    if not files:
        database = prices or plan.settings.db
        if database.resolve() == folder.resolve():
            raise PanelError(f"{folder}: a panel is not written from itself; name another folder")
        with open_prices(database) as store:
            return write_store(folder, store, shares, file_rows, progress)
    if panels := [one for one in files if is_panel(Path(one))]:
        # In the order of `cp`, one would be written into the other.
        this, other = shlex.quote(plan.settings.panel or str(folder)), shlex.quote(panels[0])
        raise PanelError(
            f"{panels[0]} is a panel, and what stands first is written to: awesome panel write {this} --from {other} "
            f"adds its prices to {this}, awesome panel write {other} --from {this} those of {this} to it"
        )
    tables = [Path(one) for one in files if is_table(Path(one))]
    if shares:
        raise PanelError("--shares: files are taken whole; import them into a database and name shares of that")
    if len(tables) == len(files) == 1:
        return write_table(folder, tables[0], source, file_rows, progress)
    if tables:
        raise PanelError(f"{tables[0]} is a folder of Parquet files; name it alone, one after the other")
    from components.price_files import import_files

    with temporary_folder("panel") as scratch:
        database = scratch / "prices.db"
        report = import_files(files, database, source=source)
        if not report.shares:
            why = "".join(f": {one}" for one in report.failed[:1])
            raise ImportFileError(f"{files[0]}: no price could be read{why}; see `awesome prices import --dry-run`")
        with open_prices(database) as store:
            written = write_store(folder, store, (), file_rows, progress)
    rows = [f"row {one.row}, share {one.share_id or '?'}, {one.time or '?'}: {one.reason}" for one in report.refused]
    return replace(written, refused=(*(f"{one.path}: {one.reason}" for one in report.failed), *rows))
