"""The rules that the project's own is compared with, and the tries that they judge."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from arch.bootstrap import StepM
from scipy.stats import norm

from benchmarks import many_runs, measure
from benchmarks.many_runs import RULES, by_count, reality_checks
from benchmarks.tried_models import FIRST, GOOD, TEST, Market, draw_setting, make_try, near
from components.evidence.resampling import DayBlocks
from components.synthetic_market.scenarios import get_scenario


def test_an_allowance_by_count_spends_five_per_cent() -> None:
    assert sum(norm.sf(by_count(seen)) for seen in range(1, 20_000)) == pytest.approx(0.05, abs=1e-5)


def test_a_reality_check_is_the_first_step_of_stepm() -> None:
    rng = np.random.default_rng(3)
    days, tries = 400, 30
    influence = rng.normal(size=(tries, days)) + 0.5 * rng.normal(size=days)
    # Their means are so many standard errors above 0.
    asked = np.linspace(0.5, 5.0, tries)
    deviation = influence.std(axis=1, keepdims=True)
    influence += (asked[:, None] / np.sqrt(days)) * deviation - influence.mean(axis=1, keepdims=True)
    needed = reality_checks(influence, DayBlocks(np.arange(days), block=1, resamples=4000))
    step = StepM(np.zeros(days), -influence.T, size=0.05, block_size=1, reps=4000, seed=5)
    step.compute()
    clear = np.abs(asked - needed[-1]) > 0.4
    superior = np.isin(np.arange(tries), step.superior_models)
    assert clear.sum() > 20
    np.testing.assert_array_equal(superior[clear], (asked > needed[-1])[clear])
    assert (np.diff(needed) >= 0).all()
    assert norm.isf(0.05) - 0.1 < needed[0] < needed[-1] < norm.isf(0.05 / tries) + 0.1


def test_a_quick_error_is_that_of_the_bootstrap_and_a_try_has_its_days() -> None:
    market = Market.of(get_scenario("reversal"), 10, FIRST + TEST + 1, seed=2)
    rng = np.random.default_rng(2)
    setting = draw_setting(rng)
    for one in (make_try(market, GOOD), make_try(market, setting), make_try(market, near(setting, rng), FIRST + 1)):
        assert one.quick == pytest.approx(one.errors(), abs=0.1)
        assert len(one.trial.days) == TEST
        assert one.trial.models[0].auc == pytest.approx(0.5 + one.trial.models[0].influence.values.sum(), abs=1e-6)
    assert make_try(market, GOOD).errors() > 1


@pytest.mark.slow
def test_the_tables_are_written_and_the_exit_code_is_that_of_the_requirements(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(measure, "RESULTS", tmp_path)
    monkeypatch.setattr(sys, "argv", ["many_runs", "--repeats", "1", "--choosing", "1", "--signals", "1"])
    code = many_runs.main()
    found = json.loads((tmp_path / "many_runs.json").read_text())
    assert [row["rule"] for row in found["noise"]] == [*RULES] * 3
    held = [row["holds"] for name in ("noise", "power", "daily") for row in found[name]]
    assert held.count("") < len(held)
    assert code == int("no" in held)
    assert "standard errors above 1/2" in capsys.readouterr().out
