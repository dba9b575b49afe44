"""Ledgers in a storage: what was written since the last push, and where the chain ended, neither ever overwritten.

    features/awesome.db.ledger/rows/000000000001-000000000402-HASH.jsonl.gz    the rows of one push, with their hashes
    features/awesome.db.ledger/heads/IDENTITY/000000000402-HASH-TIME.json      the last row then, written after them

A head's name says all that it holds, so that a listing gives every head there is: what nobody can take back who holds
the ledger's file alone. The rows of all pushes together are the ledger, and make it anew where it is gone.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import gzip
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from components.errors import StorageError
from components.ledger.chain import GENESIS, Head
from components.ledger.errors import LedgerError
from components.ledger.file import Ledger, Row
from components.ledger.instants import moment_of, present, stamp
from components.ledger.schema import TABLES
from components.object_storage.location import Storage
from components.records import to_json

FOLDER = "features"

_DIGITS = 12
_HEAD = re.compile(r"([0-9a-f]{16})/([0-9]{12})-([0-9a-f]{64})-([0-9]{8}T[0-9]{6}Z)\.json")
_ROWS = re.compile(r"([0-9]{12})-([0-9]{12})-([0-9a-f]{64})\.jsonl\.gz")
_NAMED_TIME = "%Y%m%dT%H%M%SZ"


def stored_heads(storage: Storage, name: str) -> tuple[Head, ...]:
    """The heads that a storage keeps of the ledger of a database of a name, in the order of their rows.

    Raises:
        StorageError: the storage cannot be listed.
    """
    folder = f"{_folder_of(name)}/heads/"
    found = []
    for one in storage.names(folder.rstrip("/")):
        if match := _HEAD.fullmatch(one.removeprefix(folder)):
            identity, seq, own, time = match.groups()
            moment = dt.datetime.strptime(time, _NAMED_TIME).replace(tzinfo=dt.UTC)
            found.append(Head(identity, int(seq), own, stamp(moment)))
    return tuple(sorted(found, key=lambda head: (head.seq, head.time)))


def push_ledger(storage: Storage, ledger: Path, name: str, now: dt.datetime | None = None) -> int:
    """Pushes the rows that the storage does not hold, and then the head.

    Args:
        storage: where to.
        ledger: the file; nothing is done where there is none.
        name: of its database.
        now: the time of the push, with a zone; None for the clock.

    Returns:
        How many rows were new to the storage.

    Raises:
        LedgerError: a row is not as it was written, or the storage holds rows that the file does not: those of another
            machine, or what was there before the file was changed. Nothing is pushed.
        StorageError: the storage cannot be read or written.
    """
    if not ledger.is_file():
        return 0
    folder = _folder_of(name)
    storage.clear_left(folder)
    heads = stored_heads(storage, name)
    with Ledger.open(ledger) as opened:
        head = opened.head
        _check_goes_on(opened, head, heads, storage.url_of(folder))
        last = heads[-1] if heads else Head(head.identity, 0, GENESIS, "")
        if last.seq == head.seq:
            return 0
        rows = [row for row in opened.rows(last.seq) if row.seq <= head.seq]
    _check_chained(rows, last, ledger)
    content = "".join(f"{json.dumps([row.table, row.seq, *row.values, row.previous, row.hash])}\n" for row in rows)
    # No time of the machine's in it, so that the same rows are the same bytes.
    packed = gzip.compress(content.encode(), mtime=0)
    storage.write(f"{folder}/rows/{_number(last.seq + 1)}-{_number(head.seq)}-{head.hash}.jsonl.gz", packed)
    moment = max(stamp(now or present()), head.time)
    kept = dataclasses.replace(head, time=moment)
    time = moment_of(moment).strftime(_NAMED_TIME)
    storage.write(
        f"{folder}/heads/{head.identity}/{_number(head.seq)}-{head.hash}-{time}.json",
        f"{to_json(kept, indent=None)}\n".encode(),
    )
    return len(rows)


def pull_ledger(storage: Storage, ledger: Path, name: str) -> int:
    """Brings the rows that a storage holds and the file lacks; makes the file where it is not there.

    Args:
        storage: where from.
        ledger: the file; its folder must exist.
        name: of its database.

    Returns:
        How many rows were new here.

    Raises:
        LedgerError: the file and the storage went different ways, or the file cannot be written.
        StorageError: the storage cannot be read, or lacks rows.
    """
    heads = stored_heads(storage, name)
    if not heads:
        return 0
    url = storage.url_of(_folder_of(name))
    if not ledger.exists():
        Ledger.restore(ledger, _stored_rows(storage, name, Head(heads[-1].identity, 0, GENESIS, ""), heads[-1]))
        return heads[-1].seq
    with Ledger.open(ledger) as opened:
        head = opened.head
        _check_goes_on(opened, head, [one for one in heads if one.seq <= head.seq], url)
    if head.seq >= heads[-1].seq:
        return 0
    if head.identity != heads[-1].identity:
        raise LedgerError(f"{ledger}: {url} holds another ledger ({heads[-1].identity}); name another database")
    with Ledger.create(ledger) as written, written.writing() as batch:
        for row in _stored_rows(storage, name, head, heads[-1]):
            batch.take(row)
    return heads[-1].seq - head.seq


def _folder_of(name: str) -> str:
    return f"{FOLDER}/{name}.ledger"


def _number(seq: int) -> str:
    return f"{seq:0{_DIGITS}d}"


def _check_goes_on(ledger: Ledger, head: Head, heads: Sequence[Head], url: str) -> None:
    """Refuses a ledger that does not hold what a storage's heads say."""
    for kept in heads:
        if kept.identity != head.identity:
            raise LedgerError(
                f"{ledger.path}: {url} holds another ledger ({kept.identity}, kept at {kept.time}); nothing is pushed "
                "over it: give this one's database another name, or bring the old one back (awesome db pull)"
            )
        if kept.seq > head.seq:
            raise LedgerError(
                f"{ledger.path}: ends with row {head.seq}, and {url} has held row {kept.seq} since {kept.time}; bring "
                "its rows first (awesome db pull), or see `awesome ledger verify`"
            )
    held = dict(ledger.hashes([kept.seq for kept in heads]))
    for kept in heads:
        if held.get(kept.seq) != kept.hash:
            raise LedgerError(
                f"{ledger.path}: row {kept.seq} is not the one that {url} has held since {kept.time}; see "
                "`awesome ledger verify`"
            )


