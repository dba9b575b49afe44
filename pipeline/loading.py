"""Settings are read: flags, then AWESOME_... in the environment, then awesome.toml, then defaults.

This module and node_settings.py are the only readers of the environment, but for keys and tokens (secrets.py,
components/extractor/keys.py), which are no settings: they must not travel where settings do. Workers and pods, which
read no settings, find the setting `plugins` there by themselves (models/plugged).
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_settings import TomlConfigSettingsSource

from pipeline.node_settings import NODE_PREFIX
from pipeline.refusals import refused
from pipeline.settings import (
    FILE,
    KFP_TOKEN,
    PREFIX,
    SERVE_TOKEN,
    SERVE_TOKEN_FILE,
    Settings,
    SettingsError,
)

_JSON_EXAMPLES = {"hyperparameters": '{"rnn": {"epochs": 9}}', "clusters": '{"stage": {"image": "registry/awesome:1"}}'}

_SECRETS = ("alert_url",)
"""Settings that no message shows: whoever knows the address of a webhook can post to it."""

_FLAGS = {"plugins": "--plugin", "search_trials": "--trials", "search_seeds": "--seeds", "search_metric": "--metric"}
"""Flags that are not called as their setting is."""


def load_settings(flags: Mapping[str, Any] | None = None) -> Settings:
    """Reads the settings.

    Args:
        flags: from the command line; None means not given.

    Raises:
        SettingsError: a value cannot be used; the message names the setting and its origin.
    """
    given = _given(flags)
    if isinstance(given.get("hyperparameters"), Path):
        given["hyperparameters"] = _in_json(given["hyperparameters"])
    if Path(FILE).is_dir():
        raise SettingsError(f"{FILE}: is a folder; name it otherwise, or make it a file of settings")
    try:
        TomlConfigSettingsSource(Settings)()
    except ValueError as error:
        raise SettingsError(f"{FILE}: is not TOML that can be read: {error}") from None
    try:
        settings = Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        if first["type"] == "extra_forbidden":
            raise SettingsError(f"{FILE}: there is no setting {name!r}; see `awesome config`") from None
        got = "" if name in _SECRETS else f", got {first['input']!r}"
        raise SettingsError(f"{name} (from {_origin(name, given)}): {refused(first)}{got}") from None
    except ValueError as error:  # what the environment gives as JSON
        name = "clusters" if "clusters" in str(error) else "hyperparameters"
        raise SettingsError(
            f"{PREFIX}{name.upper()}: is not JSON; write it like {PREFIX}{name.upper()}='{_JSON_EXAMPLES[name]}'"
        ) from None
    unknown = [
        key
        for key in os.environ
        if key.startswith(PREFIX)
        and not key.startswith(NODE_PREFIX)
        and key not in (KFP_TOKEN, SERVE_TOKEN, SERVE_TOKEN_FILE)
        and key[len(PREFIX) :].lower() not in Settings.model_fields
    ]
    if unknown:
        raise SettingsError(f"environment: there is no setting {unknown[0]}; see `awesome config`")
    return settings


def setting_of(flag: str, parameter: str) -> str | None:
    """The setting that a flag of a command's parameter gives; None where it is none."""
    name = next((name for name, other in _FLAGS.items() if other == flag), parameter)
    return name if name in Settings.model_fields and _flag_of(name) == flag else None


def _in_json(path: Path) -> Any:
    """What a file of hyperparameters holds; what else is set of the same models stays."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        why = error.strerror
    except (ValueError, RecursionError):
        why = "it is not JSON"
    raise SettingsError(
        f"hyperparameters (from --hyperparameters): {path} cannot be read ({why}); write it like "
        f"{_JSON_EXAMPLES['hyperparameters']}"
    )


def origins(flags: Mapping[str, Any] | None = None) -> dict[str, str]:
    """Where each setting's value comes from: flag, environment, file or default."""
    return {name: _origin(name, _given(flags)) for name in Settings.model_fields}


def _given(flags: Mapping[str, Any] | None) -> dict[str, Any]:
    return {name: value for name, value in (flags or {}).items() if value is not None}


def _flag_of(name: str) -> str:
    return _FLAGS.get(name, f"--{name.replace('_', '-')}")


def _origin(name: str, given: Mapping[str, Any]) -> str:
    if name in given:
        return _flag_of(name)
    for key in os.environ:
        if key.upper() == f"{PREFIX}{name}".upper():
            return key
    if name in TomlConfigSettingsSource(Settings)():
        return FILE
    return "default"
