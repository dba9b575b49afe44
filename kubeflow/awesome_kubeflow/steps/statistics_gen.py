"""StatisticsGen: every feature's figures by split."""

from __future__ import annotations

from typing import Any

from awesome_kubeflow.steps.kind import MOST_ROWS, StepKind, only, split_files
from awesome_kubeflow.steps.page import Section, Table
from pipeline.job.step import Step


def _section(step: Step) -> Section:
    import tensorflow_data_validation as tfdv

    tables, rows_seen = [], []
    for split, path in split_files(only(step, "statistics"), "FeatureStats.pb").items():
        [dataset] = tfdv.load_stats_binary(path).datasets
        rows_seen.append(f"{split} {dataset.num_examples:,.0f} rows")
        rows = tuple(_feature_row(feature, dataset.num_examples) for feature in dataset.features)
        header = ("feature", "values", "missing", "mean", "deviation", "zeros", "least", "median", "most")
        tables.append(Table(f"Split {split}", header, tuple(sorted(rows))[:MOST_ROWS]))
    return Section(f"What the examples hold: {', '.join(rows_seen)}.", tuple(tables))


def _feature_row(feature: Any, rows: float) -> tuple[str, ...]:
    name = feature.name or ".".join(feature.path.step)
    if feature.WhichOneof("stats") == "string_stats":
        stats = feature.string_stats
        top = stats.top_values[0].value if stats.top_values else ""
        return (name, _count(stats.common_stats), _missing(stats.common_stats, rows), f"{stats.unique:,} different",
                "", "", top, "", "")  # fmt: skip
    stats = feature.num_stats
    values = stats.common_stats.tot_num_values or 1
    spread = (f"{number:.6g}" for number in (stats.min, stats.median, stats.max))
    return (name, _count(stats.common_stats), _missing(stats.common_stats, rows), f"{stats.mean:.6g}",
            f"{stats.std_dev:.6g}", f"{stats.num_zeros / values:.1%}", *spread)  # fmt: skip


def _count(common: Any) -> str:
    return f"{common.tot_num_values or common.num_non_missing:,}"


def _missing(common: Any, rows: float) -> str:
    return f"{1 - common.num_non_missing / rows:.1%}" if rows else ""


STEP = StepKind("StatisticsGen", resources="data", section=_section)
