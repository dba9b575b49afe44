"""`awesome kubeflow compile`: what is refused before the minute that compiling takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from awesome_kubeflow.errors import CompileError, ParameterError
from awesome_kubeflow.parameters import MOST_BYTES, RunParameters, check_size

Awesome = Callable[..., Any]

MANY = [f"sh{600000 + number}" for number in range(2000)]
DEFAULTS = {
    "shares": "", "since": "", "formatter": "window_returns", "horizon": "1", "hyperparameters": "{}",
    "train_steps": "0", "cache": "true", "accept_suspicion": "",
}  # fmt: skip


@pytest.mark.parametrize("origin", ["--shares", "AWESOME_SHARES", "awesome.toml"])
def test_more_shares_than_a_run_can_be_told(
    awesome: Awesome, folder: Path, origin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("shares.txt").write_text("\n".join(MANY))
    options = []
    if origin == "--shares":
        options = ["--shares", "@shares.txt"]
    elif origin == "awesome.toml":
        Path("awesome.toml").write_text(f"shares = {MANY}\n")
    else:
        monkeypatch.setenv(origin, ",".join(MANY))
    refusal = awesome("kubeflow", "compile", *options).refusal
    assert refusal.startswith(
        f"parameter shares (from {origin}): is 18,001 bytes long, and all parameters of a run 18,0"
    )
    assert "Kubeflow Pipelines keeps 10,000: leave the shares out for all of the database" in refusal
    assert refusal.endswith("start runs with --parameter shares=@FILE, its path as pods see it")
    assert not Path("awesome-pipeline.yaml").exists()


def test_the_limit_is_of_all_parameters_together() -> None:
    inputs = {"shares": "", "hyperparameters": "{}", "horizon": 1}
    room = MOST_BYTES - len('{"shares": "", "hyperparameters": "{}", "horizon": 1}')
    check_size(inputs | {"shares": "x" * room})
    with pytest.raises(CompileError, match=r"^parameter shares: is"):
        check_size(inputs | {"shares": "x" * (room + 1)})
    with pytest.raises(CompileError, match=r"^parameter shares: is"):
        check_size(inputs | {"shares": "它" * (room // 3 + 1)})  # in bytes
    with pytest.raises(CompileError, match=r"^parameter hyperparameters: is .* make it shorter$"):
        check_size(inputs | {"hyperparameters": "x" * room, "shares": "A,B"})


def test_a_run_reads_its_shares_from_a_file_on_the_volume(tmp_path: Path) -> None:
    """The way that the refusal names."""
    (tmp_path / "shares.txt").write_text("\n".join(["# of interest", *MANY, ""]))
    given = RunParameters.from_texts(DEFAULTS | {"shares": f" @{tmp_path}/shares.txt"})
    assert given.shares == tuple(MANY)
    assert RunParameters.from_texts(DEFAULTS | {"shares": ",".join(MANY)}) == given
    with pytest.raises(ParameterError, match=r"^parameter shares: .*gone\.txt cannot be read \(No such file"):
        RunParameters.from_texts(DEFAULTS | {"shares": f"@{tmp_path}/gone.txt"})


def test_a_file_that_is_no_package_is_not_replaced(awesome: Awesome, folder: Path) -> None:
    Path("values.yaml").write_text("replicas: 3\n")
    Path("empty.yaml").touch()
    Path("earlier.yaml").write_text("# PIPELINE DEFINITION\ncomponents: {}\npipelineInfo:\n  name: earlier\n")
    refusal = awesome("kubeflow", "compile", "--output", "values.yaml").refusal
    assert refusal == "--output values.yaml: holds something else than a package; name another file"
    assert Path("values.yaml").read_text() == "replicas: 3\n"
    for taken in ("empty.yaml", "earlier.yaml", "new.yaml"):
        assert "holds something else" not in awesome("kubeflow", "compile", "--output", taken).refusal
