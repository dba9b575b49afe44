"""Whatever is changed of a ledger is found, and the row is named."""

from __future__ import annotations

import dataclasses
import hashlib
import sqlite3
import struct
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from live_records import NEW_YORK, Live, lived, moment, rows_of, tampered

from benchmarks import tampering
from components.errors import StoreError
from components.ledger.chain import Head
from components.ledger.file import Ledger, Row
from components.ledger.instants import stamp
from components.ledger.schema import TABLES
from components.ledger.verifying import LookedAt, Verification, verify


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Live:
    """A record of five evenings; not to be changed."""
    return lived(tmp_path_factory.mktemp("sound"), 5)


@pytest.fixture
def live(sound: Live, tmp_path: Path) -> Live:
    """A copy of it."""
    copy = Live(tmp_path)
    copy.now = sound.now
    copy.path.write_bytes(sound.path.read_bytes())
    return copy


def look(live: Live, *heads: Head) -> Verification:
    return verify(live.path, heads, live.now)


def said(found: Verification) -> list[str]:
    return [str(fault) for fault in found.faults]


def head_of(live: Live, seq: int, time: str = "") -> Head:
    with Ledger.open(live.path) as ledger:
        return Head(ledger.identity, seq, ledger.hashes([seq])[seq], time)


def test_a_ledger_as_it_was_written_is_sound(live: Live) -> None:
    with Ledger.open(live.path) as ledger:
        heads = [dataclasses.replace(ledger.head, time="2024-02-28T12:00:00Z"), head_of(live, 7)]
    live.now = moment("2024-03-01 12:00")
    found = look(live, *heads)
    assert (found.faults, found.doubts) == ((), ())
    assert (found.rows, found.predictions, found.late, found.outcomes) == (31, 15, 0, 12)
    assert (found.head, found.heads, found.held) == (dataclasses.replace(heads[0], time=found.head.time), 2, 31)  # type: ignore[union-attr]


def test_the_hash_is_what_its_description_says(live: Live) -> None:
    """Computed once more by hand, from what docs/ledger.md says of it."""
    last = "0" * 64
    for row in rows_of(live.path):
        content = b""
        for value in ("awesome ledger 1", row.table, row.seq, row.previous, *row.values):
            if isinstance(value, str):
                text = value.encode()
                content += b"t" + len(text).to_bytes(8, "big") + text
            elif isinstance(value, int):
                content += b"i" + value.to_bytes(8, "big", signed=True)
            else:
                content += b"f" + struct.pack(">d", value)
        assert (row.previous, row.hash) == (last, hashlib.sha256(content).hexdigest())
        last = row.hash


ROW9 = "row 9, PREDICTION of BBB after 2024-02-01: "
CHANGED = "it is not as it was written: its content or its hash was changed"
PUT_IN = "INSERT INTO NOTE SELECT 9, 'a', 'b', written, previous, hash FROM PREDICTION WHERE seq = 9"
TWICE = "its number stands twice: a row was put in"
NOT_THERE = "row 4, NOTE calendars: it is not what was there when row 5 was written"


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("UPDATE PREDICTION SET probability = 0.75 WHERE seq = 9", [ROW9 + CHANGED]),
        ("UPDATE PREDICTION SET close20 = close20 * (1 + 3e-16) WHERE seq = 9", [ROW9 + CHANGED]),
        ("UPDATE PREDICTION SET late = 1 - late WHERE seq = 9", [ROW9 + CHANGED]),
        ("UPDATE NOTE SET hash = previous", [f"row 4, NOTE calendars: {CHANGED}", NOT_THERE]),
        ("DELETE FROM PREDICTION WHERE seq = 9", ["row 9: missing: taken out"]),
        ("DELETE FROM PREDICTION WHERE seq BETWEEN 8 AND 10", ["rows 8 to 10: missing: taken out"]),
        ("DELETE FROM MODEL", ["row 3: missing: taken out"]),
        ("DELETE FROM LEDGER", ["row 1: missing: taken out"]),
        (
            "UPDATE PREDICTION SET share_id = CAST(x'ff0a41' AS TEXT) WHERE seq = 9",
            [rf"row 9, PREDICTION of '\udcff\nA' after 2024-02-01: {CHANGED}"],
        ),
        (PUT_IN, [f"row 9, NOTE a: {TWICE}", f"row 9, NOTE a: {CHANGED}"]),
        ("DROP TRIGGER PREDICTION_UPDATE", ["the file: PREDICTION_UPDATE is missing"]),
        ("DROP INDEX PREDICTION_OF_SESSION", ["the file: PREDICTION_OF_SESSION is missing"]),
        (
            "CREATE TRIGGER mine AFTER INSERT ON NOTE BEGIN SELECT 1; END",
            ["the file: the trigger mine was added to NOTE"],
        ),
    ],
)
def test_a_change_without_new_hashes_is_named(live: Live, statement: str, expected: list[str]) -> None:
    if statement.startswith(("DROP", "CREATE")):
        with closing(sqlite3.connect(live.path)) as connection:
            connection.execute(statement)
    else:
        tampered(live.path, statement)
    assert sorted(said(look(live))) == sorted(expected)


