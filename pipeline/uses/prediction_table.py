"""Predictions as rows of a table of the database, for who asks it in SQL: `awesome predict --db-table NAME`.

    session      the last session of the window, ISO
    share_id     the share
    model        the model's name
    run          the run that trained it, else the folder of the pushed or pulled model
    label        what the probability is of
    horizon      sessions ahead
    probability  of the label
    made_at      when the row was written, UTC

A row is told by all but the last two. The same prediction again leaves its row as it is, made_at too; another
probability, as prices were restated, takes its place. So this is no proof of what was said when: that is the ledger's.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from components.errors import UserError
from components.feature_store.connection import connect_to_write, translated
from components.feature_store.schema import CREATED, columns_of, transaction
from components.ledger.instants import present, stamp

_KEY = ("session", "share_id", "model", "run", "label", "horizon")
_COLUMNS = (*_KEY, "probability", "made_at")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

_CREATE = """
CREATE TABLE "{name}" (
  session TEXT NOT NULL,
  share_id TEXT NOT NULL,
  model TEXT NOT NULL,
  run TEXT NOT NULL,
  label TEXT NOT NULL,
  horizon INTEGER NOT NULL,
  probability REAL NOT NULL,
  made_at TEXT NOT NULL,
  PRIMARY KEY (session, share_id, model, run, label, horizon)
) WITHOUT ROWID
"""

_INSERT = """
INSERT INTO "{name}" (session, share_id, model, run, label, horizon, probability, made_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (session, share_id, model, run, label, horizon) DO UPDATE
SET probability = excluded.probability, made_at = excluded.made_at WHERE probability <> excluded.probability
"""


class PredictionTableError(UserError):
    """Predictions cannot be written to a table."""


@dataclass(frozen=True)
class WrittenRows:
    """What became of predictions: how many were given, and how many of these are new or have changed."""

    rows: int
    written: int


def check_table(database: Path, name: str, panel: bool = False) -> None:
    """Refuses a table that predictions cannot be written to, before anything is computed.

    Args:
        database: the file.
        name: of the table.
        panel: whether the prices are a panel, which may not have been fetched yet.

    Raises:
        PredictionTableError: its name is none, belongs to the database's own tables, or is that of a table of another
            shape; or the prices are no database.
        StoreError: the database cannot be written.
    """
    if not _NAME.fullmatch(name):
        raise PredictionTableError(
            f"--db-table {name}: the name of a table has letters, digits and _, and begins with no digit; name it like "
            "PREDICTION"
        )
    if name.upper() in CREATED or name.lower().startswith(("sqlite_", "pragma_")):
        raise PredictionTableError(f"--db-table {name}: that table has another purpose; name another one")
    if panel or database.is_dir():
        raise PredictionTableError(
            f"--db-table {name}: {database} is a panel, and tables are of databases; write a file instead: --output"
        )
    if not database.exists():  # which whoever reads prices says better
        return
    with closing(connect_to_write(database)) as connection, translated(database):
        found = columns_of(connection, name)
        kind = connection.execute("SELECT type FROM sqlite_master WHERE upper(name) = ?", (name.upper(),)).fetchone()
        key = tuple(row[1] for row in connection.execute(f'PRAGMA table_info("{name}")') if row[5])
    if kind is not None and (kind[0] != "table" or found != _COLUMNS or key != _KEY):
        columns = f" (columns {', '.join(found)})" if found else ""
        article = "an" if kind[0] == "index" else "a"
        raise PredictionTableError(
            f"--db-table {name}: {database} has {article} {kind[0]} of that name with another shape{columns}; name "
            "another one, or move it away"
        )


def write_predictions(
    database: Path,
    name: str,
    rows: Iterable[tuple[str, str, float]],
    model: str,
    run: str,
    label: str,
    horizon: int,
) -> WrittenRows:
    """Writes predictions, all of them or none; makes the table where it is not there.

    Args:
        database: the file.
        name: of the table.
        rows: session, share and probability of each.
        model: name of the model.
        run: that trained it, or its folder.
        label: what the probabilities are of.
        horizon: sessions ahead.

    Raises:
        PredictionTableError: as in `check_table`.
        StoreError: the database cannot be written.
    """
    check_table(database, name)
    moment = stamp(present())
    values = [(session, share, model, run, label, horizon, value, moment) for session, share, value in rows]
    with closing(connect_to_write(database)) as connection, translated(database), transaction(connection):
        if not columns_of(connection, name):
            connection.execute(_CREATE.format(name=name))
        before = connection.total_changes
        connection.executemany(_INSERT.format(name=name), values)
        return WrittenRows(len(values), connection.total_changes - before)
