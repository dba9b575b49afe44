"""The ledger of a plan's database, held against what was kept of it elsewhere."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.errors import UserError
from components.ledger.chain import Head
from components.ledger.file import SUFFIX, ledger_path
from components.ledger.instants import moment_of, present
from components.ledger.verifying import LookedAt, Verification, verify
from components.object_storage import stored_heads
from components.records import from_json, to_json
from components.whole_files import write_whole
from pipeline.plan import Plan
from pipeline.uses.storage import open_storage

_WHOLE_EVERY = dt.timedelta(days=28)
_HEAD = re.compile(r"([1-9][0-9]*):([0-9a-f]{64})")


@dataclass(frozen=True)
class VerifiedLedger:
    """What a look at a ledger has found, and what it was held against.

    Attributes:
        ledger: the file.
        storage: URL of the storage whose heads it was held against; empty for none.
        verification: what was found.
    """

    ledger: Path
    storage: str
    verification: Verification


def ledger_of(plan: Plan, named: Path | None = None) -> Path:
    """The file of a ledger: the one that was named, or that beside the plan's database, which need not be there yet.

    Raises:
        UserError: the one that was named is no file; or the plan's prices are a panel, which has none.
    """
    if named is not None:
        if not named.is_file():
            raise UserError(f"{named} is no file; name the copy of a ledger, or leave it out")
        return named
    if plan.database.is_dir() or plan.settings.panel is not None:
        raise UserError(
            f"{plan.settings.panel or plan.database} is no database but a panel, or another folder, and has no ledger; "
            "name the database (--db), or a copy of a ledger (--ledger)"
        )
    return ledger_path(plan.database)


def verify_ledger(
    plan: Plan,
    ledger: Path | None = None,
    heads: Sequence[str] = (),
    since: LookedAt | None = None,
) -> VerifiedLedger:
    """Verifies a ledger against the heads in the plan's storage, where one is set, and those that were named.

    Args:
        plan: names the database and the storage.
        ledger: the file; None for that beside the database.
        heads: SEQ:HASH, as `awesome ledger verify` prints them.
        since: how far an earlier look has come; None to look at every row.

    Raises:
        UserError: a head is none, the ledger cannot be read, or the storage not be listed.
    """
    named = [_parsed(head) for head in heads]
    path = ledger_of(plan, ledger)
    url = ""
    kept: tuple[Head, ...] = ()
    if plan.storage is not None:
        with open_storage(plan) as storage:
            url, kept = storage.url, stored_heads(storage, path.name.removesuffix(SUFFIX))
    return VerifiedLedger(path, url, verify(path, [*kept, *named], since=since))


def earlier_look(path: Path, rows_again: int) -> LookedAt | None:
    """How far the last look at a ledger has come; None where the next one is to look at all rows.

    That is where they are few, where all were looked at four weeks ago, and where nothing is known. What is kept saves
    time and proves nothing: who can write it can put off the next look at all rows.

    Args:
        path: of the file that `keep_look` has written.
        rows_again: up to so many rows are all looked at each time.
    """
    try:
        since = from_json(LookedAt, path.read_bytes())
        age = present() - moment_of(since.whole)
    except (OSError, ValueError):  # not there yet, of another version, or damaged
        return None
    return since if since.seq > rows_again and dt.timedelta(0) <= age < _WHOLE_EVERY else None


def keep_look(path: Path, found: Verification) -> None:
    """Keeps how far a look has come; where that cannot be written the next one takes longer.

    Where anything is wrong what was kept goes: a look that goes on might not see it, and say that all is well again.
    """
    looked_at = found.looked_at
    with contextlib.suppress(OSError):
        if looked_at is None:
            path.unlink(missing_ok=True)
        else:
            write_whole(path, to_json(looked_at, indent=None))


def _parsed(text: str) -> Head:
    match = _HEAD.fullmatch(text)
    if match is None:
        raise UserError(f"--head {text}: write it as `awesome ledger verify` prints it: the row, a colon, 64 digits")
    return Head("", int(match[1]), match[2], "")
