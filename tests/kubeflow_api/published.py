"""What KFP publishes of its API, read from the client that KFP generates from its OpenAPI description.

The description itself is in KFP's repository only; every path, field, type and enumeration of it is in that client.
"""

from __future__ import annotations

import datetime as dt
import inspect
import re
from dataclasses import dataclass
from typing import Any

import kfp_server_api

_PLAIN = {"str": str, "int": int, "bool": bool, "float": (int, float)}


@dataclass(frozen=True)
class Operation:
    """One method of the API: its path and method of HTTP, its parameters, and the reply's model by name."""

    template: str
    method: str
    places: frozenset[str]
    query: frozenset[str]
    has_body: bool
    is_upload: bool
    reply: str


class _Recorder:
    """Stands in for the client below the generated methods."""

    client_side_validation = False

    def __init__(self) -> None:
        self.operation: Operation | None = None

    def select_header_accept(self, accepts: list[str]) -> str:
        return accepts[0]

    select_header_content_type = select_header_accept

    def call_api(
        self, template: str, method: str, places: Any, query: Any, header: Any, **rest: Any
    ) -> tuple[None, int, dict[str, str]]:
        self.operation = Operation(
            template=template,
            method=method,
            places=frozenset(places),
            query=frozenset(name for name, _ in query),
            has_body=rest["body"] is not None,
            is_upload=bool(rest["files"]),
            reply=rest["response_type"],
        )
        return None, 200, {}


def operations() -> dict[tuple[str, str], Operation]:
    """By method and path, every operation of the generated client."""
    found = {}
    for name in dir(kfp_server_api.api):
        if not name.endswith("ServiceApi"):
            continue
        recorder = _Recorder()
        api = getattr(kfp_server_api.api, name)(recorder)
        for method_name, method in inspect.getmembers(api, inspect.ismethod):
            if not method_name.endswith("_with_http_info"):
                continue
            needed = [key for key in inspect.signature(method).parameters if key != "kwargs"]
            every = [key for key in re.findall(r":param (\w+):", method.__doc__ or "") if not key.startswith("_")]
            method(**dict.fromkeys({*needed, *every} - {"async_req"}, "x"))
            assert recorder.operation is not None
            found[recorder.operation.method, recorder.operation.template] = recorder.operation
    return found


def faults(value: Any, kind: str, where: str = "") -> list[str]:
    """How a value differs from what is published of it.

    Args:
        value: read from JSON.
        kind: as the generated client names types: a model, list[...], dict(str, ...) or a plain one.
        where: the value's place.
    """
    if inner := re.fullmatch(r"list\[(.*)\]", kind):
        if not isinstance(value, list):
            return [f"{where}: {value!r} is no list"]
        return [fault for number, one in enumerate(value) for fault in faults(one, inner[1], f"{where}[{number}]")]
    if inner := re.fullmatch(r"dict\(str, (.*)\)", kind):
        if not isinstance(value, dict):
            return [f"{where}: {value!r} is no object"]
        return [fault for key, one in value.items() for fault in faults(one, inner[1], f"{where}.{key}")]
    if kind == "object":
        return []
    if kind == "datetime":
        return [] if _is_moment(value) else [f"{where}: {value!r} is no time"]
    if kind in _PLAIN:
        right = isinstance(value, _PLAIN[kind]) and isinstance(value, bool) == (kind == "bool")
        return [] if right else [f"{where}: {value!r} is no {kind}"]
    model = getattr(kfp_server_api, kind)
    if hasattr(model, "allowable_values"):
        return [] if value in model.allowable_values else [f"{where}: {value!r} is none of {model.allowable_values}"]
    if not isinstance(value, dict):
        return [f"{where}: {value!r} is no {kind}"]
    names = {key: attribute for attribute, key in model.attribute_map.items()}
    found = [f"{where}.{key}: {kind} has no such field" for key in value.keys() - names.keys()]
    for key in value.keys() & names.keys():
        found += faults(value[key], model.openapi_types[names[key]], f"{where}.{key}")
    return found


def _is_moment(value: Any) -> bool:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", value):
        return False
    dt.datetime.fromisoformat(value.replace("Z", "+00:00"))
    return True
