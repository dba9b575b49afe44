"""The data of a run as tables: TFDV's statistics, schema, anomalies and drift, and what the models saw."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2

from components.example_validator.anomalies import read_anomalies
from components.feature_example_gen.splits import SPLITS
from models.formatters import DataFormatter
from models.operations import Kind
from pipeline.notebook.run import Line
from pipeline.runs.results import RunReport

STATISTICS_FILE = "FeatureStats.pb"
SCHEMA_FILE = "schema.pbtxt"

Statistics = Mapping[str, Any]
"""By split, a DatasetFeatureStatistics."""


def split_table(report: RunReport) -> pd.DataFrame:
    """The splits, a row each."""
    rows = {
        name: {
            "first session": split.first,
            "last session": split.last,
            "sessions": split.sessions,
            "rows": split.rows,
            "purged": split.purged,
            "without label": split.unlabelled,
        }
        for name, split in report.splits.items()
    }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("split")


def read_statistics(uri: str) -> Statistics:
    """TFDV's statistics of each split, from an ExampleStatistics artifact."""
    found = {}
    for split in SPLITS:
        listed = statistics_pb2.DatasetFeatureStatisticsList()
        listed.ParseFromString(Path(uri, f"Split-{split}", STATISTICS_FILE).read_bytes())
        [found[split]] = listed.datasets
    return found


def numeric_table(statistics: Statistics) -> pd.DataFrame:
    """TFDV's statistics of every feature of numbers, a row a feature and split.

    Returns:
        rows, missing (share), mean, std, zeros (share), min, median, max.
    """
    rows = []
    for feature, split, one, examples in _features(statistics, "num_stats"):
        numbers = one.num_stats
        common = numbers.common_stats
        rows.append(
            {
                "feature": feature,
                "split": split,
                "rows": int(examples),
                "missing": 1 - common.num_non_missing / examples if examples else float("nan"),
                "mean": numbers.mean,
                "std": numbers.std_dev,
                "zeros": numbers.num_zeros / common.tot_num_values if common.tot_num_values else float("nan"),
                "min": numbers.min,
                "median": numbers.median,
                "max": numbers.max,
            }
        )
    return pd.DataFrame(rows).set_index(["feature", "split"])


def text_table(statistics: Statistics) -> pd.DataFrame:
    """TFDV's statistics of every feature of text, a row a feature and split.

    Returns:
        rows, missing (share), different values, the most frequent value and its share.
    """
    rows = []
    for feature, split, one, examples in _features(statistics, "string_stats"):
        texts = one.string_stats
        top = texts.top_values[0] if texts.top_values else None
        rows.append(
            {
                "feature": feature,
                "split": split,
                "rows": int(examples),
                "missing": 1 - texts.common_stats.num_non_missing / examples if examples else float("nan"),
                "different": int(texts.unique),
                "most frequent": top.value if top is not None else "",
                "its share": top.frequency / examples if top is not None else float("nan"),
            }
        )
    return pd.DataFrame(rows).set_index(["feature", "split"])


def deciles(statistics: Statistics, feature: str) -> dict[str, npt.NDArray[np.float64]]:
    """The edges of TFDV's quantile histogram of a feature of numbers.

    Returns:
        By split, ascending edges [buckets + 1]; each bucket holds an equal share of the values.
    """
    found = {}
    for name, split, one, _ in _features(statistics, "num_stats"):
        if name != feature:
            continue
        for histogram in one.num_stats.histograms:
            if histogram.type == statistics_pb2.Histogram.QUANTILES and histogram.buckets:
                edges = [histogram.buckets[0].low_value, *(bucket.high_value for bucket in histogram.buckets)]
                found[split] = np.array(edges)
    return found


def read_schema(uri: str) -> Any:
    """The curated schema that the run was held to, from its Schema artifact."""
    return text_format.Parse(Path(uri, SCHEMA_FILE).read_text(encoding="utf-8"), schema_pb2.Schema())


