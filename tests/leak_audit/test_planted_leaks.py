"""Pipelines broken on purpose, one for each kind of leak: each must be caught by the check that is there for it.

Each test breaks one thing in the code that a pipeline runs. The clean runs must pass, or an audit says nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from audited_parts import accusing, audited_by

from benchmarks.planted_leaks.small_runs import Asked, SmallRun, make_run, on_real_prices
from components.evidence.interval import Interval
from components.feature_example_gen.examples import LabelledRows, label_rows
from components.feature_example_gen.splits import SplitPlan, SplitSettings
from components.feature_store import PriceBars
from components.leak_audit.check import CHECKS
from components.leak_audit.checks import alarm, canary, label_proof, level, permutation, scaling, split_proof
from components.leak_audit.results import AuditReport, Status
from components.synthetic_market import Market
from models import data
from models.features import CLOSES, SHARE_ID, forward_return_key, label_key
from models.formatters import DataFormatter
from models.formatters.closes import FORMATTER as CLOSES_FORMATTER
from models.formatters.window_returns import FORMATTER as WINDOW_RETURNS
from models.operations import Z_SCORE, Feature, Kind

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]

Break = Callable[[Callable[[LabelledRows], LabelledRows]], None]


@pytest.fixture
def break_rows(monkeypatch: pytest.MonkeyPatch) -> Break:
    """Lets FeatureExampleGen's shards write something else than `label_rows` gave."""

    def broken(spoil: Callable[[LabelledRows], LabelledRows]) -> None:
        monkeypatch.setattr(
            "components.feature_example_gen.executor.label_rows", lambda *asked: spoil(label_rows(*asked))
        )

    return broken


