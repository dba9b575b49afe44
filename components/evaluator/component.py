"""Evaluator as a TFX component: TFX's own takes one model, and reads and decodes the examples again for each."""

from __future__ import annotations

from collections.abc import Mapping

from tensorflow_model_analysis.proto import config_pb2
from tfx import types
from tfx.dsl.components.base import base_beam_component, executor_spec
from tfx.types import standard_artifacts
from tfx.utils import proto_utils

from components.evaluator.executor import EVAL_CONFIG, Executor
from components.named_channels import component_spec_of


class Evaluator(base_beam_component.BaseBeamComponent):
    """Evaluates all models of a run with TFMA; `outputs['evaluation']` is its result of several models."""

    SPEC_CLASS = types.ComponentSpec
    EXECUTOR_SPEC = executor_spec.BeamExecutorSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        schema: types.BaseChannel,
        models: Mapping[str, types.BaseChannel],
        eval_config: config_pb2.EvalConfig,
    ) -> None:
        """Builds the component.

        Args:
            examples: with the split test.
            schema: of them.
            models: by name.
            eval_config: what TFMA is told, with a spec for each model.
        """
        inputs = {"examples": examples, "schema": schema} | {f"{name}.model": one for name, one in models.items()}
        outputs = {"evaluation": types.Channel(type=standard_artifacts.ModelEvaluation)}
        parameters = {EVAL_CONFIG: proto_utils.proto_to_json(eval_config)}
        super().__init__(spec=component_spec_of(inputs, outputs, parameters))
