"""What others have added to a database: what may stay, and what would change what this program writes.

Tables, views and indexes of other names are nobody's trouble. A trigger on one of our tables, a view in the place of
one, a unique index, a key of another collation or a clause ON CONFLICT can make SQLite change or remove other rows than
those that are written, without a word: a database with one of them is refused.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Collection, Mapping

from components.errors import StoreError

_ADDED_COLUMN = re.compile(
    r", \w+( \w+)*( ?\(\d+(, \d+)?\))?( (not )?null)?( default ('[^']*'|[-+.\w]+))?( (not )?null)?"
)
_DOES_MORE = re.compile(r"\b(as|check|collate|conflict|constraint|foreign|generated|primary|references|unique)\b")
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
        if kind == "table" and _is_virtual(sql):
            raise StoreError(f"{name}: {table} is a virtual table, not an ordinary one; {_INTO_ANOTHER}")
        if kind == "table" and table in made_here and not _is_as_created(sql, created[table]):
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


def _is_virtual(sql: str | None) -> bool:
    return _plain(sql).startswith("create virtual")


def _is_as_created(sql: str | None, created: str) -> bool:
    """Whether a table is ours; columns that ALTER TABLE added may follow, if all they can do is hold something."""
    found, wanted = _plain(sql), _plain(created)
    if found == wanted:
        return True
    # SQLite puts an added column behind the last one, so before a rule of the whole table.
    at = wanted.find(", primary key(")
    at = wanted.rindex(")") if at < 0 else at
    before, after = wanted[:at], wanted[at:]
    if not (found.startswith(before) and found.endswith(after)):
        return False
    added = found[len(before) : len(found) - len(after)]
    return bool(re.fullmatch(rf"({_ADDED_COLUMN.pattern})+", added)) and not _DOES_MORE.search(added)


def _plain(sql: str | None) -> str:
    """An SQL text without what makes no difference: blanks, quotes of names, and upper case outside of texts."""
    parts = re.split(r"('(?:[^']|'')*')", sql or "")
    for at in range(0, len(parts), 2):
        parts[at] = re.sub(r'["`\[\]]', "", parts[at]).casefold()
    text = re.sub(r"\s*([(),])\s*", r"\1", " ".join("".join(parts).split()))
    return text.replace(",", ", ")


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
