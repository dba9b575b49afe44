"""What the benchmark of networks beside trees says of its figures, and the trees that know returns alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from benchmarks.default_trees import on_returns
from benchmarks.networks import TREES, learners, main, summary
from components.synthetic_market import generate


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning:google")
def test_a_market_is_made_split_and_learned_in_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from benchmarks.made_rows import make_rows

    made = make_rows("reversal_easy", shares=15, sessions=600, seed=1)
    market = generate("reversal_easy", shares=15, sessions=600, seed=1)
    returns = np.diff(np.log(market.close), axis=0)
    sessions = market.time.astype(str)
    ends = []
    for part in ("train", "eval", "test"):
        rows, closes = made.rows[part], made.closes[part]
        day = [int(np.flatnonzero(sessions == f"{t[:4]}-{t[4:6]}-{t[6:]}")[0]) for t in rows.time.astype(str)]
        share = [market.share_ids.index(name) for name in rows.share_id]
        np.testing.assert_allclose(closes[:, 0], market.close[day, share], rtol=1e-6)
        np.testing.assert_array_equal(rows.label, returns[day, share] > 0)
        scaled = np.diff(np.log(closes[:, ::-1]), axis=1)
        scaled /= np.sqrt((scaled**2).mean(axis=1, keepdims=True))
        np.testing.assert_allclose(rows.features["returns"], scaled, atol=1e-4)
        ends.append((min(day), max(day)))
    # A label of one session behind the last, and the embargo before the first.
    assert ends == [(20, 418), (441, 478), (501, 598)]

    answers = on_returns(made.closes["train"], made.rows["train"].label, made.closes["test"], seed=0)
    assert 0.58 < roc_auc_score(made.rows["test"].label, answers) < 0.69  # the best there is, is 0.636

    monkeypatch.setattr("benchmarks.networks.write_result", lambda name, payload: results.update(payload))
    results: dict[str, Any] = {}
    asked = ["--markets", "reversal", "--models", "linear", "--shares", "15", "--sessions", "600", "--members", "1"]
    main([*asked, "--keep", str(tmp_path / "kept")])
    assert [row["learner"] for row in results["learners"]] == ["linear", *TREES]
    assert results["markets"][0]["best network"] == "linear"

    before = dict(results)
    monkeypatch.setattr("benchmarks.networks._measure", None)  # nothing is measured again
    main([*asked, "--keep", str(tmp_path / "kept")])
    assert results == before


def predictions(days: int = 60, rows: int = 50) -> pd.DataFrame:
    rng = np.random.default_rng(3)
    label = rng.integers(0, 2, days * rows)
    known = {"dnn": 0.6, "rnn": 0.3, TREES[0]: 0.2, TREES[1]: 0.4}
    columns = {name: 0.5 + 0.01 * (weight * label + rng.normal(size=len(label))) for name, weight in known.items()}
    time = np.repeat(pd.date_range("2020-01-01", periods=days), rows)
    ahead = np.where(label == 1, 0.01, -0.01)
    told = {"time": time, "share_id": "A", "label": label, "forward_return": ahead, "next_return": ahead}
    return pd.DataFrame({**told, **columns})


def test_a_learner_has_the_auc_of_scikit_learn_and_a_network_stands_beside_the_better_trees() -> None:
    table = predictions()
    rows = {row["learner"]: row for row in learners(table, ["dnn", "rnn"], (0.75, 0.7), 0, {"dnn": 7.0, "rnn": 3.0})}
    areas = {name: roc_auc_score(table["label"], table[name]) for name in rows}
    assert list(rows) == ["dnn", "rnn", *TREES]
    for name, row in rows.items():
        assert row["auc"] == pytest.approx(areas[name], abs=1e-4)
        assert row["skill"] == pytest.approx((areas[name] - 0.5) / 0.25, abs=1e-4)
        assert row["of bayes"] == pytest.approx((areas[name] - 0.5) / 0.2, abs=1e-4)
    assert rows["rnn"]["ahead of trees"] == pytest.approx(areas["rnn"] - areas[TREES[1]], abs=1e-9)
    assert 0.005 < rows["rnn"]["error"] < 0.05
    assert (rows["dnn"]["cpu s"], rows[TREES[0]]["ahead of trees"]) == (7.0, None)


def seeds(best: float, ahead: float, trees: float = 0.5, error: float = 0.003) -> list[dict[str, Any]]:
    """Two seeds of a good network, a poor one and two kinds of trees."""
    table = []
    for seed in (0, 1):
        for learner, skill in (("dnn", best), ("rnn", 0.1), (TREES[0], trees), (TREES[1], 0.2)):
            network = learner in ("dnn", "rnn")
            row: dict[str, Any] = {"market": "sizes", "seed": seed, "learner": learner, "auc": 0.5}
            row |= {"best": 0.56, "bayes": 0.55, "skill": skill, "of bayes": skill}
            table.append(row | {"ahead of trees": ahead if network else None, "error": error if network else None})
    return table


@pytest.mark.parametrize(
    ("best", "ahead", "trees", "holds"),
    [
        (0.95, 0.01, 0.5, "yes"),
        (0.6, 0.01, 0.5, "yes"),  # nobody finds it
        (0.89, -0.004, 0.95, "no"),  # trees do
        (0.6, -0.004, 0.7, "yes"),  # below by less than the interval of both seeds, 0.0042
        (0.6, -0.0043, 0.7, "no"),
    ],
)
def test_the_best_network_may_be_below_trees_by_the_noise_and_finds_what_any_learner_finds(
    best: float, ahead: float, trees: float, holds: str
) -> None:
    found = summary("sizes", seeds(best, ahead, trees))
    assert (found["best network"], found["dnn"], found["role"], found["holds"]) == ("dnn", best, "chosen on", holds)


@pytest.mark.parametrize(("area", "holds"), [(0.509, "yes"), (0.489, "no")])
def test_where_nothing_can_be_known_every_network_is_near_a_coin(area: float, holds: str) -> None:
    rows = [
        row | {"auc": 0.5 if row["learner"] != "rnn" else area, "skill": None, "of bayes": None}
        for row in seeds(0.0, 0.0)
    ]
    found = summary("null", rows)
    assert (found["measure"], found["rnn"], found["holds"]) == ("auc", area, holds)


@pytest.mark.parametrize(("model", "why"), [("lstm", "'lstm' does not exist"), ("rnn:9", "rnn has no version '9'")])
def test_a_model_that_does_not_exist_is_refused_before_anything_is_made(
    model: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["--markets", "null", "--models", "dnn", model])
    assert why in capsys.readouterr().err
