"""Leaks that look like skill: whatever names them, and however sure it is, they stop the push.

Each lifts an AUC by little, so a run would bless its model; what counts is that the audit holds it back.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from audited_parts import accusing, audited_by
from judged_runs import NULL, model, report
from numpy.typing import NDArray

from benchmarks.planted_leaks.small_runs import Asked, SmallRun, make_run, on_real_prices
from components.feature_example_gen.examples import LabelledRows, label_rows
from components.feature_store import PriceBars
from components.leak_audit.checks import alarm, canary, prefix_replay, split_proof
from components.leak_audit.results import Status
from components.synthetic_market import Market
from models import data
from models.features import CLOSES, SHARE_ID, TIME, forward_return_key, label_key
from models.formatters import DataFormatter
from models.formatters.window_returns import FORMATTER as WINDOW_RETURNS
from models.operations import Z_SCORE, Feature, Kind
from pipeline.report.verdict import assess

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]

MADE = "made"
"""A raw feature that the tests add."""

Column = NDArray[np.generic]
Make = Callable[[LabelledRows], Column]
Spoil = Callable[[Callable[[LabelledRows], LabelledRows]], None]
RunWith = Callable[..., SmallRun]


def means_of(values: NDArray[np.float64], group: Column) -> NDArray[np.float64]:
    """The mean of each row's group, [rows]; a value that is nan does not count."""
    _, code = np.unique(group, return_inverse=True)
    known = ~np.isnan(values)
    total = np.bincount(code[known], values[known], code.max() + 1)
    return (total / np.maximum(np.bincount(code[known], minlength=code.max() + 1), 1))[code]


def market_move(rows: LabelledRows) -> NDArray[np.float64]:
    """The log return of the row's own day, over all shares."""
    closes = rows.columns[CLOSES].astype(float)
    return means_of(np.log(closes[:, 0] / closes[:, 1]), rows.columns[TIME])


def next_market_move(rows: LabelledRows) -> NDArray[np.float64]:
    """The same of the next session, which nobody knows yet."""
    key = forward_return_key(1)
    ahead = np.where(rows.missing[key], np.nan, rows.columns[key]).astype(float)
    return means_of(np.log1p(ahead), rows.columns[TIME])


def target_mean(rows: LabelledRows) -> NDArray[np.float64]:
    """How often the share rises in the split that the row is of: the test split's own mean in the test split."""
    key = label_key(1)
    up = np.where(rows.missing[key], np.nan, rows.columns[key]).astype(float)
    group = np.array([f"{share!r} {split}" for share, split in zip(rows.columns[SHARE_ID], rows.split, strict=True)])
    return means_of(up, group)


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Spoil:
    """Lets FeatureExampleGen's shards write something else than `label_rows` gave."""

    def spoiled(change: Callable[[LabelledRows], LabelledRows]) -> None:
        monkeypatch.setattr(
            "components.feature_example_gen.executor.label_rows", lambda *asked: change(label_rows(*asked))
        )

    return spoiled


