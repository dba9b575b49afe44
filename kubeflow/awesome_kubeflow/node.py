"""A node's slice of the pipeline: all that one pod needs of the pipeline's intermediate representation (IR).

The slice travels as an argument of the pod's command, so it is small and plain text. It holds no address and no secret:
where the metadata store is comes from the pod's environment.
"""

from __future__ import annotations

import base64
import binascii
import json
import zlib
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf.message import DecodeError
from tfx import version
from tfx.orchestration.local import runner_utils
from tfx.proto.orchestration import pipeline_pb2
from tfx.utils import proto_utils

from awesome_kubeflow.errors import SliceError
from awesome_kubeflow.names import renamed
from models.labels import UP
from pipeline.engine import Engine, engine_of

if TYPE_CHECKING:
    from awesome_kubeflow.parameters import RunParameters

# Names and not the classes' own: they alone would take seconds to import, in every pod.
EXAMPLE_GEN = "components.feature_example_gen.component.FeatureExampleGen"
TRAINER = "tfx.components.trainer.component.Trainer"
LEAK_AUDIT = "components.leak_audit.component.LeakAudit"
CUSTOM_CONFIG = "custom_config"


@dataclass(frozen=True)
class CompiledWith:
    """What the whole pipeline was compiled with that a single node cannot tell.

    Attributes:
        formatter: name of the DataFormatter.
        horizon: the trained one, in sessions.
        horizons: every horizon that examples carry labels for, ascending.
        label: name of the label, which a run does not change.
    """

    formatter: str
    horizon: int
    horizons: tuple[int, ...]
    label: str = UP

    def all_horizons(self, horizon: int) -> tuple[int, ...]:
        """Every horizon that the examples of a run carry labels for, ascending; `horizon` is trained."""
        return tuple(sorted({*self.horizons, horizon}))


@dataclass(frozen=True)
class NodeSlice:
    """One node of a compiled pipeline.

    Attributes:
        ir: a Pipeline message that holds this node alone, and no metadata connection.
        compiled: what the whole pipeline was compiled with.
        tfx_version: of the compiler.
    """

    ir: Any
    compiled: CompiledWith
    tfx_version: str = version.__version__

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return str(self.ir.pipeline_info.id)

    def name_in(self, parameters: RunParameters) -> str:
        """The pipeline's name in a run."""
        return renamed(self.name, (self.compiled.formatter, self.compiled.horizon), parameters)

    @property
    def node(self) -> Any:
        """The node, a PipelineNode message."""
        return self.ir.nodes[0].pipeline_node

    @property
    def node_id(self) -> str:
        """The node's id in the pipeline."""
        return str(self.node.node_info.id)

    def engine(self, start_seconds: float) -> Engine:
        """Where the node's Beam jobs run; this process where it has none.

        Args:
            start_seconds: after which no worker that came is a failure.
        """
        spec = runner_utils.extract_executor_spec(runner_utils.extract_local_deployment_config(self.ir), self.node_id)
        return engine_of(getattr(spec, "beam_pipeline_args", ()), start_seconds)

    @property
    def node_type(self) -> str:
        """Dotted name of the component's class."""
        return str(self.node.node_info.type.name)


def slice_of(ir: Any, node_id: str, compiled: CompiledWith) -> NodeSlice:
    """Cuts one node out of a compiled pipeline, a Pipeline message that is left as it is.

    Raises:
        SliceError: there is no such node.
    """
    nodes = [node for node in ir.nodes if node.pipeline_node.node_info.id == node_id]
    if len(nodes) != 1:
        raise SliceError(f"the pipeline has no node {node_id}, or several")
    part = pipeline_pb2.Pipeline()
    part.CopyFrom(ir)
    del part.nodes[:]
    part.nodes.append(nodes[0])
    deployment = pipeline_pb2.IntermediateDeploymentConfig()
    if not part.deployment_config.Unpack(deployment):
        raise SliceError(f"{node_id}: the pipeline was compiled for another runner")
    for specs in (deployment.executor_specs, deployment.custom_driver_specs, deployment.node_level_platform_configs):
        for other in [key for key in specs if key != node_id]:
            del specs[other]
    deployment.ClearField("metadata_connection_config")
    part.deployment_config.Pack(deployment, deterministic=True)
    return NodeSlice(part, compiled)


def encode(part: NodeSlice) -> str:
    """The slice as one word of text; the same slice gives the same word."""
    header = json.dumps({"tfx": part.tfx_version, **asdict(part.compiled)}, sort_keys=True)
    content = header.encode() + b"\0" + part.ir.SerializeToString(deterministic=True)
    return base64.b64encode(zlib.compress(content, 9)).decode()


def decode(text: str) -> NodeSlice:
    """Reads what `encode` wrote.

    Raises:
        SliceError: it is no slice, or was compiled by another version of TFX than this one.
    """
    try:
        content = zlib.decompress(base64.b64decode(text, validate=True))
        header, _, message = content.partition(b"\0")
        values = json.loads(header)
        compiled_by = str(values["tfx"])
    except (binascii.Error, zlib.error, ValueError, KeyError, TypeError):
        raise SliceError("--slice: is no slice of a pipeline; compile the package again") from None
    # Before the message is read: another version may have changed it.
    if compiled_by != version.__version__:
        raise SliceError(
            f"--slice: the package was compiled by TFX {compiled_by} and this image has TFX {version.__version__}; "
            "compile the package with the image that runs it"
        )
    try:
        compiled = CompiledWith(values["formatter"], values["horizon"], tuple(values["horizons"]), values["label"])
        ir = pipeline_pb2.Pipeline.FromString(message)
    except (DecodeError, KeyError, TypeError):
        raise SliceError("--slice: is no slice of a pipeline; compile the package again") from None
    if len(ir.nodes) != 1:
        raise SliceError("--slice: holds not one node; compile the package again")
    return NodeSlice(ir, compiled, compiled_by)


def properties_of(node: Any) -> dict[str, Any]:
    """The execution properties of a PipelineNode that are known when a pipeline is compiled: their values by name."""
    return {
        key: getattr(value.field_value, value.field_value.WhichOneof("value"))
        for key, value in node.parameters.parameters.items()
        if value.WhichOneof("value") == "field_value"
    }


def message_of(node: Any, key: str, message: Any) -> Any:
    """An execution property of a PipelineNode that is a message: `message`, an empty one, is filled and returned."""
    return proto_utils.json_to_proto(properties_of(node)[key], message)


def set_property(node: Any, key: str, value: Any) -> None:
    """Sets an execution property of a PipelineNode to a text or a message."""
    text = value if isinstance(value, str) else proto_utils.proto_to_json(value)
    node.parameters.parameters[key].field_value.string_value = text
