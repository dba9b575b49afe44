"""The Beam executor of FeatureExampleGen: its elements are shards (ranges of shares), not rows."""

from __future__ import annotations

import contextlib
import json
import logging
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import apache_beam as beam
import numpy as np
import tensorflow as tf
from tfx.components.util import examples_utils
from tfx.dsl.components.base import base_beam_executor
from tfx.proto import example_gen_pb2
from tfx.types import artifact_utils
from tfx_bsl.coders import example_coder

from components.day_wide.reading import read_rows
from components.errors import SplitError, StoreError
from components.feature_example_gen.config import ExampleGenConfig
from components.feature_example_gen.day_levels import DayLevels, levels_of
from components.feature_example_gen.examples import LabelledRows, SplitCounts, label_rows
from components.feature_example_gen.splits import SPLITS, SplitPlan, describe_plan, plan_splits
from components.feature_store import FeatureStore
from components.missing_sessions.finding import find_missing
from components.missing_sessions.found import ShareGaps
from components.missing_sessions.summary import MISSING_PROPERTY
from components.plausibility import SUSPECTS_FILE
from components.price_panel.opening import open_prices
from components.records import from_json, to_json
from components.universe.summary import UNIVERSE_PROPERTY
from components.universe.survivorship import summarise
from components.universe.universe import EVERYBODY, Universe, left_out, universe_of
from components.whole_files import scratch_folder
from models.data import MARKET_FILE
from models.day_wide.rows import DayRows
from models.labels import get_label

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Shard:
    """The work of one Beam element.

    Attributes:
        index: its number, from 0.
        count: how many shards there are.
        shares: the shares it reads, whole.
    """

    index: int
    count: int
    shares: tuple[str, ...]


@dataclass(frozen=True)
class ShardResult:
    """What became of one shard, or of several together.

    Attributes:
        counts: by split name.
        refusal: why the store's rows cannot be used; empty where they can.
    """

    counts: Mapping[str, SplitCounts]
    refusal: str = ""


def make_shards(rows: Sequence[tuple[str, int]], shard_rows: int) -> list[Shard]:
    """Groups shares, in order, into shards of about `shard_rows` rows.

    Args:
        rows: share and number of its rows.
        shard_rows: rows a shard should hold; a share is never cut, so one of more rows is a shard of its own.
    """
    groups: list[list[str]] = [[]]
    filled = 0
    for share, count in rows:
        if groups[-1] and filled + count > shard_rows:
            groups.append([])
            filled = 0
        groups[-1].append(share)
        filled += count
    return [Shard(i, len(groups), tuple(group)) for i, group in enumerate(groups)]


def labelled_rows(
    store: FeatureStore,
    shares: Sequence[str],
    plan: SplitPlan,
    gaps: Mapping[str, ShareGaps],
    limit: int,
    levels: DayLevels | None = None,
    universe: Universe = EVERYBODY,
    day_rows: DayRows | None = None,
) -> LabelledRows:
    """All rows of some shares, labelled and assigned, as a shard writes them; arguments are those of `label_rows`.

    Raises:
        StoreError: the store's rows cannot be used.
    """
    return label_rows(store.read_features(list(shares)), plan, gaps, limit, levels, universe, day_rows)


