"""The page of a live record: its figures are those of the ledger's readers, and it says what cannot be said."""

from __future__ import annotations

import datetime as dt
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from live_records import tampered
from made_live import CHALLENGER, CLAIM, FIRST, NEW_YORK, Knowing, lived, moment
from shown import Page, assert_needs_nothing_from_elsewhere, printed

from components.backtest import backtest
from components.evidence.curves import calibration_curve
from components.feature_store import PriceBars
from components.ledger.clocks import MADE_CLOCK
from components.ledger.days import live_days, live_series
from components.ledger.file import Ledger
from components.ledger.predictions import write_predictions
from components.ledger.setting_up import declare, install, note
from components.live_evidence import Parameters, days_to_proof
from components.live_record import judge, judge_series
from pipeline.daily.page import record_of
from pipeline.daily.report import daily_folder
from pipeline.report.live import render_live, write_live
from pipeline.report.live_facts import LiveFacts
from pipeline.report.live_summary import print_live
from pipeline.report.live_words import e_value, live_verdict
from pipeline.runs.results import ReportError


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Knowing:
    return lived(tmp_path_factory.mktemp("live"), skill=0.12)


def facts_of(live: Knowing) -> LiveFacts:
    return record_of(live.plan(), None, live.now)


def words(facts: LiveFacts) -> str:
    source = render_live(facts)
    assert_needs_nothing_from_elsewhere(source)
    return Page(source).words()


def test_the_figures_are_those_of_the_readers(live: Knowing) -> None:
    facts = facts_of(live)
    evidence = facts.evidence
    with Ledger.open(live.path) as ledger:
        record = judge(ledger, 1)
        assert record is not None
        assert evidence is not None
        course = record.course
        days = list(live_days(ledger, live_series(ledger)[0]))[:-1]
    assert [day.session for day in evidence.days] == list(record.sessions) == list(map(str, NEW_YORK[FIRST:][:59]))
    for name, values in (
        *(("rank_ic", record.rank_ics), ("gain", record.gains), ("e_value", np.exp(course.headline))),
        *(("e_rank_ic", np.exp(course.rank_ic)), ("e_log_loss", np.exp(course.log_loss))),
        *(("mean", course.mean), ("low", course.low), ("high", course.high)),
    ):
        np.testing.assert_array_equal([getattr(day, name) for day in evidence.days], values)
    assert evidence.proved_after == record.proved_after
    assert (evidence.claim, evidence.threshold, evidence.waiting) == (CLAIM, 20, 1)
    needed = days_to_proof(CLAIM, record.parameters, record.rank_ics, float(course.log_loss[-1]))
    assert evidence.needed == ("" if record.proved_after else str(needed))
    up, probability = (np.concatenate([getattr(day, name) for day in days]) for name in ("up", "probability"))
    curve = calibration_curve(up[~np.isnan(up)], probability[~np.isnan(up)], 5)
    assert [one.observed for one in facts.calibration] == curve.observed.tolist()
    assert facts.labelled == np.count_nonzero(~np.isnan(up))
    assert facts.counted is not None
    assert (facts.counted.predicted, facts.counted.due, facts.pending, facts.overdue_total) == (720, 708, 12, 0)
    assert facts.missing is not None
    assert (facts.missing.sessions, facts.missing.single) == ((), 0)


def test_paper_profit_is_that_of_a_run_s_backtest(live: Knowing) -> None:
    import pandas as pd

    with Ledger.open(live.path) as ledger:
        days = list(live_days(ledger, live_series(ledger)[0]))[:-1]
    rows = [
        {"time": pd.Timestamp(day.session), "share_id": share, "next_return": ahead, "model": chance}
        for day in days
        for share, ahead, chance in zip(day.share_ids, day.ahead, day.probability, strict=True)
    ]
    expected = backtest(pd.DataFrame(rows), ["model"], resamples=10)
    profit = facts_of(live).profit
    assert profit is not None
    assert (profit.costs, profit.quantile) == (expected.costs, expected.quantile)
    results = (expected.models["model"].long_short, expected.models["model"].long_only, expected.equal_weight)
    for one, result in zip(profit.portfolios, results, strict=True):
        np.testing.assert_allclose(one.after, np.cumprod(1 + np.array(result.after_costs.returns)))
        np.testing.assert_allclose(one.before, np.cumprod(1 + np.array(result.before_costs.returns)))
        assert one.turnover == pytest.approx(result.turnover)
        assert one.drawdown == pytest.approx(result.after_costs.max_drawdown)


