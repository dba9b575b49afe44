"""What the server of Kubeflow Pipelines' API refuses, lists and reads."""

from __future__ import annotations

import base64
import email
import email.policy
import json
import re
from typing import Any

import yaml

Object = dict[str, Any]

_CODES = {400: 3, 401: 16, 403: 7, 404: 5, 409: 6, 500: 13}
_SORTED = ("created_at", "display_name", "name", "id")
_PYTHON = {
    "STRING": str,
    "NUMBER_INTEGER": (int, float),
    "NUMBER_DOUBLE": (int, float),
    "BOOLEAN": bool,
    "LIST": list,
    "STRUCT": dict,
}
_EQUALS = (1, "EQUALS")


class Refused(Exception):
    """An answer that is none of success."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def listed(name: str, kept: dict[str, Object], query: dict[str, str], most: int) -> Object:
    """A page of a list, of `most` entries at the most."""
    wanted = {key: query.get(key, "") for key in ("sort_by", "filter")}
    begin = 0
    if query.get("page_token"):
        token = json.loads(base64.b64decode(query["page_token"]))
        begin = token.pop("begin")
        if token != wanted:
            raise Refused(400, "The page token does not match the sort by and filter of the request")
    entries = [one for one in kept.values() if _passes(one, wanted["filter"])]
    key, _, direction = (wanted["sort_by"] or "created_at").partition(" ")
    if key not in _SORTED or direction not in ("", "asc", "desc"):
        raise Refused(400, f"Invalid sorting field: {wanted['sort_by']}")
    entries.sort(key=lambda one: str(one.get("display_name" if key == "name" else key)), reverse=direction == "desc")
    size = min(int(query.get("page_size") or 20), most)
    reply: Object = {}
    if entries:
        reply = {name: entries[begin : begin + size], "total_size": len(entries)}
    if begin + size < len(entries):
        token = json.dumps({"begin": begin + size, **wanted})
        reply["next_page_token"] = base64.b64encode(token.encode()).decode()
    return reply


def refusal(error: Refused, upload: bool) -> Object:
    if upload:
        return {"error_message": str(error), "error_details": str(error)}
    return {"error": str(error), "code": _CODES[error.status], "message": str(error), "details": []}


def _passes(entry: Object, text: str) -> bool:
    for predicate in json.loads(text).get("predicates", []) if text else []:
        value = predicate.get("stringValue", predicate.get("string_value"))
        if predicate["operation"] not in _EQUALS or predicate["key"] not in ("display_name", "name"):
            raise Refused(400, f"the filter {predicate} is not supported")
        if entry["display_name"] != value:
            return False
    return True


def uploaded(content: bytes, kind: str) -> tuple[str, Object]:
    """Name of the file, and the spec as the server gives it back: beside what Kubernetes is told, if there is any."""
    message = email.message_from_bytes(
        b"Content-Type: " + kind.encode() + b"\r\n\r\n" + content, policy=email.policy.HTTP
    )
    for part in message.iter_parts():
        if part.get_param("name", header="content-disposition") == "uploadfile":
            try:
                documents = list(yaml.load_all(part.get_payload(decode=True), yaml.CSafeLoader))
                spec, *rest = documents
                if not spec["pipelineInfo"]["name"] or not spec["root"] or len(rest) > 1:
                    raise ValueError
            except (yaml.YAMLError, ValueError, KeyError, TypeError):
                raise Refused(400, "Failed to create a pipeline: invalid PipelineSpec") from None
            filename = str(part.get_filename())
            return filename, ({"pipeline_spec": spec, "platform_spec": rest[0]} if rest else spec)
    raise Refused(400, "Failed to read pipeline from file")


def check_parameters(spec: Object, parameters: Object) -> None:
    definitions = spec.get("pipeline_spec", spec)["root"].get("inputDefinitions", {}).get("parameters", {})
    # Names that are no inputs pass, as they do at the real server.
    for name, value in parameters.items():
        if name not in definitions:
            continue
        wanted = _PYTHON[definitions[name]["parameterType"]]
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            raise Refused(400, f"parameter {name} is not a {definitions[name]['parameterType']}")
    for name, one in definitions.items():
        if "defaultValue" not in one and not one.get("isOptional") and name not in parameters:
            raise Refused(400, f"parameter {name} is missing")


def is_cron(text: str) -> bool:
    """Whether it has the six fields of robfig/cron, seconds first, each of numbers within its range."""
    limits = ((0, 59), (0, 59), (0, 23), (1, 31), (1, 12), (0, 6))
    fields = text.split()
    if len(fields) != len(limits):
        return False
    for one, (least, most) in zip(fields, limits, strict=True):
        if one in ("*", "?"):
            continue
        numbers = re.split("[,-]", one)
        if not all(number.isdigit() and least <= int(number) <= most for number in numbers):
            return False
    return True
