"""What a SavedModel says that it takes and gives, read from its file without TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from google.protobuf.message import DecodeError

from components.errors import UserError
from pipeline.serving.messages import DType, SavedModel, dtype_name

SAVED_MODEL = "saved_model.pb"
DEFAULT = "serving_default"
"""The signature that is meant where none is named."""

PREDICT = "tensorflow/serving/predict"
"""The method of a signature that `:predict` may ask for; `:classify` and `:regress` have their own."""


class SavedModelError(UserError):
    """A folder holds no SavedModel that can be read."""


@dataclass(frozen=True)
class TensorSpec:
    """A named tensor.

    Attributes:
        name: by which it is asked for.
        dtype: number of its DataType.
        shape: -1 for what is free; None where not even the rank is known.
    """

    name: str
    dtype: int
    shape: tuple[int, ...] | None

    def __str__(self) -> str:
        """Such as DT_FLOAT [-1,21]."""
        shape = "[?]" if self.shape is None else f"[{','.join(map(str, self.shape))}]"
        return f"{dtype_name(self.dtype)} {shape}"


@dataclass(frozen=True)
class Signature:
    """A function of a model.

    Attributes:
        name: by which it is asked for.
        method: which of the protocol's methods may ask for it.
        inputs: by name.
        outputs: by name, sorted.
        declared: as the model declares it, for those who ask.
    """

    name: str
    method: str
    inputs: Mapping[str, TensorSpec]
    outputs: Mapping[str, TensorSpec]
    declared: Any


def read_signatures(folder: Path) -> dict[str, Signature]:
    """The signatures of a SavedModel, by name.

    Args:
        folder: that holds saved_model.pb.

    Raises:
        SavedModelError: it cannot be read.
    """
    path = folder / SAVED_MODEL
    try:
        graphs = SavedModel.FromString(path.read_bytes()).meta_graphs
    except (OSError, DecodeError) as error:
        raise SavedModelError(f"{path}: is no SavedModel that can be read ({error}); push it again") from None
    if not graphs:
        raise SavedModelError(f"{path}: holds no model; push it again")
    return {
        name: Signature(name, one.method_name, _specs(one.inputs), _specs(one.outputs), one)
        for name, one in sorted(graphs[0].signature_def.items())
    }


def _specs(infos: Mapping[str, Any]) -> dict[str, TensorSpec]:
    return {name: TensorSpec(name, info.dtype, _shape(info.tensor_shape)) for name, info in sorted(infos.items())}


def _shape(shape: Any) -> tuple[int, ...] | None:
    return None if shape.unknown_rank else tuple(dim.size for dim in shape.dim)


def in_json(signature: Signature) -> dict[str, Any]:
    """A signature as TensorFlow Serving shows it: its message in the JSON of protobuf, defaults written out."""
    declared = signature.declared
    return {
        "inputs": {name: _info(info) for name, info in sorted(declared.inputs.items())},
        "outputs": {name: _info(info) for name, info in sorted(declared.outputs.items())},
        "method_name": declared.method_name,
    }


def _info(info: Any) -> dict[str, Any]:
    dims = [{"size": str(dim.size), "name": dim.name} for dim in info.tensor_shape.dim]  # int64 is a string there
    shape = {"dim": dims, "unknown_rank": info.tensor_shape.unknown_rank}
    dtype = DType(info.dtype).name if info.dtype in DType._value2member_map_ else info.dtype or "DT_INVALID"
    return {"dtype": dtype, "tensor_shape": shape, "name": info.name}
