"""The curated schema of the examples, for any horizons."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from models.day_wide.columns import COLUMNS
from models.features import excess_return_key, forward_return_key, label_key
from models.labels import UP, get_label

CURATED = Path(__file__).with_name("schema.pbtxt")


def schema_for(
    horizons: Iterable[int], trained: int, curated: Path = CURATED, label: str = UP, columns: Iterable[str] = ()
) -> Any:
    """The curated schema with the label and the return of each horizon.

    Args:
        horizons: each gets a copy of label_1 and forward_return_1.
        trained: the horizon every example has a label for; its two features must be there, one value each.
        curated: the text file.
        label: its name; of one that compares the shares of a day, each horizon has a return beyond that level, too.
        columns: the day-wide columns that examples carry (models/day_wide).

    Returns:
        A tensorflow_metadata Schema.
    """
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    schema = text_format.Parse(curated.read_text(), schema_pb2.Schema())
    templates = {
        key: feature for key in (label_key, forward_return_key) for feature in schema.feature if feature.name == key(1)
    }
    kinds = dict(templates)
    if get_label(label).of_the_day:
        kinds[excess_return_key] = schema_pb2.Feature()
        kinds[excess_return_key].CopyFrom(templates[forward_return_key])
        # A return cannot fall short of another by more than that one may be.
        kinds[excess_return_key].float_domain.min = -kinds[excess_return_key].float_domain.max
    made = schema_pb2.Schema()
    made.feature.extend(feature for feature in schema.feature if feature not in templates.values())
    for horizon in sorted(set(horizons)):
        for key, template in kinds.items():
            feature = made.feature.add()
            feature.CopyFrom(template)
            feature.name = key(horizon)
            if horizon == trained:
                feature.ClearField("value_count")
                feature.presence.min_fraction = 1.0
                feature.shape.dim.add().size = 1
    for name in columns:
        feature = made.feature.add(name=name, type=schema_pb2.FLOAT)
        feature.presence.min_fraction, feature.presence.min_count = 1.0, 1
        feature.shape.dim.add().size = COLUMNS[name].width
        feature.float_domain.disallow_nan = feature.float_domain.disallow_inf = True
    return made
