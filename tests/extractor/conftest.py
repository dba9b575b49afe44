"""A replay server with a small market, and an extraction from it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from replayed_market import SHARES, TODAY, Run, evening, http_for, listing, plan_for

from components.extractor import ExtractionReport, extract
from components.extractor.replay import Market, ReplayServer


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture(scope="session")
def market() -> Market:
    names = {share for shares in SHARES.values() for share in shares}
    return Market({share: listing(share) for share in names}, TODAY)


@pytest.fixture
def server(market: Market, monkeypatch: pytest.MonkeyPatch) -> Iterator[ReplayServer]:
    monkeypatch.setenv("TIINGO_API_KEY", "a-very-secret-key")
    with ReplayServer(market) as server:
        yield server


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "awesome.db"


@pytest.fixture
def run(server: ReplayServer, database: Path) -> Run:
    """Extracts what a source has on the evening of a day."""

    def run(source: str, day: dt.date = TODAY, db: Path = database, **options: Any) -> ExtractionReport:
        server.market = replace(server.market, today=day)
        plan = options.pop("plan", None) or plan_for(source, **options.pop("plan_options", {}))
        http = options.pop("http", None) or http_for(server)
        return extract(plan, db, http=http, now=options.pop("now", evening(day)), **options)

    return run
