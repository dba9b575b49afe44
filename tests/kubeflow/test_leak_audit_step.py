"""What the parameters of a run change of the LeakAudit step, without a compiled pipeline."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


def test_the_audit_makes_the_examples_again_as_the_run_s_parameters_say() -> None:
    """With the horizon or shares that were compiled, an honest run lacked rows, and was called leaking."""
    from tfx.proto.orchestration import pipeline_pb2

    from awesome_kubeflow.node import CUSTOM_CONFIG, CompiledWith, NodeSlice, properties_of, set_property
    from awesome_kubeflow.parameters import RunParameters
    from awesome_kubeflow.steps.leak_audit import STEP
    from components.feature_example_gen.splits import SplitSettings
    from components.leak_audit.config import AuditConfig, AuditedModel

    splits = SplitSettings(dates=("2015-01-05", "2017-01-05"), embargo=9, horizons=(1, 20), horizon=1)
    model = AuditedModel("linear", 1, {})
    compiled = AuditConfig((model,), "window_returns", 1, 0, 9, 0.53, splits=splits, shares=("A", "B"))
    part = NodeSlice(pipeline_pb2.Pipeline(), CompiledWith("window_returns", 1, (1, 20)))
    part.ir.nodes.add()
    set_property(part.node, CUSTOM_CONFIG, compiled.to_json())

    assert STEP.change is not None
    STEP.change(part, RunParameters(("A", "B"), None, "window_returns", 1))
    assert AuditConfig.from_json(properties_of(part.node)[CUSTOM_CONFIG]) == compiled
    STEP.change(part, RunParameters(("C",), None, "window_returns", 5))
    told = AuditConfig.from_json(properties_of(part.node)[CUSTOM_CONFIG])

    assert told.shares == ("C",)
    assert told.splits == SplitSettings(dates=("2015-01-05", "2017-01-05"), embargo=9, horizons=(1, 5, 20), horizon=5)
