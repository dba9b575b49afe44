"""The inputs of a package: names, types and defaults from its pipeline spec, and values that a user types."""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from awesome_kubeflow.errors import ApiError, ParameterError
from awesome_kubeflow.parameters import TRUTH

_SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Input:
    """One parameter of a pipeline.

    Attributes:
        name: of the parameter.
        kind: KFP's type, such as NUMBER_INTEGER.
        default: None for none.
        required: whether a run without it is refused.
    """

    name: str
    kind: str
    default: Any
    required: bool


def package_name(path: Path) -> str:
    """The pipeline's name in a package, a .yaml file as `awesome kubeflow compile` or KFP's compiler writes it.

    Raises:
        ApiError: it cannot be read, or is no package.
    """
    import yaml

    if path.suffix not in _SUFFIXES:
        raise ApiError(f"{path}: a package is a .yaml file")
    try:
        with path.open(encoding="utf-8") as file:
            spec = next(iter(yaml.safe_load_all(file)), None)
    except OSError as error:
        raise ApiError(f"{path}: cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        spec = None
    info = spec.get("pipelineInfo") if isinstance(spec, Mapping) else None
    name = info.get("name") if isinstance(info, Mapping) else None
    if not isinstance(name, str) or not name:
        raise ApiError(f"{path}: is no package of Kubeflow Pipelines v2; `awesome kubeflow compile` writes one")
    return name


def spec_inputs(spec: Mapping[str, Any] | None) -> tuple[Input, ...]:
    """The inputs that a pipeline spec defines.

    Args:
        spec: as the API returns it: the spec alone, or beside what Kubernetes is told.
    """
    definitions = _pipeline_spec(spec).get("root", {}).get("inputDefinitions", {}).get("parameters", {})
    return tuple(
        Input(
            name=name,
            kind=str(one.get("parameterType", "STRING")),
            default=one.get("defaultValue"),
            required="defaultValue" not in one and not one.get("isOptional", False),
        )
        for name, one in definitions.items()
    )


def spec_tasks(spec: Mapping[str, Any] | None) -> tuple[str, ...]:
    """The names of a pipeline spec's tasks."""
    return tuple(_pipeline_spec(spec).get("root", {}).get("dag", {}).get("tasks", {}))


def split_pairs(pairs: Iterable[str]) -> dict[str, str]:
    """Parameters as they are typed, name=value each.

    Raises:
        ParameterError: one is not, or is there twice.

    >>> split_pairs(["horizon=5", "shares=IBM,GE"])
    {'horizon': '5', 'shares': 'IBM,GE'}
    """
    texts: dict[str, str] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name:
            raise ParameterError(f"parameter {pair!r}: is not of the form name=value")
        if name in texts:
            raise ParameterError(f"parameter {name}: is given twice")
        texts[name] = value
    return texts


def typed(inputs: Iterable[Input], texts: Mapping[str, str]) -> dict[str, Any]:
    """Values of the types that a pipeline's inputs have.

    Args:
        inputs: of the pipeline.
        texts: by name; those left out keep their defaults.

    Raises:
        ParameterError: the pipeline has no such parameter, a value is of another type, or one is missing.
    """
    known = {one.name: one for one in inputs}
    for name in texts:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known) or 'none'}"
            raise ParameterError(f"parameter {name}: the pipeline has none of this name; {hint}")
    for one in known.values():
        if one.required and one.name not in texts:
            raise ParameterError(f"parameter {one.name}: has no default, so a run needs it")
    return {name: _value(known[name], text) for name, text in texts.items()}


def _pipeline_spec(spec: Mapping[str, Any] | None) -> Mapping[str, Any]:
    spec = spec or {}
    inner = spec.get("pipeline_spec")
    return inner if isinstance(inner, Mapping) else spec


def _whole(text: str) -> int:
    return int(text, 10)


def _truth(text: str) -> bool:
    return TRUTH[text.strip().lower()]


def _json(kind: type) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        value = json.loads(text)
        if not isinstance(value, kind):
            raise ValueError
        return value

    return read


_READERS: Mapping[str, tuple[Callable[[str], Any], str]] = {
    "STRING": (str, "text"),
    "NUMBER_INTEGER": (_whole, "a whole number"),
    "NUMBER_DOUBLE": (float, "a number"),
    "BOOLEAN": (_truth, "true or false"),
    "LIST": (_json(list), "a list in JSON"),
    "STRUCT": (_json(dict), "an object in JSON"),
}
"""By KFP's type: how a text is read, and what it then is."""


def _value(one: Input, text: str) -> Any:
    read, what = _READERS.get(one.kind, (str, "text"))
    try:
        return read(text)
    except (ValueError, KeyError):
        raise ParameterError(f"parameter {one.name}: {text!r} is not {what}") from None
