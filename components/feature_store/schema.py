"""The tables of the database, their versions, and the checks that a database has them.

    PRICE       one bar a share and session as its source gave it: raw prices and the factor that adjusts them
    FEATURE     derived: from the 21st session of a share on, the adjusted closes of the last 21 sessions,
                close0 the latest
    EXTRACTION  the first day that was asked for, of each share that the extractor keeps current
    LOOK_BACK   where the extractor has looked back at a share's past (look_back.py)
    DECISION    what a person has accepted or excluded (decisions.py); it outlives the share's prices
    LISTING     the exchange of a share, where an import named it (listings.py); it outlives the share's prices
    MEMBER      which shares belong to the universe from when to when (members.py); it outlives the shares' prices

FEATURE keeps the column order time, share_id, close0 ... close20, so that `SELECT * FROM FEATURE` in the plain sqlite3
program prints what readers of such files expect. Both tables are clustered on (share_id, time) (WITHOUT ROWID): a range
of shares is one contiguous read, and no second index has to be kept.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Iterator, Sequence

from components.errors import StoreError
from components.feature_store.additions import check_additions
from models.features import WINDOW

CLOSE_COLUMNS: tuple[str, ...] = tuple(f"close{lag}" for lag in range(WINDOW))
FEATURE_COLUMNS: tuple[str, ...] = ("time", "share_id", *CLOSE_COLUMNS)
BAR_COLUMNS: tuple[str, ...] = ("open", "high", "low", "close", "volume", "factor")
PRICE_COLUMNS: tuple[str, ...] = ("share_id", "time", *BAR_COLUMNS, "source")

_CREATE_PRICE = """
CREATE TABLE PRICE (
  share_id TEXT NOT NULL CHECK (share_id <> ''),
  time TEXT NOT NULL,
  open REAL,
  high REAL,
  low REAL,
  close REAL NOT NULL CHECK (close > 0),
  volume NUMERIC,
  factor REAL NOT NULL CHECK (factor > 0),
  source TEXT NOT NULL,
  PRIMARY KEY (share_id, time)
) WITHOUT ROWID
"""

_CREATE_FEATURE = f"""
CREATE TABLE FEATURE (
  time TEXT NOT NULL,
  share_id TEXT NOT NULL,
  {", ".join(f"{column} REAL NOT NULL" for column in CLOSE_COLUMNS)},
  PRIMARY KEY (share_id, time)
) WITHOUT ROWID
"""

_CREATE_EXTRACTION = """
CREATE TABLE EXTRACTION (
  share_id TEXT PRIMARY KEY,
  since TEXT NOT NULL
) WITHOUT ROWID
"""

# An empty day stands for the whole share: a key cannot hold NULL.
_CREATE_DECISION = """
CREATE TABLE DECISION (
  share_id TEXT NOT NULL CHECK (share_id <> ''),
  day TEXT NOT NULL,
  choice TEXT NOT NULL CHECK (choice IN ('accept', 'exclude')),
  PRIMARY KEY (share_id, day, choice)
) WITHOUT ROWID
"""

_CREATE_LOOK_BACK = """
CREATE TABLE LOOK_BACK (
  share_id TEXT PRIMARY KEY,
  begins TEXT NOT NULL,
  day TEXT NOT NULL,
  level REAL
) WITHOUT ROWID
"""

_CREATE_LISTING = """
CREATE TABLE LISTING (
  share_id TEXT PRIMARY KEY CHECK (share_id <> ''),
  exchange TEXT NOT NULL CHECK (exchange <> '')
) WITHOUT ROWID
"""

_CREATE_MEMBER = """
CREATE TABLE MEMBER (
  share_id TEXT NOT NULL CHECK (share_id <> ''),
  first TEXT NOT NULL,
  last TEXT,
  delisting_return REAL CHECK (delisting_return >= -1),
  PRIMARY KEY (share_id, first)
) WITHOUT ROWID
"""

CREATED = {
    "PRICE": _CREATE_PRICE,
    "FEATURE": _CREATE_FEATURE,
    "EXTRACTION": _CREATE_EXTRACTION,
    "DECISION": _CREATE_DECISION,
    "LOOK_BACK": _CREATE_LOOK_BACK,
    "LISTING": _CREATE_LISTING,
    "MEMBER": _CREATE_MEMBER,
}
"""The statement that makes each table."""


def quote_text(value: str) -> str:
    """Returns an SQL literal of a text, for the drivers that cannot bind parameters.

    Raises:
        StoreError: The text holds a NUL character, at which SQLite would silently end the literal.

    >>> quote_text("O'Neil")
    "'O''Neil'"
    """
    if "\0" in value:
        raise StoreError(f"{value!r} cannot be the name of a share: it holds a NUL character")
    return "'" + value.replace("'", "''") + "'"


def where_shares(shares: Sequence[str] | None) -> str:
    """Returns the SQL condition for some shares, with a leading blank; empty for None."""
    if shares is None:
        return ""
    return f" WHERE share_id IN ({', '.join(quote_text(share) for share in sorted(set(shares)))})"


@contextlib.contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All that is written within is there afterwards, or nothing of it; the connection is in autocommit mode."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # SQLite has rolled back itself if the disk is full
            connection.execute("ROLLBACK")
        raise


def columns_of(connection: sqlite3.Connection, table: str) -> tuple[str, ...]:
    """Returns a table's column names in their order; empty if there is no such table."""
    return tuple(row[1] for row in connection.execute(f'PRAGMA table_info("{table}")'))


