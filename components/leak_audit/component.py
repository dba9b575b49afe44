"""LeakAudit as a TFX component."""

from __future__ import annotations

from tfx import types
from tfx.dsl.components.base import base_component, executor_spec
from tfx.types import artifact, component_spec, standard_artifacts

from components.evidence.component import EvidenceArtifact
from components.leak_audit.config import AuditConfig
from components.leak_audit.executor import CONFIG, Executor


class LeakAuditArtifact(artifact.Artifact):
    """A folder with the audit (results.py)."""

    TYPE_NAME = "LeakAudit"


class LeakAuditSpec(types.ComponentSpec):
    """What LeakAudit takes and gives."""

    PARAMETERS = {CONFIG: component_spec.ExecutionParameter(type=str)}  # noqa: RUF012 (TFX's own way)
    INPUTS = {  # noqa: RUF012
        "examples": component_spec.ChannelParameter(type=standard_artifacts.Examples),
        "schema": component_spec.ChannelParameter(type=standard_artifacts.Schema),
        "transform_graph": component_spec.ChannelParameter(type=standard_artifacts.TransformGraph),
        "evidence": component_spec.ChannelParameter(type=EvidenceArtifact),
    }
    OUTPUTS = {"audit": component_spec.ChannelParameter(type=LeakAuditArtifact)}  # noqa: RUF012


class LeakAudit(base_component.BaseComponent):
    """Says whether the run's evaluation leaks; `outputs['audit']` is a folder with audit.json.

    It ends well whatever it finds: the property `verdict` of its output says clean, suspicious or leaking.
    """

    SPEC_CLASS = LeakAuditSpec
    EXECUTOR_SPEC = executor_spec.ExecutorClassSpec(Executor)

    def __init__(
        self,
        examples: types.BaseChannel,
        schema: types.BaseChannel,
        transform_graph: types.BaseChannel,
        evidence: types.BaseChannel,
        config: AuditConfig,
    ) -> None:
        """Builds the component.

        Args:
            examples: of all splits.
            schema: that they were validated with.
            transform_graph: that the models were trained behind.
            evidence: with the AUCs that the alarm judges.
            config: what is trained again, and what was asked of the splits.
        """
        super().__init__(
            spec=LeakAuditSpec(
                examples=examples,
                schema=schema,
                transform_graph=transform_graph,
                evidence=evidence,
                audit=types.Channel(type=LeakAuditArtifact),
                **{CONFIG: config.to_json()},
            )
        )
