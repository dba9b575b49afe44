"""ImportSchemaGen: the curated schema, which the pod writes for the run's horizon."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath

from awesome_kubeflow.node import NodeSlice, properties_of, set_property
from awesome_kubeflow.parameters import RunParameters
from awesome_kubeflow.steps.kind import StepKind, only
from awesome_kubeflow.steps.page import Section, Table
from pipeline.job.step import Step


def _section(step: Step) -> Section:
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    text = (Path(only(step, "schema").uri) / "schema.pbtxt").read_text()
    schema = text_format.Parse(text, schema_pb2.Schema())
    rows = tuple(
        (feature.name, schema_pb2.FeatureType.Name(feature.type), f"{feature.presence.min_fraction:g}")
        for feature in schema.feature
    )
    header = ("feature", "type", "least share of rows that have it")
    return Section(f"{len(rows)} features are expected.", (Table("The curated schema", header, rows),))


def _text(part: NodeSlice, parameters: RunParameters) -> str:
    from google.protobuf import text_format

    from models.formatters import get_formatter
    from models.schema import schema_for

    horizons = part.compiled.all_horizons(parameters.horizon)
    columns = get_formatter(parameters.formatter).example_columns
    schema = schema_for(horizons, parameters.horizon, label=part.compiled.label, columns=columns)
    return str(text_format.MessageToString(schema))


def _change(part: NodeSlice, parameters: RunParameters) -> None:
    # TFX's cache looks at a schema's path, so the path holds a digest of the content.
    digest = hashlib.sha256(_text(part, parameters).encode()).hexdigest()[:16]
    path = PurePosixPath(properties_of(part.node)["schema_file"])
    set_property(part.node, "schema_file", str(path.parent.parent / digest / path.name))


def _file(part: NodeSlice, parameters: RunParameters) -> tuple[Path, str]:
    return Path(properties_of(part.node)["schema_file"]), _text(part, parameters)


STEP = StepKind("ImportSchemaGen", resources="light", section=_section, change=_change, writes=_file)
