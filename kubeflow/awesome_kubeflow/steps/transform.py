"""Transform: the features of the run's formatter."""

from __future__ import annotations

import json

from awesome_kubeflow.node import CUSTOM_CONFIG, NodeSlice, properties_of, set_property
from awesome_kubeflow.parameters import RunParameters
from awesome_kubeflow.steps.kind import StepKind


def _change(part: NodeSlice, parameters: RunParameters) -> None:
    config = json.loads(properties_of(part.node)[CUSTOM_CONFIG])
    set_property(part.node, CUSTOM_CONFIG, json.dumps(config | {"formatter": parameters.formatter}, sort_keys=True))


STEP = StepKind("Transform", resources="data", change=_change)
