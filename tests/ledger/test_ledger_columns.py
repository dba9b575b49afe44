"""What a model saw of the other shares stands before its prediction, to the bit, and cannot be told otherwise later."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from live_records import CHALLENGER, CHAMPION, NEW_YORK, PARAMETERS, Live, lived, moment, rows_of, says

from benchmarks import tampering
from components.ledger.columns import COLUMNS, READS, Reads, columns_of_rows, keep_reads, of_note, seen
from components.ledger.errors import LedgerError
from components.ledger.file import Ledger, Row
from components.ledger.predictions import Forecasts, WrittenDown, write_predictions
from components.ledger.recomputing import recompute
from components.ledger.schema import TABLES
from components.ledger.setting_up import declare, install
from components.ledger.verifying import LookedAt, verify

WIDE = Reads(CHAMPION.digest, {"rank": 1, "moves": 3}, ("AAA", "BBB", "CCC"))
DAYS = NEW_YORK[30:33]


def columns_at(session: object, shares: int = 3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(int(np.datetime64(session, "D").astype(int)))
    return {
        "moves": rng.normal(0, 0.01, (shares, 3)).astype(np.float32),
        "rank": rng.random(shares).astype(np.float32),
    }


def forecasts(live: Live, session: object) -> Forecasts:
    plain, day = live.forecasts(session), columns_at(session)
    return dataclasses.replace(plain, day=day, probability=wide(plain.share_ids, plain.closes.astype(np.float32), day))


def wide(names: list[str], closes: np.ndarray, day: dict[str, np.ndarray]) -> np.ndarray:
    """A model that sees columns as well."""
    return (says(names, closes) + day["rank"] + day["moves"].sum(axis=1).clip(0, 0.1)) / 3


def begun(folder: Path) -> Live:
    live = Live(folder)
    live.now = moment(f"{DAYS[0]} 12:00")
    with live.ledger() as ledger:
        declare(ledger, 1, PARAMETERS)
        assert keep_reads(ledger, WIDE)
        assert not keep_reads(ledger, WIDE)
        install(ledger, CHAMPION)
    return live


def predict(live: Live, session: object, **changes: object) -> WrittenDown:
    live.now = max(live.now, moment(f"{session} 23:00"))
    asked = dataclasses.replace(forecasts(live, session), **changes)
    with live.ledger() as ledger:
        return write_predictions(ledger, asked, dict.fromkeys(live.shares, live.exchange))


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Live:
    """Three evenings; not to be changed."""
    live = begun(tmp_path_factory.mktemp("columns"))
    for session in DAYS:
        predict(live, session)
    assert verify(live.path, now=live.now).sound
    return live


@pytest.fixture
def live(sound: Live, tmp_path: Path) -> Live:
    copy = Live(tmp_path)
    copy.now = sound.now
    copy.path.write_bytes(sound.path.read_bytes())
    return copy


_SINGLE = st.floats(width=32, allow_nan=False, allow_infinity=False)


@given(arrays.arrays(np.float32, (2, 3), elements=_SINGLE), arrays.arrays(np.float32, (2,), elements=_SINGLE))
def test_a_note_holds_every_value_to_the_bit(moves: np.ndarray, rank: np.ndarray) -> None:
    texts = seen(["AAA", "BBB"], ["2024-01-02", "2024-01-03"], {"moves": moves, "rank": rank})
    found = columns_of_rows(texts)
    for name, values in (("moves", moves), ("rank", rank)):
        np.testing.assert_array_equal(found[name].view(np.int32), values.view(np.int32))
    assert [of_note(text) is not None for text in texts] == [True, True]
    assert json.loads(texts[0])["columns"]["rank"] == [float(str(rank[0]))]


def test_the_hash_of_a_prediction_rests_on_what_the_model_saw(sound: Live) -> None:
    rows = rows_of(sound.path)
    predictions = [row for row in rows if row.table == "PREDICTION"]
    assert len(predictions) == 9
    for row in predictions:
        before = rows[row.seq - 2]
        assert (before.table, before["kind"], before.hash) == ("NOTE", COLUMNS, row.previous)
        held = json.loads(before["text"])
        at = ["AAA", "BBB", "CCC"].index(row["share_id"])
        expected = columns_at(row["session"])
        assert np.array(held["columns"]["moves"], np.float32).tolist() == expected["moves"][at].tolist()
        assert (held["share_id"], held["session"]) == (row["share_id"], row["session"])


def test_predictions_are_computed_again_from_windows_and_columns(sound: Live) -> None:
    with Ledger.open(sound.path) as ledger:
        again = recompute(ledger, CHAMPION.digest, wide)
        assert (again.predictions, again.different) == (9, ())

        def other(names: list[str], closes: np.ndarray, day: dict[str, np.ndarray]) -> np.ndarray:
            rank = day["rank"].copy()
            rank[4] = np.nextafter(rank[4], np.float32(2))
            return wide(names, closes, {**day, "rank": rank})

        [wrong] = recompute(ledger, CHAMPION.digest, other).different
    assert (wrong.share_id, wrong.session) == ("BBB", str(DAYS[1]))


def test_the_same_is_written_once_and_other_columns_are_a_row_of_their_own(live: Live) -> None:
    assert predict(live, DAYS[-1]) == WrittenDown(0, 0, 3)
    day = columns_at(DAYS[-1])
    day["moves"][1, 2] = np.nextafter(day["moves"][1, 2], np.float32(1))
    assert predict(live, DAYS[-1], day=day) == WrittenDown(1, 0, 2)
    assert verify(live.path, now=live.now).sound


def test_two_writers_at_once_leave_each_prediction_behind_its_columns(tmp_path: Path) -> None:
    live = begun(tmp_path)
    other = "c" * 64
    with live.ledger() as ledger:
        keep_reads(ledger, dataclasses.replace(WIDE, model=other))
        install(ledger, dataclasses.replace(CHAMPION, digest=other), "challenger")
    live.now = moment(f"{DAYS[0]} 23:00")
    with ThreadPoolExecutor(2) as threads:
        written = [*threads.map(lambda model: predict(live, DAYS[0], model=model), [CHAMPION.digest, other])]
    assert written == [WrittenDown(3, 0, 0)] * 2
    assert verify(live.path, now=live.now).sound
    with Ledger.open(live.path) as ledger:
        assert [recompute(ledger, model, wide).predictions for model in (CHAMPION.digest, other)] == [3, 3]


def test_a_ledger_made_anew_of_its_rows_holds_the_columns(live: Live, tmp_path: Path) -> None:
    """As `awesome db pull` does of what a storage holds."""
    with Ledger.open(live.path) as ledger:
        Ledger.restore(tmp_path / "again", ledger.rows())
    assert rows_of(tmp_path / "again") == rows_of(live.path)
    with Ledger.open(tmp_path / "again") as again:
        assert recompute(again, CHAMPION.digest, wide).different == ()


def test_a_model_speaks_only_of_what_it_is_known_to_read(live: Live) -> None:
    count = len(rows_of(live.path))
    for day in ({}, {"rank": np.zeros(3, np.float32)}, columns_at(DAYS[0]) | {"more": np.zeros(3, np.float32)}):
        with pytest.raises(LedgerError, match="stands there as one that reads moves, rank beside windows, and"):
            predict(live, DAYS[-1], day=day)
    with pytest.raises(LedgerError, match="BBB: nan is no value of rank"):
        predict(live, DAYS[-1], day=columns_at(DAYS[0]) | {"rank": np.array([0, np.nan, 0], np.float32)})
    with live.ledger() as ledger:
        with pytest.raises(LedgerError, match="reads other columns of the day, or another market"):
            keep_reads(ledger, dataclasses.replace(WIDE, market=("AAA",)))
        with pytest.raises(LedgerError, match="reads other columns of the day"):
            keep_reads(ledger, dataclasses.replace(WIDE, columns={}))
        install(ledger, CHALLENGER, "challenger")
        with pytest.raises(LedgerError, match="the model bbbbbbbb stands there"):
            keep_reads(ledger, dataclasses.replace(WIDE, model=CHALLENGER.digest))
        assert not keep_reads(ledger, Reads(CHALLENGER.digest, {}, ()))
    with pytest.raises(LedgerError, match="as one that reads nothing beside windows"):
        predict(live, DAYS[-1], model=CHALLENGER.digest)
    assert len(rows_of(live.path)) == count + 1  # of the challenger


def test_a_ledger_of_windows_alone_is_what_it_was_and_may_take_such_a_model(tmp_path: Path) -> None:
    live = lived(tmp_path, 5)
    assert [row["kind"] for row in rows_of(live.path) if row.table == "NOTE"] == ["calendars"]
    look = verify(live.path, now=live.now).looked_at
    wider = dataclasses.replace(WIDE, model="c" * 64)
    with live.ledger() as ledger:
        keep_reads(ledger, wider)
        install(ledger, dataclasses.replace(CHAMPION, digest="c" * 64))
    predict(live, NEW_YORK[26], model="c" * 64)
    assert isinstance(look, LookedAt)
    for since in (None, look):
        assert verify(live.path, now=live.now, since=since).sound
    found = verify(live.path, now=live.now).looked_at
    predict(live, NEW_YORK[27], model="c" * 64)
    later = verify(live.path, now=live.now, since=found)
    assert (later.sound, later.after) == (True, found.seq if found else -1)


Change = Callable[[list[Row]], object]


def text_of(kind: str, change: Callable[[dict], object], place: int = 0) -> Change:
    """Changes the JSON of the so-many-th note of a kind, written as a writer would."""

    def changed(rows: list[Row]) -> None:
        at = [row.seq for row in rows if row.table == "NOTE" and row["kind"] == kind][place] - 1
        held = json.loads(rows[at]["text"])
        change(held)
        rows[at] = with_text(rows[at], json.dumps(held, sort_keys=True, separators=(",", ":")))

    return changed


def with_text(row: Row, text: str) -> Row:
    values = [*row.values]
    values[TABLES["NOTE"].places["text"]] = text
    return dataclasses.replace(row, values=tuple(values))


def first_note(rows: list[Row], kind: str = COLUMNS) -> int:
    return next(at for at, row in enumerate(rows) if row.table == "NOTE" and row["kind"] == kind)


def later(rows: list[Row]) -> None:
    """The columns stand behind their prediction."""
    at = first_note(rows)
    rows[at], rows[at + 1] = rows[at + 1], rows[at]


def after_the_model(rows: list[Row]) -> None:
    at = first_note(rows, READS)
    assert rows[at + 1].table == "MODEL"
    rows[at], rows[at + 1] = rows[at + 1], rows[at]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda rows: rows.pop(first_note(rows)), "the columns that its model reads do not stand before it"),
        (later, "the columns that its model reads do not stand before it"),
        (lambda rows: rows.pop(first_note(rows) + 1), "stand before no prediction"),
        (lambda rows: rows.pop(), "its columns stand before no prediction: what stood there was taken out"),
        (text_of(COLUMNS, lambda held: held["columns"].pop("rank")), "are not those that its model reads"),
        (text_of(COLUMNS, lambda held: held["columns"]["moves"].pop()), "are not those that its model reads"),
        (text_of(COLUMNS, lambda held: held.update(share_id="BBB")), "are of another prediction"),
        (text_of(COLUMNS, lambda held: held.update(session="2024-01-02")), "are of another prediction"),
        (text_of(COLUMNS, lambda held: held["columns"].update(rank=[0.1234567890123])), "it holds no columns as"),
        (text_of(COLUMNS, lambda held: held["columns"].update(rank=[1])), "it holds no columns as a writer writes"),
        (text_of(COLUMNS, lambda held: held["columns"].update(rank=[1e300])), "it holds no columns as a writer"),
        (text_of(COLUMNS, lambda held: held["columns"].update(rank=["0.5"])), "it holds no columns as a writer"),
        (text_of(COLUMNS, lambda held: held.update(more=1)), "it holds no columns as a writer writes them"),
        (text_of(READS, lambda held: held["columns"].pop("rank")), "are not those that its model reads"),
        (text_of(READS, lambda held: held.update(columns={})), "it says no columns that a model reads"),
        (text_of(READS, lambda held: held.update(model="f" * 64)), "and its model reads none"),
        (after_the_model, "was written after the model"),
    ],
)
def test_a_chain_made_anew_must_still_hold_what_was_seen(live: Live, change: Change, why: str) -> None:
    rows = rows_of(live.path)
    change(rows)
    tampering.write_anyway(live.path, tampering.chained_anew(rows))
    found = verify(live.path, now=live.now)
    assert any(why in str(fault) for fault in found.faults), [str(fault) for fault in found.faults]


def test_what_lacks_its_columns_is_not_computed_again(live: Live) -> None:
    rows = rows_of(live.path)
    rows.pop(first_note(rows))
    tampering.write_anyway(live.path, rows)
    with Ledger.open(live.path) as ledger, pytest.raises(LedgerError, match="a prediction lacks the columns"):
        recompute(ledger, CHAMPION.digest, wide)
