"""What pydantic refuses, in our words: of settings, and of options that the command line converts itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_NOUNS = {
    "int": "whole number",
    "float": "number",
    "bool": "yes or no, true or false",
    "date": "date such as 2020-12-31",
    "datetime": "moment such as 2026-11-30T18:00+08:00",
    "path": "path",
    "string": "text",
    "tuple": "list",
    "dict": "table of names and values",
    "decimal": "number",
}
_BOUNDS = {
    "greater_than": ("gt", "must be above {}"),
    "greater_than_equal": ("ge", "must be {} or more"),
    "less_than": ("lt", "must be below {}"),
    "less_than_equal": ("le", "must be {} or less"),
}
_VALUE_ERROR = "Value error, "
"""What pydantic puts before the words of a validator of ours."""


def refused(error: Mapping[str, Any]) -> str:
    """What is wrong with a value, behind its name; one of `ValidationError.errors()`.

    >>> refused({"type": "int_parsing", "msg": "Input should be a valid integer"})
    'is no whole number'
    >>> refused({"type": "less_than_equal", "ctx": {"le": 65535}, "msg": "Input should be less than or equal to 65535"})
    'must be 65535 or less'
    """
    kind, bounds = str(error["type"]), error.get("ctx", {})
    if kind in _BOUNDS:
        name, words = _BOUNDS[kind]
        return words.format(f"{bounds[name]:g}" if isinstance(bounds[name], float) else bounds[name])
    if kind == "finite_number":
        return "is no number that ends"
    if kind == "int_from_float":
        return "is no whole number"
    if kind in ("literal_error", "enum"):
        return f"is none of {bounds['expected']}"
    if kind == "int_parsing_size":
        return "is too large"
    noun = _NOUNS.get(kind.partition("_")[0]) if kind.endswith(("_parsing", "_type")) else None
    return f"is no {noun}" if noun else str(error["msg"]).removeprefix(_VALUE_ERROR)
