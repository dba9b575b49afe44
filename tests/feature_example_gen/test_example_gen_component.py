"""FeatureExampleGen run by TFX's launcher: files, properties, cache, refusals."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from example_runs import Run

from components.errors import SplitError, StoreError, UserError
from components.feature_example_gen.config import ExampleGenConfig
from components.feature_example_gen.examples import label_rows
from components.feature_example_gen.splits import SPLITS, SplitSettings, plan_splits
from components.feature_store import CLOSE_COLUMNS, FeatureStore, PriceBars, Spell
from components.missing_sessions.finding import find_missing
from components.plausibility import SUSPECTS_FILE
from components.records import from_json
from components.universe.summary import UNIVERSE_PROPERTY, UniverseSummary

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]

SESSIONS = 420
SETTINGS = SplitSettings(fractions=(0.5, 0.25, 0.25))


def prices(seed: int, absent: slice = slice(0, 0)) -> PriceBars:
    """A share whose closes are round enough to stay the same now and then."""
    rng = np.random.default_rng(seed)
    closes = np.round(50 * np.exp(np.cumsum(rng.normal(0, 0.01, SESSIONS))), 0)
    here = np.ones(SESSIONS, dtype=bool)
    here[absent] = False
    time = np.busday_offset("1999-06-01", np.arange(SESSIONS))
    return PriceBars(time[here], closes[here], np.ones(int(here.sum())))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """Three shares: whole, suspended for a while, gone early."""
    path = tmp_path / "awesome.db"
    with FeatureStore.create(path) as store:
        store.upsert("AAA", prices(1), source="test")
        store.upsert("BBB", prices(2, slice(200, 240)), source="test")
        store.upsert("CCC", prices(3, slice(330, SESSIONS)), source="test")
    return path


TWO_WORKERS = ("--runner=DirectRunner", "--direct_running_mode=multi_processing", "--direct_num_workers=2")


def expected_rows(config: ExampleGenConfig, shares: list[str]) -> dict[str, list[dict[str, list[Any]]]]:
    with FeatureStore.open(config.database) as store:
        plan = plan_splits(store.sessions(shares), config.splits)
        gaps = find_missing(store).shares
        labelled = label_rows(store.read_features(shares), plan, gaps, config.max_missing_sessions)
    return {split: [row for batch in labelled.batches(split) for row in batch.to_pylist()] for split in SPLITS}


def in_order(rows: list[dict[str, list[Any]]]) -> list[dict[str, list[Any]]]:
    return sorted(rows, key=lambda row: (row["time"], row["share_id"]))


def test_files_and_properties_hold_what_was_labelled(database: Path, run: Run) -> None:
    from tfx.components.util import examples_utils
    from tfx.proto import example_gen_pb2

    config = ExampleGenConfig(str(database), splits=SETTINGS)
    one = run(config)
    expected = expected_rows(config, ["AAA", "BBB", "CCC"])
    for split in SPLITS:
        assert [file.name for file in one.files[split]] == ["data_tfrecord-00000-of-00001"]
        assert one.rows(split) == expected[split]
    # Nothing but the splits and what looks wrong in the prices is left beside them.
    left = sorted(entry.name for entry in Path(one.artifact.uri).iterdir())
    assert left == [*(f"Split-{split}" for split in sorted(SPLITS)), SUSPECTS_FILE]

    assert one.artifact.split_names == '["train", "eval", "test"]'
    assert examples_utils.get_payload_format(one.artifact) == example_gen_pb2.FORMAT_TF_EXAMPLE
    number, text = one.number, one.text
    with FeatureStore.open(database) as store:
        sessions = store.sessions()
        plan = plan_splits(sessions, SETTINGS)
        missing = find_missing(store)
        counts = label_rows(store.read_features(["AAA", "BBB", "CCC"]), plan, missing.shares).counts
        assert text("input_fingerprint") == missing.digest(store.digest(["AAA", "BBB", "CCC"])) != store.digest()
    assert json.loads(text("missing_sessions"))["lines"] == [
        "BBB lacks 40 sessions: 2000-03-07, 2000-03-08, 2000-03-09, ..."
    ]
    for part in plan.ranges:
        for key in ("rows", "purged", "unlabelled", "windows_across", "labels_across", "first", "last"):
            assert number(f"{part.name}_{key}") == getattr(counts[part.name], key)
        days = [int(str(day).replace("-", "")) for day in sessions[part.start : part.end]]
        seen = [day for day in days if counts[part.name].first <= day <= counts[part.name].last]
        assert number(f"{part.name}_sessions") == len(seen) < len(days)
        assert number(f"{part.name}_rows") == len(expected[part.name]) > 0
    assert counts["train"].purged > 0
    assert counts["train"].unlabelled > 0
    assert (number("shares"), number("sessions")) == (3, SESSIONS - 20)
    assert (text("first_session"), text("last_session")) == (str(sessions[0]), str(sessions[-1]))

    # Every share a shard of its own: other files, the same rows and the same counts.
    several = run(replace(config, shard_rows=1))
    assert not several.cached
    for split in SPLITS:
        assert [file.name for file in several.files[split]] == [f"data_tfrecord-0000{i}-of-00003" for i in range(3)]
        assert in_order(several.rows(split)) == expected[split]
        assert several.number(f"{split}_rows") == len(expected[split])
        assert several.number(f"{split}_first") == number(f"{split}_first")
        assert several.number(f"{split}_last") == number(f"{split}_last")


def test_what_reaches_across_a_suspension_is_left_out_unless_it_may(tmp_path: Path, run: Run) -> None:
    path = tmp_path / "awesome.db"
    with FeatureStore.create(path) as store:
        store.upsert("AAA", prices(1), source="test")
        store.upsert("BBB", prices(2, slice(100, 140)), source="test")
    config = ExampleGenConfig(str(path), splits=SETTINGS)
    strict, lenient = run(config), run(replace(config, max_missing_sessions=1000))
    assert not lenient.cached
    # The twenty windows behind the suspension, and the row before it, whose label is of 41 sessions later.
    assert strict.number("train_windows_across") == 20
    lost = lenient.number("train_rows") - strict.number("train_rows")
    assert lost + lenient.number("train_unlabelled") - strict.number("train_unlabelled") == 21
    for split in ("eval", "test"):
        assert strict.number(f"{split}_rows") == lenient.number(f"{split}_rows") > 0
        assert strict.number(f"{split}_windows_across") == 0
    assert lenient.number("train_windows_across") + lenient.number("train_labels_across") == 0


def test_workers_of_their_own_write_the_same_rows(database: Path, run: Run) -> None:
    config = ExampleGenConfig(str(database), splits=SETTINGS, shard_rows=1)
    result = run(config, TWO_WORKERS)
    expected = expected_rows(config, ["AAA", "BBB", "CCC"])
    for split in SPLITS:
        assert len(result.files[split]) == 3
        assert in_order(result.rows(split)) == expected[split]
        assert result.number(f"{split}_rows") == len(expected[split])


def test_shares_and_settings_choose_the_rows(database: Path, run: Run) -> None:
    settings = SplitSettings(dates=("2000-05-01", "2000-10-02"), embargo=3, horizons=(5, 2), horizon=5)
    config = ExampleGenConfig(str(database), shares=("CCC", "AAA", "CCC"), splits=settings)
    result = run(config)
    expected = expected_rows(config, ["AAA", "CCC"])
    for split in SPLITS:
        assert in_order(result.rows(split)) == in_order(expected[split])
        assert {name for row in result.rows(split) for name in row} == {
            "share_id", "time", "year", "session", "closes", "label_5", "label_2",
            "forward_return_5", "forward_return_2",
        }  # fmt: skip
    assert result.number("shares") == 2
    assert result.rows("eval")[0]["time"] > [20000501]
    assert result.rows("test")[0]["time"] > [20001002]


def test_the_cache_sees_the_rows_and_the_settings_and_nothing_else(database: Path, run: Run) -> None:
    config = ExampleGenConfig(str(database), shares=("AAA", "BBB"), splits=SETTINGS)
    assert not run(config).cached
    assert run(config).cached

    # The same rows in another file, of another size and date.
    with FeatureStore.create(database) as store:
        store.upsert("DDD", prices(4), source="test")
    with sqlite3.connect(database) as connection:
        connection.execute("VACUUM")
    connection.close()
    os.utime(database, (time.time() + 60, time.time() + 60))
    hit = run(config)
    assert hit.cached
    assert hit.rows("train")

    # Of all shares DDD is one.
    everything = replace(config, shares=())
    assert run(everything).number("shares") == 4
    assert not run(replace(config, shares=("AAA",))).cached
    assert not run(replace(config, splits=replace(SETTINGS, fractions=(0.49, 0.26, 0.25)))).cached
    assert not run(replace(config, splits=replace(SETTINGS, embargo=20))).cached
    assert not run(replace(config, splits=replace(SETTINGS, horizons=(1, 2)))).cached
    assert run(config).cached

    # One close, changed by one ten-thousandth.
    with FeatureStore.create(database) as store:
        bars = store.bars("BBB")
        assert bars is not None
        closes = bars.close.copy()
        closes[100] *= 1.0001
        store.upsert("BBB", replace(bars, close=closes), source="test")
    changed = run(config)
    assert not changed.cached
    assert in_order(changed.rows("train")) == expected_rows(config, ["AAA", "BBB"])["train"]
    # The other share's rows are what they were.
    assert run(replace(config, shares=("AAA",))).cached


def lack_close20(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("CREATE TABLE other AS SELECT * FROM FEATURE")
        connection.execute("DROP TABLE FEATURE")
        columns = ", ".join(["time", "share_id", *CLOSE_COLUMNS[:-1]])
        connection.execute(f"CREATE TABLE FEATURE AS SELECT {columns} FROM other")
    connection.close()


def text_for_a_close(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE FEATURE SET close3 = 'abc' WHERE share_id = 'BBB' AND time = '2000-01-04'")
    connection.close()


def no_move(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE FEATURE SET " + ", ".join(f"{column} = 7" for column in CLOSE_COLUMNS))
    connection.close()


def no_rows(database: Path) -> None:
    database.unlink()
    FeatureStore.create(database).close()


@pytest.mark.parametrize(
    ("spoil", "change", "error", "message"),
    [
        (Path.unlink, {}, StoreError, "does not exist"),
        (no_rows, {}, StoreError, "holds no feature row"),
        (lack_close20, {}, StoreError, "close20"),
        (text_for_a_close, {}, StoreError, "share BBB, 2000-01-04: close3 is 'abc'"),
        (no_move, {}, SplitError, r"the train split has no labelled row left \(\d+ purged, \d+ unlabelled, "),
        (lambda _: None, {"shares": ("AAA", "ZZZ")}, StoreError, "has no share ZZZ; it has AAA, BBB, CCC"),
        (lambda _: None, {"splits": SplitSettings()}, SplitError, "too short: 400 sessions leave the eval split"),
        (lambda _: None, {"splits": SplitSettings(horizons=(1, 900))}, SplitError, "longest horizon of 900"),
        (
            lambda _: None,
            {"splits": SplitSettings(dates=("2019-01-01", "2020-01-01"))},
            SplitError,
            "2019-01-01 lies outside",
        ),
    ],
)
def test_what_cannot_be_used_is_refused_and_nothing_is_left_behind(
    database: Path,
    tmp_path: Path,
    run: Run,
    spoil: Callable[[Path], None],
    change: dict[str, Any],
    error: type[UserError],
    message: str,
) -> None:
    config = ExampleGenConfig(str(database), splits=SETTINGS)
    spoil(database)
    before = database.read_bytes() if database.exists() else None
    with pytest.raises(error, match=message) as refused:
        run(replace(config, **change))
    assert "\n" not in str(refused.value)
    assert "while running" not in str(refused.value)
    left = [path for path in (tmp_path / "root").rglob("*") if ".system" not in path.parts and path.is_file()]
    assert left == []
    assert (database.read_bytes() if database.exists() else None) == before


def test_a_refused_run_does_not_stand_in_the_way_of_the_next(database: Path, run: Run) -> None:
    config = ExampleGenConfig(str(database), splits=SETTINGS)
    good = database.read_bytes()
    text_for_a_close(database)
    with pytest.raises(StoreError):
        run(config)
    database.write_bytes(good)
    again = run(config)
    assert not again.cached
    assert again.rows("test") == expected_rows(config, ["AAA", "BBB", "CCC"])["test"]


def test_shards_hold_whole_shares_in_order() -> None:
    from components.feature_example_gen.executor import make_shards

    rows = [("A", 40), ("B", 60), ("C", 1), ("D", 500), ("E", 99), ("F", 2)]
    shards = make_shards(rows, 100)
    assert [shard.shares for shard in shards] == [("A", "B"), ("C",), ("D",), ("E",), ("F",)]
    assert [(shard.index, shard.count) for shard in shards] == [(i, 5) for i in range(5)]
    assert [shard.shares for shard in make_shards(rows, 10**6)] == [tuple("ABCDEF")]


def test_members_are_a_part_of_what_the_cache_sees_and_of_what_a_report_is_told(database: Path, run: Run) -> None:
    config = ExampleGenConfig(str(database), splits=replace(SETTINGS, embargo=5))
    everybody = run(config)
    with FeatureStore.create(database) as store:
        first, last = store.sessions()[0].item(), {one.share_id: one.last for one in store.shares()}["CCC"]
        store.listings.put_members([Spell("AAA", first), Spell("CCC", first, last, -0.9), Spell("DDD", first)])
    members = run(config)
    assert not members.cached
    assert run(config).cached
    assert [one.number("shares") for one in (everybody, members)] == [3, 2]
    told = [from_json(UniverseSummary, one.text(UNIVERSE_PROPERTY)) for one in (everybody, members)]
    assert told == [UniverseSummary(shares=3, ended=1), UniverseSummary(2, 2, 1, ended=1, delisted=1)]
    [row] = [
        row for row in members.rows("test") if row["time"] == [int(f"{last:%Y%m%d}")] and row["share_id"] == [b"CCC"]
    ]
    assert row["forward_return_1"] == [np.float32(-0.9)]
    assert row["label_20"] == [0]
    with FeatureStore.create(database) as store:
        store.listings.put_members([Spell("AAA", first), Spell("CCC", first, last)])
    unknown = run(config)
    assert not unknown.cached
    assert unknown.number("test_unlabelled") == members.number("test_unlabelled") + 1
