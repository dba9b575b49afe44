"""The bodies of REST: `instances` row by row, or `inputs` column by column, and what answers them.

Names, forms and most words of the errors are those of tensorflow_serving/util/json_tensor.cc and of its page
g3doc/api_rest.md.
"""

from __future__ import annotations

import base64
import binascii
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, starmap
from struct import Struct
from struct import error as StructError
from typing import Any

import numpy as np
import orjson

from pipeline.serving.errors import ServingError, invalid
from pipeline.serving.messages import DType, dtype_name
from pipeline.serving.signatures import Signature, TensorSpec
from pipeline.serving.tensors import Array, check_shape

_INSTANCES, _INPUTS, _SIGNATURE, _BASE64 = "instances", "inputs", "signature_name", "b64"
_LONGEST = 80
"""Characters of a value that an error shows."""

_LARGEST = float(np.finfo(np.float32).max)

_TYPES = {
    type(None): "Null", bool: "Bool", dict: "Object", list: "Array", str: "String", int: "Number", float: "Number"
}  # fmt: skip


@dataclass(frozen=True)
class Body:
    """A body that was read.

    Attributes:
        signature: the name that it gives; empty for none.
        by_rows: whether it is `instances`.
        values: under that key.
        booleans: whether there may be booleans among them, which Python takes for numbers.
    """

    signature: str
    by_rows: bool
    values: Any
    booleans: bool = False


def read_body(content: bytes) -> Body:
    """Reads a body of `:predict`.

    Raises:
        ServingError: it is not in one of the two forms.
    """
    found = _parsed(content)
    if not isinstance(found, dict):
        raise invalid(f"JSON Value: {_shown(found)} Is not object")
    signature = found.get(_SIGNATURE, "")
    if not isinstance(signature, str):
        raise invalid(
            f"JSON Value: {_shown(found)} not formatted correctly. 'signature_name' key must be a string value."
        )
    if _INSTANCES in found and _INPUTS in found:
        raise invalid("JSON Value: Not formatted correctly expecting only one of 'inputs' or 'instances' keys to exist")
    booleans = b"true" in content or b"false" in content
    if _INPUTS in found:
        return Body(signature, False, found[_INPUTS], booleans)
    if _INSTANCES not in found:
        raise invalid("Missing 'inputs' or 'instances' key")
    rows = found[_INSTANCES]
    if not isinstance(rows, list):
        raise invalid(f"JSON Value: {_shown(found)} Excepting 'instances' to be an list/array")
    if not rows:
        raise invalid(f"JSON Value: {_shown(found)} No values in 'instances' array")
    return Body(signature, True, rows, booleans)


def _parsed(content: bytes) -> Any:
    if not content:
        raise invalid("JSON Parse error: The document is empty")
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        where, what = error.pos, error.msg
    try:  # NaN and Infinity, which the protocol allows and JSON does not
        return json.loads(content)
    except (ValueError, RecursionError):
        raise invalid(f"JSON Parse error: {what} at offset: {where}") from None


def to_arrays(body: Body, signature: Signature) -> dict[str, Array]:
    """The inputs of a signature.

    Returns:
        By name: float32, or an object array of bytes.

    Raises:
        ServingError: a value does not fit; the message names its row.
    """
    columns = _columns_of_rows(body.values, signature) if body.by_rows else _columns(body.values, signature)
    return {name: _array(values, signature.inputs[name], body) for name, values in columns.items()}


def _columns_of_rows(rows: list[Any], signature: Signature) -> dict[str, list[Any]]:
    names = list(signature.inputs)
    if not _is_named(rows[0]):
        if len(names) > 1:
            raise invalid(
                "instances is a plain list, but expecting list of objects as multiple input tensors required as per "
                "tensorinfo_map"
            )
        for number, row in enumerate(rows):
            if _is_named(row):
                raise invalid(f"Expecting value/list but got object at item {number} of input list")
        return {names[0]: rows}
    keys = signature.inputs.keys()
    for number, row in enumerate(rows):
        if not isinstance(row, dict):
            raise invalid(f"Expecting object but got list at item {number} of input list")
        if row.keys() != keys:
            raise invalid(
                f"Failed to process element: {number} of 'instances' list. JSON object: {_shown(row)} keys must be "
                f"equal to: {','.join(names)}"
            )
    return {name: [row[name] for row in rows] for name in names}


def _columns(values: Any, signature: Signature) -> dict[str, list[Any]]:
    names = list(signature.inputs)
    if _is_named(values):
        for name in names:
            if name not in values:
                raise invalid(f"Missing named input: {name} in 'inputs' object.")
        found = {name: values[name] for name in names}
    elif len(names) > 1:
        raise invalid(
            "inputs is a plain value/list, but expecting an object as multiple input tensors required as per "
            "tensorinfo_map"
        )
    else:
        found = {names[0]: values}
    for name, value in found.items():
        if not isinstance(value, list):
            raise invalid(f"input {name}: Expecting shape {signature.inputs[name]} but got a single value")
    return found


def _is_named(value: Any) -> bool:
    return isinstance(value, dict) and not _is_base64(value)


