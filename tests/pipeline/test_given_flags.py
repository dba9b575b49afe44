"""What a command was given, for the one that goes on with it."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from pipeline.given_flags import given_flags
from pipeline.plan import load_plan

pytestmark = pytest.mark.usefixtures("folder")


def test_flags_stand_as_they_are_typed_and_nothing_of_the_file_or_the_defaults() -> None:
    Path("awesome.toml").write_text("horizon = 1\nmarket_sessions = 900\n")
    flags = {"market": "null", "workspace": Path("a b"), "models": "linear,dnn", "seed": 3}
    plan = load_plan(flags)
    said = given_flags(plan, lambda name: name != "seed")
    assert shlex.join(said) == "--models linear,dnn --workspace 'a b' --market null"
    again = load_plan({flag[2:]: value for flag, value in zip(said[::2], said[1::2], strict=True)})
    assert (again.database, again.models) == (load_plan(flags | {"seed": None}).database, plan.models)
