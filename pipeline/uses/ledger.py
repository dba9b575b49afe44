"""The ledger of a plan's database, held against what was kept of it elsewhere."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from components.errors import UserError
from components.ledger.chain import Head
from components.ledger.file import SUFFIX, ledger_path
from components.ledger.verifying import Verification, verify
from components.object_storage import stored_heads
from pipeline.plan import Plan
from pipeline.uses.storage import open_storage

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


def verify_ledger(plan: Plan, ledger: Path | None = None, heads: Sequence[str] = ()) -> VerifiedLedger:
    """Verifies a ledger against the heads in the plan's storage, where one is set, and those that were named.

    Args:
        plan: names the database and the storage.
        ledger: the file; None for that beside the database.
        heads: SEQ:HASH, as `awesome ledger verify` prints them.

    Raises:
        UserError: a head is none, the ledger cannot be read, or the storage not be listed.
    """
    named = [_parsed(head) for head in heads]
    path = ledger or ledger_path(plan.database)
    url = ""
    kept: tuple[Head, ...] = ()
    if plan.storage is not None:
        with open_storage(plan) as storage:
            url, kept = storage.url, stored_heads(storage, path.name.removesuffix(SUFFIX))
    return VerifiedLedger(path, url, verify(path, [*kept, *named]))


def _parsed(text: str) -> Head:
    match = _HEAD.fullmatch(text)
    if match is None:
        raise UserError(f"--head {text}: write it as `awesome ledger verify` prints it: the row, a colon, 64 digits")
    return Head("", int(match[1]), match[2], "")