def _is_base64(value: dict[str, Any]) -> bool:
    return len(value) == 1 and isinstance(value.get(_BASE64), str)


def _array(rows: list[Any], spec: TensorSpec, body: Body) -> Array:
    by_rows = body.by_rows
    if spec.shape is None or len(spec.shape) not in (1, 2):
        raise invalid(f"input {spec.name}: {spec} is not read by this server")
    wide = len(spec.shape) == 2
    if wide and spec.dtype == DType.DT_FLOAT:
        whole = _whole_rows(rows, spec.shape[1], body.booleans)
        if whole is not None:
            check_shape(spec.name, whole.shape, spec)
            return whole
    if wide:
        width = spec.shape[1] if spec.shape[1] >= 0 else len(rows[0]) if rows and isinstance(rows[0], list) else 0
        for number, row in enumerate(rows):
            if not isinstance(row, list):
                raise _of_row(number, spec, by_rows, f"JSON Value: {_shown(row)} is not a list of {width} values")
            if len(row) != width:
                raise _of_row(number, spec, by_rows, f"Expecting tensor size: {width} but got: {len(row)}")
    values = list(chain.from_iterable(rows)) if wide else rows
    per_row = len(values) // len(rows) if rows and wide else 1
    shape = (len(rows), width) if wide else (len(rows),)
    check_shape(spec.name, shape, spec)
    try:
        found = _floats(values) if spec.dtype == DType.DT_FLOAT else _strings(values, spec)
    except _ValueAt as error:
        raise _of_row(error.index // max(per_row, 1), spec, by_rows, str(error)) from None
    return found.reshape(shape)


class _ValueAt(Exception):
    """A value that does not fit."""

    def __init__(self, index: int, message: str) -> None:
        super().__init__(message)
        self.index = index


def _of_row(number: int, spec: TensorSpec, by_rows: bool, message: str) -> ServingError:
    if by_rows:
        return invalid(
            f"Failed to process element: {number} key: {spec.name} of 'instances' list. Error: "
            f"INVALID_ARGUMENT: {message}"
        )
    return invalid(f"input {spec.name}, row {number}: {message}")


def _whole_rows(rows: list[Any], width: int, booleans: bool) -> Array | None:
    """Rows of numbers that float32 holds; None where there is any other value, which has to be named.

    `struct` takes numbers alone, and a third of the time of NumPy, which would read the text "5" as one.
    """
    if set(map(type, rows)) != {list} or (booleans and bool in set(map(type, chain.from_iterable(rows)))):
        return None
    try:
        content = b"".join(starmap(Struct(f"{width}d").pack, rows))
    except (StructError, OverflowError):
        return None
    with np.errstate(over="ignore"):
        found = np.frombuffer(content, np.float64).astype(np.float32).reshape(-1, width)
    return found if np.isfinite(found).all() else None


def _floats(values: Sequence[Any]) -> Array:
    for index, value in enumerate(values):
        if isinstance(value, bool) or not isinstance(value, (float, int)):
            raise _ValueAt(index, _type_error(value, "float"))
        if abs(value) > _LARGEST and (isinstance(value, int) or math.isfinite(value)):
            raise _ValueAt(index, f"Cannot convert JSON value: {_shown(value)} to float without loss of precision.")
    return np.array(values, np.float32)


def _strings(values: Sequence[Any], spec: TensorSpec) -> Array:
    if spec.dtype != DType.DT_STRING:
        raise invalid(f"input {spec.name}: {dtype_name(spec.dtype)} is not read by this server")
    found = np.empty(len(values), dtype=object)
    for index, value in enumerate(values):
        if isinstance(value, str):
            found[index] = value.encode("utf-8", "surrogatepass")
        elif isinstance(value, dict) and _is_base64(value):
            try:
                found[index] = base64.b64decode(value[_BASE64], validate=True)
            except (binascii.Error, ValueError):
                raise _ValueAt(index, "Unable to base64 decode") from None
        elif isinstance(value, dict):
            raise _ValueAt(index, f"JSON Value: {_shown(value)} not formatted correctly for base64 data")
        else:
            raise _ValueAt(index, _type_error(value, "string"))
    return found


def _type_error(value: Any, wanted: str) -> str:
    return f"JSON Value: {_shown(value)} Type: {_TYPES[type(value)]} is not of expected type: {wanted}"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        value = dict.fromkeys(list(value)[:5], "...")
    text = json.dumps(value[:5] if isinstance(value, list) else value, default=str)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def answer_body(outputs: Mapping[str, Array], by_rows: bool) -> bytes:
    """The body of an answer: a single output goes without its name; a number has the digits of its own type.

    Args:
        outputs: float32 or int64, [n, ...].
        by_rows: whether the request was.
    """
    arrays = {name: np.ascontiguousarray(array) for name, array in outputs.items()}
    found: Any
    if len(arrays) == 1:
        [found] = arrays.values()
    elif by_rows:
        count = len(next(iter(arrays.values())))
        found = [{name: array[row] for name, array in arrays.items()} for row in range(count)]
    else:
        found = arrays
    return orjson.dumps({"predictions" if by_rows else "outputs": found}, option=orjson.OPT_SERIALIZE_NUMPY)