def test_the_page_shows_the_sentence_the_charts_and_every_figure_as_text(live: Knowing) -> None:
    facts = facts_of(live)
    source = render_live(facts)
    page, said = Page(source), words(facts)
    assert said.count(live_verdict(facts).sentence) == 1
    assert [tag for tag, _ in page.elements].count("svg") == 4
    assert facts.evidence is not None
    for day in facts.evidence.days:
        assert f"{day.session} {e_value(day.e_value)} {e_value(day.e_rank_ic)} {e_value(day.e_log_loss)}" in said
    assert "on trial, not blessed" in said
    assert "Every one of" in said
    assert live_verdict(facts).label in printed(100, print_live, facts)


def test_a_proof_stays_one_and_what_is_not_proved_is_not_refuted(live: Knowing) -> None:
    facts = facts_of(live)
    assert facts.evidence is not None
    proved = replace(facts, evidence=replace(facts.evidence, proved_after="2024-03-01"))
    assert live_verdict(proved).tone == "good"
    assert "of all looks, with a chance of at most 5%" in live_verdict(proved).sentence
    open_ = replace(facts, evidence=replace(facts.evidence, proved_after=""))
    assert live_verdict(open_).label == "Nothing is proved"
    assert "does not say that they are worth nothing" in live_verdict(open_).sentence
    refuted = replace(facts, evidence=replace(facts.evidence, proved_after="", refuted=True))
    assert "the backtest's claim is refuted" in live_verdict(refuted).label
    assert "0.0600" in live_verdict(refuted).sentence


@pytest.mark.parametrize(
    ("value", "written"),
    [(19.999, "19.99"), (0.5, "0.50"), (math.nan, "n/a"), (1e300, "over a million"), (0.004, "0.004")],
)
def test_an_e_value_below_the_threshold_never_reads_as_one_that_reached_it(value: float, written: str) -> None:
    assert e_value(value) == written


def test_no_ledger_an_empty_one_and_another_horizon_are_a_plain_line(tmp_path: Path) -> None:
    live = Knowing(tmp_path)
    facts = facts_of(live)
    assert "does not exist: the first `awesome daily` with a model begins it" in words(facts)
    live.path.touch()
    assert "is empty: a loop was stopped while it made it" in words(facts_of(live))
    live.path.unlink()
    live.now = moment(f"{NEW_YORK[FIRST]} 12:00")
    live.begin()
    assert "holds no prediction 1 session ahead yet." in words(facts_of(live))
    live.evenings(NEW_YORK[FIRST : FIRST + 1])
    said = words(record_of(live.plan(horizon=20), None, live.now))
    assert "holds no prediction 20 sessions ahead yet; it holds predictions 1 ahead (--horizon)" in said


def test_a_record_without_an_outcome_says_when_the_first_comes(tmp_path: Path) -> None:
    live = lived(tmp_path, sessions=1, shares=3)
    facts = facts_of(live)
    assert live_verdict(facts).sentence == (
        f"Nothing is proved: of 3 predictions written down since {NEW_YORK[FIRST]}, none has an outcome yet; the first "
        "ones come due 1 session after their own."
    )
    said = words(facts)
    assert "Days to proof, if the backtest's daily rank IC of 0.0600 is true: about" in said
    assert "svg" not in [tag for tag, _ in Page(render_live(facts)).elements]


def test_horizon_20_counts_open_bets_and_trades_by_the_prices(tmp_path: Path) -> None:
    live = lived(tmp_path, sessions=24, shares=6, horizon=20)
    facts = facts_of(live)
    assert facts.evidence is not None
    assert (len(facts.evidence.days), facts.evidence.waiting, facts.pending) == (4, 20, 120)
    assert facts.profit is not None
    assert len(facts.profit.sessions) == 4
    assert "20 sessions ahead" in words(facts)


