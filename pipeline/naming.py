"""A pipeline's name: the same from whatever folder a command is given, and however the database is written.

It depends on the database, its links followed, and on the workspace, never on the current folder. Earlier versions took
the current folder for the workspace's, and a link for a database of its own: what a workspace holds under such a name
keeps it.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

from models.labels import UP

if TYPE_CHECKING:
    from pipeline.settings import Settings

_READ = (
    "SELECT Context.name, said.string_value FROM ExecutionProperty said "
    "JOIN Association ON Association.execution_id = said.execution_id "
    "JOIN Context ON Context.id = Association.context_id "
    "WHERE said.name = 'input_base' ORDER BY said.execution_id DESC"
)
"""By ML Metadata, what the first step of the runs of a pipeline has read, the latest first."""


def pipeline_name(settings: Settings, database: Path, home: Path | None = None) -> str:
    """One name for all runs that may be compared: same data, label, formatter and horizon.

    Runs of one name share their predecessors, and a model for 20 days is none for one of a single day, nor one that
    tells which shares do better for one that tells which rise. Nor is one of a stretch of days for one of another
    stretch: it may have been trained on the days that the other is tested on.

    Args:
        settings: of the pipeline.
        database: that it reads.
        home: two databases of one name in different folders are different data, unless they lie here; None for the
            folder that holds the workspace.
    """
    workspace = settings.workspace.resolve()
    real, tail = database.resolve(), _tail(settings)
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", real.stem) + ("" if settings.panel is None else "-panel")
    near, away = f"{stem}{tail}", f"{stem}-{_digest(str(real.parent))}{tail}"
    if settings.market is not None:
        return near
    name = near if real.parent == (workspace.parent if home is None else home.resolve()) else away
    if _is_in(workspace, name) and name == away:
        return name
    read = _databases_read(workspace, tail)
    if _is_in(workspace, name):
        # An earlier version may have kept the runs of another database under it.
        return away if name in read and real not in read[name] else name
    return next((earlier for earlier, of in read.items() if of == {real} and _is_in(workspace, earlier)), name)


def is_url(panel: str) -> bool:
    """Whether a panel lies in object storage, and not in a folder."""
    return "://" in panel and not panel.startswith("file://")


def panel_folder(panel: str, workspace: Path) -> Path:
    """Where the files of a panel are read: its own folder, or that of the workspace which those of a URL come to."""
    if not is_url(panel):
        return Path(panel.removeprefix("file://")).expanduser()
    stem = re.sub(r"[^A-Za-z0-9_-]+", "-", panel.rstrip("/").rpartition("/")[2])
    return workspace / "panels" / f"{stem}-{_digest(panel.rstrip('/'))}"


def name_part(formatter: str, horizon: int) -> str:
    """What a pipeline's name says of what is trained; a run on a cluster may train otherwise than was compiled."""
    return f"-{formatter}-h{horizon}"


def metadata_file(workspace: Path) -> Path:
    """The SQLite file of ML Metadata in a workspace."""
    return workspace / "tfx" / "metadata.db"


def _tail(settings: Settings) -> str:
    """All of a name but what stands for the database."""
    tail = name_part(settings.formatter, settings.horizon)
    if settings.label != UP:
        tail = f".{settings.label}{tail}"  # of a database no name holds a dot
    if settings.split_start is not None or settings.split_end is not None:
        cut = (settings.split_start, settings.split_dates or settings.split_fractions, settings.split_end)
        tail += f"-{_digest(repr(cut))}"
    return tail


def _is_in(workspace: Path, name: str) -> bool:
    return any((workspace / kind / name).is_dir() for kind in ("tfx", "serving"))


def _databases_read(workspace: Path, tail: str) -> dict[str, set[Path]]:
    """By the names that end so, the databases that their runs have read, links followed; the latest run first."""
    read: dict[str, set[Path]] = {}
    with contextlib.suppress(sqlite3.Error):
        uri = f"{metadata_file(workspace).as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(uri, uri=True)) as connection:
            for name, path in connection.execute(_READ):
                # Where a dot is left, it is the name of another label.
                if path and str(name).endswith(tail) and "." not in str(name).removesuffix(tail):
                    read.setdefault(name, set()).add(Path(path).resolve())
    return read


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:6]
