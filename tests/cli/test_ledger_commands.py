"""`awesome ledger`, as a user meets it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet
import pytest
from live_records import NEW_YORK, Live, lived, tampered
from needed import needed

from components.feature_store import PriceBars
from components.ledger.file import Ledger

Awesome = Callable[..., Any]

needed("fsspec")


@pytest.fixture
def live(folder: Path) -> Live:
    """A record of four evenings in the working folder."""
    return lived(folder, 4)


def test_show_lists_the_last_sessions(awesome: Awesome, live: Live) -> None:
    done = awesome("ledger", "show", "--days", "2")
    assert (done.code, done.err) == (0, "")
    rows = [line.split() for line in done.out.splitlines() if line.startswith(" 2024") or line.startswith("2024")]
    assert [row[:7] for row in rows] == [
        [str(NEW_YORK[23]), "1", "linear", "aaaaaaaa", "3", "0", "0"],
        [str(NEW_YORK[22]), "1", "linear", "aaaaaaaa", "3", "0", "3"],
    ]
    assert re.fullmatch(r"[0-3] of 3", " ".join(rows[1][7:]))
    found = json.loads(awesome("ledger", "show", "--json").out)
    assert [day["session"] for day in found] == [str(day) for day in NEW_YORK[23:19:-1]]


def test_verify_says_that_all_is_well_and_what_that_rests_on(awesome: Awesome, live: Live) -> None:
    done = awesome("ledger", "verify")
    assert (done.code, done.err) == (0, "")
    assert "awesome.db.ledger: 25 rows, 12 predictions, 9 outcomes: every row is as it was written" in done.out
    assert "no head of it is kept: that rows were cut off its end" in done.out
    head = re.search(r"head (\d+:[0-9a-f]{64}), written 2024-", done.out)
    assert head is not None
    assert (
        "held against 1 head kept elsewhere, the last of row 25" in awesome("ledger", "verify", "--head", head[1]).out
    )
    tampered(live.path, "DELETE FROM OUTCOME WHERE seq = 25")
    assert awesome("ledger", "verify").code == 0
    done = awesome("ledger", "verify", "--head", head[1])
    assert done.code == 1
    assert "the file ends with row 24: what stood behind it by the head of row 25 was taken out" in done.out


def test_what_cannot_be_computed_again_is_said_beside_what_it_was_made_of(awesome: Awesome, live: Live) -> None:
    done = awesome("ledger", "verify", "--recompute")
    assert done.code == 3
    assert "linear aaaaaaaa: not computed again: its files are nowhere in runs" in done.out
    same = "linear aaaaaaaa: what 12 predictions were made of, again from awesome.db: the same to the last bit"
    assert same in done.out
    [found] = json.loads(awesome("ledger", "verify", "--recompute", "--json").out)["recomputed"]
    assert (found["computed"], found["inputs"], found["otherwise"]) == (None, 12, [])

    close = live.prices["BBB"].close.copy()
    close[5] += 1
    live.prices["BBB"] = PriceBars(live.prices["BBB"].time, close, live.prices["BBB"].factor)
    live.store(str(NEW_YORK[23]))
    again = awesome("ledger", "verify", "--recompute")
    assert (again.code, "4 other, such as BBB after" in again.out, "(closes)" in again.out) == (3, True, True)

    tampered(live.path, "UPDATE PREDICTION SET probability = 0.75 WHERE seq = 9")
    done = awesome("ledger", "verify", "--recompute")
    assert (done.code, "what is not as it was written is not computed again" in done.out) == (1, True)
    assert "12 predictions were made of" not in done.out


def test_a_damaged_file_is_a_line_that_says_what_to_do(awesome: Awesome, live: Live) -> None:
    content = bytearray(live.path.read_bytes())
    content[100:140] = b"X" * 40
    live.path.write_bytes(content)
    for command in ("show", "verify"):
        refusal = awesome("ledger", command).refusal
        assert refusal.endswith("malformed; put a copy in its place, or bring it anew: awesome db pull")


def test_verify_names_the_row(awesome: Awesome, live: Live) -> None:
    tampered(live.path, "UPDATE PREDICTION SET probability = 0.9 WHERE seq = 9")
    done = awesome("ledger", "verify")
    assert (done.code, done.err) == (1, "")
    assert done.out.startswith("row 9, PREDICTION of BBB after 2024-02-01: it is not as it was written")
    found = json.loads(awesome("ledger", "verify", "--json").out)
    assert [(fault["first"], fault["last"]) for fault in found["faults"]] == [(9, 9)]


def test_each_push_keeps_a_head_against_which_verify_holds_the_file(
    awesome: Awesome, live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = awesome("db", "push", "storage")
    assert "25 rows of the ledger that the storage did not hold" in done.out
    monkeypatch.setenv("AWESOME_STORAGE_URL", "storage")
    assert "held against 1 head kept elsewhere in" in awesome("ledger", "verify").out
    live.path.unlink()
    done = awesome("db", "pull")
    assert "25 rows of the ledger that were not known here" in done.out
    assert awesome("ledger", "verify").code == 0
    tampered(live.path, "DELETE FROM OUTCOME WHERE seq = 25")
    assert awesome("ledger", "verify").code == 1
    assert "ends with row 24, and" in awesome("db", "push").err
    live.path.rename("copy.ledger")
    monkeypatch.delenv("AWESOME_STORAGE_URL")
    assert awesome("ledger", "verify", "--ledger", "copy.ledger").code == 0


def test_export_says_where_the_ledger_is_not_as_it_was_written(awesome: Awesome, live: Live) -> None:
    tampered(live.path, "UPDATE PREDICTION SET probability = 0.9 WHERE seq = 9")
    done = awesome("ledger", "export", "predictions.csv")
    assert (done.code, done.out) == (0, "12 predictions written to predictions.csv\n")
    assert done.err.startswith("warning: awesome.db.ledger is not as it was written (row 9, PREDICTION of BBB after")


@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_export_writes_every_prediction_with_its_outcome(awesome: Awesome, live: Live, ending: str) -> None:
    for _ in range(2):  # the second takes the place of the first
        done = awesome("ledger", "export", f"predictions.{ending}")
        assert (done.code, done.out) == (0, f"12 predictions written to predictions.{ending}\n")
    if ending == "csv":
        with Path("predictions.csv").open(newline="") as stream:
            rows = [{name: value or None for name, value in row.items()} for row in csv.DictReader(stream)]
    else:
        rows = pyarrow.parquet.read_table("predictions.parquet").to_pylist()
    with Ledger.open(live.path) as ledger:
        expected = ledger.select(
            "SELECT p.seq, p.share_id, p.probability, p.close20, o.due, o.direction FROM PREDICTION p LEFT JOIN "
            "OUTCOME o ON o.prediction = p.seq ORDER BY p.seq"
        )
    names = ("seq", "share_id", "probability", "close20", "due", "direction")
    kinds = (int, str, float, float, lambda text: text, lambda text: text)
    assert [tuple(kind(row[name]) for name, kind in zip(names, kinds, strict=True)) for row in rows] == expected
    assert rows[0]["ahead"] is not None
    assert rows[-1]["ahead"] is None


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "--db", "other.db"), "other.db.ledger does not exist; a ledger begins with the first prediction"),
        (("verify", "--ledger", "awesome.db"), "awesome.db is no ledger: it has no table"),
        (("verify", "--head", "12"), "--head 12: write it as `awesome ledger verify` prints it"),
        (("verify", "--storage-url", "ftp://x"), "storage_url (from --storage-url): ftp://: there is no such storage"),
        (("export", "predictions.txt"), "predictions.txt: name a file that ends in .csv or .parquet"),
        (("export", "prices.csv"), "prices.csv is something else than an export of predictions; name another file"),
        (("export", "no/folder.csv"), "no/folder.csv cannot be written"),
    ],
)
def test_a_mistake_of_a_ledger_is_one_line(
    awesome: Awesome, live: Live, arguments: tuple[str, ...], message: str
) -> None:
    Path("prices.csv").write_text("date,symbol,close\n2024-01-02,A,1\n")
    assert message in awesome("ledger", *arguments).refusal
