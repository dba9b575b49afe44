"""Records of tries in a storage: `features/awesome.db.trials/DIGEST.jsonl`, for all days of pushes together.

A push writes what the storage does not hold yet, under a name that its content gives, and changes no file that is
there: two pushes at once lose nothing of one another. The record is what all files hold together. Where they get many,
one takes the place of all that were read for it, and they are removed only once it is there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.errors import StorageError
from components.object_storage.databases import list_databases
from components.object_storage.location import Storage
from components.trials.record import Record, TrialsError, merge, parse_record, read_record, record_path, render_record

FOLDER = "features"

NOT_PUSHED = "a database was pulled from a storage that holds no record of its tries"

_ENDING = ".jsonl"
_MOST_FILES = 32
_READS = 5


@dataclass(frozen=True)
class StoredTries:
    """What a storage holds of a database's tries.

    Attributes:
        names: of the files.
        record: all that they hold; None where there is no file.
    """

    names: tuple[str, ...]
    record: Record | None


def push_tries(storage: Storage, database: str | Path) -> int:
    """Adds the record beside a database to that of a storage, which loses nothing.

    Args:
        storage: Where to.
        database: The feature store; a record that is not there is pushed as one that may lack tries.

    Returns:
        How many tries the storage did not hold.

    Raises:
        TrialsError: The record cannot be read.
        StorageError: The storage cannot be read or written, or holds something else in the record's place.
    """
    path = record_path(database)
    local = read_record(path)
    folder = folder_of(Path(database).name)
    storage.clear_left(folder)
    stored = stored_tries(storage, Path(database).name)
    held = {trial.id for trial in stored.record.trials} if stored.record else set()
    gaps = set(stored.record.gaps) if stored.record else set()
    new = tuple(trial for trial in local.trials if trial.id not in held)
    missing = tuple(gap for gap in local.gaps if gap not in gaps)
    if stored.record is None or new or missing:
        name = _write(storage, folder, Record(not local.gaps, new, local.gaps))
        stored = StoredTries((*stored.names, name), stored.record)
    if len(stored.names) > _MOST_FILES:
        _compact(storage, folder)
    return len(new)


def pull_tries(storage: Storage, database: str | Path, *, of_any_name: bool = True) -> int:
    """Merges the record of a storage into that beside a database.

    Where the storage has none, an older version pushed the database: the local record may lack tries from then on.

    Args:
        storage: Where from.
        database: Where the database goes; its folder must exist.
        of_any_name: Whether that of a storage's only database counts whatever its name, as the database is about to be
            pulled and is that one; else its name must be the same.

    Returns:
        How many tries were not known here.

    Raises:
        TrialsError: The record here cannot be read or written.
        StorageError: The storage cannot be read, or holds something else in the record's place.
    """
    database = Path(database)
    names = {one.name for one in list_databases(storage)}
    if not names or not database.resolve().parent.is_dir():
        return 0  # pulling the database says what is wrong
    if database.name not in names and (len(names) > 1 or not of_any_name):
        return 0
    name = database.name if database.name in names else next(iter(names))
    record = stored_tries(storage, name).record or Record(False, (), (NOT_PUSHED,))
    return merge(record_path(database), record, complete=not database.exists())


def stored_tries(storage: Storage, name: str) -> StoredTries:
    """Reads what a storage holds of the tries of a database of a name.

    Raises:
        StorageError: The storage cannot be read, or holds something else in the record's place.
    """
    folder = folder_of(name)
    for _ in range(_READS):
        names = tuple(one for one in storage.names(folder) if one.endswith(_ENDING))
        contents = [storage.read(one) for one in names]
        if None not in contents:  # else another push has put one file in the place of several
            return StoredTries(names, _joined(storage, names, [one for one in contents if one is not None]))
    raise StorageError(f"{storage.url_of(folder)}: changes while it is read; run the same command again")


def folder_of(name: str) -> str:
    """Where a storage keeps the tries on a database of a name."""
    return f"{FOLDER}/{name}.trials"


def _write(storage: Storage, folder: str, record: Record) -> str:
    content = render_record(record)
    name = f"{folder}/{hashlib.sha256(content).hexdigest()[:16]}{_ENDING}"
    storage.write(name, content)
    return name


def _compact(storage: Storage, folder: str) -> None:
    stored = stored_tries(storage, folder.removeprefix(f"{FOLDER}/").removesuffix(".trials"))
    if stored.record is not None:
        whole = _write(storage, folder, stored.record)
        for name in stored.names:
            if name != whole:
                storage.remove(name)


def _joined(storage: Storage, names: Sequence[str], contents: Sequence[bytes]) -> Record | None:
    if not contents:
        return None
    try:
        records = [parse_record(one, storage.url_of(name)) for name, one in zip(names, contents, strict=True)]
    except TrialsError as error:
        raise StorageError(str(error)) from None
    trials = {trial.id: trial for record in records for trial in record.trials}
    gaps = tuple(dict.fromkeys(gap for record in records for gap in record.gaps))
    return Record(not gaps, tuple(sorted(trials.values(), key=lambda one: (one.time, one.id))), gaps)
