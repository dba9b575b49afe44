from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
from pathlib import Path

import pytest

from components.errors import ExtractionError
from components.extractor import ExtractionPlan, ShareOutcome, Status
from components.extractor.journal import Journal
from components.records import to_plain

PLAN = ExtractionPlan("tencent", ("sh600519", "sz000001", "它"), dt.date(2015, 1, 1), dt.date(2026, 9, 22), True)
ONE = ShareOutcome("sh600519", Status.NEW, "它 went well", new=20, first="2026-01-05", last="2026-02-06")
TWO = ShareOutcome("sz000001", Status.FAILED, "tencent, share sz000001: the connection failed")


def file_of(database: Path) -> Path:
    return database.with_name("awesome.db.extraction.jsonl")


def write(database: Path) -> None:
    with Journal.of(database) as journal:
        journal.begin(PLAN, [ONE])
        journal.enter(TWO)


def test_what_was_written_is_read(database: Path) -> None:
    write(database)
    with Journal.of(database) as journal:
        assert journal.read() == (PLAN, [ONE, TWO])
        assert journal.read() == (PLAN, [ONE, TWO])
    assert file_of(database).exists()


def test_each_share_is_on_disk_before_the_next_one(database: Path) -> None:
    with Journal.of(database) as journal:
        journal.begin(PLAN, [])
        for count, outcome in enumerate((ONE, TWO), 2):
            journal.enter(outcome)
            assert file_of(database).read_bytes().count(b"\n") == count


def test_a_new_one_replaces_the_old(database: Path) -> None:
    write(database)
    other = ExtractionPlan("sina", ("sh600000",))
    with Journal.of(database) as journal:
        journal.begin(other, [])
        assert journal.read() == (other, [])


def test_nothing_is_read_where_nothing_is(database: Path) -> None:
    with Journal.of(database) as journal:
        assert journal.read() is None
    assert not file_of(database).exists()


def test_it_goes_away_when_all_is_current(database: Path) -> None:
    write(database)
    with Journal.of(database) as journal:
        journal.clear()
        assert journal.read() is None
    assert list(database.parent.iterdir()) == []


def test_an_error_leaves_no_empty_file_behind(database: Path) -> None:
    with pytest.raises(ZeroDivisionError), Journal.of(database):
        raise ZeroDivisionError
    assert not file_of(database).exists()


def test_an_error_leaves_what_was_entered(database: Path) -> None:
    def broken() -> None:
        with Journal.of(database) as journal:
            journal.begin(PLAN, [ONE])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        broken()
    with Journal.of(database) as journal:
        assert journal.read() == (PLAN, [ONE])


def test_a_kill_at_any_byte_loses_no_more_than_the_last_line(database: Path) -> None:
    write(database)
    data = file_of(database).read_bytes()
    ends = [at for at, byte in enumerate(data) if byte == ord("\n")]
    for size in range(len(data) + 1):
        file_of(database).write_bytes(data[:size])
        with Journal.of(database) as journal:
            found = journal.read()
        if size <= ends[0]:
            assert found is None
        else:
            assert found == (PLAN, [ONE, TWO][: sum(end < size for end in ends) - 1])


NO_SHARES = (
    *(b"{}", b"7", b"null", b"[1]", b'{"share_id": "a", "status": "fine"}'),
    b'{"share_id": "a", "status": "new", "first_gaps": 3}',
)


@pytest.mark.parametrize(
    "junk",
    [
        *(b"not a journal\n", b"\n", b"null\n", b"[]\n", b"5\n", b'"plan"\n', b"{}\n", b'{"plan": 5}\n'),
        *(b'{"plan": {"shares": []}}\n', b"\xff\xfe\x00\n", b"SQLite format 3\x00\x80\xff\n"),
        json.dumps({"plan": to_plain(PLAN) | {"since": "yesterday"}}).encode() + b"\n",
        *(json.dumps({"plan": to_plain(PLAN)}).encode() + b"\n" + line + b"\n" for line in NO_SHARES),
    ],
)
def test_junk_is_refused(database: Path, junk: bytes) -> None:
    file_of(database).write_bytes(junk)
    with Journal.of(database) as journal, pytest.raises(ExtractionError) as raised:
        journal.read()
    assert str(raised.value).startswith(f"{file_of(database)} is not the journal of an extraction")
    assert "remove it" in str(raised.value)
    assert "\n" not in str(raised.value)
    assert file_of(database).read_bytes() == junk


def test_a_new_extraction_may_replace_junk(database: Path) -> None:
    file_of(database).write_bytes(b"\xff junk")
    write(database)
    with Journal.of(database) as journal:
        assert journal.read() == (PLAN, [ONE, TWO])


def test_it_locks_others_out_and_is_locked_out_by_them(database: Path) -> None:
    write(database)
    # A lock belongs to an open file, so that another one of this process stands for another process.
    with file_of(database).open("a") as another:
        with Journal.of(database), pytest.raises(BlockingIOError):
            fcntl.flock(another, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(another, fcntl.LOCK_EX)
        with pytest.raises(ExtractionError, match=r"awesome\.db: another extraction works on it") as raised:
            with Journal.of(database):
                pass
        assert "\n" not in str(raised.value)
    with Journal.of(database) as journal:
        assert journal.read() == (PLAN, [ONE, TWO])


def test_a_file_that_its_last_user_just_removed_is_made_again(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    lock = fcntl.flock

    def late(stream: object, how: int) -> None:
        if not taken:  # between our opening and our locking
            file_of(database).unlink()
        taken.append(how)
        lock(stream, how)  # type: ignore[call-overload]

    monkeypatch.setattr(fcntl, "flock", late)
    write(database)
    assert len(taken) == 3  # the file opened in vain, the one made again, and the journal that takes its place
    assert file_of(database).read_bytes().count(b"\n") == 3


def test_where_it_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(ExtractionError, match=r"cannot be written: .*; name another database"):
        with Journal.of(tmp_path / "missing" / "awesome.db"):
            pass
    os.mkdir(tmp_path / "awesome.db.extraction.jsonl")
    with pytest.raises(ExtractionError, match="cannot be written"):
        with Journal.of(tmp_path / "awesome.db"):
            pass