def test_one_share_has_no_rank_ic_and_no_portfolio(tmp_path: Path) -> None:
    said = words(facts_of(lived(tmp_path, sessions=8, shares=1)))
    assert "No session has a rank IC yet" in said
    assert "Paper profit cannot be told: a backtest needs at least two shares of predictions, and here is one." in said


def test_late_missing_overdue_and_restated_are_named(tmp_path: Path) -> None:
    live = lived(tmp_path, sessions=6, shares=4)
    again = live.forecasts(NEW_YORK[FIRST + 5])
    bars = live.prices["S001"]
    live.prices["S001"] = PriceBars(bars.time, bars.close * np.where(np.arange(400) == FIRST + 3, 1.5, 1), bars.factor)
    gone = live.prices["S002"]
    live.prices["S002"] = PriceBars(gone.time[: FIRST + 6], gone.close[: FIRST + 6], gone.factor[: FIRST + 6])
    session = NEW_YORK[FIRST + 7]
    live.now = moment(f"{session} 23:00")
    live.store(str(session))
    with live.ledger() as ledger:
        forecasts = replace(again, probability=again.probability / 2)
        assert write_predictions(ledger, forecasts, dict.fromkeys(live.shares, "XNYS")).late == 4
    live.settle()
    facts = facts_of(live)
    said = words(facts)
    assert f"Late: 4, written after the next session had opened (4 after {NEW_YORK[FIRST + 5]})." in said
    assert f"Missing: 1 session without any prediction ({NEW_YORK[FIRST + 6]})." in said
    assert facts.overdue == tuple(
        f"S002 after {NEW_YORK[FIRST + 5]}: the price of the session that it is due on has not come" for _ in range(2)
    )
    assert [(one.share_id, one.session) for one in facts.restated] == [
        ("S001", str(NEW_YORK[FIRST + 3])),
        ("S001", str(NEW_YORK[FIRST + 2])),
    ]
    assert facts.restated[1].after == pytest.approx(1.5 * (1 + facts.restated[1].before) - 1)
    assert "Restated: 2 outcomes" in said


def test_a_ledger_that_was_changed_is_said_before_all_else(tmp_path: Path) -> None:
    live = lived(tmp_path, sessions=6, shares=4)
    tampered(live.path, "UPDATE PREDICTION SET probability = 0.9 WHERE seq = 10")
    facts = facts_of(live)
    verdict = live_verdict(facts)
    assert verdict.label == "These figures cannot be trusted"
    assert "row 10, PREDICTION of S003 after" in verdict.sentence
    assert "its content or its hash was changed" in words(facts)
    assert "cannot be trusted" in printed(200, print_live, facts)
    tampered(live.path, "UPDATE SETUP SET parameters = 'none'")
    assert "what it holds cannot be read" in facts_of(live).nothing
    assert live_verdict(facts_of(live)).label == "These figures cannot be trusted"


def test_what_was_judged_just_now_is_what_would_be_judged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    live = lived(tmp_path, sessions=6, shares=4)
    with Ledger.open(live.path) as ledger:
        judged = judge(ledger, 1)
    fresh = facts_of(live)
    made = []
    whole = judge_series
    monkeypatch.setattr("pipeline.uses.live.judge_series", lambda *given: made.append(given) or whole(*given))
    assert record_of(live.plan(), None, live.now, judged=judged) == fresh
    assert made == []
    live.evenings(NEW_YORK[FIRST + 6 : FIRST + 8])
    assert record_of(live.plan(), None, live.now, judged=judged) == facts_of(live) != fresh
    assert len(made) == 2


