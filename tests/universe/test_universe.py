"""Who belongs to the universe on a day, what of it is known by then, and who of a store has ended."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from databases import bars, days, put

from components.feature_store import FeatureStore, Spell, read_decisions
from components.synthetic_market import generate, write_market
from components.universe.survivorship import summarise
from components.universe.universe import EVERYBODY, Universe, fingerprint_of, left_out, strangers, universe_of

DAYS = days(60)


def day(number: int) -> dt.date:
    return days(90)[number].item()


SPELLS = (
    Spell("AAA", day(25), day(30)),
    Spell("AAA", day(40)),
    Spell("BBB", day(0), day(49), -0.4),
    Spell("CCC", day(0)),
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.db"
    for share, count in (("AAA", 60), ("BBB", 50), ("CCC", 60), ("DDD", 60)):
        put(path, share, bars(count), "file")
    with FeatureStore.create(path) as store:
        store.listings.put_members(SPELLS)
    return path


def made(path: Path, last: int = 59) -> Universe:
    with FeatureStore.open(path) as store:
        return universe_of(store, DAYS[20 : last + 1])


def test_a_share_belongs_to_it_from_the_first_to_the_last_day_of_each_spell(path: Path) -> None:
    there = made(path)
    assert np.flatnonzero(there.members("AAA", DAYS)).tolist() == [*range(25, 31), *range(40, 60)]
    assert np.flatnonzero(there.members("BBB", DAYS)).tolist() == list(range(50))
    assert not there.members("DDD", DAYS).any()
    assert EVERYBODY.members("DDD", DAYS).all()


def test_a_delisting_is_known_on_the_session_after_the_last_price_and_not_before(path: Path) -> None:
    there = made(path)
    [(share, found)] = there.delistings.items()
    assert (share, found.last, found.known, found.value) == ("BBB", DAYS[49], DAYS[50], -0.4)
    assert not made(path, last=49).delistings
    assert not there.until(DAYS[49]).delistings
    assert there.until(DAYS[50]).delistings


def test_what_is_known_on_a_day_is_what_a_database_of_that_day_says(path: Path) -> None:
    shares = ["AAA", "BBB", "CCC"]
    for last in (26, 30, 35, 45, 49, 50, 59):
        early = made(path).until(DAYS[last])
        for share in shares:
            np.testing.assert_array_equal(
                early.members(share, DAYS[: last + 1]), made(path).members(share, DAYS[: last + 1])
            )
        assert early.digest("x", shares) == made(path, last).digest("x", shares)
    # A spell that ends one day is open until then.
    assert made(path).until(DAYS[28]).members("AAA", DAYS[35:36])[0]


def test_that_a_spell_ends_with_the_last_session_is_no_change_of_what_was_known_then(path: Path) -> None:
    with FeatureStore.create(path) as store:
        open_end = fingerprint_of(store, ["CCC"], "x", DAYS[45])
        for last, same in ((59, True), (45, True), (44, False)):
            store.listings.put_members([*SPELLS[:3], Spell("CCC", day(0), day(last))])
            assert (fingerprint_of(store, ["CCC"], "x", DAYS[45]) == open_end) is same


def test_a_fingerprint_changes_with_members_and_only_with_them(path: Path) -> None:
    shares = ["AAA", "BBB"]
    with FeatureStore.create(path) as store:
        before = fingerprint_of(store, shares, "x")
        assert fingerprint_of(store, shares, "y") != before
        store.listings.put_members((*SPELLS[:3], Spell("CCC", day(3))))
        assert fingerprint_of(store, shares, "x") == before
        store.listings.put_members((*SPELLS[:2], Spell("BBB", day(0), day(49), -0.5), SPELLS[3]))
        assert fingerprint_of(store, shares, "x") != before
        store.listings.put_members(())
        assert fingerprint_of(store, shares, "x") == "x"


def test_shares_that_are_excluded_or_in_no_spell_are_left_out(path: Path) -> None:
    with FeatureStore.create(path) as store:
        store.decide(read_decisions(exclude=["CCC"]))
        assert (left_out(store), strangers(store)) == ({"CCC", "DDD"}, {"DDD"})
        store.listings.put_members(())
        assert (left_out(store), strangers(store)) == ({"CCC"}, set())


def test_the_ended_are_counted_and_those_whose_end_is_known(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    for share, count in (("AAA", 90), ("BBB", 30), ("CCC", 80), ("DDD", 35)):
        put(path, share, bars(count), "file")

    def summary() -> tuple[int, int, int, int, bool]:
        with FeatureStore.create(path) as store:
            shares = store.shares()
            there = summarise(store, shares)
        assert there.shares == 4
        return there.members, there.without_prices, there.ended, there.delisted, there.survivors_only

    # One that ends ten sessions early may just be late.
    assert summary() == (0, 0, 2, 0, False)
    with FeatureStore.create(path) as store:
        store.listings.put_members(
            [
                Spell("AAA", day(0)),
                Spell("BBB", day(0), day(29), -1),
                Spell("CCC", day(0), day(79), 0.1),
                Spell("XXX", day(0)),
            ]
        )
    assert summary() == (3, 1, 3, 2, False)


def test_a_store_of_survivors_is_told_from_made_markets_in_which_nobody_dies(tmp_path: Path) -> None:
    def only_survivors(path: Path) -> bool:
        with FeatureStore.open(path) as store:
            return summarise(store, store.shares()).survivors_only

    put(tmp_path / "real.db", "AAA", bars(60), "file")
    assert only_survivors(tmp_path / "real.db")
    write_market(generate("null", shares=2, sessions=60), tmp_path / "null.db")
    assert not only_survivors(tmp_path / "null.db")
    market = generate("survivors", shares=40, sessions=1500)
    write_market(market, tmp_path / "all.db")
    assert not only_survivors(tmp_path / "all.db")
    write_market(market.survivors(), tmp_path / "alive.db")
    assert only_survivors(tmp_path / "alive.db")
