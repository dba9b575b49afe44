"""What is written down, when it counts, and what is not written twice."""

from __future__ import annotations

import dataclasses
import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from live_records import CHALLENGER, CHAMPION, NEW_YORK, PARAMETERS, Live, lived, moment, rows_of

from components.errors import ExchangeError, StoreError
from components.feature_store import PriceBars
from components.ledger.errors import LedgerError
from components.ledger.file import Ledger
from components.ledger.predictions import WrittenDown, write_predictions
from components.ledger.setting_up import LiveModel, declare, install, model_digest
from components.ledger.verifying import verify
from components.live_evidence.parameters import Parameters
from components.records import from_json

FRIDAY, MONDAY = "2024-02-16", "2024-02-19"  # Washington's birthday: New York opens on Tuesday the 20th at 14:30 UTC


def begun(folder: Path, session: str = FRIDAY) -> Live:
    live = Live(folder)
    live.now = moment(f"{session} 21:30")
    live.begin()
    return live


@pytest.mark.parametrize(
    ("now", "late"),
    [
        ("2024-02-16 21:05", 0),
        ("2024-02-18 12:00", 0),
        ("2024-02-19 20:00", 0),  # a holiday
        ("2024-02-20 14:29:59", 0),
        ("2024-02-20 14:30:00", 3),
        ("2024-03-20 12:00", 3),
    ],
)
def test_a_prediction_is_on_time_until_the_next_session_opens(tmp_path: Path, now: str, late: int) -> None:
    live = begun(tmp_path, FRIDAY)
    live.now = max(moment(now), live.now)
    assert live.predict(FRIDAY) == WrittenDown(3, late, 0)
    with Ledger.open(live.path) as ledger:
        assert ledger.select("SELECT DISTINCT deadline, late FROM PREDICTION") == [
            ("2024-02-20T14:30:00Z", int(late > 0))
        ]


def test_a_row_holds_what_the_model_saw_and_said(tmp_path: Path) -> None:
    live = begun(tmp_path)
    forecasts = live.forecasts(FRIDAY)
    live.predict(FRIDAY)
    with Ledger.open(live.path) as ledger:
        [row] = ledger.select("SELECT * FROM PREDICTION WHERE share_id = 'BBB'")
    window = live.prices["BBB"].close[: np.searchsorted(NEW_YORK, np.datetime64(MONDAY))][-1:-22:-1]
    assert row[1:6] == ("BBB", FRIDAY, 1, forecasts.probability[1], "a" * 64)
    assert list(row[6:27]) == window.tolist()


def test_the_same_prediction_is_written_once(tmp_path: Path) -> None:
    live = begun(tmp_path)
    live.predict(FRIDAY)
    assert live.predict(FRIDAY) == WrittenDown(0, 0, 3)
    live.now = moment("2024-02-21 12:00")  # past the deadline: what stands there is still the same
    assert live.predict(FRIDAY) == WrittenDown(0, 0, 3)


def test_another_window_of_the_same_session_is_a_row_of_its_own(tmp_path: Path) -> None:
    live = begun(tmp_path)
    live.predict(FRIDAY)
    close = live.prices["AAA"].close.copy()
    close[25] += 1
    live.prices["AAA"] = PriceBars(NEW_YORK[:80], close, np.ones(80))
    assert live.predict(FRIDAY) == WrittenDown(1, 0, 2)
    with Ledger.open(live.path) as ledger:
        assert len(ledger.select("SELECT * FROM PREDICTION WHERE share_id = 'AAA'")) == 2


def test_two_models_predict_beside_one_another(tmp_path: Path) -> None:
    live = begun(tmp_path)
    with live.ledger() as ledger:
        install(ledger, CHALLENGER, "challenger")
    live.predict(FRIDAY)
    assert live.predict(FRIDAY, CHALLENGER) == WrittenDown(3, 0, 0)


def test_parameters_and_models_come_before_predictions(tmp_path: Path) -> None:
    live = Live(tmp_path)
    live.now = moment("2024-02-16 22:00")
    with pytest.raises(LedgerError, match="the parameters of the evidence are written before the first prediction"):
        live.predict(FRIDAY)
    with live.ledger() as ledger:
        declare(ledger, 1, PARAMETERS)
    with pytest.raises(LedgerError, match="the model aaaaaaaa is written before its first prediction"):
        live.predict(FRIDAY)
    with live.ledger() as ledger:
        install(ledger, dataclasses.replace(CHAMPION, horizon=20))
    with pytest.raises(LedgerError, match=r"with its horizon \(1\)"):
        live.predict(FRIDAY)