def test_a_long_ledger_is_looked_at_from_where_the_last_look_has_come_to(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = lived(tmp_path, sessions=6, shares=4)
    plan, clock = live.plan(), [dt.datetime.now(dt.UTC) + dt.timedelta(minutes=1)]
    monkeypatch.setattr("pipeline.uses.ledger.present", lambda: clock[0])
    look = daily_folder(plan) / "verified.json"
    look.parent.mkdir(parents=True, exist_ok=True)

    def again(rows_again: int = 0) -> LiveFacts:
        return record_of(plan, None, live.now, rows_again=rows_again)

    first = again().trust
    live.evenings(NEW_YORK[FIRST + 6 : FIRST + 7])
    second = again().trust
    assert first is not None
    assert second is not None
    assert (first.after, first.whole, second.after) == (0, "", first.rows)
    assert second.rows == first.rows + 8  # four predictions and four outcomes
    said = words(again())
    assert f"The 0 rows behind row {second.rows} are as they were written" in said
    assert "awesome ledger verify looks at all of them" in said
    assert "Every one of" in words(again(rows_again=second.rows))

    tampered(live.path, "UPDATE PREDICTION SET probability = 0.9 WHERE seq = 10")
    kept = look.read_bytes()
    assert live_verdict(again()).label != "These figures cannot be trusted"
    named = "These figures cannot be trusted"
    for found in (again(second.rows), record_of(plan, live.path, live.now)):  # few rows; a file that is named
        assert live_verdict(found).label == named
    assert live_verdict(again()).label == named  # who has seen a fault does not forget it
    future = json.dumps(json.loads(kept) | {"whole": "2099-01-01T00:00:00Z"}).encode()
    for content in (b"{}", kept[:50], future):
        look.write_bytes(content)
        assert live_verdict(again()).label == named
        assert not look.exists()  # where anything is wrong nothing is kept
    look.write_bytes(kept)
    clock[0] += dt.timedelta(days=28)
    assert live_verdict(again()).label == named


@pytest.mark.parametrize(
    "statement", ["DELETE FROM SETUP", "UPDATE MODEL SET name = CAST(x'ff' AS TEXT)", "DELETE FROM PREDICTION"]
)
def test_whatever_was_changed_there_is_a_page(tmp_path: Path, statement: str) -> None:
    live = lived(tmp_path, sessions=3, shares=3)
    tampered(live.path, statement)
    facts = facts_of(live)
    assert live_verdict(facts).label == "These figures cannot be trusted"
    write_live(facts, tmp_path)
    assert "These figures cannot be trusted" in printed(200, print_live, facts)


def test_models_take_over_and_older_series_stay_in_sight(tmp_path: Path) -> None:
    live = lived(tmp_path, sessions=5, shares=4)
    with live.ledger() as ledger:
        install(ledger, CHALLENGER)
        declare(ledger, 1, Parameters(alpha=0.01))
    live.evenings(NEW_YORK[FIRST + 5 : FIRST + 8], CHALLENGER)
    facts = facts_of(live)
    assert [(one.name, one.predicted) for one in facts.versions] == [("linear", 20), ("rnn", 12)]
    assert [one.sessions for one in facts.older] == [5]
    said = words(facts)
    assert "a proof at 200 has the chance that one alone has at 100" in said
    assert "claims nothing here" in said


def test_a_replay_says_that_it_is_none_of_the_future(tmp_path: Path) -> None:
    live = lived(tmp_path, sessions=4, shares=4)
    with live.ledger() as ledger:
        note(ledger, MADE_CLOCK, "made")
    facts = record_of(live.plan())
    assert facts.looked == live.now.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert facts.overdue_total == 0
    assert live_verdict(facts).label == "A replay: nothing is proved"
    assert "nothing here says anything of the future" in words(facts)


def test_drift_is_what_the_loops_have_measured(live: Knowing) -> None:
    sessions = NEW_YORK[FIRST : FIRST + 3]
    live.drifts(sessions, lambda at: {"features_of_limit": 0.5 + at / 2, "losses_of_limit": 0.25, "alarms": at // 2})
    facts = facts_of(live)
    assert [(day.session, day.features, day.losses, day.alarms) for day in facts.drift] == [
        (str(sessions[0]), 0.5, 0.25, 0),
        (str(sessions[1]), 1.0, 0.25, 0),
        (str(sessions[2]), 1.5, 0.25, 1),
    ]
    assert f"After {sessions[2]} 1 alarm: features at 150% of the limit, losses at 25% of the limit." in words(facts)


def test_the_page_is_written_whole_and_over_no_other_file(live: Knowing, tmp_path: Path) -> None:
    facts = facts_of(live)
    assert write_live(facts, tmp_path) == tmp_path / "live.html"
    assert write_live(facts, tmp_path / "new" / "page.html").read_text() == (tmp_path / "live.html").read_text()
    with pytest.raises(ReportError, match="a file that ends in"):
        write_live(facts, tmp_path / "awesome.db")
