"""The parameters of a run: settings that a single run may change, as pods get them and the KFP UI's form shows them.

A field below is all that is declared of one, its name being the setting's. Which steps it reaches, and with which value
a package was compiled, is for the steps to say (awesome_kubeflow.steps). No TFX.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from awesome_kubeflow.errors import CompileError, ParameterError
from components.leak_audit.check import check_names
from models.formatters import get_formatter
from models.registry import get_architecture
from pipeline.paths import names_in_file

TRUTH = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


MOST_BYTES = 10_000
"""What Kubeflow Pipelines keeps of a run's parameters, in a column of its database.

MaxParameterBytes in its sources (package util of the backend), of all parameters together as JSON; see its issues 2286,
4828 and 12510. Newer servers can be set to take more, but a package is to run on any.
"""


def _names(text: str) -> tuple[str, ...]:
    if text.strip().startswith("@"):
        return names_in_file(Path(text.strip()[1:]))
    return tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise ValueError(f"{text!r} is not a date such as 2015-01-01") from None


def _whole(text: str) -> int:
    try:
        # KFP keeps numbers as doubles and may write 20 as 20.0.
        if (number := float(text)) == int(number):
            return int(number)
    except (ValueError, OverflowError):
        pass
    raise ValueError(f"{text!r} is not a whole number")


def _flag(text: str) -> bool:
    if text.strip().lower() not in TRUTH:
        raise ValueError(f"{text!r} is neither true nor false")
    return TRUTH[text.strip().lower()]


def _tables(text: str) -> Mapping[str, Mapping[str, Any]]:
    try:
        tables = json.loads(text) if text.strip() else {}
    except ValueError:
        tables = None
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise ValueError(f'{text!r} is not JSON by model, such as {{"rnn": {{"epochs": 9}}}}')
    return tables


def _text(read: Callable[[str], Any], write: Callable[[Any], str] = str) -> Mapping[str, Callable[[Any], Any]]:
    """How a parameter is read from a text, where a ValueError says what is wrong with it, and written as one."""
    return {"read": read, "write": write}


@dataclass(frozen=True)
class RunParameters:
    """What can be set for a single run.

    Attributes:
        shares: shares to take; empty for all. As a text also @FILE, one a line, a file on the volume as pods see it.
        since: first day asked for from the source; None for the source's own rule.
        formatter: name of the DataFormatter.
        horizon: sessions ahead that is trained.
        hyperparameters: by model, those that differ from what the package was compiled with.
        train_steps: of every model at most; 0 for each model's own epochs.
        cache: take unchanged steps from earlier runs.
        accept_suspicion: checks of the leak audit whose suspicion keeps no model back.
    """

    shares: tuple[str, ...] = field(metadata=_text(_names, ",".join))
    since: dt.date | None = field(metadata=_text(_day, lambda day: day.isoformat() if day else ""))
    formatter: str = field(metadata=_text(str.strip))
    horizon: int = field(metadata=_text(_whole))
    hyperparameters: Mapping[str, Mapping[str, Any]] = field(
        default_factory=dict, metadata=_text(_tables, lambda tables: json.dumps(tables, sort_keys=True))
    )
    train_steps: int = field(default=0, metadata=_text(_whole))
    cache: bool = field(default=True, metadata=_text(_flag, lambda flag: str(flag).lower()))
    accept_suspicion: tuple[str, ...] = field(default=(), metadata=_text(_names, ",".join))

    def __post_init__(self) -> None:
        """Checks what can be checked without the data.

        Raises:
            ParameterError: a parameter cannot be used; the message names it.
        """
        try:
            get_formatter(self.formatter)
        except ValueError as error:
            raise ParameterError(f"parameter formatter: {error}") from None
        if self.horizon < 1:
            raise ParameterError(f"parameter horizon: must be 1 or more, not {self.horizon}")
        if self.train_steps < 0:
            raise ParameterError(
                f"parameter train_steps: must be 1 or more, or 0 for each model's own epochs, not {self.train_steps}"
            )
        for name in self.accept_suspicion:
            if name not in check_names():
                raise ParameterError(
                    f"parameter accept_suspicion: there is no check {name!r}; there are {', '.join(check_names())}"
                )
        for model, values in self.hyperparameters.items():
            try:
                get_architecture(model).hyperparameters.updated(values)
            except (ValueError, TypeError) as error:
                raise ParameterError(f"parameter hyperparameters, {model}: {error}") from None

    def to_texts(self) -> dict[str, str]:
        """By name as texts, as `from_texts` reads them."""
        return {one.name: one.metadata["write"](getattr(self, one.name)) for one in fields(self)}

    def to_inputs(self) -> dict[str, Any]:
        """By name as values of INPUT_TYPES."""
        texts = self.to_texts()
        return {name: texts[name] if kind is str else getattr(self, name) for name, kind in INPUT_TYPES.items()}

    def to_settings(self) -> dict[str, Any]:
        """By name as settings; not `hyperparameters`, which are added to those that the package was compiled with."""
        return {one.name: getattr(self, one.name) for one in fields(self) if one.name != "hyperparameters"}

    @classmethod
    def from_texts(cls, texts: Mapping[str, str]) -> RunParameters:
        """Reads parameters as KFP hands them over.

        Raises:
            ParameterError: a parameter is missing, unknown or cannot be used.
        """
        readers = {one.name: one.metadata["read"] for one in fields(cls)}
        for name in sorted(readers.keys() ^ texts.keys()):
            raise ParameterError(f"parameter {name}: {'is missing' if name in readers else 'does not exist'}")
        values = {}
        for name, read in readers.items():
            try:
                values[name] = read(texts[name])
            except ValueError as error:
                raise ParameterError(f"parameter {name}: {error}") from None
        return cls(**values)


def check_size(inputs: Mapping[str, Any], origins: Mapping[str, str] | None = None) -> None:
    """Checks that Kubeflow Pipelines can keep the defaults of a run's form, which the form sends with every run.

    Args:
        inputs: by name.
        origins: where the settings of these names came from, for the message.

    Raises:
        CompileError: they are too long; the message names the longest, and what else can be done.
    """
    lengths = {name: len(_as_json(value)) for name, value in inputs.items()}
    total = len(_as_json(dict(inputs)))
    if total <= MOST_BYTES:
        return
    longest = max(lengths, key=lambda name: lengths[name])
    came_from = (origins or {}).get(longest, "default")
    origin = "" if came_from == "default" else f" (from {came_from})"
    shorter = (
        "leave the shares out for all of the database, or put them into a file on the cluster's volume, one a line, "
        "and start runs with --parameter shares=@FILE, its path as pods see it"
        if longest == "shares"
        else "make it shorter"
    )
    raise CompileError(
        f"parameter {longest}{origin}: is {lengths[longest]:,} bytes long, and all parameters of a run {total:,}; "
        f"Kubeflow Pipelines keeps {MOST_BYTES:,}: {shorter}"
    )


def _as_json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, default=str).encode()


INPUT_TYPES: Mapping[str, type] = {
    one.name: {"int": int, "bool": bool}.get(str(one.type), str) for one in fields(RunParameters)
}
"""The pipeline's inputs, as the UI's form shows them: what is neither a number nor a flag is a text."""
