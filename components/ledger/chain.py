"""The hash of a row: SHA-256 over bytes that say the same on every machine.

    "awesome ledger 1", the table, seq, the hash of the row before, the columns in the table's order, `written` last

each as a letter for its type and its content: `i` and eight bytes of a whole number, `f` and the eight bytes of a
float (IEEE 754), `t` and the length in bytes, eight of them, and the text in UTF-8, all with the highest byte first;
`n` for NULL, `b` like `t` for what is no text.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

GENESIS = "0" * 64
"""What stands for the hash of the row before the first one."""

_MAGIC = "awesome ledger 1"
_INTEGER = struct.Struct(">cq")
_FLOAT = struct.Struct(">cd")
_LENGTH = struct.Struct(">cQ")


@dataclass(frozen=True)
class Head:
    """Where a chain ends.

    Attributes:
        identity: of the ledger.
        seq: of the last row.
        hash: of the last row.
        time: when that was the end, UTC.
    """

    identity: str
    seq: int
    hash: str
    time: str


def row_hash(table: str, seq: int, previous: str, values: Iterable[object]) -> str:
    """The hash of a row, 64 hexadecimal digits.

    Args:
        table: its name.
        seq: the row's number.
        previous: hash of the row before.
        values: the row's own columns and `written`, as SQLite holds them.
    """
    parts: list[bytes] = []
    add = parts.append
    for value in (_MAGIC, table, seq, previous, *values):  # one loop without calls: it runs for every value of a ledger
        if isinstance(value, float):
            add(_FLOAT.pack(b"f", value))
        elif isinstance(value, str):
            content = value.encode("utf-8", "surrogateescape")
            add(_LENGTH.pack(b"t", len(content)))
            add(content)
        elif isinstance(value, int):
            add(_INTEGER.pack(b"i", value))
        elif isinstance(value, bytes):
            add(_LENGTH.pack(b"b", len(value)))
            add(value)
        else:
            add(b"n")
    return hashlib.sha256(b"".join(parts)).hexdigest()


def window_digest(closes: Sequence[float]) -> str:
    """The digest of a window: SHA-256 over its closes, close0 first, each as the eight bytes of a big-endian float."""
    return hashlib.sha256(struct.pack(f">{len(closes)}d", *closes)).hexdigest()
