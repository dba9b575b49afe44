"""Where a model comes from: noted, so that ledgers of before stay valid, and told beside what it said."""

from __future__ import annotations

import hashlib
import struct
from pathlib import Path

import pytest
from live_records import CHAMPION, NEW_YORK, lived, moment, rows_of, tampered

from components.ledger.contents import installed
from components.ledger.days import day_summaries
from components.ledger.file import Ledger
from components.ledger.origins import Origin, Origins, keep_origin
from components.ledger.setting_up import note
from components.ledger.verifying import verify

TRIAL = Origin(CHAMPION.digest, 1, False, "2024-01-02T12-00-00")
BLESSED = Origin(CHAMPION.digest, 1, True, "2024-02-05T12-00-00", "2024-02-05T11:58:03Z")


def test_a_ledger_of_before_goes_on_as_it_was_and_its_heads_hold(tmp_path: Path) -> None:
    live = lived(tmp_path, 3)
    before, content = rows_of(live.path), live.path.read_bytes()
    with Ledger.open(live.path) as ledger:
        head = ledger.head
        assert [day.origin for day in day_summaries(ledger, 9)] == [None] * 3
        assert [one.origin for one in installed(ledger, 1)] == [None]
    assert live.path.read_bytes() == content  # reading changed nothing
    live.now = moment(f"{NEW_YORK[23]} 12:00")
    with live.ledger() as ledger:
        assert keep_origin(ledger, TRIAL)
    assert rows_of(live.path)[: len(before)] == before
    found = verify(live.path, [head], live.now)
    assert found.sound
    assert found.held == head.seq == len(before)
    with Ledger.open(live.path) as ledger:
        # It was noted later, and is all that is known of the days before.
        assert [day.origin for day in day_summaries(ledger, 9)] == [TRIAL] * 3


def test_a_day_has_the_origin_that_was_known_then(tmp_path: Path) -> None:
    live = lived(tmp_path, 2)
    with live.ledger() as ledger:
        assert keep_origin(ledger, TRIAL)
        assert not keep_origin(ledger, TRIAL)
    live.evenings(NEW_YORK[22:24])
    with live.ledger() as ledger:
        assert keep_origin(ledger, BLESSED)
        assert not keep_origin(ledger, Origin(CHAMPION.digest, 1, True))  # its run was deleted meanwhile
    live.evenings(NEW_YORK[24:26])
    with Ledger.open(live.path) as ledger:
        assert [day.origin for day in day_summaries(ledger, 9)][::-1] == [TRIAL] * 4 + [BLESSED] * 2
        assert Origins(ledger).of(CHAMPION.digest, 1) == BLESSED
        assert Origins(ledger).of(CHAMPION.digest, 20) is None
        assert [one.origin for one in installed(ledger, 1)] == [BLESSED]
    assert verify(live.path, now=live.now).sound


@pytest.mark.parametrize("text", ["none", "{}", '{"model": 1}'])
def test_a_note_of_another_version_is_left_out(tmp_path: Path, text: str) -> None:
    live = lived(tmp_path, 2)
    with live.ledger() as ledger:
        note(ledger, "origin", text)
        assert Origins(ledger).of(CHAMPION.digest, 1) is None
        assert keep_origin(ledger, TRIAL)


def test_a_model_cannot_be_blessed_afterwards(tmp_path: Path) -> None:
    live = lived(tmp_path, 2)
    with live.ledger() as ledger:
        keep_origin(ledger, TRIAL)
    tampered(live.path, "UPDATE NOTE SET text = replace(text, '\"blessed\": false', '\"blessed\": true')")
    changed = rows_of(live.path)[-1]
    assert '"blessed": true' in changed["text"]
    [fault] = verify(live.path, now=live.now).faults
    assert (fault.first, fault.row) == (changed.seq, f"row {changed.seq}, NOTE origin")


def test_the_hash_of_a_row_is_the_one_of_the_first_format(tmp_path: Path) -> None:
    """By the words of docs/ledger.md alone, so that a later version cannot silently cover something else."""
    live = lived(tmp_path, 2)
    for row in rows_of(live.path):
        parts = b""
        for value in ("awesome ledger 1", row.table, row.seq, row.previous, *row.values):
            if isinstance(value, str):
                parts += b"t" + len(value.encode()).to_bytes(8, "big") + value.encode()
            elif isinstance(value, int):
                parts += b"i" + value.to_bytes(8, "big", signed=True)
            else:
                parts += b"f" + struct.pack(">d", value)
        assert hashlib.sha256(parts).hexdigest() == row.hash