@pytest.fixture
def run_with(
    spoil: Spoil, declare: Callable[[DataFormatter], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> RunWith:
    """A run whose formatter reads one more raw feature, which examples carry and the schema declares."""
    import tensorflow as tf
    from tensorflow_metadata.proto.v0 import schema_pb2

    def made(column: Make, declared: bool, asked: Asked | None = None) -> SmallRun:
        feature = Feature(MADE, MADE, Z_SCORE, Kind.SCALAR, known_on_the_day=declared)
        formatter = DataFormatter("sees_more", "", (*WINDOW_RETURNS.features, feature))
        declare(formatter)
        monkeypatch.setattr(data, "RAW_FEATURES", {**data.RAW_FEATURES, MADE: tf.io.FixedLenFeature([1], tf.float32)})
        spoil(lambda rows: replace(rows, columns={**rows.columns, MADE: column(rows).astype(np.float32)}))
        run = make_run(tmp_path, replace(asked or Asked(), formatter=formatter.name))
        run.schema.feature.add(name=MADE, type=schema_pb2.FLOAT)
        return run

    return made


def test_a_baseline_that_knows_a_share_from_its_twin_is_a_leak_though_no_model_is(tmp_path: Path) -> None:
    def again(market: Market, share: int) -> PriceBars:
        """Every second share is the one before it, 45 % of the sessions earlier; its last days are its own."""
        moves = np.diff(np.log(market.close[:, share]))
        if share % 2:
            earlier = int(0.45 * len(market.time))
            moves[:-earlier] = np.diff(np.log(market.close[:, share - 1]))[earlier:]
        close = 100 * np.exp(np.concatenate([[0], np.cumsum(moves)]))
        return PriceBars(market.time, close, np.ones_like(close))

    run = make_run(tmp_path, Asked(shares=20, sessions=1000, bars=again))
    baselines = run.baselines()
    models = {"linear": baselines["logistic_regression"]}
    assert alarm.alarm(models, run.config.limits).status is Status.PASSED

    found = alarm.alarm(models, run.config.limits, baselines)

    assert found.status is Status.LEAKING
    assert found.sentence.startswith("The AUC of lightgbm, 0.7")
    assert found.models == ()
    area = models["linear"]
    table = report(
        {"linear": model(area.value, half=area.high - area.value)},
        market=NULL,
        baselines={name: {"auc": one} for name, one in baselines.items()},
    )
    assert assess(table).label == "An AUC cannot be honest, nothing pushed"


def test_dividends_that_are_known_a_session_early_are_held_back(tmp_path: Path) -> None:
    def early(market: Market, share: int) -> PriceBars:
        """Raw closes fall by 4 % every tenth session; the factor rises a session before they do."""
        paid = np.arange(len(market.time)) % 10 == share % 10
        paid[:2] = False
        left = np.where(paid, 0.96, 1)
        return PriceBars(market.time, market.close[:, share] * np.cumprod(left), 1 / np.cumprod(np.append(left[1:], 1)))

    run = make_run(tmp_path, Asked(bars=early))
    area = run.auc()
    assert area.low > 0.5  # it would be blessed

    made = audited_by(run, *accusing(), aucs={"linear": area}, baselines=run.baselines())

    assert made.verdict != "clean"
    assert "linear" in made.held_back(["linear"])
    # On real prices too, where the best possible AUC is not known.
    assert (
        alarm.alarm({"linear": area}, on_real_prices(run).config.limits).status.severity >= Status.SUSPICIOUS.severity
    )


def test_the_mean_label_of_the_test_split_itself_is_held_back_whatever_is_declared(run_with: RunWith) -> None:
    run = run_with(target_mean, declared=True)
    area = run.auc()
    assert area.low > 0.5  # it would be blessed

    made = audited_by(run, *accusing(), aucs={"linear": area})

    found = made.check(canary.NAME)
    assert found.status is Status.SUSPICIOUS
    assert f"The feature {MADE} alone has an AUC of" in found.sentence
    # The mean of a share's labels changes with every day that is cut off, and that is a proof.
    assert made.check(prefix_replay.NAME).status is Status.LEAKING
    assert made.held_back(["linear"], [alarm.NAME, canary.NAME]) == {"linear": (prefix_replay.NAME,)}


def test_the_next_day_s_market_in_the_oldest_close_is_a_leak_as_the_proof_does_not_hold(
    tmp_path: Path, its_graph: None, spoil: Spoil
) -> None:
    def change(rows: LabelledRows) -> LabelledRows:
        closes = rows.columns[CLOSES].copy()
        closes[:, -1] *= np.exp(next_market_move(rows))
        return replace(rows, columns={**rows.columns, CLOSES: closes})

    spoil(change)
    made = audited_by(make_run(tmp_path, Asked()), split_proof.NAME)

    found = made.check(split_proof.NAME)
    assert found.status is Status.LEAKING
    assert "so the proof does not hold" in found.sentence
    assert split_proof.NAME in made.held_back(["linear"], [split_proof.NAME])["linear"]


def test_the_market_s_return_of_the_same_day_is_clean_once_it_is_declared(run_with: RunWith) -> None:
    made = audited_by(run_with(market_move, declared=True), *accusing())

    assert made.verdict == "clean", made.verdict_line
    assert f"{MADE} is declared to be known on the day" in made.check(canary.NAME).sentence


def test_the_same_is_suspicious_while_nobody_declares_it(run_with: RunWith) -> None:
    run = run_with(market_move, declared=False, asked=Asked(shares=5, sessions=420))

    found = audited_by(run, canary.NAME).check(canary.NAME)

    assert found.status is Status.SUSPICIOUS
    assert f"reads {MADE}, which is no declared input" in found.sentence
    assert "known_on_the_day=True" in found.look_at


def test_tomorrow_s_market_that_is_declared_as_today_s_is_caught_by_its_numbers(run_with: RunWith) -> None:
    made = audited_by(run_with(next_market_move, declared=True), canary.NAME, alarm.NAME)

    assert made.check(canary.NAME).status is Status.LEAKING
    assert made.check(alarm.NAME).status is Status.LEAKING
