"""What the server answers stands in the ledger before it is given, or it is not given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pushed import MODEL, Sloped, names, push, windows
from running import running

from components.feature_store import FeatureStore
from components.ledger.clocks import MADE_CLOCK
from components.ledger.columns import Reads, keep_reads
from components.ledger.errors import LedgerError
from components.ledger.file import Ledger
from components.ledger.labels import keep_label
from components.ledger.recomputing import recompute, written_predictions
from components.ledger.setting_up import LiveModel, declare, install, model_digest, note
from models.card import CARD_FILE, EXTRA_FOLDER, read_card
from models.day_wide.columns import width_of
from models.formatters import get_formatter
from models.labels import UP
from pipeline.plan import Plan, load_plan
from pipeline.uses.serve import windows_of
from pipeline.uses.served_ledger import ServedLedger

SHARES = ["S000", "S001", "S002"]
Begin = Callable[..., Path]


@pytest.fixture
def plan(market_db: Path, folder: Path) -> Plan:
    copy = folder / "copy.db"
    copy.write_bytes(market_db.read_bytes())
    with FeatureStore.create(copy) as store:
        store.listings.put(SHARES, "XNYS")
    return load_plan({"db": copy})


@pytest.fixture
def pushed_model(folder: Path) -> Path:
    return push(folder / MODEL, 3)


def begun(folder: Path, model: Path, label: str = UP, reads: Mapping[str, int] | None = None) -> Path:
    path = folder / "copy.db.ledger"
    with Ledger.create(path) as ledger:
        declare(ledger, 1, {"made": "here"})
        keep_label(ledger, model_digest(model), label)
        keep_reads(ledger, Reads(model_digest(model), reads or {}, tuple(SHARES) if reads else ()))
        install(ledger, LiveModel(model_digest(model), "linear", "window_returns", 1))
    return path


def rows(path: Path) -> list[Any]:
    with Ledger.open(path) as ledger:
        return ledger.select("SELECT share_id, session, probability, close0, close20 FROM PREDICTION ORDER BY share_id")


def last_windows(plan: Plan) -> Any:
    with FeatureStore.open(plan.database) as store:
        return store.listings.last_windows(SHARES)


def test_forecasts_stand_in_the_ledger_with_what_the_store_holds(plan: Plan, folder: Path, pushed_model: Path) -> None:
    path, held = begun(folder, pushed_model), last_windows(plan)
    with running(pushed_model.parent, windows=windows_of(plan), record=ServedLedger(plan, path)) as server:
        answer = server.http.get("/v1/forecast")
        assert answer.status_code == 200, answer.text
        given = {one["share_id"]: one for one in answer.json()["shares"]}
        again = server.http.get("/v1/forecast", params={"shares": "S001"})
        assert again.status_code == 200
    written = rows(path)
    assert [(row[0], row[1]) for row in written] == list(zip(SHARES, held.time, strict=True))
    np.testing.assert_array_equal([row[3] for row in written], held.closes[:, 0])
    np.testing.assert_array_equal([row[4] for row in written], held.closes[:, 20])
    assert [np.float32(row[2]) for row in written] == [np.float32(given[share]["probability"]) for share in SHARES]


def test_closes_that_a_client_sends_are_written_down_where_they_are_the_stores(
    plan: Plan, folder: Path, pushed_model: Path
) -> None:
    path, held = begun(folder, pushed_model), last_windows(plan)
    with running(pushed_model.parent, record=ServedLedger(plan, path)) as server:
        inputs = {"share_id": SHARES, "closes": held.closes.tolist()}
        assert server.ask({"signature_name": "predict_closes", "inputs": inputs}).status_code == 200
        inputs["closes"][1][7] *= 1.001
        refused = server.ask({"signature_name": "predict_closes", "inputs": inputs})
        assert refused.status_code == 400
        assert "row 1 (S001) is not the last window of" in refused.json()["error"]
        unknown = {"share_id": names(1), "closes": windows(1).tolist()}
        refused = server.ask({"signature_name": "predict_closes", "inputs": unknown})
        assert refused.status_code == 400
        assert "cannot be written down" in refused.json()["error"]
    assert len(rows(path)) == 3


def test_a_model_that_the_ledger_does_not_know_is_not_answered_for(
    plan: Plan, folder: Path, pushed_model: Path
) -> None:
    path = begun(folder, pushed_model)
    (pushed_model / "slope").write_text("10.5")  # another model than the one that was written down
    (pushed_model / "made_by").write_text("10.5")
    with running(pushed_model.parent, windows=windows_of(plan), record=ServedLedger(plan, path)) as server:
        refused = server.http.get("/v1/forecast")
    assert refused.status_code == 400
    assert "is written before its first prediction" in refused.json()["error"]
    assert rows(path) == []


def test_a_model_of_another_label_than_the_ledgers_is_not_answered_for(
    plan: Plan, folder: Path, pushed_model: Path
) -> None:
    path = begun(folder, pushed_model)
    card = read_card(pushed_model)
    (pushed_model / EXTRA_FOLDER / CARD_FILE).write_text(replace(card, label="outperform").to_json())
    with running(pushed_model.parent, windows=windows_of(plan), record=ServedLedger(plan, path)) as server:
        refused = server.http.get("/v1/forecast")
    assert refused.status_code == 400
    assert (
        "the model's label is outperform, and the ledger has it as one of a higher close; let `awesome daily`"
        in (refused.json()["error"])
    )
    assert rows(path) == []


def test_a_model_of_the_ledgers_own_label_is_answered_for(plan: Plan, folder: Path, pushed_model: Path) -> None:
    path = begun(folder, pushed_model, "outperform")
    card = read_card(pushed_model)
    (pushed_model / EXTRA_FOLDER / CARD_FILE).write_text(replace(card, label="outperform").to_json())
    with running(pushed_model.parent, windows=windows_of(plan), record=ServedLedger(plan, path)) as server:
        answer = server.http.get("/v1/forecast")
    assert answer.status_code == 200, answer.text
    assert len(rows(path)) == len(SHARES)


def test_a_model_that_sees_the_other_shares_is_answered_for_with_what_it_saw(
    plan: Plan, folder: Path, pushed_model: Path
) -> None:
    formatter = get_formatter("market_relative")
    card = replace(read_card(pushed_model), formatter=formatter.name, market=tuple(SHARES))
    (pushed_model / EXTRA_FOLDER / CARD_FILE).write_text(card.to_json())
    path = begun(folder, pushed_model, reads={name: width_of(name) for name in formatter.day_columns})
    with running(pushed_model.parent, windows=windows_of(plan), record=ServedLedger(plan, path)) as server:
        assert server.http.get("/v1/forecast").status_code == 200
        alone = server.http.get("/v1/forecast", params={"shares": "S001"})
        assert alone.status_code == 200  # the same prediction, which stands there already
    held = last_windows(plan)
    moved = np.log(held.closes[:, 0]) - np.log(held.closes[:, 1])
    with Ledger.open(path) as ledger:
        [found] = written_predictions(ledger, model_digest(pushed_model))
        again = recompute(ledger, model_digest(pushed_model), Sloped(10).forecast)
    np.testing.assert_allclose(found.day["day_rank_1"], np.argsort(np.argsort(moved)) / 3 - 1 / 3, atol=1e-7)
    assert (again.predictions, len(again.different)) == (len(SHARES), len(SHARES))  # answers are in single precision
    assert max(abs(one.computed - one.written) for one in again.different) < 1e-7


def test_a_model_whose_columns_the_ledger_does_not_know_is_not_answered_for(
    plan: Plan, folder: Path, pushed_model: Path
) -> None:
    path = begun(folder, pushed_model)
    card = replace(read_card(pushed_model), formatter="market_relative", market=tuple(SHARES))
    (pushed_model / EXTRA_FOLDER / CARD_FILE).write_text(card.to_json())
    with running(pushed_model.parent, windows=windows_of(plan), record=ServedLedger(plan, path)) as server:
        refused = server.http.get("/v1/forecast")
    assert refused.status_code == 400
    assert "as one that reads nothing beside windows" in refused.json()["error"]
    assert rows(path) == []


def test_a_ledger_that_is_not_there_is_refused_at_the_start(plan: Plan, folder: Path) -> None:
    with pytest.raises(LedgerError, match="does not exist"):
        ServedLedger(plan, folder / "none.ledger")


def test_a_ledger_whose_times_are_made_is_not_written_to(plan: Plan, pushed_model: Path, folder: Path) -> None:
    path = begun(folder, pushed_model)
    ServedLedger(plan, path)
    with Ledger.create(path) as ledger:
        note(ledger, MADE_CLOCK, "as in a replay")
    with pytest.raises(LedgerError, match=r"its times are made .* name another database, or move it away"):
        ServedLedger(plan, path)
