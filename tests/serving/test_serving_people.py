"""Forecasts for people: the store's last windows, the model's answers, and what these are worth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pushed import MODEL, Sloped, names, push, windows
from running import running

from components.errors import StoreError
from models.card import ModelCard
from pipeline.serving.answering import Answers
from pipeline.serving.gate import Limits
from pipeline.serving.people import LastWindows

SHARES = 4


def read(shares: tuple[str, ...], card: ModelCard) -> LastWindows:
    assert card.formatter == "window_returns"
    wanted = shares or tuple(names(SHARES))
    for share in wanted:
        if share not in names(SHARES):
            raise StoreError(f"awesome.db: holds no share {share}")
    closes = windows(SHARES)[[names(SHARES).index(share) for share in wanted]]
    sessions = tuple("2026-11-27" for _ in wanted)
    return LastWindows(wanted, sessions, closes, {"GONE": "its last window reaches across 9 missing sessions"})


def test_a_forecast_says_what_the_model_is_worth(base: Path) -> None:
    with running(base, windows=read) as server:
        found = server.http.get("/v1/forecast").json()
    probabilities = Sloped(10).forecast(names(SHARES), windows(SHARES)).astype(np.float32)
    shares = found.pop("shares")
    assert [one["share_id"] for one in shares] == [names(SHARES)[at] for at in np.argsort(-probabilities)]
    assert [np.float32(one["probability"]) for one in shares] == sorted(probabilities, reverse=True)
    assert {one["session"] for one in shares} == {"2026-11-27"}
    assert found == {
        "model": MODEL,
        "version": "3",
        "architecture": "linear",
        "formatter": "window_returns",
        "horizon": 1,
        "label": "up",
        "blessed": True,
        "reason": "better than chance",
        "auc": 0.6371,
        "auc_interval": [0.6267, 0.6475],
        "left_out": {"GONE": "its last window reaches across 9 missing sessions"},
        "cautions": [],
    }


def test_shares_and_a_version_may_be_named(base: Path) -> None:
    with running(base, windows=read) as server:
        found = server.http.get("/v1/forecast", params={"shares": " S0002,S0000 ,S0002", "version": "3"}).json()
        assert {one["share_id"] for one in found["shares"]} == {"S0000", "S0002"}


@pytest.mark.parametrize(
    ("query", "status", "error"),
    [
        ("shares=S0001,X", 400, "awesome.db: holds no share X"),
        ("share=S0001", 400, "there is no parameter share; there are shares and version"),
        ("version=last", 400, "version is 'last', not a number"),
        ("version=9", 404, f"Servable not found for request: Specific({MODEL}, 9)"),
        ("shares=" + ",".join(names(11)), 400, "11 shares are more than the 10 of one request"),
    ],
)
def test_a_forecast_that_cannot_be_made_says_why(base: Path, query: str, status: int, error: str) -> None:
    with running(base, windows=read, limits=Limits(rows=10)) as server:
        answer = server.http.get(f"/v1/forecast?{query}")
        assert (answer.status_code, answer.json()) == (status, {"error": error})


def test_a_server_without_a_database_says_what_to_ask_instead(base: Path) -> None:
    with running(base) as server:
        answer = server.http.get("/v1/forecast")
        assert answer.status_code == 400
        assert ":predict" in answer.json()["error"]


def test_a_model_without_evidence_is_not_said_to_be_blessed(base: Path) -> None:
    (push(base, 4) / "assets.extra" / "evidence.json").unlink()
    with running(base, windows=read) as server:
        found = server.http.get("/v1/forecast").json()
        assert (found["version"], found["blessed"], found["auc"]) == ("4", False, None)


def test_what_is_written_down_of_a_forecast_has_its_sessions(base: Path) -> None:
    written: list[Answers] = []
    with running(base, windows=read, record=written.append) as server:
        server.http.get("/v1/forecast", params={"shares": "S0001"})
    [one] = written
    assert (one.share_ids, one.sessions) == (("S0001",), ("2026-11-27",))
