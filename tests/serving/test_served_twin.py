"""A pushed model's twin as a server answers by it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pushed import push
from running import running
from twins import dense_record, windows, write_twin

from components.model_selector.files import EVIDENCE_FILE, Evidence
from components.model_selector.opening import open_pushed
from models.card import EXTRA_FOLDER
from models.features import CLOSES, SHARE_ID, TIME
from models.twin.forecasting import load_twin
from models.twin.proof import Proof
from models.twin.proving import prove
from pipeline.serving.people import LastWindows
from pipeline.uses.serve import ServedModelError, load_pushed

SHARES = ["AAA", "BBB", "NEW"] * 600


def rows_of(folder: Path) -> Any:
    closes = windows(1800, seed=3)
    shares = np.array([share.encode() for share in SHARES], object)
    raw = {SHARE_ID: shares, CLOSES: closes, TIME: np.zeros(1800, np.int64)}
    return raw, load_twin(folder).answer(raw)


def pushed_twin(base: Path, **changed: Any) -> Path:
    folder = push(base, 1)
    write_twin(dense_record(), folder)
    proof = replace(prove(folder, *rows_of(folder)), **changed)
    (folder / EXTRA_FOLDER / EVIDENCE_FILE).write_text(Evidence({}, twin=proof).to_json())
    return folder


def test_single_precision_answers_where_nobody_asks_for_the_same_bits_again(tmp_path: Path) -> None:
    folder = pushed_twin(tmp_path)
    twin, closes = load_twin(folder), windows(1800, seed=4)
    with ThreadPoolExecutor(2) as threads:
        served = load_pushed(open_pushed(folder), threads.map)
        exact, estimate = served.forecast(SHARES, closes), served.estimate(SHARES, closes)
    np.testing.assert_array_equal(exact, twin.forecast(SHARES, closes))
    np.testing.assert_allclose(estimate, exact, rtol=0, atol=1e-6)
    assert (estimate != exact).any()


@pytest.mark.parametrize("estimated", [None, 1.5e-6])
def test_a_twin_whose_single_precision_was_not_proven_answers_exactly(tmp_path: Path, estimated: float | None) -> None:
    folder = pushed_twin(tmp_path, estimated=estimated)
    served, closes = load_pushed(open_pushed(folder)), windows(1800, seed=4)
    np.testing.assert_array_equal(served.estimate(SHARES, closes), served.forecast(SHARES, closes))


@pytest.mark.parametrize(
    ("proof", "why"),
    [
        (None, "its run was of a version that proved none"),
        (Proof(reason="on the test rows it is 1e-03 from TensorFlow's answers"), "on the test rows it is 1e-03"),
        (Proof("another", 60, 0.0), "it is not the one that was proven on the test rows"),
    ],
)
def test_a_twin_that_was_not_proven_does_not_answer(tmp_path: Path, proof: Proof | None, why: str) -> None:
    folder = pushed_twin(tmp_path)
    (folder / EXTRA_FOLDER / EVIDENCE_FILE).write_text(Evidence({}, twin=proof).to_json())
    with pytest.raises(ServedModelError, match=f"cannot answer without TensorFlow: {why}.*; train it again"):
        load_pushed(open_pushed(folder))


def test_a_model_without_evidence_is_opened_and_has_no_proof(tmp_path: Path) -> None:
    folder = pushed_twin(tmp_path)
    (folder / EXTRA_FOLDER / EVIDENCE_FILE).write_text("{")
    pushed = open_pushed(folder)
    assert (pushed.card.formatter, pushed.evidence, pushed.proof) == ("window_returns", None, None)


class TwoVoiced:
    """Tells by its answers how it was asked."""

    def forecast(self, share_ids: Any, closes: Any) -> Any:
        return np.full(len(share_ids), 0.75)

    def estimate(self, share_ids: Any, closes: Any) -> Any:
        return np.full(len(share_ids), 0.25)


def test_what_is_written_down_and_what_people_are_told_is_exact(base: Path) -> None:
    body = {"signature_name": "predict_closes", "inputs": {"share_id": ["A"], "closes": windows(1).tolist()}}
    last = LastWindows(("A",), ("2026-11-27",), windows(1), {})
    with running(base, load=lambda pushed: TwoVoiced(), windows=lambda shares, card: last) as server:
        assert server.ask(body).json() == {"outputs": [[0.25]]}
        assert server.http.get("/v1/forecast").json()["shares"][0]["probability"] == 0.75
    with running(base, load=lambda pushed: TwoVoiced(), record=lambda answers: None) as server:
        assert server.ask(body).json() == {"outputs": [[0.75]]}
