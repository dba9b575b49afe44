"""A frozen dataclass to JSON and back. pydantic, which reads, is imported when something is read."""

from __future__ import annotations

import datetime as dt
import functools
import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, cast

if TYPE_CHECKING:
    from pydantic import TypeAdapter, ValidationError

_T = TypeVar("_T")


class RecordError(ValueError):
    """JSON that does not hold the record it should; says what is wrong, such as `models.linear.auc holds str`."""


class _NullIsNan:
    """Reads a null as NaN, which JSON has no word for."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema

        return core_schema.no_info_before_validator_function(lambda v: math.nan if v is None else v, handler(source))


Number = Annotated[float, _NullIsNan()]
"""A float that may be NaN; null in JSON."""


def to_plain(value: Any) -> Any:
    """A value in JSON's types; a number that JSON has no word for becomes null.

    Args:
        value: dataclasses, mappings, sequences, enums, dates and numbers, NumPy's too, in one another. A dataclass
            gives its fields; those and the properties that its class names in `JSON_FIRST` come first.
    """
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        names = dict.fromkeys([*getattr(value, "JSON_FIRST", ()), *(field.name for field in fields(value))])
        return {name: to_plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [to_plain(item) for item in value]
    if isinstance(value, dt.date):
        return value.isoformat()
    if not isinstance(value, (str, int, float)) and hasattr(value, "item"):  # a NumPy scalar
        value = value.item()
    return None if isinstance(value, float) and not math.isfinite(value) else value


def to_json(value: Any, *, indent: int | None = 2, ascii_only: bool = False) -> str:
    """A value as JSON.

    Args:
        value: as in `to_plain`.
        indent: of each level; None for one line.
        ascii_only: whether other characters are written as escapes.
    """
    return json.dumps(to_plain(value), indent=indent, allow_nan=False, ensure_ascii=ascii_only)


def from_json(kind: type[_T], content: str | bytes) -> _T:
    """Reads a dataclass that `to_json` wrote.

    Keys that the class does not know are passed over; one that is missing takes the field's default. Types are not
    converted, but that a whole number may stand for a float.

    Args:
        kind: the dataclass; a float that may be NaN is declared as a `Number`.
        content: of the file.

    Raises:
        RecordError: it is not JSON, or a value is missing or of another type.
    """
    from pydantic import ValidationError
    from pydantic_core import from_json as read_plain

    try:
        record: _T = _reader(cast(Any, kind)).validate_json(content, strict=True)
    except ValidationError as error:
        invalid = error.errors(include_url=False)[0]["type"] == "json_invalid"
        raise RecordError("not JSON" if invalid else _told(error, read_plain(content))) from None
    return record


def from_plain(kind: type[_T], values: Any) -> _T:
    """Reads a dataclass that `to_plain` wrote, after a way through protobuf, which knows one kind of number.

    A float without decimals will do for a whole number.

    Raises:
        RecordError: a value is missing or of another type.
    """
    from pydantic import ValidationError

    try:
        record: _T = _reader(cast(Any, kind)).validate_python(values)
    except ValidationError as error:
        raise RecordError(_told(error, values)) from None
    return record


@functools.cache
def _reader(kind: Any) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter

    return TypeAdapter(kind)


def _told(error: ValidationError, found: Any) -> str:
    first = error.errors(include_url=False, include_context=False)[0]
    path = []
    for key in first["loc"]:
        try:
            found = found[key]
        except (KeyError, IndexError, TypeError):  # a missing key, or the name of one of several types
            if first["type"] == "missing":
                path.append(key)
            break
        path.append(key)
    where = ".".join(str(key) if str(key).isprintable() else ascii(key) for key in path) or "it"
    if first["type"] == "missing":
        return f"{where} is missing"
    if first["type"].endswith("_type"):
        return f"{where} holds {type(found).__name__}"
    return f"{where}: {first['msg']}"
