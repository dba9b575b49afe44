"""The panel that a plan names: brought from object storage where it lies there, and written back."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from typing import TYPE_CHECKING

from components.price_panel.manifest import is_panel, read_manifest
from pipeline.job.workspace import OutputError, workspace_lock
from pipeline.naming import is_url
from pipeline.plan import Plan
from pipeline.secrets import cos_credentials

if TYPE_CHECKING:
    from rich.console import Console

    from components.object_storage import Storage
    from components.object_storage.panels import Moved
    from components.object_storage.transfer import Progress


def panel_storage(plan: Plan) -> Storage | None:
    """The object storage that the plan's panel lies in; None where it lies in a folder.

    Raises:
        StorageError: the URL or the account cannot be used.
    """
    url = plan.settings.panel or ""
    if not is_url(url):
        return None
    from components.object_storage import Storage
    from components.object_storage.opening import StorageSettings

    key, secret = cos_credentials()
    settings = plan.settings
    how = StorageSettings(settings.s3_endpoint, settings.cos_region, settings.cos_endpoint)
    return Storage.at(url, replace(how, cos_key=key, cos_secret=secret))


def fetch_panel(plan: Plan, progress: Progress | None = None, locked: bool = False) -> Moved | None:
    """Brings what is new of a panel in object storage into the workspace; looks alone whether a folder is a panel.

    While a run works in the workspace the panel that it has brought stays as it is, and is used so.

    Args:
        plan: names the panel.
        progress: told of the bytes.
        locked: whether the caller has the workspace's lock.

    Raises:
        PanelError: there is no panel.
        OutputError: a run works in the workspace, and has brought none yet.
        StorageError: the storage cannot be reached.
    """
    storage = panel_storage(plan)
    if storage is None:
        read_manifest(plan.database)
        return None
    from components.object_storage.panels import pull_panel

    with storage, ExitStack() as held:
        if not locked:
            plan.workspace.mkdir(parents=True, exist_ok=True)
            try:
                held.enter_context(workspace_lock(plan.workspace))
            except OutputError:
                if not is_panel(plan.database):
                    raise
                return None
        return pull_panel(storage, plan.database, progress)


def say_fetched(plan: Plan, console: Console) -> None:
    """Brings the panel, and says in a line what came; the caller has the workspace's lock."""
    with console.status(f"Fetching {plan.settings.panel}"):
        moved = fetch_panel(plan, locked=True)
    if moved is not None:
        console.print(
            f"{plan.settings.panel}: {moved.files} files ({moved.size / 2**20:.1f} MiB) came to {plan.database}",
            highlight=False,
            markup=False,
        )
