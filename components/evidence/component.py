"""Evidence as a TFX component."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import artifact, standard_artifacts

from components.evidence.executor import Executor
from components.evidence.findings import EVIDENCE
from components.evidence.tried import RUN
from components.named_channels import component_spec_of
from models.labels import UP


class EvidenceArtifact(artifact.Artifact):
    """A folder with the findings and the predictions they come from (findings.py)."""

    TYPE_NAME = EVIDENCE


@dataclass(frozen=True)
class Contender:
    """One model of a run, and what it has to stand against.

    Attributes:
        model: channel of the trained model.
        predecessor: channel of the last blessed one of its kind; empty where there is none.
    """

    model: types.BaseChannel
    predecessor: types.BaseChannel


class Evidence(base_component.BaseComponent):
    """Judges all models of a run on the test split, beside baselines and predecessors.

    `outputs['evidence']` holds the findings, `outputs['NAME.blessing']` says of each model whether it may be pushed.
    """

    SPEC_CLASS = types.ComponentSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        transform_graph: types.BaseChannel,
        contenders: Mapping[str, Contender],
        formatter: str,
        horizon: int,
        seed: int,
        code: str = "",
        trials: str = "",
        kind: str = RUN,
        label: str = UP,
    ) -> None:
        """Builds the component.

        Args:
            examples: with the splits train, eval and test.
            transform_graph: the formatter's.
            contenders: by model name.
            formatter: name of the DataFormatter.
            horizon: the trained one.
            seed: of the resampling and the baselines.
            code: digest of the code, so that TFX's cache sees a change.
            trials: path of the record of tries on the database's prices; empty for none. What it holds is not for
                TFX's cache to see: the same models on the same days are no new try.
            kind: of the try: RUN, RETRAINED or WALK_FORWARD.
            label: name of the label.
        """
        inputs = {"examples": examples, "transform_graph": transform_graph}
        for name, contender in contenders.items():  # a model may be the first of its kind, without a predecessor
            inputs |= {f"{name}.model": contender.model, f"{name}.predecessor": contender.predecessor}
        outputs: dict[str, types.BaseChannel] = {"evidence": types.Channel(type=EvidenceArtifact)}
        outputs |= {f"{name}.blessing": types.Channel(type=standard_artifacts.ModelBlessing) for name in contenders}
        parameters = {
            "formatter": formatter,
            "horizon": horizon,
            "seed": seed,
            "code": code,
            "trials": trials,
            "kind": kind,
            "label": label,
        }
        super().__init__(spec=component_spec_of(inputs, outputs, parameters, optional=".predecessor"))
