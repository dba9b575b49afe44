"""StoppingExampleValidator: what does not fit the schema."""

from __future__ import annotations

from pathlib import Path

from awesome_kubeflow.steps.kind import MOST_ROWS, StepKind, only, split_files
from awesome_kubeflow.steps.page import Section, Table
from pipeline.job.step import Step


def _section(step: Step) -> Section:
    from tensorflow_metadata.proto.v0 import anomalies_pb2

    rows: list[tuple[str, ...]] = []
    counts: list[tuple[str, ...]] = []
    for split, path in split_files(only(step, "anomalies"), "SchemaDiff.pb").items():
        anomalies = anomalies_pb2.Anomalies.FromString(Path(path).read_bytes())
        counts.append((split, str(len(anomalies.anomaly_info))))
        rows += [(split, name, info.description) for name, info in sorted(anomalies.anomaly_info.items())]
    verdict = f"{len(rows)} features do not fit the schema." if rows else "Every split fits the schema."
    tables = [Table("Features that do not fit", ("split", "anomalies"), tuple(counts))]
    if rows:
        tables.append(Table("Anomalies", ("split", "feature", "what is wrong"), tuple(rows[:MOST_ROWS])))
    return Section(verdict, tuple(tables))


STEP = StepKind("StoppingExampleValidator", resources="light", section=_section)