def test_what_is_fixed_is_written_once_and_a_change_is_a_row(tmp_path: Path) -> None:
    live = begun(tmp_path)
    with live.ledger() as ledger:
        first = declare(ledger, 1, PARAMETERS)
        assert declare(ledger, 1, dict(reversed(PARAMETERS.items()))) == first
        assert declare(ledger, 1, {**PARAMETERS, "alpha": 0.01}) > first
        assert declare(ledger, 1, PARAMETERS) > first + 1  # back again is a third series
        assert declare(ledger, 20, Parameters(horizon=20)) == declare(ledger, 20, Parameters(horizon=20))
        [(text,)] = ledger.select("SELECT parameters FROM SETUP WHERE horizon = 20")
        assert from_json(Parameters, text) == Parameters(horizon=20)
        reigning = install(ledger, CHAMPION)
        assert install(ledger, CHAMPION) == reigning
        challenger = install(ledger, CHALLENGER, "challenger")
        assert install(ledger, CHALLENGER, "challenger") == challenger
        assert install(ledger, CHALLENGER) > challenger
        with pytest.raises(LedgerError, match="is the champion; it cannot challenge"):
            install(ledger, CHALLENGER, "challenger")
        with pytest.raises(LedgerError, match="is no role"):
            install(ledger, CHAMPION, "king")
        assert install(ledger, dataclasses.replace(CHAMPION, horizon=20)) > challenger + 1  # of another horizon
    with pytest.raises(LedgerError, match="hold a number that JSON has no word for"), live.ledger() as ledger:
        declare(ledger, 1, {"alpha": float("nan")})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"probability": np.array([0.5, 1.5, 0.5])}, "BBB: 1.5 is no probability"),
        ({"probability": np.array([0.5, 0.5, np.nan])}, "CCC: nan is no probability"),
        ({"closes": np.zeros((3, 21))}, "AAA: 0.0 is no close"),
        ({"sessions": ["yesterday"] * 3}, "'AAA' after 'yesterday'"),
        ({"sessions": ["2024-02-20"] * 3}, "its session 2024-02-20 has not begun at XNYS"),
    ],
)
def test_what_is_no_prediction_is_refused_and_nothing_is_written(
    tmp_path: Path, change: dict[str, object], message: str
) -> None:
    live = begun(tmp_path)
    before = live.path.read_bytes()
    forecasts = dataclasses.replace(live.forecasts(FRIDAY), **change)  # type: ignore[arg-type]
    with pytest.raises(LedgerError) as refused, live.ledger() as ledger:
        write_predictions(ledger, forecasts, dict.fromkeys(live.shares, "XNYS"))
    assert message in str(refused.value)
    assert live.path.read_bytes() == before


def test_a_share_whose_exchange_nobody_knows_is_refused(tmp_path: Path) -> None:
    live = begun(tmp_path)
    with live.ledger() as ledger:
        with pytest.raises(LedgerError, match="CCC: its exchange is not known"):
            write_predictions(ledger, live.forecasts(FRIDAY), {"AAA": "XNYS", "BBB": "XNYS"})
        with pytest.raises(ExchangeError, match="XXXX: is no exchange"):
            write_predictions(ledger, live.forecasts(FRIDAY), dict.fromkeys(live.shares, "XXXX"))


def test_a_clock_that_was_set_back_writes_nothing(tmp_path: Path) -> None:
    live = begun(tmp_path)
    live.now = moment("2024-02-16 21:00")
    with pytest.raises(LedgerError, match=r"last row was written at 2024-02-16T21:30:00Z, and the clock says .*21:00"):
        live.predict(FRIDAY)


def test_nothing_is_changed_or_removed_by_accident(tmp_path: Path) -> None:
    live = lived(tmp_path, 2)
    connection = sqlite3.connect(live.path)
    row = connection.execute("SELECT * FROM PREDICTION").fetchone()
    marks = ", ".join("?" * len(row))
    for statement, values in (
        ("UPDATE PREDICTION SET probability = 0.9", ()),
        ("DELETE FROM OUTCOME", ()),
        ("DELETE FROM PREDICTION WHERE seq = 5", ()),
        (f"INSERT OR REPLACE INTO PREDICTION VALUES ({marks})", row),
        (f"INSERT INTO PREDICTION VALUES ({marks})", (row[0] + 1000, *row[1:])),
        ("INSERT INTO NOTE (kind, text, written, previous, hash) VALUES ('a', 'b', 'c', 'd', 'e')", ()),
    ):
        with pytest.raises(sqlite3.IntegrityError, match=r"a ledger is append-only|the number after the last one"):
            connection.execute(statement, values)
    connection.close()
    assert verify(live.path, now=live.now).sound


