"""The parameters of a run: what the form of the KFP UI shows. No TFX."""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from awesome_kubeflow.errors import ParameterError
from models.formatters import get_formatter
from models.registry import get_architecture

_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")


@dataclass(frozen=True)
class RunParameters:
    """What can be set for a single run.

    Attributes:
        shares: shares to take; empty for all.
        since: first day asked for from the source, ISO; empty for the source's own rule.
        formatter: name of the DataFormatter.
        horizon: sessions ahead that is trained.
        hyperparameters: by model, those that differ from what the package was compiled with.
        train_steps: of every model at most; 0 for each model's own epochs.
        cache: take unchanged steps from earlier runs.
    """

    shares: tuple[str, ...]
    since: str
    formatter: str
    horizon: int
    hyperparameters: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    train_steps: int = 0
    cache: bool = True

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
        if self.since:
            try:
                datetime.date.fromisoformat(self.since)
            except ValueError:
                raise ParameterError(f"parameter since: {self.since!r} is not a date such as 2015-01-01") from None
        for model, values in self.hyperparameters.items():
            try:
                get_architecture(model).hyperparameters.updated(values)
            except (ValueError, TypeError) as error:
                raise ParameterError(f"parameter hyperparameters, {model}: {error}") from None

    def to_texts(self) -> dict[str, str]:
        """By name as texts, as `from_texts` reads them."""
        return {
            "shares": ",".join(self.shares),
            "since": self.since,
            "formatter": self.formatter,
            "horizon": str(self.horizon),
            "hyperparameters": json.dumps(self.hyperparameters, sort_keys=True),
            "train_steps": str(self.train_steps),
            "cache": "true" if self.cache else "false",
        }

    @classmethod
    def from_texts(cls, texts: Mapping[str, str]) -> RunParameters:
        """Reads parameters as KFP hands them over.

        Args:
            texts: every parameter by name.

        Raises:
            ParameterError: a parameter is missing, unknown or cannot be used.
        """
        names = {one.name for one in fields(cls)}
        for name in sorted(names ^ texts.keys()):
            raise ParameterError(f"parameter {name}: {'is missing' if name in names else 'does not exist'}")
        return cls(
            shares=tuple(dict.fromkeys(part.strip() for part in texts["shares"].split(",") if part.strip())),
            since=texts["since"].strip(),
            formatter=texts["formatter"].strip(),
            horizon=_whole(texts, "horizon"),
            hyperparameters=_tables(texts["hyperparameters"]),
            train_steps=_whole(texts, "train_steps"),
            cache=_flag(texts, "cache"),
        )


INPUT_TYPES: Mapping[str, type] = {
    one.name: {"int": int, "bool": bool}.get(str(one.type), str) for one in fields(RunParameters)
}
"""The pipeline's inputs, as the UI's form shows them: what is neither a number nor a flag is a text."""


def _whole(texts: Mapping[str, str], name: str) -> int:
    try:
        # KFP keeps numbers as doubles and may write 20 as 20.0.
        number = float(texts[name])
        if number != int(number):
            raise ValueError
    except (ValueError, OverflowError):
        raise ParameterError(f"parameter {name}: {texts[name]!r} is not a whole number") from None
    return int(number)


def _flag(texts: Mapping[str, str], name: str) -> bool:
    text = texts[name].strip().lower()
    if text not in _TRUE + _FALSE:
        raise ParameterError(f"parameter {name}: {texts[name]!r} is neither true nor false")
    return text in _TRUE


def _tables(text: str) -> Mapping[str, Mapping[str, Any]]:
    try:
        tables = json.loads(text) if text.strip() else {}
    except ValueError:
        tables = None
    if not isinstance(tables, dict) or not all(isinstance(table, dict) for table in tables.values()):
        raise ParameterError(
            f'parameter hyperparameters: {text!r} is not JSON by model, such as {{"rnn": {{"epochs": 9}}}}'
        )
    return tables
