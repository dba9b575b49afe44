"""The record of tries: what is written comes back, once, whatever kills a writer."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.trials.record import (
    RecordGrew,
    Series,
    Trial,
    TrialsError,
    TriedModel,
    append,
    begun_with,
    digest,
    merge,
    parse_record,
    read_record,
    record_path,
    render_record,
)


def made_trial(number: int) -> Trial:
    influence = np.linspace(-1e-3, 1e-3 * number, 3)
    model = TriedModel("linear", 0.5 + float(influence.sum()), 0.01, False, math.nan, "a", Series.of(influence))
    return Trial(f"{number:016x}", "2026-01-02T03:04:05Z", "run", {"seed": "1"}, 1, "r", (20260101, 20260102), (model,))


def test_what_was_added_comes_back_in_its_order(tmp_path: Path) -> None:
    path = record_path(tmp_path / "prices.db")
    assert append(path, [made_trial(1), made_trial(2)], complete=True) == 2
    assert append(path, [made_trial(3)]) == 1
    record = read_record(path)
    assert record.complete
    assert [trial.id for trial in record.trials] == [made_trial(number).id for number in (1, 2, 3)]
    np.testing.assert_array_equal(record.trials[2].models[0].influence.values, np.float32([-1e-3, 1e-3, 3e-3]))
    assert math.isnan(record.trials[0].models[0].needed)


def test_a_link_to_a_database_has_no_record_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "prices.db").touch()
    (tmp_path / "link.db").symlink_to("prices.db")
    assert record_path(tmp_path / "link.db") == record_path(tmp_path / "prices.db")


def test_the_same_try_is_counted_once(tmp_path: Path) -> None:
    path = tmp_path / "record"
    assert append(path, [made_trial(1)]) == 1
    assert append(path, [made_trial(1), made_trial(1)]) == 0
    assert len(read_record(path).trials) == 1


def test_a_record_that_is_not_there_is_no_proof_of_no_try(tmp_path: Path) -> None:
    record = read_record(tmp_path / "record")
    assert not record.complete
    assert record.trials == ()
    assert record.gaps == ("the database is older than its record, or the record was deleted",)


def test_a_half_line_of_a_killed_writer_is_passed_over_and_written_over(tmp_path: Path) -> None:
    path = tmp_path / "record"
    append(path, [made_trial(1), made_trial(2)], complete=True)
    path.write_bytes(path.read_bytes()[:-20])
    assert [trial.id for trial in read_record(path).trials] == [made_trial(1).id]
    append(path, [made_trial(3)])
    record = read_record(path)
    assert record.complete
    assert [trial.id for trial in record.trials] == [made_trial(1).id, made_trial(3).id]


def test_a_line_that_is_no_try_is_named(tmp_path: Path) -> None:
    path = tmp_path / "record"
    append(path, [made_trial(1)])
    path.write_bytes(path.read_bytes() + b"{}\n")
    with pytest.raises(TrialsError, match="record, line 3: no try"):
        read_record(path)


@pytest.mark.parametrize(
    ("edited", "told"),
    [
        ({"days": [20260102, 20260101]}, "days: they do not ascend"),
        ({"days": [20260101, 20260101]}, "days: they do not ascend"),
        ({"needed": 100.0}, r"models\.0\.needed: 100 is no number of standard errors"),
        ({"needed": -1.0}, r"models\.0\.needed: -1 is no number of standard errors"),
        ({"influence": {"packed": "abc"}}, r"models\.0\.influence: no packed numbers"),
        ({"influence": {"packed": "abcd"}}, r"models\.0\.influence: no packed numbers"),
        ({"returns": {"packed": "\u00e4bcd"}}, r"models\.0\.returns: no packed numbers"),
        ({"returns": {"packed": "????"}}, r"models\.0\.returns: no packed numbers"),
    ],
)
def test_a_try_that_nothing_can_be_judged_by_is_named(tmp_path: Path, edited: dict[str, Any], told: str) -> None:
    path = tmp_path / "record"
    append(path, [made_trial(1), made_trial(2)], complete=True)
    head, line, last = path.read_text().splitlines()
    values = json.loads(line)
    (values if "days" in edited else values["models"][0]).update(edited)
    path.write_text("\n".join([head, json.dumps(values), last, ""]))
    with pytest.raises(TrialsError, match=rf"record, line 2: no try \({told}\)"):
        read_record(path)
    with pytest.raises(TrialsError, match="line 2"):
        append(path, [made_trial(3)])


def test_a_record_of_another_format_is_neither_read_nor_written(tmp_path: Path) -> None:
    path = tmp_path / "record"
    path.write_text('{"trials": 2, "complete": true}\n')
    with pytest.raises(TrialsError, match="record: its format 2 is not one that this version reads; update awesome"):
        read_record(path)
    with pytest.raises(TrialsError, match="its format 2"):
        append(path, [made_trial(1)])
    assert path.read_text().count("\n") == 1


def test_a_last_line_whose_end_an_editor_left_out_is_a_try(tmp_path: Path) -> None:
    path = tmp_path / "record"
    append(path, [made_trial(1), made_trial(2)], complete=True)
    path.write_bytes(path.read_bytes()[:-1])
    assert len(read_record(path).trials) == 2
    assert append(path, [made_trial(2), made_trial(3)]) == 1
    assert [trial.id for trial in read_record(path).trials] == [made_trial(number).id for number in (1, 2, 3)]


def test_a_folder_in_its_place_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(TrialsError, match="cannot be"):
        read_record(tmp_path)


def test_a_digest_tells_the_same_answers_from_others() -> None:
    answers = np.array([0.1, 0.2])
    assert digest(answers) == digest(answers.copy()) != digest(answers[::-1])


def test_the_record_of_a_database_that_is_made_is_complete_and_that_of_an_older_one_is_not(tmp_path: Path) -> None:
    database = tmp_path / "new.db"
    with begun_with(database):
        database.touch()
    append(record_path(database), [made_trial(1)])
    assert read_record(record_path(database)).complete

    older = tmp_path / "older.db"
    older.touch()
    with begun_with(older):
        older.touch()
    with begun_with(tmp_path / "none.db"):
        pass
    assert not record_path(older).exists()
    assert not record_path(tmp_path / "none.db").exists()
    append(record_path(older), [made_trial(1)])
    assert not read_record(record_path(older)).complete


def test_what_may_be_missing_is_said_once_and_never_taken_back(tmp_path: Path) -> None:
    path = tmp_path / "record"
    append(path, [made_trial(1)], complete=True)
    for _ in range(2):
        append(path, [made_trial(1)], gaps=["it was pulled from a storage without a record"])
    append(path, [made_trial(2)], complete=True)
    record = read_record(path)
    assert (record.complete, len(record.trials)) == (False, 2)
    assert record.gaps == ("it was pulled from a storage without a record",)
    assert path.read_text().count("it was pulled") == 1


def test_merged_records_hold_every_try_once_and_every_gap(tmp_path: Path) -> None:
    mine, other = tmp_path / "mine", tmp_path / "other"
    append(mine, [made_trial(1), made_trial(2)], complete=True)
    append(other, [made_trial(2), made_trial(3)], complete=True)
    assert merge(mine, read_record(other)) == 1
    record = read_record(mine)
    assert record.complete
    assert [trial.id for trial in record.trials] == [made_trial(number).id for number in (1, 2, 3)]

    append(other, [], gaps=["a gap"])
    assert merge(mine, read_record(other)) == 0
    assert read_record(mine).gaps == ("a gap",)


def test_a_record_comes_back_from_its_text(tmp_path: Path) -> None:
    for complete in (True, False):
        path = tmp_path / f"record-{complete}"
        append(path, [made_trial(1)], complete=complete, gaps=["a gap"])
        record = read_record(path)
        again = parse_record(render_record(record), "text")
        assert (again.complete, set(again.gaps)) == (record.complete, set(record.gaps))
        assert [trial.id for trial in again.trials] == [made_trial(1).id]


def test_a_record_tells_who_looked_at_a_day(tmp_path: Path) -> None:
    append(tmp_path / "record", [made_trial(1)])
    record = read_record(tmp_path / "record")
    assert len(record.on([20260102, 20260103])) == 1
    assert record.on([20260103]) == ()


def test_a_try_that_could_not_be_written_is_counted_in_its_own_report(tmp_path: Path) -> None:
    append(tmp_path / "record", [made_trial(1)], complete=True)
    record = read_record(tmp_path / "record")
    assert record.counting(made_trial(1)) == record
    counted = record.counting(made_trial(2))
    assert [trial.id for trial in counted.trials] == [made_trial(1).id, made_trial(2).id]
    assert (counted.complete, counted.gaps) == (False, ("this try could not be added to the record",))


def test_what_rests_on_a_record_that_has_grown_is_not_added(tmp_path: Path) -> None:
    path = tmp_path / "record"
    append(path, [made_trial(1)])
    seen = read_record(path)
    append(path, [made_trial(2)])
    with pytest.raises(RecordGrew, match="a try was added while another one was judged"):
        append(path, [made_trial(3)], after=seen)
    assert len(read_record(path).trials) == 2
    assert append(path, [made_trial(3)], after=read_record(path)) == 1
