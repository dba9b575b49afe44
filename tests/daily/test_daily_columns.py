"""The loop with a model that sees the other shares of the day: what it saw stands in the ledger, and proves itself."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet
import pytest
from lived import SHANGHAI, SHARES, START, World, evening, write_run

from components.ledger.columns import reads_of
from components.ledger.export import export_predictions
from components.ledger.file import Ledger
from components.ledger.recomputing import written_predictions
from components.ledger.verifying import verify
from models.formatters import get_formatter
from pipeline.daily.report import AlertKind
from pipeline.uses.live import live_facts
from pipeline.uses.recomputing import recompute_ledger

FORMATTER = get_formatter("market_relative")
EVENINGS = SHANGHAI[START : START + 5]
LEDGER = Path("prices.db.ledger")


@pytest.fixture
def quiet(folder: Path) -> World:
    """A world without a source, whose model is market_relative."""
    world = World(folder, None, {"formatter": FORMATTER.name})
    write_run(world.plan(), pushed=True)
    return world


def lived(world: World, at: int, missing: tuple[str, ...] = (), **flags: Any) -> Any:
    world.bars(EVENINGS[at], missing)
    return world.loop(evening(EVENINGS[at]), **flags)


def select(query: str) -> list[Any]:
    with closing(sqlite3.connect(LEDGER)) as connection:
        return connection.execute(query).fetchall()


def returns(at: int) -> dict[str, np.ndarray]:
    """The last 20 log returns of each share at an evening's session, by the database, the latest last."""
    found = {}
    with closing(sqlite3.connect("prices.db")) as connection:
        query = f"SELECT share_id, {', '.join(f'close{lag}' for lag in range(21))} FROM FEATURE WHERE time = ?"
        for share, *closes in connection.execute(query, (str(EVENINGS[at]),)):
            found[share] = np.diff(np.log(closes[::-1]))
    return found


def test_what_was_seen_of_the_day_stands_before_each_prediction(quiet: World, no_tensorflow: None) -> None:
    reports = [lived(quiet, at) for at in range(3)]
    assert [report.exit_code for report in reports] == [0, 0, 0], reports[0]
    reads = [json.loads(text) for (text,) in select("SELECT text FROM NOTE WHERE kind = 'reads'")]
    assert [sorted(one["columns"]) for one in reads] == [sorted(FORMATTER.day_columns)]
    assert reads[0]["market"] == sorted(SHARES)
    pairs = select(
        "SELECT n.text, p.share_id, p.session, p.previous = n.hash FROM PREDICTION p JOIN NOTE n ON n.seq = p.seq - 1 "
        "WHERE n.kind = 'columns' ORDER BY p.seq"
    )
    assert len(pairs) == 3 * len(SHARES)
    for at in range(3):
        moved = returns(at)
        mean = np.mean(list(moved.values()), axis=0)
        order = sorted(moved, key=lambda share: moved[share][-1])
        for text, share, session, chained in pairs[at * len(SHARES) : (at + 1) * len(SHARES)]:
            held = json.loads(text)
            assert (held["share_id"], held["session"], chained) == (share, session, 1)
            # Nobody missed a session, so the market's moves are the means of these windows.
            np.testing.assert_allclose(held["columns"]["market_relative_returns"], moved[share] - mean, atol=1e-8)
            rank = (order.index(share) + 0.5) / len(SHARES) - 0.5
            assert held["columns"]["day_rank_1"] == [pytest.approx(rank)]
    assert verify(LEDGER, now=evening(EVENINGS[2])).sound

    facts = live_facts(quiet.plan(), now=evening(EVENINGS[2]))
    assert [one.market for one in facts.versions] == [len(SHARES)]
    [page] = quiet.plan().workspace.glob("daily/*/live.html")
    assert "beside 5 shares of the day" in page.read_text()
    assert facts.evidence is not None
    assert [day.session for day in facts.evidence.days] == [str(day) for day in EVENINGS[:2]]


