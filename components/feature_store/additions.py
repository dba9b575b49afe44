"""What others have added to a database: what may stay, and what would change what this program writes.

Tables, views and indexes of other names are nobody's trouble. A trigger on one of our tables, a view in the place of
one, a unique index, a key of another collation or a clause ON CONFLICT can make SQLite change or remove other rows than
those that are written, without a word: a database with one of them is refused.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Collection, Mapping

from components.errors import StoreError
from components.feature_store.table_text import added_columns, is_virtual

_INTO_ANOTHER = "import the prices into a new database file"


def check_additions(
    connection: sqlite3.Connection, name: str, created: Mapping[str, str], made_here: Collection[str] = ()
) -> None:
    """Checks that nothing in a database changes what is written to our tables.

    Args:
        connection: to the database.
        name: of it, for messages.
        created: the statement that makes each of our tables.
        made_here: those of them that this program made and writes to; others are only read or taken over, whatever
            their keys and rules.

    Raises:
        StoreError: There is something of that kind; the line says what, and what to do.
    """
    ours = {table.casefold(): table for table in created}
    objects = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master").fetchall()
    for kind, full_name, of, sql in objects:
        object_name = " ".join(str(full_name).split())  # a message is one line
        table = ours.get(str(of).casefold())
        if table is None:
            continue
        if kind == "view":
            raise StoreError(f"{name}: {table} is a view, not the table that prices are written to; {_INTO_ANOTHER}")
        if kind == "trigger":
            raise StoreError(
                f"{name}: the trigger {object_name} changes what is written to {table}; "
                f"remove it (DROP TRIGGER {_quoted(object_name)}), or {_INTO_ANOTHER}"
            )
        if kind == "table" and is_virtual(sql):
            raise StoreError(f"{name}: {table} is a virtual table, not an ordinary one; {_INTO_ANOTHER}")
        if kind == "table" and table in made_here and not _is_as_created(connection, table, sql, created[table]):
            raise StoreError(
                f"{name}: the table {table} is not as this program makes it (other keys, rules or columns), "
                f"so rows could be lost in writing; {_INTO_ANOTHER}"
            )
        if kind == "index" and sql is not None and table in made_here and _may_conflict(connection, full_name, table):
            raise StoreError(
                f"{name}: the unique index {object_name} removes rows of {table} that are written beside others; "
                f"remove it (DROP INDEX {_quoted(object_name)}), or {_INTO_ANOTHER}"
            )


def others_in(connection: sqlite3.Connection, created: Mapping[str, str]) -> set[str]:
    """Returns the names of the tables and views that are not ours, in lower case."""
    ours = {table.casefold() for table in created}
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type IN ('table', 'view')")
    names = {str(row[0]).casefold() for row in rows}
    return {name for name in names - ours if not name.startswith("sqlite_")}


def _is_as_created(connection: sqlite3.Connection, table: str, sql: str | None, created: str) -> bool:
    """Whether a table is ours; columns that ALTER TABLE added may follow, if all they can do is hold something."""
    added = added_columns(sql, created)
    if not added:
        return added == 0
    # Of a generated column SQLite says that it is hidden.
    hidden = [row[6] for row in connection.execute(f"PRAGMA table_xinfo({table})")]
    with contextlib.closing(sqlite3.connect(":memory:")) as ours:
        ours.execute(created)
        count = len(ours.execute(f"PRAGMA table_xinfo({table})").fetchall())
    return hidden == [0] * (count + added)


def _may_conflict(connection: sqlite3.Connection, index: str, table: str) -> bool:
    """Whether two rows of different keys can be one to a unique index, so that writing one removes the other."""
    [unique] = connection.execute(
        'SELECT "unique" FROM pragma_index_list(?) WHERE name = ?', (table, index)
    ).fetchone() or [1]
    if not unique:
        return False
    rows = connection.execute("SELECT name, coll FROM pragma_index_xinfo(?) WHERE key = 1", (index,)).fetchall()
    told_apart = {str(column).casefold() for column, collation in rows if column and collation.upper() == "BINARY"}
    key = connection.execute("SELECT name FROM pragma_table_info(?) WHERE pk > 0", (table,)).fetchall()
    return not {str(row[0]).casefold() for row in key} <= told_apart


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