Change = Callable[[list[Row]], object]


def forge(live: Live, change: Change) -> None:
    """A chain made anew after a change of its rows, as somebody would who holds the file."""
    rows = rows_of(live.path)
    change(rows)
    tampering.write_anyway(live.path, tampering.chained_anew(rows))


def put(at: int, **values: object) -> Change:
    """Sets columns of the row of a number."""

    def change(rows: list[Row]) -> None:
        row, changed = rows[at - 1], list(rows[at - 1].values)
        for name, value in values.items():
            changed[TABLES[row.table].places[name]] = value
        rows[at - 1] = dataclasses.replace(row, values=tuple(changed))

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            put(9, written="2024-01-31T12:00:00Z"),
            f"{ROW9}it was written at 2024-01-31T12:00:00Z, before the row before",
        ),
        (put(31, written="2124-01-31T12:00:00Z"), "row 31, OUTCOME of row 16: it was written at 2124-01-31T12:00:00Z"),
        (put(9, written="yesterday"), f"{ROW9}it was written at 'yesterday', which is no time"),
        (put(9, late=1), f"{ROW9}it says that it was late"),
        (
            put(9, deadline="2024-02-05T14:30:00Z"),
            f"{ROW9}its deadline is 2024-02-05T14:30:00Z, and XNYS opens next at 2024-02-02T14:30:00Z",
        ),
        (
            put(9, session="2024-02-06", deadline="2024-02-07T14:30:00Z"),
            "row 9, PREDICTION of BBB after 2024-02-06: it was written at 2024-02-01T23:00:00Z, before its session",
        ),
        (put(9, session="2024-01-30"), "row 9, PREDICTION of BBB after 2024-01-30: its deadline is"),
        (put(9, exchange="XSHG"), f"{ROW9}its deadline is"),
        (put(9, close3=50.0), f"{ROW9}its window is not the one"),
        (put(9, probability="0.5x"), f"{ROW9}probability is '0.5x', which no writer writes"),
        (put(9, model="f" * 64), f"{ROW9}its model ffffffff was not written before it"),
        (put(9, horizon=20), f"{ROW9}the parameters of the evidence were not written before it"),
        (put(20, direction="unchanged"), "row 20, OUTCOME of row 5: it says unchanged, and its prices say"),
        (put(20, prediction=4), "row 20, OUTCOME of row 4: there is no prediction in row 4"),
        (put(20, due="2024-01-30"), "row 20, OUTCOME of row 5: it came due on 2024-01-30"),
        (put(20, due="2024-05-30"), "row 20, OUTCOME of row 5: it was written before the session of 2024-05-30 began"),
        (put(2, parameters='{"b": 1}'), "row 2, SETUP: its parameters are no JSON as a writer writes it"),
        (
            lambda rows: rows.append(rows.pop(1)),
            "row 4, PREDICTION of AAA after 2024-01-31: the parameters of the evidence",
        ),
        (lambda rows: rows.pop(0), "row 1, SETUP: a ledger begins with another row"),
    ],
)
def test_a_chain_made_anew_must_still_say_what_can_be(live: Live, change: Change, message: str) -> None:
    forge(live, change)
    assert any(line.startswith(message) for line in said(look(live))), said(look(live))


