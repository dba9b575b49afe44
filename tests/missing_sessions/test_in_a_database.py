"""What is missing in a database: the exchange of a share, its source's word for it, and its bars on days off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from gappy import NOW, lacks, sessions, texts

from components.feature_store import FeatureStore, PriceBars
from components.feature_store.listings import Listings
from components.missing_sessions.finding import find_missing, last_windows_across

DAYS = sessions("XSHG", "2020-01-02", "2023-12-29")


def bars(days: np.ndarray, **fields: np.ndarray) -> PriceBars:
    close = 100 + np.random.default_rng(1).random(len(days))
    return PriceBars(**{"time": days, "close": close, "factor": np.ones(len(days)), **fields})


def put(path: Path, source: str = "file", **shares: np.ndarray) -> FeatureStore:
    store = FeatureStore.create(path)
    for share, days in shares.items():
        store.upsert(share, bars(days), source)
    return store


def test_a_source_says_the_exchange(tmp_path: Path) -> None:
    with put(tmp_path / "a.db", "tencent", sh600519=np.delete(DAYS, [300, 301]), sz000001=DAYS) as store:
        assert lacks(find_missing(store, NOW)) == {"sh600519": texts(DAYS[300:302])}


def test_a_name_that_a_source_does_not_write_has_no_exchange(tmp_path: Path) -> None:
    with put(tmp_path / "a.db", "tencent", AAA=np.delete(DAYS, [300, 301])) as store:
        assert lacks(find_missing(store, NOW)) == {}


def test_what_an_import_named_goes_before_the_source(tmp_path: Path) -> None:
    days = sessions("XHKG", "2020-01-02", "2023-08-31")
    with put(tmp_path / "a.db", "tencent", sh600519=days) as store:
        assert set(find_missing(store, NOW).listed) == {"sh600519"}
        store.listings.put(["sh600519"], "XHKG")
        found = find_missing(store, NOW)
    assert (lacks(found), found.listed, found.notes) == ({}, {}, ())


def test_a_session_that_is_written_meanwhile_is_not_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(tmp_path / "a.db", "tencent", sh600519=np.delete(DAYS[:-1], [300, 301]), sz000001=DAYS[:-1]).close()
    read = Listings.days

    def days(listings: Listings, shares: Sequence[str]) -> Iterator[tuple[str, np.ndarray]]:
        yield from read(listings, shares)
        put(tmp_path / "a.db", "tencent", sh600519=DAYS[-1:]).close()

    monkeypatch.setattr(Listings, "days", days)
    with FeatureStore.open(tmp_path / "a.db") as store:
        assert lacks(find_missing(store, NOW)) == {"sh600519": texts(DAYS[300:302])}
        assert [one.last for one in store.shares()] == [DAYS[-1].item(), DAYS[-2].item()]


def test_prices_of_a_synthetic_market_lack_nothing(tmp_path: Path) -> None:
    from components.synthetic_market import generate, write_market

    write_market(generate("reversal", shares=4, sessions=1200), tmp_path / "a.db")
    with FeatureStore.open(tmp_path / "a.db") as store:
        found = find_missing(store, NOW, suggest=["S000"])
    assert (found.total, found.notes) == (0, ())


@pytest.mark.parametrize(("volume", "repeats", "quiet"), [(0.0, False, 2), (5.0, True, 2), (5.0, False, 0)])
def test_bars_on_days_off_that_nobody_traded(tmp_path: Path, volume: float, repeats: bool, quiet: int) -> None:
    odd = np.array(["2021-02-15", "2022-10-04"], "M8[D]")
    days = np.union1d(DAYS, odd)
    at = np.flatnonzero(np.isin(days, odd))
    close, volumes = 100 + np.arange(len(days)) / 8, np.full(len(days), 9.0)
    volumes[at] = volume
    if repeats:
        close[at] = close[at - 1]
    with FeatureStore.create(tmp_path / "a.db") as store:
        store.upsert("AAA", bars(days, close=close, volume=volumes), "file")
        store.listings.put(["AAA"], "XSHG")
        notes = find_missing(store, NOW).notes
    assert notes[0] == "XSHG: 2 bars are on days off (AAA 2021-02-15, 2022-10-04)"
    said = "XSHG: 2 of 2 bars on days off have no volume or repeat the close before: hardly anybody traded"
    assert list(notes[1:]) == ([said] if quiet else [])


def test_bars_on_days_off_are_counted_by_exchange(tmp_path: Path) -> None:
    odd = {"XNYS": ["2021-02-15", "2022-07-04"], "XSHG": ["2021-02-15", "2022-10-04", "2022-10-05"]}
    with FeatureStore.create(tmp_path / "a.db") as store:
        for exchange, texts_of_days in odd.items():
            days = np.union1d(sessions(exchange, "2021-01-04", "2023-12-20"), np.array(texts_of_days, "M8[D]"))
            volume = np.where(np.isin(days, np.array(texts_of_days[:2], "M8[D]")), 0.0, 9.0)
            close = 100 + np.arange(len(days)) / 8
            store.upsert(exchange[1:], bars(days, close=close, volume=volume), "file")
            store.listings.put([exchange[1:]], exchange)
        found = find_missing(store, NOW)
    end = "bars on days off have no volume or repeat the close before: hardly anybody traded"
    assert [note for note in found.notes if note.endswith(end)] == [f"XNYS: 2 of 2 {end}", f"XSHG: 2 of 3 {end}"]
    assert [note for note in found.of(["SHG"]).notes if note.endswith(end)] == [f"XSHG: 2 of 3 {end}"]


def test_last_windows_that_reach_across_too_many(tmp_path: Path) -> None:
    shares = {
        "AAA": DAYS,
        "BBB": np.delete(DAYS, np.arange(-10, -4)),  # six of the sessions of its last window
        "CCC": np.delete(DAYS, np.arange(-10, -5)),  # five
        "DDD": np.delete(DAYS, np.arange(-60, -30)),  # long ago
        "EEE": DAYS[:-30],  # gone
    }
    with put(tmp_path / "a.db", **shares) as store:
        assert last_windows_across(store, list(shares), 5, NOW) == {"BBB": 6}
        assert last_windows_across(store, list(shares), 0, NOW) == {"BBB": 6, "CCC": 5}
        assert last_windows_across(store, ["AAA", "CCC"], 4, NOW) == {"CCC": 5}
