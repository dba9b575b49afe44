"""What a model sees of rows where the later days are not known: the transform graph put to the proof."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow_transform as tft
from numpy.typing import NDArray

from components.leak_audit.reading.features import AuditFeatures
from components.leak_audit.reading.prefixes import Difference, Prefix, differ, iso, texts
from components.leak_audit.reading.rows import TRAIN, AuditRows
from models.features import TIME
from models.formatters import DataFormatter
from models.in_memory import applied, apply_formatter, fit_formatter
from models.operations import VOCABULARY, Z_SCORE, Z_SCORED_LOG_VOLATILITY, Feature, vocabulary_name
from models.stored import Storing, Values

ROWS = 8192
"""Rows that a graph is given at a time: with other numbers of rows TensorFlow may round another way."""

_ROUNDED = 2e-5
"""Of a z-score's deviation: `models.operations.standardised` rounds to a hundred thousandth."""


def compare_cut_rows(
    whole: Prefix, cuts: Sequence[np.datetime64], formatter: DataFormatter, transform_graph: str
) -> tuple[Difference | None, int]:
    """Compares what the graph makes of rows with what it makes of them where those after a cut are other ones.

    The later rows become the last known ones of their share, so that each row keeps its place: what differs is not
    rounding.

    Returns:
        The first difference, and how many values were compared.
    """
    columns, missing = whole.rows.columns, whole.rows.missing
    if any(source not in columns for source in formatter.sources):
        return None, 0
    there = np.ones(len(whole), bool)
    for source in formatter.sources:
        there &= ~missing[source] if source in missing else True
    places = np.flatnonzero(there)
    if not len(places):
        return None, 0
    places = places[np.linspace(0, len(places) - 1, min(ROWS, len(places))).astype(np.int64)]
    time = columns[TIME][places].astype(np.int64)
    names = np.concatenate([np.full(count, at) for at, count in enumerate(whole.windows.values())])[places]
    known = [np.flatnonzero(time <= int(str(cut).replace("-", ""))) for cut in cuts]
    kept = [(cut, one) for cut, one in zip(cuts, known, strict=True) if len(one)]
    orders = [np.arange(len(places)), *(_last_known(names, time, one) for _, one in kept)]
    stacked = np.concatenate([places[np.resize(order, ROWS)] for order in orders])
    raw = {source: columns[source][stacked] for source in formatter.sources}
    values = apply_formatter(raw, formatter, tft.TFTransformOutput(transform_graph))
    compared = 0
    shares = list(whole.windows)
    for number, (cut, places_known) in enumerate(kept, 1):
        for feature in formatter.features:
            held = values[feature.name][: len(places)][places_known]
            again = values[feature.name][number * ROWS : number * ROWS + len(places)][places_known]
            compared += held.size
            off = differ(held, again)
            if off.any():
                row = int(np.argmax(off))
                at = places_known[row]
                return Difference(
                    shares[names[at]],
                    iso(time[at]),
                    feature.name,
                    str(cut),
                    *texts(held[row], again[row]),
                    int(np.count_nonzero(off)),
                ), compared
    return None, compared


def _last_known(names: NDArray[np.int64], time: NDArray[np.int64], known: NDArray[np.int64]) -> NDArray[np.int64]:
    """Places with each unknown one replaced by the last known one before it, of its share if there is one, [rows]."""
    order = np.full(len(time), -1)
    order[known] = known
    order = np.maximum.accumulate(order)
    return np.where(order < 0, known[0], order)


