"""What FeatureExampleGen leaves beside the examples of prices that do not look like prices."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from example_runs import Run
from needed import needed

from components.errors import StoreError
from components.feature_example_gen.config import ExampleGenConfig
from components.feature_example_gen.prices import find_suspects
from components.feature_example_gen.splits import SplitSettings
from components.feature_store import FeatureStore, PriceBars, Spell, read_decisions
from components.plausibility import Bounds, SuspectRecord, read_suspects

DAYS = np.busday_offset("2015-01-01", np.arange(400), roll="forward").astype("datetime64[D]")
SETTINGS = SplitSettings(fractions=(0.5, 0.25, 0.25), horizons=(1,))


def put(path: Path, split_at: int = 300) -> Path:
    """Two sound shares, and one whose 4-for-1 split its factor lacks."""
    with FeatureStore.create(path) as store:
        for number, share in enumerate(("AAA", "BBB", "CCC")):
            close = 50 * np.exp(np.cumsum(np.random.default_rng(number).normal(0, 0.01, len(DAYS))))
            if share == "BBB":
                close[split_at:] /= 4
            store.upsert(share, PriceBars(DAYS, close, np.ones(len(DAYS))), "test")
    return path


def decide(path: Path, accept: Sequence[str] = (), exclude: Sequence[str] = ()) -> None:
    with FeatureStore.create(path) as store:
        store.decide(read_decisions(accept, exclude))


def look(config: ExampleGenConfig) -> SuspectRecord:
    with FeatureStore.open(config.database) as store:
        return find_suspects(config, store)


def test_a_wrong_return_is_found_and_can_be_accepted_or_excluded(tmp_path: Path) -> None:
    path = put(tmp_path / "a.db")
    config = ExampleGenConfig(str(path), splits=SETTINGS)
    assert [one.name for one in look(config).stopping] == [f"BBB:{DAYS[300]}"]
    decide(path, accept=[f"BBB:{DAYS[300]}"])
    assert (look(config).stopping, [one.accepted for one in look(config).suspects]) == ((), [True])
    decide(path, exclude=["BBB"])
    assert (look(config).suspects, look(config).excluded, look(config).shares) == ((), ("BBB",), 2)


def test_a_share_that_belongs_to_the_universe_never_is_not_looked_at(tmp_path: Path) -> None:
    path = put(tmp_path / "a.db")
    with FeatureStore.create(path) as store:
        store.listings.put_members([Spell(share, DAYS[0].item()) for share in ("AAA", "CCC")])
    found = look(ExampleGenConfig(str(path), splits=SETTINGS))
    assert (found.suspects, found.excluded, found.shares) == ((), (), 2)


def test_to_accept_another_day_or_share_accepts_nothing(tmp_path: Path) -> None:
    path = put(tmp_path / "a.db")
    decide(path, accept=[f"BBB:{DAYS[299]}", f"AAA:{DAYS[300]}", "BBB"])
    assert len(look(ExampleGenConfig(str(path), splits=SETTINGS)).stopping) == 1


@pytest.mark.parametrize(
    ("start", "end", "reach", "counts"),
    [
        (None, None, 20, True),
        (310, None, 20, True),
        (330, None, 20, False),
        (330, None, 60, True),  # a formatter that sees more than the window
        (None, 295, 20, False),
        (None, 300, 20, True),
    ],
)
def test_only_returns_of_features_and_labels_count(
    tmp_path: Path, start: int, end: int, reach: int, counts: bool
) -> None:
    first, last = (None if at is None else str(DAYS[at]) for at in (start, end))
    fractions = (0.4, 0.3, 0.3)
    splits = SplitSettings(fractions=fractions, horizons=(1,), embargo=0, start=first, end=last, reach=reach)
    if start is not None:
        with FeatureStore.create(put(tmp_path / "a.db")) as store:  # enough sessions behind the start
            for share in ("AAA", "BBB", "CCC"):
                bars = store.bars(share)
                assert bars is not None
                more = DAYS[-1] + 1 + np.arange(200)
                close = np.r_[bars.close, np.full(200, bars.close[-1])]
                store.upsert(share, PriceBars(np.r_[bars.time, more], close, np.ones(600)), "test")
    path = tmp_path / "a.db" if start is not None else put(tmp_path / "a.db")
    assert bool(look(ExampleGenConfig(str(path), splits=splits)).stopping) is counts


def lacking(path: Path, lacks: slice, split_at: int) -> Path:
    """Prices of which one share lacks some sessions and has a 4-for-1 split that its factor lacks."""
    with FeatureStore.create(path) as store:
        for number, share in enumerate(("AAA", "BBB", "CCC")):
            close = 50 * np.exp(np.cumsum(np.random.default_rng(number).normal(0, 0.01, 600)))
            days = np.busday_offset("2015-01-01", np.arange(600), roll="forward").astype("datetime64[D]")
            kept = np.ones(600, dtype=bool)
            if share == "BBB":
                close[split_at:] /= 4
                kept[lacks] = False
            store.upsert(share, PriceBars(days[kept], close[kept], np.ones(600)[kept]), "test")
        return path


@pytest.mark.parametrize(("split_at", "counts"), [(278, True), (276, True), (275, False)])
def test_the_first_window_reaches_further_back_where_a_share_lacks_sessions(
    tmp_path: Path, split_at: int, counts: bool
) -> None:
    days = np.busday_offset("2015-01-01", np.arange(600), roll="forward").astype("datetime64[D]")
    # Its window that ends on session 300 begins on 275, as five of the sessions between are not there.
    path = lacking(tmp_path / "a.db", slice(290, 295), split_at)
    splits = SplitSettings(fractions=(0.4, 0.3, 0.3), horizons=(1,), embargo=0, start=str(days[300]))
    assert bool(look(ExampleGenConfig(str(path), splits=splits)).stopping) is counts


@pytest.mark.parametrize(("split_at", "counts"), [(507, True), (508, True), (509, False)])
def test_the_last_label_reaches_further_where_a_share_lacks_sessions(
    tmp_path: Path, split_at: int, counts: bool
) -> None:
    days = np.busday_offset("2015-01-01", np.arange(600), roll="forward").astype("datetime64[D]")
    # Its label of 5 sessions from session 499 on ends on 508, as four between are not there.
    path = lacking(tmp_path / "a.db", slice(501, 505), split_at)
    splits = SplitSettings(fractions=(0.4, 0.3, 0.3), horizons=(5,), horizon=5, embargo=0, end=str(days[500]))
    assert bool(look(ExampleGenConfig(str(path), splits=splits)).stopping) is counts


def test_a_share_that_ended_before_the_first_session_is_in_no_window(tmp_path: Path) -> None:
    days = np.busday_offset("2015-01-01", np.arange(600), roll="forward").astype("datetime64[D]")
    path = lacking(tmp_path / "a.db", slice(295, 600), 290)
    splits = SplitSettings(fractions=(0.4, 0.3, 0.3), horizons=(1,), embargo=0, start=str(days[300]))
    assert not look(ExampleGenConfig(str(path), splits=splits)).suspects


def test_bounds_are_those_of_the_config(tmp_path: Path) -> None:
    config = ExampleGenConfig(str(put(tmp_path / "a.db")), splits=SETTINGS, bounds=Bounds(0.02, 1e6))
    assert len(look(config).suspects) > 1


def test_all_shares_excluded_is_refused_with_what_to_do(tmp_path: Path) -> None:
    path = put(tmp_path / "a.db")
    decide(path, exclude=["AAA", "BBB"])
    config = ExampleGenConfig(str(path), ("AAA", "BBB"))
    with FeatureStore.open(path) as store:
        with pytest.raises(StoreError, match=r"all shares that were asked for are excluded \(AAA, BBB\).*--forget AAA"):
            config.select(store.shares(), store.decisions().excluded)
        assert [one.share_id for one in config.select(store.shares())] == ["AAA", "BBB"]


def test_the_settings_survive_the_way_through_tfx(tmp_path: Path) -> None:
    needed("tfx")
    from tfx.utils import proto_utils

    config = ExampleGenConfig("a.db", splits=SETTINGS, bounds=Bounds(0.3, 9), suspects='{"x": 1}')
    properties = {"input_base": "a.db", "custom_config": proto_utils.proto_to_json(config.to_proto())}
    assert ExampleGenConfig.from_exec_properties(properties) == config


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning:google")
def test_the_record_lies_beside_the_examples_and_the_cache_sees_a_decision(tmp_path: Path, run: Run) -> None:
    path = put(tmp_path / "a.db")
    config = ExampleGenConfig(str(path), splits=SETTINGS)
    first = run(config)
    record = read_suspects(first.artifact.uri)
    assert record is not None
    assert [one.name for one in record.stopping] == [f"BBB:{DAYS[300]}"]
    assert run(config).cached
    decide(path, accept=[f"BBB:{DAYS[300]}"])
    second = run(config)
    record = read_suspects(second.artifact.uri)
    assert (second.cached, record is not None and record.stopping) == (False, ())
    decide(path, exclude=["BBB"])
    third = run(replace(config))
    assert (third.number("shares"), set(third.last_rows)) == (2, {"AAA", "CCC"})
