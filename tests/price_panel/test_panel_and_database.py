"""A panel that grew by any sequence of evenings answers what the database answers that had the same prices."""

from __future__ import annotations

import inspect
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.day_wide.reading import read_closes
from components.errors import SplitError, StoreError
from components.feature_example_gen.day_levels import levels_of
from components.feature_example_gen.examples import label_rows
from components.feature_example_gen.splits import SplitSettings, plan_splits
from components.feature_store import FeatureStore, PriceBars, Spell, read_decisions
from components.feature_store.listings import Listings
from components.missing_sessions.finding import find_missing
from components.plausibility.search import search
from components.price_panel.store import PanelListings, PanelStore
from components.price_panel.verifying import verify_panel
from components.price_panel.writing import write_store
from components.universe.universe import fingerprint_of, left_out, universe_of
from models.labels import get_label

FIRST = np.datetime64("2020-01-06")
NAMES = ("000001", "1", "600000.SH", "IBM", "BRK B", "Ä", "ibm")
SPLITS = SplitSettings(embargo=0, horizons=(1, 3))


@dataclass(frozen=True)
class Evening:
    """What comes to the database before it is written to the panel.

    Attributes:
        until: sessions that all shares have then, of those that they are to have.
        corrected: shares one price of which is another one then.
        factors: shares whose factors are others then, from a day on.
    """

    until: int
    corrected: frozenset[str]
    factors: frozenset[str]