def test_a_killed_writer_leaves_what_was_there(tmp_path: Path) -> None:
    live = lived(tmp_path, 2)
    before = rows_of(live.path)
    code = (
        "import os, sys\n"
        "from components.ledger.file import Ledger\n"
        "with Ledger.create(sys.argv[1]) as ledger, ledger.writing() as batch:\n"
        "    for number in range(20000):\n"  # more than SQLite keeps in memory: the file itself is changed by then
        "        batch.add('NOTE', ('test', 'x' * 1000))\n"
        "    os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(live.path)], check=False)
    assert done.returncode == -9
    assert os.path.getsize(f"{live.path}-journal") > 0
    assert verify(live.path, now=live.now).sound
    assert rows_of(live.path) == before
    live.evenings(NEW_YORK[22:23])
    assert verify(live.path, now=live.now).sound


def test_two_writers_wait_for_one_another(tmp_path: Path) -> None:
    live = begun(tmp_path)
    code = (
        "import sys\n"
        "from components.ledger.file import Ledger\n"
        "with Ledger.create(sys.argv[1]) as ledger:\n"
        "    for number in range(6):\n"
        "        with ledger.writing() as batch:\n"
        "            batch.add('NOTE', (sys.argv[2], str(number)))\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(live.path), name]) for name in "ab"]
    assert [writer.wait() for writer in writers] == [0, 0]
    with Ledger.open(live.path) as ledger:
        for name in "ab":
            found = ledger.select("SELECT text FROM NOTE WHERE kind = ? ORDER BY seq", name)
            assert [int(text) for (text,) in found] == list(range(6))
    assert verify(live.path).sound


def test_a_copied_file_is_the_whole_ledger(tmp_path: Path) -> None:
    live = lived(tmp_path, 2)
    with Ledger.open(live.path) as reader:  # a log in use would stay beside the file
        reader.select("SELECT COUNT(*) FROM PREDICTION")
        live.evenings(NEW_YORK[22:23])
        (tmp_path / "copy").write_bytes(live.path.read_bytes())
    assert rows_of(tmp_path / "copy") == rows_of(live.path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["awesome.db", "awesome.db.ledger", "copy"]


def test_what_is_no_ledger_is_named_and_left_alone(tmp_path: Path) -> None:
    live = begun(tmp_path)
    with pytest.raises(LedgerError, match="does not exist; a ledger begins"):
        Ledger.open(tmp_path / "none")
    live.store(FRIDAY)
    before = live.database.read_bytes()
    for way in (Ledger.open, Ledger.create):
        with pytest.raises(LedgerError, match=r"awesome\.db is no ledger: it has no table"):
            way(live.database)
    assert live.database.read_bytes() == before
    (tmp_path / "text").write_text("no database at all, but long enough to be looked at " * 20)
    with pytest.raises(StoreError, match="not a database"):
        Ledger.create(tmp_path / "text")
    with pytest.raises(LedgerError, match="no ledger can be made there"):
        Ledger.create(tmp_path / "no" / "folder")


def test_a_models_digest_is_of_what_computes(tmp_path: Path) -> None:
    def model(name: str, weights: bytes, evidence: bytes) -> Path:
        folder = tmp_path / name
        (folder / "variables").mkdir(parents=True)
        (folder / "assets.extra").mkdir()
        (folder / "saved_model.pb").write_bytes(b"graph")
        (folder / "variables" / "data").write_bytes(weights)
        (folder / "assets.extra" / "evidence.json").write_bytes(evidence)
        return folder

    candidate = model_digest(model("candidate", b"1", b""))
    assert model_digest(model("pushed", b"1", b"{}")) == candidate
    assert model_digest(model("other", b"2", b"")) != candidate
    with pytest.raises(LedgerError, match="holds no model"):
        model_digest(tmp_path / "nothing")
    assert LiveModel(candidate, "linear", "closes", 1).trained_until == ""