class WriteShard(beam.DoFn):
    """Reads the rows of a shard, labels, splits and encodes them, and writes one file of TFRecords for each split.

    A file appears under its name only when it is whole, so a worker that is started twice does no harm.
    """

    def __init__(
        self,
        database: str,
        plan: SplitPlan,
        split_uris: dict[str, str],
        gaps: Mapping[str, ShareGaps],
        limit: int,
        levels: DayLevels | None = None,
        universe: Universe = EVERYBODY,
        day_rows: str = "",
    ) -> None:
        """Takes the feature store, which every worker must reach, the borders, the folder of each split, and more.

        What more there is are the arguments of `label_rows`; `day_rows` is the folder that holds them.
        """
        self._database = database
        self._plan = plan
        self._gaps = gaps
        self._limit = limit
        self._levels = levels
        self._universe = universe
        self._day_rows = day_rows
        self._split_uris = split_uris

    def process(self, shard: Shard) -> Iterable[ShardResult]:
        """Writes one shard, and yields what became of its rows."""
        try:
            day_rows = DayRows.open(Path(self._day_rows)) if self._day_rows else None
            with open_prices(self._database) as store:
                labelled = labelled_rows(
                    store, shard.shares, self._plan, self._gaps, self._limit, self._levels, self._universe, day_rows
                )
        except StoreError as error:
            # Raised here, Beam would add its own words and a traceback, and another process would hide its class.
            yield ShardResult({}, str(error))
            return
        encoder = example_coder.RecordBatchToExamplesEncoder()
        for split, uri in self._split_uris.items():
            # Not compressed: the records are read eleven times in a run, and unpacking costs more than the disk does.
            path = os.path.join(uri, f"data_tfrecord-{shard.index:05d}-of-{shard.count:05d}")
            # Beside the split's folder, not inside: readers take every file in it.
            partial = os.path.join(os.path.dirname(uri), f".{split}-{shard.index:05d}.partial")
            with tf.io.TFRecordWriter(partial) as writer:
                for batch in labelled.batches(split):
                    for record in encoder.encode(batch):
                        writer.write(record)
            tf.io.gfile.rename(partial, path, overwrite=True)
        yield ShardResult(dict(labelled.counts))


def _add(parts: Iterable[ShardResult]) -> ShardResult:
    counts = {split: SplitCounts() for split in SPLITS}
    refusals = set()
    for part in parts:
        counts = {split: counts[split].plus(part.counts.get(split, SplitCounts())) for split in SPLITS}
        refusals.add(part.refusal)
    # Beam brings the shards in any order; the message must not depend on it.
    return ShardResult(counts, min(refusals - {""}, default=""))


def _write_result(result: ShardResult, path: str) -> None:
    with tf.io.gfile.GFile(path, "w") as file:
        file.write(to_json(result))


class Executor(base_beam_executor.BaseBeamExecutor):
    """Turns the feature table into train, eval and test examples."""

    def Do(self, input_dict: dict[str, Any], output_dict: dict[str, Any], exec_properties: dict[str, Any]) -> None:
        """Plans the splits, writes the shards and tells what it did in the artifact's properties and the log.

        Args:
            input_dict: unused; the store comes through the properties.
            output_dict: `examples`, one Examples artifact.
            exec_properties: `input_base` and `custom_config`, see ExampleGenConfig.

        Raises:
            StoreError: the store cannot be read.
            SplitError: the store is too short for the splits, or a split has no row left.
        """
        self._log_startup(input_dict, output_dict, exec_properties)
        config = ExampleGenConfig.from_exec_properties(exec_properties)
        with open_prices(config.database) as store:
            summaries = config.select(store.shares(), left_out(store))
            shares = [summary.share_id for summary in summaries]
            sessions = store.sessions(shares)
            missing = find_missing(store).of(shares)
            plan, label = plan_splits(sessions, config.splits), get_label(config.label)
            limit = config.max_missing_sessions
            universe, there = universe_of(store, sessions), summarise(store, summaries)
            levels = levels_of(store, summaries, sessions, plan.horizons, label, missing.shares, limit, universe)
            day_rows = read_rows(store, shares, config.columns, universe=universe)
        for name, first, last, count in describe_plan(plan):
            _LOG.info("split %s: %s to %s, %d sessions", name, first, last, count)
        for line in missing.lines():
            _LOG.info("missing sessions: %s", line)

        artifact = artifact_utils.get_single_instance(output_dict["examples"])
        artifact.split_names = artifact_utils.encode_split_names(list(SPLITS))
        examples_utils.set_payload_format(artifact, example_gen_pb2.FORMAT_TF_EXAMPLE)
        split_uris = {split: artifact_utils.get_split_uri([artifact], split) for split in SPLITS}
        for uri in split_uris.values():
            tf.io.gfile.makedirs(uri)
        shards = make_shards([(s.share_id, s.rows) for s in summaries], config.shard_rows)
        result_path = os.path.join(artifact.uri, "result.json")
        # Mapped into each worker's memory: with the work itself Beam would send all of them to all.
        with written(day_rows, Path(artifact.uri)) as folder, self._make_beam_pipeline() as pipeline:
            write = WriteShard(config.database, plan, split_uris, missing.shares, limit, levels, universe, folder)
            _ = (
                pipeline
                | "Shards" >> beam.Create(shards)
                | "Spread" >> beam.Reshuffle()
                | "WriteShard" >> beam.ParDo(write)
                | "AddResults" >> beam.CombineGlobally(_add)
                | "WriteResult" >> beam.Map(_write_result, result_path)
            )
        with tf.io.gfile.GFile(result_path) as file:
            result = from_json(ShardResult, file.read())
        tf.io.gfile.remove(result_path)
        if result.refusal:
            raise StoreError(result.refusal)
        _describe(artifact, plan, result.counts, len(summaries))
        artifact.set_string_custom_property(MISSING_PROPERTY, to_json(missing.summary()))
        artifact.set_string_custom_property(UNIVERSE_PROPERTY, to_json(there))
        with tf.io.gfile.GFile(os.path.join(artifact.uri, SUSPECTS_FILE), "w") as file:
            file.write(config.suspects)
        if day_rows is not None:
            with tf.io.gfile.GFile(os.path.join(artifact.uri, MARKET_FILE), "w") as file:
                file.write(json.dumps(shares))


