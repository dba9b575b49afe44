"""Labels that compare the shares of a day against pandas, and `up` against what it was before there were others."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd
import pytest
from row_by_row import WINDOW, Prices, feature_table, sessions_of, weekdays

from components.errors import SplitError
from components.feature_example_gen.config import ExampleGenConfig
from components.feature_example_gen.day_levels import make_levels
from components.feature_example_gen.examples import LabelledRows, label_rows
from components.feature_example_gen.splits import SPLITS, SplitSettings, plan_splits
from components.missing_sessions.finding import missing_in
from components.missing_sessions.found import MissingSessions
from models.features import excess_return_key, forward_return_key, label_key
from models.labels import UP, get_label
from models.schema import schema_for

OUTPERFORM = get_label("outperform")
SETTINGS = SplitSettings(fractions=(0.55, 0.2, 0.25), embargo=0, horizons=(1, 5, 20), horizon=5)
LIMIT = 5


def market(seed: int = 0, sessions: int = 420) -> dict[str, Prices]:
    """Six shares that follow a market: three whole, one listed late, one gone early, one with gaps."""
    rng = np.random.default_rng(seed)
    days = weekdays(sessions)
    common = rng.normal(0, 0.01, sessions)
    made = {}
    for place, name in enumerate("ABCDEF"):
        closes = 50 * np.exp(np.cumsum(rng.uniform(0.5, 1.5) * common + rng.normal(0, 0.015, sessions)))
        here = np.ones(sessions, bool)
        if place == 3:
            here[:200] = False
        if place == 4:
            here[300:] = False
        if place == 5:
            here[rng.choice(np.arange(30, sessions - 30), 25, replace=False)] = False
        made[name] = Prices([day for day, one in zip(days, here, strict=True) if one], closes[here].tolist())
    return made


def missing_of(made: dict[str, Prices]) -> MissingSessions:
    days = {share: np.array(prices.days, "datetime64[D]") for share, prices in made.items()}
    return missing_in(days.items, {})


def labelled_market(made: dict[str, Prices], settings: SplitSettings = SETTINGS) -> LabelledRows:
    table, gaps = feature_table(made), missing_of(made).shares
    plan = plan_splits(sessions_of(table), settings)
    levels = make_levels([table], plan.sessions, plan.horizons, OUTPERFORM, gaps, LIMIT)
    return label_rows(table, plan, gaps, LIMIT, levels)


def by_pandas(made: dict[str, Prices], horizon: int) -> pd.DataFrame:
    """A row a window that may be an example and whose return is known: it, its day's median, and where that ends."""
    grid = pd.Index(sorted({day for prices in made.values() for day in prices.days}))
    parts = []
    for share, prices in made.items():
        at = pd.Series(grid.get_indexer(prices.days))
        table = pd.DataFrame({"share": share, "day": prices.days, "close": prices.closes})
        table["change"] = table["close"].shift(-horizon) / table["close"] - 1
        table["end"] = table["day"].shift(-horizon)
        whole = at - at.shift(WINDOW - 1) - (WINDOW - 1) <= LIMIT
        whole &= at.shift(-horizon) - at - horizon <= LIMIT * horizon // 20
        parts.append(table[whole].dropna())
    known = pd.concat(parts)
    days = known.groupby("day")
    known["median"], known["last"], known["shares"] = (
        days["change"].transform("median"),
        days["end"].transform("max"),
        days["change"].transform("size"),
    )
    return known[known["shares"] > 1].set_index(["share", "day"])


@pytest.mark.parametrize("seed", [0, 1])
def test_labels_and_returns_are_those_that_pandas_gives(seed: int) -> None:
    made = market(seed)
    labelled = labelled_market(made)
    rows = {
        (row["share_id"][0].decode(), pd.Timestamp(str(row["time"][0])).date()): row
        for split in SPLITS
        for batch in labelled.batches(split)
        for row in batch.to_pylist()
    }
    assert len(rows) > 900
    for horizon in SETTINGS.horizons:
        expected = by_pandas(made, horizon)
        for place, row in rows.items():
            beyond, label = row[excess_return_key(horizon)], row[label_key(horizon)]
            if place not in expected.index:
                assert beyond == label == []
                continue
            wanted = expected.loc[place]
            excess = wanted["change"] - wanted["median"]
            assert beyond == [pytest.approx(excess, abs=1e-6)]
            assert row[forward_return_key(horizon)] == [pytest.approx(wanted["change"], abs=1e-6)]
            # Of an odd number of shares one is the median itself.
            assert label == ([int(excess > 0)] if abs(excess) > 1e-12 else [])


def test_no_row_stays_whose_day_is_made_of_the_next_split() -> None:
    made = market()
    labelled = labelled_market(made)
    plan = plan_splits(sessions_of(feature_table(made)), SETTINGS)
    reach = pd.concat([by_pandas(made, horizon)["last"] for horizon in SETTINGS.horizons]).groupby(level=[0, 1]).max()
    for at, name in enumerate(SPLITS[:-1]):
        border = plan.sessions[plan.ranges[at].end].item()
        for batch in labelled.batches(name):
            for row in batch.to_pylist():
                place = row["share_id"][0].decode(), pd.Timestamp(str(row["time"][0])).date()
                assert reach[place] < border
    table = feature_table(made)
    alone = label_rows(table, plan, missing_of(made).shares, LIMIT)
    # A share with gaps reaches further than the others, and takes their rows of its days along.
    assert all(labelled.counts[name].purged > alone.counts[name].purged for name in SPLITS[:-1])