def test_a_chain_made_anew_does_not_fit_the_heads(live: Live) -> None:
    heads = [head_of(live, 10, "2024-02-02T05:00:00Z"), head_of(live, 19, "2024-02-06T23:00:00Z")]
    forge(live, put(13, probability=0.75))
    assert look(live).sound  # nothing else can tell
    assert said(look(live, *heads)) == [
        "rows 11 to 19: not those of the head of row 19 kept at 2024-02-06T23:00:00Z: the chain was made anew"
    ]
    assert look(live, *heads).held == 10


def test_rows_cut_off_the_end_are_missing_against_a_head(live: Live) -> None:
    head = head_of(live, 31)
    tampered(live.path, "DELETE FROM OUTCOME WHERE seq >= 30")
    assert look(live).sound
    assert said(look(live, head_of(live, 19), head)) == [
        "rows 20 to 31: the file ends with row 29: what stood behind it by the head of row 31 was taken out, or all "
        "was made anew"
    ]


def test_another_ledger_in_the_place_of_one_is_named(live: Live, tmp_path: Path) -> None:
    head = head_of(live, 31, "2024-02-07T05:00:00Z")
    live.path.unlink()
    (tmp_path / "other").mkdir()
    live.path.write_bytes(lived(tmp_path / "other", 5).path.read_bytes())
    assert look(live).sound
    [line] = said(look(live, head))
    assert f"is of another ledger ({head.identity}): this one has taken its place" in line


def test_rows_back_dated_to_before_a_head_are_named(live: Live) -> None:
    head = head_of(live, 19, "2024-02-06T23:30:00Z")  # kept after the last evening, with rows that came on it cut off
    [line, *_] = said(look(live, head))
    assert line == (
        "row 20, OUTCOME of row 5: it was written at 2024-02-06T23:00:00Z, and was not there at 2024-02-06T23:30:00Z: "
        "back-dated"
    )
    [line, *_] = said(look(live, head_of(live, 19, "2024-02-06T22:30:00Z")))
    assert line == (
        "row 17, PREDICTION of AAA after 2024-02-06: it was written at 2024-02-06T23:00:00Z, and was there at "
        "2024-02-06T22:30:00Z already"
    )


