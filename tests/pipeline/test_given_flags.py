"""What a command was given, for the one that goes on with it."""

from __future__ import annotations

import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.given_flags import again, given_flags
from pipeline.plan import load_plan

pytestmark = pytest.mark.usefixtures("folder")


def test_flags_stand_as_they_are_typed_and_nothing_of_the_file_or_the_defaults() -> None:
    Path("awesome.toml").write_text("horizon = 1\nmarket_sessions = 900\n")
    flags = {"market": "null", "workspace": Path("a b"), "models": "linear,dnn", "seed": 3}
    plan = load_plan(flags)
    said = given_flags(plan, lambda name: name != "seed")
    assert shlex.join(said) == "--models linear,dnn --workspace 'a b' --market null"
    repeated = load_plan({flag[2:]: value for flag, value in zip(said[::2], said[1::2], strict=True)})
    assert (repeated.database, repeated.models) == (load_plan(flags | {"seed": None}).database, plan.models)


def test_a_command_is_repeated_as_that_which_was_given() -> None:
    plan = load_plan({"market": "null", "horizon": 5})
    own = {"port": ("--port", "8502"), "grpc": ("--no-grpc",), "label": ("--label", "a=1", "--label", "b=2")}
    served = replace(plan, command="serve", own=own)
    said = again(served, "--horizon", "1")
    assert said == "awesome serve --market null --port 8502 --no-grpc --label a=1 --label b=2 --horizon 1"
    assert again(plan, "--model", "rnn") == "awesome predict --horizon 5 --market null --model rnn"
