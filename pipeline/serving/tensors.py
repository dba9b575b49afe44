"""TensorProto and NumPy, for the types that the signatures have."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from pipeline.serving.errors import ServingError, invalid
from pipeline.serving.messages import DType, TensorProto, dtype_name
from pipeline.serving.signatures import TensorSpec

_KINDS = {DType.DT_FLOAT: np.dtype("<f4"), DType.DT_INT64: np.dtype("<i8")}
_FIELDS = {DType.DT_FLOAT: "float_val", DType.DT_INT64: "int64_val", DType.DT_STRING: "string_val"}

Array: TypeAlias = npt.NDArray[Any]


def check_shape(name: str, shape: tuple[int, ...], spec: TensorSpec) -> None:
    """Checks a tensor's shape against what a signature declares.

    Raises:
        ServingError: they differ.
    """
    wanted = spec.shape
    if wanted is not None and (
        len(shape) != len(wanted) or any(w not in (-1, s) for s, w in zip(shape, wanted, strict=True))
    ):
        got, expected = (f"[{','.join(map(str, one))}]" for one in (shape, wanted))
        raise invalid(f"input {name}: Expecting shape {expected} but got: {got}")


def to_array(name: str, tensor: Any, spec: TensorSpec) -> Array:
    """The values of a message.

    Args:
        name: of the input.
        tensor: a TensorProto.
        spec: what the signature says of it.

    Returns:
        float32, int64 or an object array of bytes, in the tensor's shape.

    Raises:
        ServingError: it is of another type or shape, or damaged.
    """
    if tensor.dtype != spec.dtype:
        raise invalid(f"input {name}: Expects {dtype_name(spec.dtype)} but {dtype_name(tensor.dtype)} is provided")
    if spec.dtype not in _FIELDS:
        raise invalid(f"input {name}: {dtype_name(spec.dtype)} is not read by this server")
    kind = DType(spec.dtype)
    shape = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if tensor.tensor_shape.unknown_rank or min(shape, default=0) < 0:
        raise invalid(f"tensor parsing error: {name}: its shape is not known")
    check_shape(name, shape, spec)
    size = int(np.prod(shape, dtype=object))
    values: Array
    if kind is DType.DT_STRING:
        if tensor.tensor_content:
            raise invalid(f"tensor parsing error: {name}: strings are read from string_val, not from tensor_content")
        values = np.empty(len(tensor.string_val), dtype=object)
        values[:] = tensor.string_val
    elif tensor.tensor_content:
        if len(tensor.tensor_content) != size * _KINDS[kind].itemsize:
            raise _wrong_size(name, size, len(tensor.tensor_content) // _KINDS[kind].itemsize)
        values = np.frombuffer(tensor.tensor_content, _KINDS[kind])
    else:
        values = np.array(getattr(tensor, _FIELDS[kind]), _KINDS[kind])
    if 0 < len(values) < size and len(values) == 1:  # one value may stand for all of them
        values = np.repeat(values, size)
    if len(values) != size:
        raise _wrong_size(name, size, len(values))
    return values.reshape(shape)


def _wrong_size(name: str, wanted: int, got: int) -> ServingError:
    return invalid(f"tensor parsing error: {name}: Expecting tensor size: {wanted} but got: {got}")


def to_message(array: Array, spec: TensorSpec) -> Any:
    """A message as TensorFlow Serving sends it: the values in the field of their type, not as bytes."""
    kind = DType(spec.dtype)
    tensor = TensorProto(dtype=kind)
    for size in array.shape:
        tensor.tensor_shape.dim.add(size=size)
    getattr(tensor, _FIELDS[kind]).extend(array.ravel().tolist())
    return tensor