def test_other_calendars_leave_a_doubt(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    forge(live, put(9, deadline="2024-02-05T14:30:00Z"))
    monkeypatch.setattr("components.ledger.rules.calendars_in_use", lambda: "exchange-calendars 99")
    found = look(live)
    assert found.sound
    assert len(found.doubts) == 1
    assert "2024-02-02T14:30:00Z by exchange-calendars 99, and opened at 2024-02-05T14:30:00Z" in found.doubts[0]
    forge(live, put(9, exchange="XXXX"))
    assert any("the deadlines of XXXX were not checked" in doubt for doubt in look(live).doubts)


def test_a_damaged_file_is_named(live: Live) -> None:
    content = bytearray(live.path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 4096] = bytes(4096)
    live.path.write_bytes(content)
    assert not look(live).sound
    live.path.write_bytes(content[: len(content) // 2])
    with pytest.raises(StoreError, match="malformed"):
        look(live)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple]:
    path, heads, now = tampering.lived(tmp_path_factory.mktemp("small"))
    with Ledger.open(path) as ledger:
        rows = tuple(ledger.rows())
    assert verify(path, heads, now).sound
    yield path, heads, now, rows
    tampering.write_anyway(path, rows)
    assert verify(path, heads, now).sound


@pytest.mark.parametrize("anew", [False, True], ids=["hashes left", "hashes made anew"])
@pytest.mark.parametrize("kind", tampering.KINDS)
def test_every_random_change_is_found_and_named(small: tuple, kind: str, anew: bool) -> None:
    path, heads, now, rows = small
    generator = np.random.default_rng(tampering.KINDS.index(kind))
    for _ in range(30):
        change = tampering.tampered(rows, kind, anew, generator)
        tampering.write_anyway(path, change.rows)
        found = tampering.look(path, heads, now)
        assert found is None or not found.sound, change
        assert tampering.is_named(found, change), (change, found)


# --- going on from an earlier look


def looked_at(live: Live, *heads: Head) -> LookedAt:
    found = look(live, *heads)
    assert found.looked_at is not None
    return found.looked_at


def further(live: Live, since: LookedAt, *heads: Head) -> Verification:
    return verify(live.path, heads, live.now, since)


def later(live: Live) -> None:
    """One more evening."""
    live.evenings([NEW_YORK[25]])


def test_going_on_finds_what_a_look_at_all_rows_finds(sound: Live, tmp_path: Path) -> None:
    """From each row of a ledger that ends there, with the heads that were kept by then and those of later."""
    rows = rows_of(sound.path)
    with Ledger.open(sound.path) as ledger:
        heads = [Head(ledger.identity, row.seq, row.hash, row["written"]) for row in rows[::5]]
    now = moment("2024-03-01 12:00")
    whole = verify(sound.path, heads, now)
    for end in range(1, len(rows) + 1):
        part = tmp_path / f"{end}.ledger"
        Ledger.restore(part, rows[:end])
        since = verify(part, now=now).looked_at
        found = verify(sound.path, heads, now, since)
        assert found.after == end
        assert dataclasses.replace(found, after=0) == whole


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE OUTCOME SET close_due = close_due + 1 WHERE seq = 36",
        "UPDATE PREDICTION SET probability = 0.9 WHERE seq = 33",
        "DELETE FROM OUTCOME WHERE seq = 36",
        "UPDATE PREDICTION SET written = '2024-01-01T00:00:00Z' WHERE seq = 33",
        "UPDATE OUTCOME SET close = 1 WHERE seq = 31",  # the row itself that the look had come to
        "DELETE FROM OUTCOME WHERE seq = 31",
        "DROP TRIGGER PREDICTION_UPDATE",
    ],
)
def test_what_is_changed_behind_the_look_is_found_and_named(statement: str, live: Live) -> None:
    since = looked_at(live)
    assert since.seq == 31
    later(live)
    if statement.startswith("DROP"):
        with closing(sqlite3.connect(live.path)) as connection:
            connection.execute(statement)
    else:
        before = rows_of(live.path)
        tampered(live.path, statement)
        assert rows_of(live.path) != before
    found = further(live, since)
    assert not found.sound
    assert (found.faults, found.after) == (look(live).faults, 0)
    assert found.looked_at is None


def test_an_earlier_row_that_is_edited_shows_only_to_who_looks_at_all(live: Live) -> None:
    since = looked_at(live)
    later(live)
    tampered(live.path, "UPDATE PREDICTION SET probability = 0.9 WHERE seq = 9")
    assert further(live, since).sound  # docs/ledger.md says so
    assert said(look(live))[0].startswith(ROW9)


def test_a_chain_made_anew_does_not_go_on(live: Live) -> None:
    since = looked_at(live)
    rows = rows_of(live.path)
    with Ledger.open(live.path) as ledger:
        kept = dataclasses.replace(ledger.head, time="2024-02-28T12:00:00Z")
    live.now = moment("2024-03-01 12:00")
    live.path.unlink()
    chained: list[Row] = []
    for row in rows:
        values = (*row.values[:3], 0.75, *row.values[4:]) if row.seq == 9 else row.values
        one = Row(row.table, row.seq, values, chained[-1].hash if chained else row.previous, "")
        chained.append(dataclasses.replace(one, hash=one.right_hash))
    Ledger.restore(live.path, chained)
    assert look(live).sound
    assert further(live, since).after == 0  # the row is another one, so all are looked at
    assert not further(live, since, kept).sound


@pytest.mark.parametrize("change", [{"identity": "0" * 16}, {"seq": 999}, {"hash": "0" * 64}, {"seq": 0}])
def test_a_look_at_another_ledger_is_not_gone_on_from(change: dict[str, object], live: Live) -> None:
    found = further(live, dataclasses.replace(looked_at(live), **change))
    assert (found.after, found.sound, found.predictions) == (0, True, 15)


def test_doubts_of_earlier_rows_stay_doubts(live: Live) -> None:
    since = dataclasses.replace(looked_at(live), doubts=("the deadlines of XNYS were not checked",))
    assert further(live, since).doubts == since.doubts
    assert further(live, since).whole == since.whole == stamp(live.now)
