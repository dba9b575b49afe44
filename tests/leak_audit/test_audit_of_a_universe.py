"""The audit of a universe: an honest run with members and delistings passes, and rows of no members are named."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audited_parts import SMALL, audited_by
from databases import execute
from made_rows import rows_of_store
from test_day_levels_proof import OUTPERFORM, SPLIT, checked

from benchmarks.planted_leaks.small_runs import make_run, plain_bars, write_prices
from components.feature_store import FeatureStore, PriceBars, Spell
from components.leak_audit.checks import completeness, label_proof, prefix_replay, split_proof
from components.leak_audit.reading.rows import TEST
from components.leak_audit.results import Status
from components.synthetic_market import Market, generate

SESSIONS = 520
LAST = (480, 262, 300, SESSIONS - 1)
"""The last session of the first shares; the second one ends just before the first border, at 270."""


def some_bars(market: Market, share: int) -> PriceBars:
    whole, end = plain_bars(market, share), [*LAST, *[SESSIONS - 1] * 9][share] + 1
    return PriceBars(whole.time[:end], whole.close[:end], whole.factor[:end])


def put_members(path: Path) -> None:
    """The last of the shares belongs to it never, the one before twice, and the delistings of two are known."""
    with FeatureStore.create(path) as store:
        days, names = store.sessions(), [one.share_id for one in store.shares()]

        def day(session: int) -> object:
            return days[min(session - 20, len(days) - 1)].item()

        values = (-0.3, 0.4, None)
        spells = [
            Spell(name, day(20), day(last), value) for name, last, value in zip(names, LAST, values, strict=False)
        ]
        spells += [Spell(name, day(60)) for name in names[3:-2]]
        spells += [Spell(names[-2], day(20), day(120)), Spell(names[-2], day(200), day(420))]
        store.listings.put_members(spells)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "prices.db"
    write_prices(generate("market_factor", shares=8, sessions=SESSIONS, seed=1), path, some_bars)
    put_members(path)
    return path


def test_levels_and_labels_of_members_are_those_of_the_prices(database: Path) -> None:
    rows = rows_of_store(database, SPLIT, label=OUTPERFORM)
    last = max(rows.time[rows.share == 0])
    assert rows.returns[1][(rows.share == 0) & (rows.time == last)] == np.float32(-0.3)
    assert len(rows.shares) == 7
    for check in (label_proof.NAME, completeness.NAME):
        found = checked(database, rows, check)
        assert found.status is Status.PASSED, found.sentence
    assert "days are those that all shares' prices give" in checked(database, rows).sentence


def test_a_spell_may_begin_and_end_on_the_first_and_last_day_there_is(database: Path) -> None:
    with FeatureStore.create(database) as store:
        spells = store.listings.members()
        ever = [replace(one, first=dt.date.min, last=one.last or dt.date.max) for one in spells[:-2]]
        store.listings.put_members([*ever, *spells[-2:]])
    rows = rows_of_store(database, SPLIT, label=OUTPERFORM)
    for check in (label_proof.NAME, completeness.NAME):
        found = checked(database, rows, check)
        assert found.status is Status.PASSED, found.sentence


def test_levels_that_are_made_of_others_than_members_are_found(database: Path) -> None:
    with FeatureStore.create(database) as store:
        spells = store.listings.members()
        store.listings.put_members(())
        names = [one.share_id for one in store.shares()][:-1]
    rows = rows_of_store(database, SPLIT, names, label=OUTPERFORM)
    with FeatureStore.create(database) as store:
        store.listings.put_members(spells)
    found = checked(database, rows)
    assert found.status is Status.LEAKING
    assert "have another level than the prices of their day give" in found.sentence


def test_rows_of_no_members_and_delistings_of_later_are_not_those_of_the_database(database: Path) -> None:
    rows = rows_of_store(database, SPLIT)
    with FeatureStore.create(database) as store:
        spells = store.listings.members()
        store.listings.put_members([replace(spells[0], delisting_return=-0.9), *spells[1:]])
    found = checked(database, rows, completeness.NAME, label="up")
    assert found.status is Status.LEAKING
    assert "have another forward_return_20 than the database" in found.sentence
    with FeatureStore.create(database) as store:
        short = replace(spells[3], last=rows_day(rows.time[rows.of(TEST)].min()))
        store.listings.put_members([*spells[:3], short, *spells[4:]])
    found = checked(database, rows, completeness.NAME, label="up")
    assert found.status is Status.LEAKING
    assert "rows of the examples are none that the database gives" in found.sentence


def rows_day(number: np.int64) -> object:
    text = str(number)
    return np.datetime64(f"{text[:4]}-{text[4:6]}-{text[6:]}").item()


def test_a_database_whose_members_have_changed_cannot_be_compared(database: Path) -> None:
    rows = rows_of_store(database, SPLIT)
    execute(database, "UPDATE MEMBER SET delisting_return = -0.9 WHERE delisting_return = -0.3")
    found = checked(database, rows, completeness.NAME, label="up", fingerprint="of another database")
    assert found.status is Status.NOT_APPLICABLE
    assert found.sentence.startswith("The database has changed")


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning:google")
def test_a_run_with_members_and_delistings_passes_every_proof(tmp_path: Path) -> None:
    asked = replace(SMALL, shares=8, sessions=SESSIONS, bars=some_bars, store=put_members, formatter="market_relative")
    report = audited_by(
        make_run(tmp_path, asked), completeness.NAME, label_proof.NAME, prefix_replay.NAME, split_proof.NAME
    )
    assert {check.name: check.status for check in report.checks} == dict.fromkeys(
        (completeness.NAME, label_proof.NAME, prefix_replay.NAME, split_proof.NAME), Status.PASSED
    ), [check.sentence for check in report.checks]
