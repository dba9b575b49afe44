from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from replayed_prices import SHARES, Gate, all_days, contents, days, first, listing, stored_days, today, until

from components.extractor.replay import Market, ReplayServer


@pytest.fixture(scope="module")
def market() -> Market:
    listings = {share: listing(share, dividends={days()[100]: 0.5}, splits={days()[200]: 2.0}) for share in SHARES}
    return Market(listings, today())


@pytest.fixture(autouse=True)
def on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is called within this process prints as for a person."""
    monkeypatch.setattr("pipeline.cli.common.prints_on_terminal", lambda: True)


@pytest.fixture
def gate() -> Gate:
    return Gate()


@pytest.fixture
def server(market: Market, gate: Gate, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReplayServer]:
    monkeypatch.delenv("TIINGO_API_KEY", raising=False)
    monkeypatch.setenv("AWESOME_SOURCES_RATE", "1000")
    monkeypatch.setenv("AWESOME_SOURCES_BACKOFF", "0.01")
    monkeypatch.setenv("AWESOME_SOURCES_ATTEMPTS", "2")
    with ReplayServer(market, log=gate) as server:
        monkeypatch.setenv("AWESOME_SOURCES_URL", server.url)
        yield server
        gate.open()


@pytest.fixture(scope="module")
def clean(market: Market, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[tuple[Any, ...]]]:
    """What a single, undisturbed run up to `until` leaves."""
    from components.extractor import ExtractionPlan, HttpSettings, extract

    db = tmp_path_factory.mktemp("clean") / "clean.db"
    with ReplayServer(market) as server:
        plan = ExtractionPlan("tencent", SHARES, first(), until())
        assert extract(plan, db, http=HttpSettings(server.url, rate=1000)).exit_code == 0
    assert stored_days(db) == dict.fromkeys(sorted(SHARES), all_days(until()))
    return contents(db)
