"""What ExampleValidator left behind, read once for the refusal and for people."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import NamedTuple

from tensorflow_metadata.proto.v0 import anomalies_pb2

ANOMALIES_FILE = "SchemaDiff.pb"


class Anomaly(NamedTuple):
    """One thing that does not fit the schema; unpacks as ``split, feature, description``."""

    split: str
    feature: str
    description: str


def read_anomalies(uri: str, splits: Iterable[str]) -> list[Anomaly]:
    """Reads the anomalies of each split.

    Args:
        uri: of the ExampleAnomalies artifact.
        splits: their names.

    Returns:
        In the splits' order, features in order of name; a data set's own anomaly as the feature "(all)".
    """
    found: list[Anomaly] = []
    for split in splits:
        anomalies = anomalies_pb2.Anomalies()
        with open(os.path.join(uri, f"Split-{split}", ANOMALIES_FILE), "rb") as file:
            anomalies.ParseFromString(file.read())
        found += [Anomaly(split, name, info.description) for name, info in sorted(anomalies.anomaly_info.items())]
        if anomalies.HasField("dataset_anomaly_info"):
            found.append(Anomaly(split, "(all)", anomalies.dataset_anomaly_info.description))
    return found