def test_every_prediction_and_all_that_it_was_made_of_is_made_again(quiet: World, no_tensorflow: None) -> None:
    for at in range(3):
        lived(quiet, at)
    [again] = recompute_ledger(quiet.plan())
    assert again.computed is not None
    assert (again.computed.predictions, again.computed.different) == (3 * len(SHARES), ())
    assert (again.inputs, again.otherwise) == (3 * len(SHARES), ())

    # A price of one share restated changes its own windows, and what all others of that day are compared with.
    close = select("SELECT close1 FROM PREDICTION WHERE share_id = 'sz000001' ORDER BY seq DESC LIMIT 1")[0][0]
    with closing(sqlite3.connect("prices.db")) as connection:
        connection.execute(
            "UPDATE PRICE SET close = close * 1.01 WHERE share_id = 'sz000001' AND time = ?", (str(EVENINGS[1]),)
        )
        connection.commit()
    [again] = recompute_ledger(quiet.plan())
    assert again.computed is not None
    assert again.computed.different == ()
    assert close > 0
    by_session = {session: [] for session in map(str, EVENINGS[:3])}
    for one in again.otherwise:
        by_session[one.session].append((one.share_id, "closes" in one.inputs))
    assert by_session[str(EVENINGS[0])] == []
    for session in map(str, EVENINGS[1:3]):
        assert sorted(by_session[session]) == sorted((share, share == "sz000001") for share in SHARES)


def test_a_probability_that_its_columns_do_not_give_is_found(quiet: World) -> None:
    lived(quiet, 0)
    with Ledger.open(LEDGER) as ledger:
        digest = next(iter(reads_of(ledger)))
        [rows] = written_predictions(ledger, digest)
    assert rows.day["market_relative_returns"].shape == (len(SHARES), 20)
    assert rows.day["day_rank_5"].shape == (len(SHARES),)
    # The model's files stay, and say something else from now on.
    [version] = quiet.plan().serving.iterdir()
    (version / "saved_model.pb").write_bytes(b"another one")
    [again] = recompute_ledger(quiet.plan())
    assert again.computed is not None  # the run's candidate is the same model
    for path in quiet.folder.glob("runs/tfx/*/model/Format-Serving/saved_model.pb"):
        path.write_bytes(b"another one")
    [again] = recompute_ledger(quiet.plan())
    assert again.computed is None
    assert again.why.startswith("its files are nowhere in ")


def test_shares_that_lack_sessions_and_bars_are_named(quiet: World) -> None:
    report = lived(quiet, 0, missing=(SHARES[3],))
    assert report.part("predict").numbers["predictions"] == len(SHARES) - 1
    second = lived(quiet, 1, missing=(SHARES[3],))
    assert "what the others are compared with lacks it" not in " ".join(second.part("predict").wrong)
    lived(quiet, 2)
    late = lived(quiet, 3, missing=(SHARES[2],))
    assert f"{SHARES[2]} is not predicted: the bar of the last session has not come, and what the others" in " ".join(
        late.part("predict").wrong
    )
    assert AlertKind.MISSING in [alert.kind for alert in late.alerts]
    lived(quiet, 4)  # the late bar is here: its share is predicted late, and beside all others
    [again] = recompute_ledger(quiet.plan())
    assert again.computed is not None
    assert again.computed.different == ()
    # What was said on the evening without the bar was compared with a market that is another one today.
    assert {one.session for one in again.otherwise} == {str(EVENINGS[0]), str(EVENINGS[1]), str(EVENINGS[3])}


def test_a_share_with_too_few_sessions_is_left_out_and_said(folder: Path) -> None:
    world = World(folder, None, {"formatter": "momentum"})
    write_run(world.plan(), pushed=True)
    report = lived(world, 0)  # some 160 sessions, and momentum reads 252 back
    [why] = report.part("predict").wrong
    assert why == f"{', '.join(sorted(SHARES))} are not predicted: too few sessions for the formatter momentum"
    assert AlertKind.MISSING not in [alert.kind for alert in report.alerts]
    assert not LEDGER.exists()


def test_a_market_that_lacks_shares_is_named(quiet: World) -> None:
    """Of the market that the model was trained beside one share is gone: it is compared with another one."""
    quiet.bars(EVENINGS[0])
    with closing(sqlite3.connect("prices.db")) as connection:
        for table in ("PRICE", "FEATURE"):
            connection.execute(f"DELETE FROM {table} WHERE share_id = ?", (SHARES[4],))
        connection.commit()
    report = quiet.loop(evening(EVENINGS[0], 11), shares=",".join(SHARES[:4]))
    assert f"{SHARES[4]} is not there, of the market that the model was trained beside" in " ".join(
        report.part("predict").wrong
    )


def test_an_export_holds_the_columns(quiet: World) -> None:
    lived(quiet, 0)
    with Ledger.open(LEDGER) as ledger:
        export_predictions(ledger, Path("out.parquet"))
        export_predictions(ledger, Path("out.csv"))
    rows = pyarrow.parquet.read_table("out.parquet").to_pylist()
    held = [json.loads(text)["columns"] for (text,) in select("SELECT text FROM NOTE WHERE kind = 'columns'")]
    assert [json.loads(row["columns"]) for row in rows] == held
    assert "market_relative_returns" in Path("out.csv").read_text()
