"""The benchmark of planted leaks: what it plants, what it counts, and that it does not measure twice."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import audit, measure
from benchmarks.audited_runs import CLEAN_SESSIONS, MARKETS, CleanCase, Runs, Scores, clean_cases, lift
from benchmarks.planted_leaks.known import LEAKS, leak_named
from benchmarks.planted_leaks.planting import PlantedLeak
from benchmarks.planted_leaks.small_runs import SHIPPED, Asked, market_of
from components.synthetic_market.scenarios import SCENARIOS

KIND = "duplicated rows"


def scores(label: Any, score: Any, first_day: int = 0) -> Scores:
    day = first_day + np.arange(len(label)) // 4
    row = np.array([f"S{place % 4} {one}" for place, one in enumerate(day)])
    return Scores(row, np.asarray(label), day, 1, {"linear": np.asarray(score, float)})


def test_there_are_forty_leaks_of_fifteen_kinds_at_two_strengths() -> None:
    assert len({(leak.kind, leak.name) for leak in LEAKS if not leak.out_of_sight}) >= 40
    assert len({leak.kind for leak in LEAKS if not leak.out_of_sight}) >= 15
    assert len({(leak.kind, leak.name) for leak in LEAKS}) == len(LEAKS)
    assert all(leak.weak != leak.strong for leak in LEAKS)
    assert len(MARKETS) == 3
    assert leak_named(f"{KIND}: {LEAKS[-1].name}") is LEAKS[-1]


def test_three_hundred_clean_runs_are_all_different_and_of_all_markets() -> None:
    cases = clean_cases(audit.CLEAN)

    assert len(set(cases)) == 300
    assert {(case.market, case.horizon) for case in cases} == {(m, h) for m in (SHIPPED, *SCENARIOS) for h in (1, 20)}
    assert {case.market for case in clean_cases(2 * (1 + len(SCENARIOS)))} == {SHIPPED, *SCENARIOS}


def test_the_shipped_prices_reach_far_enough_back_for_all_clean_runs() -> None:
    earliest = max(case.seed for case in clean_cases(audit.CLEAN) if case.market == SHIPPED)

    latest, first = (market_of(Asked(SHIPPED, sessions=CLEAN_SESSIONS, seed=seed)) for seed in (0, earliest))

    assert len(latest.time) == len(first.time) == CLEAN_SESSIONS
    assert first.time[0] < latest.time[0]
    assert first.share_ids == ("AAPL", "GOOG", "IBM", "MSFT")


def test_a_lift_on_the_same_rows_is_paired() -> None:
    random = np.random.default_rng(0)
    label = random.integers(0, 2, 2000)
    noise = random.normal(size=2000)
    honest, leaking = scores(label, noise), scores(label, noise + 0.2 * label)

    same, other = lift(honest, leaking, "linear"), lift(scores(label, noise, 1), leaking, "linear")

    assert same.value == other.value == pytest.approx(0.056, abs=0.02)
    assert 0 < same.standard_error < other.standard_error / 3
    assert lift(honest, honest, "linear").value == 0


class FakeRuns:
    """Says at once what a run would give."""

    made: list[str] = []  # noqa: RUF012 (emptied by each test)
    clean_accused = False
    slipping = "none"

    def __init__(self, folder: Path, code: str) -> None:
        self._code = code

    def leak(self, leak: PlantedLeak, strength: str, market: str) -> dict[str, Any]:
        self.made.append(leak.name)
        row = {"kind": leak.kind, "leak": leak.name, "strength": strength, "of": 1.0, "market": market}
        found = {"out of sight": leak.out_of_sight, "lift": 0.1, "error": 0.01, "lifted": True, "code": self._code}
        return (
            row
            | found
            | {"verdict": "leaking", "by": {"twins": "leaking: so"}, "stopped": self.slipping not in leak.name}
        )

    def clean(self, case: CleanCase) -> dict[str, Any]:
        self.made.append(case.market)
        row = {"market": case.market, "seed": case.seed, "horizon": case.horizon, "features": case.features}
        accused = self.clean_accused and case.seed < 2
        return row | {"verdict": "clean", "by": {}, "accused": accused, "code": self._code}


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., int]:
    """The command with runs that are made up."""
    monkeypatch.setattr(measure, "RESULTS", tmp_path)
    monkeypatch.setattr(audit, "RESULTS", tmp_path)
    monkeypatch.setattr(audit, "Runs", FakeRuns)
    monkeypatch.setenv("TF_NUM_INTRAOP_THREADS", "1")
    monkeypatch.setenv("TF_NUM_INTEROP_THREADS", "1")
    FakeRuns.made = []

    def command(*words: str) -> int:
        monkeypatch.setattr(sys, "argv", ["audit", *words])
        return audit.main()

    return command


def test_a_part_that_was_measured_by_the_same_code_is_not_measured_again(
    run: Callable[..., int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("--kinds", KIND) == 1  # not all was measured
    part = len(FakeRuns.made)
    assert part == 2 * len(MARKETS) * sum(leak.kind == KIND for leak in LEAKS)
    assert run("--clean", "20") == 1
    assert len(FakeRuns.made) == part + 20

    assert run() == 0
    assert len(FakeRuns.made) == 2 * len(MARKETS) * len(LEAKS) + audit.CLEAN
    assert len(json.loads((tmp_path / "audit.json").read_text())["clean"]) == audit.CLEAN

    monkeypatch.setattr("pipeline.code_digest.code_digest", lambda packages: "another")
    FakeRuns.made = []
    assert run("--kinds", KIND) == 1
    assert len(FakeRuns.made) == part


def test_a_leak_that_slips_through_and_accused_clean_runs_do_not_hold(
    run: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(FakeRuns, "clean_accused", True)
    monkeypatch.setattr(FakeRuns, "slipping", "many")

    assert run() == 1

    printed = capsys.readouterr().out
    assert f"does not hold: {4 * len((SHIPPED, *SCENARIOS))} of 300 clean runs are accused" in printed
    assert "does not hold: next day's market, how many rise, said to be known, weak, null" in printed
    # Out of sight: nothing is asked of it.
    assert "does not hold: chosen shares" not in printed


def test_a_kind_that_is_not_there_is_said_in_a_line(
    run: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        run("--kinds", "moon")

    assert "there is no kind 'moon': choose of" in capsys.readouterr().err
    assert not FakeRuns.made


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning:google")
def test_two_leaks_are_stopped_and_a_clean_run_is_not(tmp_path: Path) -> None:
    runs = Runs(tmp_path, "code")

    doubled = runs.leak(leak_named("duplicated rows: test rows that reverted twice, part"), "strong", "null")
    known = runs.leak(leak_named("next day's market: a feature, part"), "strong", "market_factor")
    clean = runs.clean(CleanCase("null", 0, 1, "window_returns"))

    assert doubled["stopped"]
    assert doubled["verdict"] == "leaking"
    assert "rows stand in more than one split" in doubled["by"]["split proof"]
    assert known["lifted"]
    assert known["lift"] > 0.1
    assert known["stopped"]
    assert clean["verdict"] == "clean"
    assert not clean["accused"]
