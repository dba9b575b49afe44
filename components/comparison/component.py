"""EvalAnswers as a TFX component."""

from __future__ import annotations

from collections.abc import Mapping

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import artifact

from components.comparison.executor import Executor
from components.named_channels import component_spec_of


class EvalAnswersArtifact(artifact.Artifact):
    """A folder with the rows of the eval split and what was answered (predictions.parquet)."""

    TYPE_NAME = "EvalAnswers"


class EvalAnswers(base_component.BaseComponent):
    """What the models of a combination, and the baselines, say of the eval split; the test split is not read."""

    SPEC_CLASS = types.ComponentSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        models: Mapping[str, types.BaseChannel],
        formatter: str,
        horizon: int,
        label: str,
        seed: int,
        code: str = "",
    ) -> None:
        """Builds the component.

        Args:
            examples: with the splits train and eval.
            transform_graph: the formatter's.
            models: channels of the trained models by name.
            formatter: name of the DataFormatter.
            horizon: the trained one.
            label: name of the label.
            seed: of the baselines.
            code: digest of the code, so that TFX's cache sees a change.
        """
        inputs = {"examples": examples, "transform_graph": transform_graph}
        inputs |= {f"{name}.model": model for name, model in models.items()}
        outputs = {"answers": types.Channel(type=EvalAnswersArtifact)}
        parameters = {"formatter": formatter, "horizon": horizon, "label": label, "seed": seed, "code": code}
        super().__init__(spec=component_spec_of(inputs, outputs, parameters))
