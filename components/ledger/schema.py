"""The tables of a ledger, and the triggers that keep them from being changed by accident.

    LEDGER      the first row: format, and a name that no other ledger has
    SETUP       the parameters of a horizon's evidence, JSON, fixed before its first prediction; another one begins a
                new series
    MODEL       a model, and from when on it was champion or challenger
    PREDICTION  a probability, made after a session of a share, with the window that the model saw
    OUTCOME     what came of a prediction, and the prices that say so; restated prices make a new row
    NOTE        what else has to be known later, such as the version of the calendars

One sequence numbers the rows of all tables: `seq`, from 1 on without a gap. Each row has when it was written, the hash
of the row before it, `previous`, and its own, `hash` (chain.py).

The triggers protect from accidents: whoever means to change a row can drop them first. That is what the chain is for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from components.feature_store.schema import CLOSE_COLUMNS

FORMAT = 1

CHAMPION, CHALLENGER = "champion", "challenger"
UP, DOWN, UNCHANGED = "up", "down", "unchanged"


@dataclass(frozen=True)
class Table:
    """One table.

    Attributes:
        name: of it.
        columns: its own, between `seq` and `written`, each with its type.
        checks: what SQLite refuses beside that, as conditions.
    """

    name: str
    columns: tuple[tuple[str, str], ...]
    checks: tuple[str, ...] = ()

    @cached_property
    def names(self) -> tuple[str, ...]:
        """All columns in the table's order."""
        return ("seq", *(name for name, _ in self.columns), "written", "previous", "hash")

    @cached_property
    def places(self) -> dict[str, int]:
        """By column, its place among the table's own columns and `written`."""
        return {name: place for place, name in enumerate(self.names[1:-2])}

    @property
    def statement(self) -> str:
        """What makes it."""
        rows = [
            "seq INTEGER PRIMARY KEY",
            *(f"{name} {kind} NOT NULL" for name, kind in (*self.columns, *_ENDS)),
            *(f"CHECK ({condition})" for condition in self.checks),
        ]
        return f"CREATE TABLE {self.name} (\n  " + ",\n  ".join(rows) + "\n)"

    @cached_property
    def insert(self) -> str:
        """What adds a row, each column a parameter."""
        return f"INSERT INTO {self.name} ({', '.join(self.names)}) VALUES ({', '.join('?' * len(self.names))})"

    @property
    def select(self) -> str:
        """What reads the rows in their order."""
        return f"SELECT {', '.join(self.names)} FROM {self.name}"


_ENDS = (("written", "TEXT"), ("previous", "TEXT"), ("hash", "TEXT"))

LEDGER = Table("LEDGER", (("format", "INTEGER"), ("identity", "TEXT")), ("seq = 1",))
SETUP = Table("SETUP", (("horizon", "INTEGER"), ("parameters", "TEXT")), ("horizon >= 1",))
MODEL = Table(
    "MODEL",
    (
        ("digest", "TEXT"),
        ("name", "TEXT"),
        ("formatter", "TEXT"),
        ("horizon", "INTEGER"),
        ("trained_from", "TEXT"),
        ("trained_until", "TEXT"),
        ("role", "TEXT"),
    ),
    ("horizon >= 1", f"role IN ('{CHAMPION}', '{CHALLENGER}')"),
)
PREDICTION = Table(
    "PREDICTION",
    (
        ("share_id", "TEXT"),
        ("session", "TEXT"),
        ("horizon", "INTEGER"),
        ("probability", "REAL"),
        ("model", "TEXT"),
        *((column, "REAL") for column in CLOSE_COLUMNS),
        ("window", "TEXT"),
        ("exchange", "TEXT"),
        ("deadline", "TEXT"),
        ("late", "INTEGER"),
    ),
    ("share_id <> ''", "horizon >= 1", "probability BETWEEN 0 AND 1", "late IN (0, 1)"),
)
OUTCOME = Table(
    "OUTCOME",
    (
        ("prediction", "INTEGER"),
        ("due", "TEXT"),
        ("close", "REAL"),
        ("close_due", "REAL"),
        ("factor", "REAL"),
        ("direction", "TEXT"),
    ),
    ("close > 0", "close_due > 0", "factor > 0", f"direction IN ('{UP}', '{DOWN}', '{UNCHANGED}')"),
)
NOTE = Table("NOTE", (("kind", "TEXT"), ("text", "TEXT")))

TABLES = {table.name: table for table in (LEDGER, SETUP, MODEL, PREDICTION, OUTCOME, NOTE)}

LAST_SEQ = f"SELECT MAX(seq) FROM ({' UNION ALL '.join(f'SELECT MAX(seq) AS seq FROM {name}' for name in TABLES)})"
"""The number of the last row of all."""

_INDEXES = {
    "PREDICTION_OF_SHARE": "CREATE INDEX PREDICTION_OF_SHARE ON PREDICTION (share_id, session, horizon)",
    "PREDICTION_OF_SESSION": "CREATE INDEX PREDICTION_OF_SESSION ON PREDICTION (session)",
    "OUTCOME_OF_PREDICTION": "CREATE INDEX OUTCOME_OF_PREDICTION ON OUTCOME (prediction)",
}


def _triggers(table: str) -> dict[str, str]:
    """An INSERT OR REPLACE fires no trigger of its deletions, but that of an insertion: it must bring the next row."""
    found = {
        f"{table}_{verb}": f"CREATE TRIGGER {table}_{verb} BEFORE {verb} ON {table} BEGIN\n"
        f"  SELECT RAISE(ABORT, 'a ledger is append-only');\nEND"
        for verb in ("UPDATE", "DELETE")
    }
    found[f"{table}_INSERT"] = (
        f"CREATE TRIGGER {table}_INSERT BEFORE INSERT ON {table}\n"
        f"WHEN NEW.seq IS NOT 1 + COALESCE(({LAST_SEQ}), 0) BEGIN\n"
        f"  SELECT RAISE(ABORT, 'a row of a ledger has the number after the last one');\nEND"
    )
    return found


CREATED: dict[str, str] = {
    **{name: table.statement for name, table in TABLES.items()},
    **_INDEXES,
    **{name: sql for table in TABLES for name, sql in _triggers(table).items()},
}
"""By name, the statement that makes each table, index and trigger, as sqlite_master keeps it."""