def schema_table(schema: Any) -> pd.DataFrame:
    """What the schema asks of each feature.

    Returns:
        type, presence, values an example holds, and which are allowed.
    """
    rows = {}
    for feature in schema.feature:
        kind = schema_pb2.FeatureType.Name(feature.type)
        always = feature.presence.min_fraction == 1
        if feature.HasField("shape"):
            values = " x ".join(str(dim.size) for dim in feature.shape.dim) or "1"
        else:
            values = f"at most {feature.value_count.max}"
        domain = next(
            (
                f"{_plain(getattr(feature, name).min)} to {_plain(getattr(feature, name).max)}"
                for name in ("int_domain", "float_domain")
                if feature.HasField(name)
            ),
            "any",
        )
        rows[feature.name] = {
            "type": kind.lower(),
            "presence": "every row" if always else "some rows",
            "values": values,
            "allowed": domain,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("feature")


def anomaly_table(uri: str) -> pd.DataFrame:
    """What did not fit the schema, by split, from an ExampleAnomalies artifact.

    Returns:
        A row an anomaly; for a split without one, a row that says so.
    """
    found = read_anomalies(uri, SPLITS)
    rows = []
    for split in SPLITS:
        of_split = [anomaly for anomaly in found if anomaly.split == split]
        rows += [(split, one.feature, one.description) for one in of_split] or [(split, "", "none")]
    return pd.DataFrame(rows, columns=["split", "feature", "anomaly"]).set_index("split")


def drift_table(statistics: Statistics, schema: Any, base: str = "train") -> pd.DataFrame:
    """TFDV's drift of each feature: the Jensen-Shannon divergence of its distribution from that of another split.

    Returns:
        A row a feature, a column for each other split: 0 where the two are alike, 1 where they have no value in common.
    """
    import tensorflow_data_validation as tfdv

    watched = schema_pb2.Schema()
    watched.CopyFrom(schema)
    for feature in watched.feature:
        feature.drift_comparator.jensen_shannon_divergence.threshold = 0.0
    columns = {}
    for split in statistics:
        if split == base:
            continue
        anomalies: anomalies_pb2.Anomalies = tfdv.validate_statistics(
            _listed(statistics[split]), watched, previous_statistics=_listed(statistics[base])
        )
        columns[f"{base} to {split}"] = {
            ".".join(info.path.step): info.drift_measurements[0].value
            for info in anomalies.drift_skew_info
            if info.drift_measurements
        }
    return pd.DataFrame(columns).rename_axis("feature").sort_values(f"{base} to test", ascending=False)


def model_features(
    examples_uri: str, transform_uri: str, formatter: DataFormatter, horizon: int
) -> dict[str, dict[str, npt.NDArray[Any]]]:
    """What the models saw: the formatter's features behind Transform, by the run's own transform graph.

    Returns:
        By split, by feature: array [rows, values].
    """
    import tensorflow_transform as tft

    from models.data import load_rows
    from models.transform_graph import TransformGraph

    graph = TransformGraph(tft.TFTransformOutput(transform_uri), formatter)
    files = {split: [os.path.join(examples_uri, f"Split-{split}", "*")] for split in SPLITS}
    return {split: dict(load_rows(pattern, horizon, formatter, graph).features) for split, pattern in files.items()}


def model_drift_table(
    features: Mapping[str, Mapping[str, npt.NDArray[Any]]], formatter: DataFormatter, base: str = "train"
) -> pd.DataFrame:
    """How the numbers that the models saw moved between splits.

    Returns:
        A row a sequence or number: medians by split and the Kolmogorov-Smirnov distance (0 to 1) from `base`.
    """
    from scipy import stats

    rows = {}
    categories = {feature.name for feature in formatter.of_kind(Kind.CATEGORY)}
    seen = {split: formatter.by_part(arrays) for split, arrays in features.items()}
    for name in [one for one in seen[base] if one not in categories]:
        values = {split: np.asarray(arrays[name]).ravel() for split, arrays in seen.items()}
        medians = {f"median {split}": float(np.median(of_split)) for split, of_split in values.items()}
        distances = {
            f"KS {base} to {split}": float(stats.ks_2samp(values[base], of_split, method="asymp").statistic)
            for split, of_split in values.items()
            if split != base
        }
        rows[name] = medians | distances
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("feature")


def unseen_table(
    features: Mapping[str, Mapping[str, npt.NDArray[Any]]], formatter: DataFormatter, base: str = "train"
) -> pd.DataFrame:
    """The share of rows whose category was not there in training.

    Returns:
        A row a category, a column a split.
    """
    rows = {}
    for feature in formatter.of_kind(Kind.CATEGORY):
        known = np.unique(features[base][feature.name])
        rows[feature.name] = {
            split: float(np.mean(~np.isin(arrays[feature.name], known))) for split, arrays in features.items()
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("category")


def interactive_statistics(statistics: Statistics, shown: bool) -> Any:
    """TFDV's own view of train and test in a frame; its page loads scripts from the internet, so not unasked."""
    if not shown:
        return Line("TFDV's interactive view loads scripts from the internet: set INTERACTIVE = True above to see it.")
    from html import escape

    from tensorflow_data_validation.utils.display_util import get_statistics_html

    page = get_statistics_html(_listed(statistics["train"]), _listed(statistics["test"]), "train", "test")
    return _Html(f'<iframe srcdoc="{escape(page)}" width="100%" height="600" style="border:0"></iframe>')


class _Html(str):
    """Text that a notebook shows as HTML."""

    def _repr_html_(self) -> str:
        return str(self)


def _features(statistics: Statistics, kind: str) -> Sequence[tuple[str, str, Any, float]]:
    """Name, split, statistics and number of examples of every feature of a kind, in order of name and of the splits."""
    found = [
        (".".join(one.path.step), split, one, float(dataset.num_examples))
        for split, dataset in statistics.items()
        for one in dataset.features
        if one.WhichOneof("stats") == kind
    ]
    return sorted(found, key=lambda item: (item[0], list(statistics).index(item[1])))


def _plain(limit: float) -> str:
    return str(limit) if isinstance(limit, int) else f"{limit:g}"


def _listed(dataset: Any) -> Any:
    return statistics_pb2.DatasetFeatureStatisticsList(datasets=[dataset])