def _check_chained(rows: Sequence[Row], last: Head, ledger: Path) -> None:
    before = last.hash
    for seq, row in enumerate(rows, last.seq + 1):
        if (row.seq, row.previous) != (seq, before) or row.right_hash != row.hash:
            raise LedgerError(f"{ledger}: row {seq} is not as it was written; see `awesome ledger verify`")
        before = row.hash


def _stored_rows(storage: Storage, name: str, after: Head, until: Head) -> Iterator[Row]:
    """The rows of a chain that ends with a head: of pushes that met another one, those that lead to it."""
    folder = f"{_folder_of(name)}/rows/"
    pieces: dict[str, tuple[int, str]] = {}
    for one in storage.names(folder.rstrip("/")):
        if match := _ROWS.fullmatch(one.removeprefix(folder)):
            pieces[match[3]] = int(match[1]), one
    way: list[list[Row]] = []
    wanted, first = until.hash, until.seq + 1
    while first > after.seq + 1:
        if wanted not in pieces:
            raise StorageError(
                f"{storage.url_of(folder)}: lacks rows before row {first}; push the ledger from where it was written"
            )
        first, piece = pieces[wanted]
        way.append(_parsed(storage, piece))
        wanted = way[-1][0].previous
    for rows in reversed(way):
        yield from (row for row in rows if row.seq > after.seq)


def _parsed(storage: Storage, name: str) -> list[Row]:
    content = storage.read(name)
    try:
        rows = [json.loads(line) for line in gzip.decompress(content or b"").decode().splitlines()]
        found = [
            Row(table, seq, tuple(values), previous, own)
            for table, seq, *values, previous, own in rows
            if len(values) == len(TABLES[table].places)
        ]
    except (OSError, EOFError, ValueError, TypeError, KeyError):
        found = []
    if not found:
        raise StorageError(
            f"{storage.url_of(name)}: holds no rows of a ledger; push it again from where it was written"
        )
    return found
