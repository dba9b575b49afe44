"""What the tries before a run make of its verdicts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from components.evidence.blessing import judge, level_for
from components.evidence.comparing import NOTHING_TRIED, compare
from components.evidence.findings import PREDECESSOR, Findings
from components.evidence.metric import AUC
from components.evidence.resampling import DayBlocks
from components.evidence.scores import ScoredModel
from components.evidence.tried import day_spreads, judged
from components.trials.record import Record, Trial

MODELS = ("weak", "plain")


def predictions(days: int = 120, shares: int = 20, seed: int = 0) -> pd.DataFrame:
    """Two models that know something, one of them little, and a baseline that does not."""
    rng = np.random.default_rng(seed)
    rows = days * shares
    forward = rng.normal(0, 0.02, rows)
    labels = (forward > 0).astype(np.int64)

    def answers(knows: float) -> np.ndarray:
        return 1 / (1 + np.exp(-(knows * (2 * labels - 1) + rng.normal(size=rows))))

    return pd.DataFrame(
        {
            "time": np.repeat(pd.bdate_range("2024-01-01", periods=days), shares),
            "share_id": np.tile([f"S{number:02d}" for number in range(shares)], days),
            "label": labels,
            "forward_return": forward,
            "next_return": forward,
            "weak": answers(0.05),
            "plain": answers(0.4),
            "coin": answers(0.0),
        }
    )


def others(trial: Trial, count: int) -> Record:
    """As many tries on the same days that have nothing in common."""
    rng = np.random.default_rng(1)
    drawn = []
    for number in range(count):
        series = type(trial.models[0].influence).of(rng.normal(size=len(trial.days)))
        model = replace(trial.models[0], answers=f"{number}", influence=series)
        drawn.append(replace(trial, id=f"{number}", models=(model,)))
    return Record(True, tuple(drawn))


ROWS = predictions()


def compared(record: Record = NOTHING_TRIED) -> tuple[Findings, Trial]:
    return compare(ROWS, MODELS, ["coin"], 1, 0, record)


@pytest.fixture(scope="module")
def first_run() -> tuple[Findings, Trial]:
    return compared()


def test_a_first_run_is_judged_as_ever(first_run: tuple[Findings, Trial]) -> None:
    rows, (findings, _) = ROWS, first_run
    blocks = DayBlocks(rows["time"].to_numpy(), horizon=1, seed=0)
    for name in MODELS:
        scored = ScoredModel(rows["label"].to_numpy(), rows[name].to_numpy(), rows["forward_return"].to_numpy(), blocks)
        found = findings.models[name]
        assert PREDECESSOR not in found.differences
        area = scored.interval(AUC, level_for(2))
        expected = judge(area, 2, None, {"coin": found.differences["coin"][AUC]})
        assert (found.blessed, found.reason) == (expected.blessed, expected.reason)
        assert found.needed == found.needed_first == pytest.approx(0.5 + area.value - area.low)
    assert findings.hurdle is not None
    assert findings.hurdle.runs == 0


def test_what_was_tried_before_raises_what_is_needed(first_run: tuple[Findings, Trial]) -> None:
    first, trial = first_run
    later, _ = compared(others(trial, 40))
    assert [first.models[name].blessed for name in MODELS] == [True, True]
    assert [later.models[name].blessed for name in MODELS] == [False, True]
    assert "after 40 earlier runs on these test days) contains 0.5" in later.models["weak"].reason
    for name in MODELS:
        before, after = first.models[name], later.models[name]
        assert after.needed > before.needed == after.needed_first
        assert after.scores == before.scores
        assert (after.scores[AUC].value > after.needed) == after.blessed


def test_the_same_answers_again_are_judged_as_before_whatever_was_tried_since(
    first_run: tuple[Findings, Trial],
) -> None:
    first, trial = first_run
    own = judged(trial, first, {})
    assert own.models[0].blessed
    record = others(trial, 40)
    again, _ = compared(replace(record, trials=(own, *record.trials)))
    assert again.models["weak"].blessed
    assert "as at the first try of these answers" in again.models["weak"].reason
    assert again.models["weak"].needed == pytest.approx(first.models["weak"].needed, abs=1e-12)


def test_findings_are_read_as_they_were_written_also_those_of_before(
    first_run: tuple[Findings, Trial], tmp_path: Path
) -> None:
    first_run[0].write(tmp_path)
    assert Findings.read(tmp_path) == first_run[0]
    older = '{"models": {"linear": {"scores": {}, "differences": {}, "blessed": true, "reason": "why"}}}'
    (tmp_path / "evidence.json").write_text(older)
    read = Findings.read(tmp_path)
    assert read.hurdle is None
    assert np.isnan(read.models["linear"].needed)


def test_a_day_spreads_its_best_fifth_over_its_worst() -> None:
    scores = np.array([0.9, 0.8, 0.5, 0.2, 0.1, 0.7, 0.7, 0.1, 0.6])
    returns = np.array([0.05, 0.0, 0.0, 0.0, -0.01, 0.02, 0.04, 0.01, np.nan])
    days = np.array([1, 1, 1, 1, 1, 2, 2, 2, 3])
    # Of day 2 two shares tie for the first place, and hold half of it each; of day 3 no return is known.
    np.testing.assert_allclose(day_spreads(scores, returns, days), [0.06, 0.02, 0.0], atol=1e-15)