@pytest.fixture
def shuffle(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are dealt out to the splits at random, as the original project did."""

    def assign(plan: SplitPlan, session: Any, oldest: Any, label_end: Any) -> tuple[Any, Any]:
        split = np.random.default_rng(0).choice(3, size=len(session), p=(0.5, 0.2, 0.3))
        return split, np.full(len(session), -1)

    monkeypatch.setattr(SplitPlan, "assign", assign)


def status(report: AuditReport, name: str) -> Status:
    return report.check(name).status


@pytest.mark.parametrize("market", ["null", "reversal"])
@pytest.mark.parametrize("horizon", [1, 20])
def test_a_clean_run_is_clean(tmp_path: Path, graphs: Path, market: str, horizon: int) -> None:
    report = audited_by(make_run(tmp_path, Asked(market=market, horizon=horizon), graphs), *accusing())

    assert report.verdict == "clean", report.verdict_line
    assert {check.status for check in report.checks} == {Status.PASSED}


def test_a_clean_run_on_what_counts_as_real_prices_is_clean(tmp_path: Path, graphs: Path) -> None:
    run = on_real_prices(make_run(tmp_path, Asked(), graphs))

    assert audited_by(run, *accusing(), aucs={"linear": Interval(0.51, 0.49, 0.53, 0.01)}).verdict == "clean"


def test_a_missing_purge_is_caught_by_the_split_proof(
    tmp_path: Path, its_graph: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    honest = SplitPlan.assign
    monkeypatch.setattr(
        SplitPlan, "assign", lambda plan, session, oldest, label_end: honest(plan, session, oldest, session)
    )

    report = audited_by(make_run(tmp_path, Asked()), split_proof.NAME)

    assert status(report, split_proof.NAME) is Status.LEAKING
    # Labels of 20 sessions that end 19 behind the border, windows that begin 1 behind it.
    assert "share up to 19 sessions" in report.check(split_proof.NAME).sentence


def test_a_missing_embargo_is_caught_by_the_split_proof(tmp_path: Path, its_graph: None) -> None:
    cut = SplitSettings(fractions=(0.5, 0.2, 0.3), embargo=0)

    report = audited_by(make_run(tmp_path, Asked(embargo=21, splits=cut)), split_proof.NAME)

    assert status(report, split_proof.NAME) is Status.LEAKING
    assert (
        "share up to 20 sessions with eval, and the embargo of 21 allows 0" in report.check(split_proof.NAME).sentence
    )


def test_a_shorter_embargo_that_was_asked_for_is_allowed(tmp_path: Path, its_graph: None) -> None:
    report = audited_by(make_run(tmp_path, Asked(embargo=5)), split_proof.NAME)

    assert status(report, split_proof.NAME) is Status.PASSED
    assert "up to 15 sessions" in report.check(split_proof.NAME).sentence


def test_rows_shuffled_into_the_splits_are_caught_by_their_proof_and_the_day_as_a_feature_by_what_it_gives(
    tmp_path: Path, shuffle: None
) -> None:
    run = make_run(tmp_path, Asked(market="market_factor", formatter="closes_with_time"))
    aucs = {"linear": run.auc()}

    report = audited_by(run, split_proof.NAME, permutation.NAME, alarm.NAME, aucs=aucs)

    assert status(report, split_proof.NAME) is Status.LEAKING
    assert "share up to" in report.check(split_proof.NAME).sentence
    assert report.verdict == "leaking"
    assert status(report, permutation.NAME) is Status.LEAKING
    assert status(report, alarm.NAME) is Status.LEAKING
    assert status(audited_by(on_real_prices(run), alarm.NAME, aucs=aucs), alarm.NAME) is Status.LEAKING


def last_day_bars(market: Market, share: int) -> PriceBars:
    """Closes adjusted from the last day back: every share ends at the same price."""
    close = market.close[:, share] * (100 / market.close[-1, share])
    return PriceBars(market.time, close, np.ones_like(close))


def test_closes_adjusted_from_the_last_day_are_caught_by_the_level_test(tmp_path: Path) -> None:
    report = audited_by(make_run(tmp_path, Asked(formatter="closes", bars=last_day_bars)), level.NAME)

    assert status(report, level.NAME) is Status.LEAKING
    assert "scaled_closes" in report.check(level.NAME).sentence


def test_a_level_that_no_feature_sees_does_no_harm(tmp_path: Path) -> None:
    report = audited_by(make_run(tmp_path, Asked(bars=last_day_bars)), *accusing())

    assert status(report, level.NAME) is Status.PASSED
    assert report.check(level.NAME).figures[0].low > 0
    assert report.verdict == "clean", report.verdict_line


def test_prices_that_revert_honestly_are_no_leak_of_their_level(tmp_path: Path) -> None:
    report = audited_by(make_run(tmp_path, Asked(market="reversal_easy", formatter="closes", shares=20)), level.NAME)

    # A low newest close is followed by a rise there, which anybody may know.
    assert status(report, level.NAME) is Status.SUSPICIOUS


def test_raw_prices_with_factors_leak_only_once_they_are_adjusted_from_the_last_day(tmp_path: Path) -> None:
    def split_shares(market: Market, share: int) -> PriceBars:
        """A share is split, two for one, whenever it has doubled: raw closes stay between 50 and 200."""
        close = market.close[:, share]
        factor = np.maximum.accumulate(np.maximum(1.0, 2.0 ** np.floor(np.log2(close / close[0]))))
        return PriceBars(market.time, close / factor, factor)

    report = audited_by(make_run(tmp_path, Asked(formatter="closes", bars=split_shares, shares=20)), level.NAME)

    found = {figure.name: figure for figure in report.check(level.NAME).figures}
    assert report.check(level.NAME).status is Status.SUSPICIOUS
    assert found["rank IC of minus log level, prices as the run has them"].low < 0
    assert found["rank IC of minus log level, the same prices adjusted from the last day"].low > 0


def test_a_formatter_that_reads_the_forward_return_is_caught_by_the_canary(
    tmp_path: Path, declare: Callable[[DataFormatter], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    import tensorflow as tf

    source = forward_return_key(1)
    tomorrow = Feature("tomorrow", source, Z_SCORE, Kind.SCALAR)
    declare(DataFormatter("sees_tomorrow", "", (*WINDOW_RETURNS.features, tomorrow)))
    monkeypatch.setattr(data, "RAW_FEATURES", {**data.RAW_FEATURES, source: tf.io.FixedLenFeature([1], tf.float32)})

    report = audited_by(make_run(tmp_path, Asked(formatter="sees_tomorrow")), canary.NAME, alarm.NAME)

    found = report.check(canary.NAME)
    assert found.status is Status.LEAKING
    assert f"reads {source}" in found.sentence
    assert "the feature tomorrow alone has an AUC of 1.0000" in found.sentence
    assert status(report, alarm.NAME) is Status.LEAKING


def test_a_feature_of_another_name_that_holds_the_label_is_caught_by_its_auc(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, break_rows: Break
) -> None:
    """What the schema knows and the formatter may read, but with the future in it: a share's name."""

    def spoil(rows: LabelledRows) -> LabelledRows:
        up = rows.columns[label_key(1)]
        share = rows.columns[SHARE_ID]
        names = np.array([name + b"+" if rises else name for name, rises in zip(share, up, strict=True)])
        return replace(rows, columns={**rows.columns, SHARE_ID: names.astype(object)})

    break_rows(spoil)
    report = audited_by(make_run(tmp_path, Asked()), alarm.NAME)

    assert status(report, alarm.NAME) is Status.LEAKING
    assert report.verdict == "leaking"


def test_an_example_feature_outside_the_schema_is_caught_by_the_canary(
    tmp_path: Path, graphs: Path, break_rows: Break
) -> None:
    break_rows(lambda rows: replace(rows, columns={**rows.columns, "tomorrow": rows.columns[forward_return_key(1)]}))

    found = audited_by(make_run(tmp_path, Asked(), graphs), canary.NAME).check(canary.NAME)

    assert found.status is Status.LEAKING
    assert "he examples carry tomorrow, which the schema does not declare" in found.sentence


def test_windows_shifted_into_the_future_are_caught_by_the_label_proof(tmp_path: Path, break_rows: Break) -> None:
    def spoil(rows: LabelledRows) -> LabelledRows:
        closes, share = rows.columns[CLOSES], rows.columns[SHARE_ID]
        later = np.append(np.arange(1, len(closes)), len(closes) - 1)
        same = share[later] == share
        return replace(rows, columns={**rows.columns, CLOSES: np.where(same[:, None], closes[later], closes)})

    break_rows(spoil)
    report = audited_by(make_run(tmp_path, Asked()), label_proof.NAME, alarm.NAME, canary.NAME)

    assert status(report, label_proof.NAME) is Status.LEAKING
    assert status(report, alarm.NAME) is Status.LEAKING
    # The label is in the window: its newest return gives it away.
    assert "returns[19] alone" in report.check(canary.NAME).sentence


def test_wrong_labels_are_caught_by_the_label_proof(tmp_path: Path, graphs: Path, break_rows: Break) -> None:
    def spoil(rows: LabelledRows) -> LabelledRows:
        label = rows.columns[label_key(1)]
        wrong = np.random.default_rng(0).random(len(label)) < 0.01
        return replace(rows, columns={**rows.columns, label_key(1): np.where(wrong, 1 - label, label)})

    break_rows(spoil)
    report = audited_by(make_run(tmp_path, Asked(), graphs), label_proof.NAME)

    assert status(report, label_proof.NAME) is Status.LEAKING


@pytest.mark.parametrize("formatter", [WINDOW_RETURNS, CLOSES_FORMATTER])
def test_scaling_fitted_on_all_splits_is_caught(tmp_path: Path, formatter: DataFormatter) -> None:
    report = audited_by(make_run(tmp_path, Asked(formatter=formatter.name, analyzed=(0, 1, 2))), scaling.NAME)

    found = report.check(scaling.NAME)
    assert found.status is Status.LEAKING
    assert "is that of all splits" in found.sentence


def test_a_vocabulary_of_all_splits_is_caught(tmp_path: Path) -> None:
    report = audited_by(make_run(tmp_path, Asked(formatter="closes_with_time", analyzed=(0, 1, 2))), scaling.NAME)

    assert "the vocabulary of day holds" in report.check(scaling.NAME).sentence


def test_a_market_that_only_rises_is_audited_as_far_as_it_can_be(tmp_path: Path) -> None:
    def rising(market: Market, share: int) -> PriceBars:
        close = np.exp(0.001 * (share + 1) * np.arange(len(market.time)))
        return PriceBars(market.time, close, np.ones_like(close))

    report = make_run(tmp_path, Asked(shares=3, sessions=420, bars=rising)).audited({})

    assert status(report, permutation.NAME) is Status.NOT_APPLICABLE
    assert status(report, split_proof.NAME) is Status.PASSED


def test_a_whole_audit_makes_every_check_and_is_the_same_when_it_is_read_back(honest: SmallRun) -> None:
    told: list[str] = []

    report = honest.audited(progress=told.append)

    assert told == [check.name for check in report.checks] == list(CHECKS)
    assert {check.status for check in report.checks} == {Status.PASSED, Status.INFORMATION}
    assert AuditReport.from_json(report.to_json(), "audit.json").to_json() == report.to_json()
