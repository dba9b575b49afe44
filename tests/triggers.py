"""Triggers that are in no file: they see or stop what a store writes, and a database with lasting ones is refused."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from sqlite3 import Connection

import pytest

from components.feature_store import store

CHANGES = ("INSERT", "UPDATE", "DELETE")


@contextmanager
def triggers(*statements: str) -> Iterator[list[Connection]]:
    """Every database that is opened for writing meanwhile gets them; gives those connections."""
    opened: list[Connection] = []
    connect = store.connect_to_write

    def connect_with_triggers(file: Path) -> Connection:
        connection = connect(file)
        for statement in statements:
            connection.execute(statement)
        opened.append(connection)
        return connection

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(store, "connect_to_write", connect_with_triggers)
        yield opened


def no_writes(*tables: str) -> tuple[str, ...]:
    """What makes a database refuse every change of a row of some tables."""
    return tuple(
        f"CREATE TEMP TRIGGER no_{change}_{name} BEFORE {change} ON main.{name} "
        "BEGIN SELECT RAISE(ABORT, 'a row is written'); END"
        for name in tables
        for change in CHANGES
    )
