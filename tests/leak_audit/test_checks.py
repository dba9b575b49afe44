"""What the checks are: the files of checks/, and what another package adds."""

from __future__ import annotations

import inspect
import subprocess
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.planted_leaks.small_runs import Asked, make_run
from components.leak_audit import checks
from components.leak_audit.check import CHECKS, Check
from models.plugins import GROUPS, Registry
from pipeline.report.summary import print_audit


def test_each_file_is_a_check_and_they_are_made_in_this_order() -> None:
    files = [Path(inspect.getfile(check.run)) for check in CHECKS.values()]

    assert {*files, Path(checks.__file__)} == set(Path(checks.__file__).parent.glob("*.py"))
    assert len(set(files)) == len(files)
    # The cheap proofs come first: they are what a reader wants to know while the rest goes on.
    proofs = ["split proof", "label proof", "scaling", "level test", "future canary"]
    trained = ["permuted labels", "alarm", "leak inflation", "leak inflation, memorising", "day ablation"]
    assert [name for name in CHECKS if name in proofs + trained] == proofs + trained


def test_checks_are_listed_without_tensorflow() -> None:
    code = "import sys, components.leak_audit.check as c; sys.exit(not c.CHECKS or 'tensorflow' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning:google")
def test_a_check_of_another_package_is_made_and_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, install: Callable[[str, str, str], Path]
) -> None:
    code = """
from components.leak_audit.check import Check
from components.leak_audit.results import CheckResult, Figure, Status

def weekends(audited):
    figure = Figure("models", len(audited.config.models))
    return CheckResult("", Status.LEAKING, f"{audited.model.name} trades on Sundays.", (figure,), "the calendar")

CHECK = Check("weekends", weekends, "no row is of a weekend", each_model=True)
"""
    install("awesome.checks", "weekends = weekends:CHECK", code)
    found: Registry[Check] = Registry(GROUPS["awesome.checks"], Check)
    monkeypatch.setattr("components.leak_audit.audit.CHECKS", found)

    report = make_run(tmp_path, Asked(shares=4, sessions=420)).audited({})

    assert list(found)[-1] == "weekends"
    assert [check.name for check in report.checks] == list(found)
    assert report.verdict_line == "leaking: weekends; linear trades on Sundays."
    console = Console(file=StringIO(), width=100)
    print_audit(report, console)
    assert "weekends: leaking" in console.file.getvalue()  # type: ignore[attr-defined]