def check_readable(connection: sqlite3.Connection, name: str) -> None:
    """Checks that a database, only read, has a table FEATURE with all its columns, or PRICE from which it is derived.

    Raises:
        StoreError: It is of a newer version, neither table is there, columns are missing, or something changes what is
            written to them.
    """
    if columns_of(connection, "PRICE"):  # a table FEATURE alone is another tool's, whose number means something else
        check_version(connection, name)
    check_additions(connection, name, CREATED)
    feature, price = columns_of(connection, "FEATURE"), columns_of(connection, "PRICE")
    for table, found, wanted in (("FEATURE", feature, FEATURE_COLUMNS), ("PRICE", price, PRICE_COLUMNS)):
        missing = [column for column in wanted if column not in found]
        if found and missing:
            raise StoreError(
                f"{name}: the table {table} has no column {', '.join(missing)}; "
                "import the prices into a new database with `awesome prices import`"
            )
    if not feature and not price:
        raise StoreError(
            f"{name}: the database holds neither FEATURE nor PRICE; import prices with `awesome prices import FILE`"
        )


def check_version(connection: sqlite3.Connection, name: str) -> int:
    """Gives the schema version of a database that this program, or a newer one, has made.

    Raises:
        StoreError: It is of a newer version, whose tables may mean something else.
    """
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{name}: the database has schema version {version}, this program knows {SCHEMA_VERSION}; upgrade the "
            "program or name another file"
        )
    return version


def check_intact(connection: sqlite3.Connection, name: str) -> None:
    """Checks that what is written to a database is what it then holds, as `check_additions` says.

    Raises:
        StoreError: Something in it would change other rows, or keep rows out; or its version is below 0.
    """
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version < 0:
        raise StoreError(
            f"{name}: the database belongs to something else (its user_version is {version}, which this program never "
            "writes); name another file"
        )
    check_additions(connection, name, CREATED, made_here=list(CREATED)[: _TABLES_OF[min(version, SCHEMA_VERSION)]])


def _first_version(connection: sqlite3.Connection, name: str) -> None:
    """Version 0 to 1: makes both tables; takes over the rows of a FEATURE table that another tool wrote."""
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    known = [table for table in tables if table.upper() in ("FEATURE", "PRICE")]
    if tables and not known:
        raise StoreError(
            f"{name}: the database belongs to something else (tables {', '.join(tables)}); name a new file"
        )
    feature = columns_of(connection, "FEATURE")
    if columns_of(connection, "PRICE"):
        raise StoreError(f"{name}: the table PRICE was made by another tool; import into a new database file")
    connection.execute(_CREATE_PRICE)
    if not feature:
        connection.execute(_CREATE_FEATURE)
        return
    if sorted(feature) != sorted(FEATURE_COLUMNS):
        raise StoreError(
            f"{name}: FEATURE does not have the columns time, share_id, close0 ... close20; import into a new file"
        )
    connection.execute("ALTER TABLE FEATURE RENAME TO FEATURE_BEFORE")
    connection.execute(_CREATE_FEATURE)
    columns = ", ".join(FEATURE_COLUMNS)
    try:
        connection.execute(f"INSERT INTO FEATURE ({columns}) SELECT {columns} FROM FEATURE_BEFORE")
    except sqlite3.IntegrityError as error:
        raise StoreError(
            f"{name}: FEATURE holds a share's day twice or an empty cell ({error}); import into a new database file"
        ) from error
    connection.execute("DROP TABLE FEATURE_BEFORE")


def _second_version(connection: sqlite3.Connection, name: str) -> None:
    """Version 1 to 2: room for what the extractor has to remember of a share."""
    _add_tables(connection, name, "EXTRACTION")


def _third_version(connection: sqlite3.Connection, name: str) -> None:
    """Version 2 to 3: room for what a person decides, where the extractor has looked back, and shares' exchanges."""
    _add_tables(connection, name, "DECISION", "LOOK_BACK", "LISTING")


def _fourth_version(connection: sqlite3.Connection, name: str) -> None:
    """Version 3 to 4: room for who belongs to the universe."""
    _add_tables(connection, name, "MEMBER")


def _add_tables(connection: sqlite3.Connection, name: str, *tables: str) -> None:
    for table in tables:
        if columns_of(connection, table):
            raise StoreError(f"{name}: the table {table} was made by another tool; name a new database file")
        connection.execute(CREATED[table])


# Migration i takes a database from version i to i + 1. Only ever append.
_MIGRATIONS: tuple[Callable[[sqlite3.Connection, str], None], ...] = (
    _first_version,
    _second_version,
    _third_version,
    _fourth_version,
)
SCHEMA_VERSION = len(_MIGRATIONS)
_TABLES_OF = (0, 2, 3, 6, 7)
"""How many tables of `CREATED` each version has."""


def migrate(connection: sqlite3.Connection, name: str) -> None:
    """Brings a database to the current schema, in one transaction; nothing is changed if a step fails.

    Raises:
        StoreError: The database is of a newer version or belongs to something else.
    """
    with transaction(connection):
        version = check_version(connection, name)
        check_intact(connection, name)
        if version > 0:
            check_readable(connection, name)
        for step in range(version, SCHEMA_VERSION):
            _MIGRATIONS[step](connection, name)
        if version < SCHEMA_VERSION:
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