def test_shards_write_what_the_whole_does() -> None:
    made = market()
    gaps = missing_of(made).shares
    tables = [feature_table({share: prices}) for share, prices in made.items()]
    plan = plan_splits(sessions_of(feature_table(made)), SETTINGS)
    levels = make_levels(tables, plan.sessions, plan.horizons, OUTPERFORM, gaps, LIMIT)
    whole = labelled_market(made)
    parts = [label_rows(table, plan, gaps, LIMIT, levels) for table in tables]

    for name, values in whole.columns.items():
        here = ~whole.missing[name] if name in whole.missing else np.ones(len(values), bool)
        assert np.array_equal(np.concatenate([part.columns[name] for part in parts])[here], values[here]), name
        if name in whole.missing:
            assert np.array_equal(np.concatenate([part.missing[name] for part in parts]), whole.missing[name]), name
    assert np.array_equal(np.concatenate([part.split for part in parts]), whole.split)


def test_a_share_alone_has_no_label_and_is_counted_by_the_reason() -> None:
    made = market()
    alone = {"A": made["A"], "E": made["E"]}
    labelled = labelled_market(alone)

    assert labelled.counts["test"].rows == 0
    assert labelled.counts["test"].alone > 80
    assert labelled.counts["train"].rows > 300
    total = sum(
        c.rows + c.purged + c.unlabelled + c.windows_across + c.labels_across + c.alone
        for c in labelled.counts.values()
    )
    assert total == feature_table(alone).num_rows


def test_a_split_of_one_share_is_refused_in_one_line() -> None:
    from unittest.mock import Mock

    from components.feature_example_gen.executor import _describe

    made = market()
    table = feature_table({"A": made["A"]})
    plan = plan_splits(sessions_of(table), SETTINGS)
    labelled = labelled_market({"A": made["A"]})
    with pytest.raises(
        SplitError, match=r"on days with too few shares to compare\); bring more sessions, more shares or"
    ):
        _describe(Mock(), plan, labelled.counts, 1)


def test_levels_of_a_day_are_known_when_the_last_of_their_returns_is() -> None:
    made = market()
    table, gaps = feature_table(made), missing_of(made).shares
    plan = plan_splits(sessions_of(table), SETTINGS)
    levels = make_levels([table], plan.sessions, (20,), OUTPERFORM, gaps, LIMIT)
    assert levels is not None
    cut = plan.sessions[250]
    known = by_pandas(made, 20).groupby(level="day")["last"].max()
    shown = levels.until(cut)
    for at, day in enumerate(plan.sessions.astype(object)):
        assert np.isnan(shown.level[20][at]) == (day not in known.index or known[day] > cut.item())


def test_a_label_without_levels_needs_none() -> None:
    table = feature_table(market())
    assert make_levels([table], sessions_of(table), (1,), get_label(UP)) is None


def test_up_gives_the_very_examples_schema_and_settings_that_it_gave_before_there_were_labels() -> None:
    from google.protobuf import text_format

    rng = np.random.default_rng(11)
    days = weekdays(900)
    made = {}
    for place in range(5):
        keep = sorted(rng.choice(900, 850, replace=False))
        closes = np.round(50 * np.exp(np.cumsum(rng.normal(0, 0.02, 850))), 2).tolist()
        made[f"S{place}"] = Prices([days[at] for at in keep], closes)
    table = feature_table(made)
    labelled = label_rows(table, plan_splits(sessions_of(table), SplitSettings(horizons=(1, 5, 20), horizon=5)))
    digest = hashlib.sha256()
    for name, values in labelled.columns.items():
        digest.update(name.encode())
        digest.update(b"".join(values.tolist()) if values.dtype == object else np.ascontiguousarray(values).tobytes())
        if name in labelled.missing:
            digest.update(labelled.missing[name].tobytes())
    digest.update(labelled.split.tobytes())
    # Both were printed by the last version that knew no label.
    assert digest.hexdigest() == "834c5bc78d81370764f54320d14ce9d8d2422aae84e458c31c3efec1b893b0c2"
    schema = text_format.MessageToString(schema_for((1, 20), trained=1)).encode()
    assert hashlib.sha256(schema).hexdigest() == "ac72f59a86c5ed049d821ec9d4cdcf25f0096a18c57034b022b15ce1a88baa0c"


def test_the_label_reaches_the_executor_and_an_older_configuration_means_up() -> None:
    from google.protobuf import json_format, struct_pb2
    from tfx.proto import example_gen_pb2
    from tfx.utils import proto_utils

    config = ExampleGenConfig("awesome.db", label="outperform")
    proto = config.to_proto()
    told = {"input_base": "awesome.db", "custom_config": proto_utils.proto_to_json(proto)}
    assert ExampleGenConfig.from_exec_properties(told) == config

    struct = struct_pb2.Struct()
    proto.custom_config.Unpack(struct)
    values = json_format.MessageToDict(struct)
    del values["label"]
    older, message = struct_pb2.Struct(), example_gen_pb2.CustomConfig()
    older.update(values)
    message.custom_config.Pack(older)
    assert (
        ExampleGenConfig.from_exec_properties(told | {"custom_config": proto_utils.proto_to_json(message)}).label == UP
    )