@contextlib.contextmanager
def written(day_rows: DayRows | None, beside: Path) -> Iterator[str]:
    """The folder that day-wide columns are written to, for as long as they are read; none where there are none.

    It is made in `beside`, where workers on other machines find it.
    """
    if day_rows is None:
        yield ""
        return
    with scratch_folder(beside / "day-wide") as folder:
        day_rows.write(folder)
        yield str(folder)


def _describe(artifact: Any, plan: SplitPlan, counts: Mapping[str, SplitCounts], shares: int) -> None:
    """Writes what the splits hold into the artifact's properties and the log, and refuses an empty one."""
    for part in plan.ranges:
        count = counts[part.name]
        if not count.rows:
            alone = f", {count.alone} on days with too few shares to compare" if count.alone else ""
            alone += f", {count.outside} of shares that were no members then" if count.outside else ""
            alone += f", {count.short} with too few sessions before them for the formatter" if count.short else ""
            more = "bring more sessions" if not count.alone else "bring more sessions, more shares"
            raise SplitError(
                f"the {part.name} split has no labelled row left ({count.purged} purged, {count.unlabelled} unlabelled"
                f", {count.windows_across + count.labels_across} across too many missing sessions{alone}); {more} "
                "or other split dates"
            )
        values = asdict(count)
        _LOG.info(
            "split %s: %d rows, %d purged, %d unlabelled, %d windows and %d labels across missing sessions, %s to %s, "
            "%d on days with too few shares, %d of shares that were no members then, %d with too few sessions before "
            "them",
            part.name,
            *values.values(),
        )
        for key, value in values.items():
            artifact.set_int_custom_property(f"{part.name}_{key}", value)
        artifact.set_int_custom_property(f"{part.name}_sessions", _sessions_of(plan, count))
    artifact.set_int_custom_property("shares", shares)
    artifact.set_int_custom_property("sessions", len(plan.sessions))
    artifact.set_string_custom_property("first_session", str(np.min(plan.sessions)))
    artifact.set_string_custom_property("last_session", str(np.max(plan.sessions)))


def _sessions_of(plan: SplitPlan, count: SplitCounts) -> int:
    """How many sessions lie from a split's first example to its last; what was purged or has no label yet is none."""
    first, last = (
        np.datetime64(f"{day // 10000}-{day // 100 % 100:02}-{day % 100:02}") for day in (count.first, count.last)
    )
    return int(np.searchsorted(plan.sessions, last, side="right") - np.searchsorted(plan.sessions, first))