@st.composite
def histories(draw: st.DrawFn) -> tuple[dict[str, PriceBars], list[Evening], int, int]:
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    generator = np.random.default_rng(draw(st.integers(0, 99)))
    market = {}
    for name in names:
        count = draw(st.sampled_from((5, 21, 90, 140)))
        days = FIRST + np.flatnonzero(np.arange(200) % 7 < 5)[:count]
        kept = np.sort(generator.permutation(len(days))[: max(1, len(days) - draw(st.integers(0, 4)))])
        close = np.round(20 * np.exp(np.cumsum(generator.normal(0, 0.03, len(kept)))), 2)
        if draw(st.booleans()) and len(kept) > 60:
            close[50] *= 10  # a suspect
        factor = np.where(np.arange(len(kept)) < len(kept) // 2, 1, draw(st.sampled_from((1.0, 1.01, 2.0))))
        ranges = {}
        if draw(st.booleans()):
            ranges = {"high": close * 1.01, "low": np.where(np.arange(len(close)) % 9, close * 0.99, np.nan)}
        volume = np.arange(float(len(close))) if draw(st.booleans()) else None
        market[name] = PriceBars(days[kept], close, factor, volume=volume, **ranges)
    some = st.frozensets(st.sampled_from(names), max_size=2)
    evenings = draw(st.lists(st.builds(Evening, st.integers(1, 140), some, some), max_size=4))
    whole = Evening(200, frozenset(), frozenset())
    ordered = [*sorted(evenings, key=lambda one: one.until), whole]
    return market, ordered, draw(st.sampled_from((1, 40, 10_000))), draw(st.integers(0, 2))


def live(folder: Path, market: dict[str, PriceBars], evenings: list[Evening], file_rows: int, people: int) -> None:
    """Brings the same to a database and, an evening at a time, to a panel."""
    for number, evening in enumerate(evenings):
        with FeatureStore.create(folder / "prices.db") as store:
            for name, bars in market.items():
                some = first_of(bars, evening, name)
                store.upsert(name, some, "file")
            if people:
                store.decide(read_decisions(accept=[f"{next(iter(market))}:2020-03-16"], exclude=list(market)[3:4]))
                store.listings.put(list(market)[:1], "XNYS")
            if people > 1:
                days = [(name, bars.time[len(bars) // 3].item(), bars.time[-1].item()) for name, bars in market.items()]
                store.listings.put_members([Spell(*spell, -0.3) for spell in days[:3]])
        with FeatureStore.open(folder / "prices.db") as store:
            written = write_store(folder / "panel", store, file_rows=file_rows)
            assert write_store(folder / "panel", store).files == (), number
            assert written.manifest.rows == sum(len(store.bars(name)) for name in market)


def first_of(bars: PriceBars, evening: Evening, name: str) -> PriceBars:
    some = slice(0, evening.until)
    close, factor = bars.close[some].copy(), bars.factor[some].copy()
    if name in evening.corrected:
        close[-1] += 0.01
    if name in evening.factors:
        factor[len(factor) // 2 :] *= 1.25
    rest = {field: None if (all_of := getattr(bars, field)) is None else all_of[some] for field in ("high", "low")}
    if name in evening.corrected and rest["high"] is not None:
        rest["high"] = rest["high"] + 1
    volume = None if bars.volume is None else bars.volume[some]
    return PriceBars(bars.time[some], close, factor, volume=volume, **rest)


@given(histories())
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
def test_both_answer_the_same(case: tuple[dict[str, PriceBars], list[Evening], int, int]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        live(folder, *case)
        assert verify_panel(folder / "panel").faults == ()
        with FeatureStore.open(folder / "prices.db") as database, PanelStore.open(folder / "panel") as panel:
            same_answers(database, panel)
            same_examples(database, panel)


def same_answers(database: FeatureStore, panel: FeatureStore) -> None:
    """All that can be asked of a store's prices and of what people said of them."""
    shares, everything = database.listings.share_ids(), database.listings.priced()
    assert panel.shares() == database.shares()
    assert panel.decision_list() == database.decision_list()
    assert panel.shares_of("file") == database.shares_of("file")
    assert panel.listings.share_ids() == shares
    assert panel.listings.priced() == everything
    assert panel.listings.exchanges() == database.listings.exchanges()
    assert panel.listings.members() == database.listings.members()
    middle = str(FIRST + 60)
    for until in ("", middle):
        assert panel.digest(until=until) == database.digest(until=until)
        assert panel.digest(shares[::-1][:2], until) == database.digest(shares[::-1][:2], until)
    for some in (None, shares[:1], [*shares, "nobody"]):
        np.testing.assert_array_equal(panel.sessions(some), database.sessions(some))
    assert panel.read_features(shares).equals(database.read_features(shares))
    for since in ("", middle):
        asked = (everything[::-1], since, ("high", "volume"))
        for one, two in zip(panel.price_series(*asked), database.price_series(*asked), strict=True):
            assert one.share_id == two.share_id
            for field in ("time", "close", "factor"):
                np.testing.assert_array_equal(getattr(one, field), getattr(two, field))
            for name, values in two.bars.items():
                np.testing.assert_array_equal(one.bars[name], values)
    for share in [*everything, "nobody"]:
        assert panel.stored_range(share) == database.stored_range(share)
        assert panel.source_of(share) == database.source_of(share)
        assert panel.conflicting_source(share, "other") == database.conflicting_source(share, "other")
        one, two = panel.day_ranges(share), database.day_ranges(share)
        assert (one is None) == (two is None)
        if one is not None:
            np.testing.assert_array_equal(one, two)
        bars, stored = panel.bars(share), database.bars(share)
        assert (bars is None) == (stored is None)
        for field in ("time", "open", "high", "low", "close", "volume", "factor") if bars is not None else ():
            left = bars.time if field == "time" else bars.column(field)
            np.testing.assert_array_equal(left, stored.time if field == "time" else stored.column(field))
    assert list(panel.listings.ends(everything, 3, 21)) == list(database.listings.ends(everything, 3, 21))
    for (one, days), (two, stored_days) in zip(
        panel.listings.days(everything), database.listings.days(everything), strict=True
    ):
        assert one == two
        np.testing.assert_array_equal(days, stored_days)
    last, stored_last = panel.listings.last_windows(shares), database.listings.last_windows(shares)
    assert (last.shares, last.time) == (stored_last.shares, stored_last.time)
    np.testing.assert_array_equal(last.closes, stored_last.closes)


def same_examples(database: FeatureStore, panel: FeatureStore) -> None:
    """What FeatureExampleGen makes: splits, labels, levels, missing sessions, suspects, fingerprints."""
    assert left_out(panel) == left_out(database)
    shares = [share for share in database.listings.share_ids() if share not in left_out(database)]
    assert search(panel, shares) == search(database, shares)
    found = [find_missing(store).of(shares) for store in (panel, database)]
    assert found[0].lines() == found[1].lines()
    prints = [
        fingerprint_of(store, shares, gaps.digest(store.digest(shares)))
        for store, gaps in zip((panel, database), found, strict=True)
    ]
    assert prints[0] == prints[1]
    if not shares:
        return
    sessions = database.sessions(shares)
    try:
        plan = plan_splits(sessions, SPLITS)
    except SplitError:
        return
    rows = []
    for store, gaps in zip((panel, database), found, strict=True):
        universe = universe_of(store, sessions)
        chosen = [one for one in store.shares() if one.share_id in shares]
        levels = levels_of(store, chosen, sessions, plan.horizons, get_label("outperform"), gaps.shares, 5, universe)
        rows.append(label_rows(store.read_features(shares), plan, gaps.shares, 5, levels, universe))
        rows.append([(one.share_id, one.closes) for one in read_closes(store, shares, universe=universe)])
    one, closes, two, stored = rows
    assert one.counts == two.counts
    np.testing.assert_array_equal(one.split, two.split)
    for columns, others in ((one.columns, two.columns), (one.missing, two.missing), (dict(closes), dict(stored))):
        assert list(columns) == list(others)
        for name, values in columns.items():
            np.testing.assert_array_equal(values, others[name])


def test_no_question_is_left_to_the_database_in_memory() -> None:
    """What a panel does not answer itself would find no prices, and say so without an error."""
    said_by_people = {"decisions", "decision_list", "exchanges", "members", "put", "put_members"}
    of_extractions = {"extracted_since", "look_back"}
    beside = {"path", "close", "conflict_message"}
    for base, ours in ((FeatureStore, PanelStore), (Listings, PanelListings)):
        public = {name for name, _ in inspect.getmembers(base) if not name.startswith("_")}
        assert public - set(vars(ours)) <= said_by_people | of_extractions | beside


def test_a_panel_is_not_written_through_the_store(tmp_path: Path) -> None:
    with FeatureStore.create(tmp_path / "prices.db") as store:
        bars = PriceBars(FIRST + np.arange(30), np.full(30, 5.0), np.ones(30))
        store.upsert("000001", bars, "file")
        write_store(tmp_path / "panel", store)
    with PanelStore.create(tmp_path / "panel") as panel:
        with pytest.raises(StoreError, match="awesome panel write"):
            panel.upsert("000001", bars, "file")
        panel.decide(read_decisions(exclude=["000001"]))
        assert panel.decisions().excluded == {"000001"}
    with PanelStore.open(tmp_path / "panel") as panel:
        assert panel.decisions().excluded == {"000001"}
        with pytest.raises(StoreError, match="reading only"):
            panel.decide(())
    with PanelStore.create(tmp_path / "panel") as panel:
        assert panel.forget(read_decisions(exclude=["000001"])) == 1
        assert panel.decisions().excluded == frozenset()