def analysed_on_train(
    rows: AuditRows, features: AuditFeatures, transform_graph: str, *, again: bool
) -> tuple[Difference | None, tuple[str, ...]]:
    """Whether what the graph learned of the data can be learned of the train rows alone, whose labels end with it.

    Args:
        rows: of the run.
        features: what a model sees of them.
        transform_graph: of the run.
        again: whether Transform analyses the train rows once more, about a second for 4,000 rows; otherwise means,
            variances and vocabularies of the project's own operations are compared with those of the train rows.

    Returns:
        The first difference, and the names of the features that were compared.
    """
    train = rows.of(TRAIN)
    cut = iso(np.max(rows.time[train]))
    formatter = features.formatter
    if not again:
        return _by_hand(rows, features, transform_graph, cut)
    with tempfile.TemporaryDirectory(prefix="awesome-audit-") as folder:
        graph = fit_formatter(rows.read(formatter.sources, train), formatter, Path(folder) / "graph")
        apply = applied(formatter, graph)
        for feature in formatter.features:
            off, held, other = np.zeros(len(rows), bool), features.values[feature.name], Storing()
            for block in rows.blocks():
                values = apply(rows.read(formatter.sources, block))[feature.name]
                off[block] = differ(held[block], values)
                other.add(values)
            if off.any():
                return _difference(rows, feature, cut, off, held, other.whole()), ()
    return None, tuple(feature.name for feature in formatter.features)


def _by_hand(
    rows: AuditRows, features: AuditFeatures, transform_graph: str, cut: str
) -> tuple[Difference | None, tuple[str, ...]]:
    train = rows.of(TRAIN)
    compared = []
    for feature in features.formatter.features:
        held = features.values[feature.name]
        if feature.operation in (Z_SCORE, Z_SCORED_LOG_VOLATILITY):
            mean, variance = features.moments(feature.name, train)
            deviation = np.sqrt(variance)
            varies = deviation > 0
            if np.any((np.abs(mean) > _ROUNDED) | (varies & (np.abs(deviation - 1) > _ROUNDED))):
                change, other = np.empty(len(rows)), Storing()
                for block in rows.blocks():
                    numbers = held[block].astype(np.float64)
                    # What the train rows alone would have made of it.
                    again = np.where(varies, (numbers - mean) / np.where(varies, deviation, 1), numbers)
                    change[block] = np.max(np.abs(again - numbers), axis=1)
                    other.add(again.astype(np.float32))
                return _difference(rows, feature, cut, change == np.max(change), held, other.whole()), ()
        elif feature.operation is VOCABULARY:
            index = held[:][:, 0]
            again = _own_index(
                feature, rows.read([feature.source], slice(None))[feature.source], train, transform_graph
            )
            off = again != index
            if off.any():
                return _difference(rows, feature, cut, off, index, again), ()
        else:
            continue
        compared.append(feature.name)
    return None, tuple(compared)


def _own_index(
    feature: Feature, values: NDArray[Any], train: NDArray[np.int64], transform_graph: str
) -> NDArray[np.int64]:
    """The index of each row's value, where the vocabulary is that of the train rows, the more frequent first, [rows].

    Values of the same frequency stand in the order of the run's own vocabulary.
    """
    unique, inverse = np.unique(values.astype(bytes) if values.dtype == object else values, return_inverse=True)
    named = [one if isinstance(one, bytes) else str(one).encode() for one in unique.tolist()]
    vocabulary = tft.TFTransformOutput(transform_graph).vocabulary_by_name(vocabulary_name(feature))
    place = {value: at for at, value in enumerate(vocabulary)}
    inverse = inverse.reshape(-1)
    counts = np.bincount(inverse[train], minlength=len(unique)).tolist()
    order = sorted(range(len(named)), key=lambda at: (-counts[at], place.get(named[at], 0)))
    known = int(np.count_nonzero(counts))
    index = np.empty(len(named), np.int64)
    index[order] = np.minimum(np.arange(len(named)), known)
    return index[inverse]


def _difference(
    rows: AuditRows, feature: Feature, cut: str, off: NDArray[np.bool_], held: Values, other: Values
) -> Difference:
    row = int(np.argmax(off))
    share, day = rows.shares[rows.share[row]], iso(rows.time[row])
    return Difference(share, day, feature.name, cut, *texts(held[row], other[row]), int(np.count_nonzero(off)))
