"""`awesome daily` from evening to evening, against the replay server: what is written down, and what is not."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import replace
from pathlib import Path

import pytest
from live_records import tampered
from lived import SHANGHAI, SHARES, START, World, evening, predictions, write_run

from components.extractor.replay import Fault
from components.ledger.clocks import check_clock
from components.ledger.errors import LedgerError
from components.ledger.file import Ledger
from components.ledger.setting_up import note
from components.ledger.verifying import verify
from pipeline.daily import loop
from pipeline.daily.loop import PARTS
from pipeline.daily.report import AlertKind, DailyReport, Status, read_daily
from pipeline.job.workspace import OutputError, workspace_lock
from pipeline.report.live_words import e_value

LEDGER = Path("prices.db.ledger")
FIVE = SHANGHAI[START : START + 5]


def status(report: DailyReport, name: str) -> Status:
    part = report.part(name)
    assert part is not None
    return part.status


def kinds(report: DailyReport) -> list[AlertKind]:
    return [one.kind for one in report.alerts]


def test_a_week_is_predicted_on_time_and_scored_without_tensorflow(world: World, no_tensorflow: None) -> None:
    write_run(world.plan())
    reports = [world.loop(evening(session)) for session in FIVE]

    assert [one.exit_code for one in reports] == [0] * 5
    assert [one.session for one in reports] == [str(session) for session in FIVE]
    assert predictions(LEDGER) == [(share, str(session), 0) for session in FIVE for share in sorted(SHARES)]
    assert [one.part("outcomes").numbers["new"] for one in reports] == [0, 5, 5, 5, 5]
    assert reports[-1].part("evidence").numbers["sessions"] == 4
    written = json.loads(Path(f"runs/daily/{reports[-1].name}/{FIVE[-1]}.json").read_text())
    assert (written["schema_version"], written["exit_code"], len(written["parts"])) == (1, 0, len(PARTS))


def test_live_losses_are_compared_with_the_backtest(world: World) -> None:
    write_run(world.plan())
    first, second = (world.loop(evening(session)) for session in FIVE[:2])
    third = world.loop(evening(FIVE[2]))

    # Too few sessions of training for its features to be a yardstick; the losses need an outcome.
    assert first.part("drift").said[0].startswith("features are not compared: ")
    assert [status(one, "drift") for one in (first, second, third)] == [Status.NOTHING, Status.NOTHING, Status.DONE]
    assert third.part("drift").numbers["alarms"] == 0


def test_parameters_and_the_claim_of_the_backtest_stand_before_the_first_prediction(world: World) -> None:
    write_run(world.plan())
    report = world.loop(evening(FIVE[0]))

    tables = [name if name != "NOTE" else row[1] for name, row in world.rows()]
    assert tables[: tables.index("PREDICTION")] == [
        *("LEDGER", "made clock", "SETUP", "origin", "on trial", "claim", "MODEL", "calendars"),
    ]
    assert any(line.startswith("days to proof, if the backtest is right: about") for line in report.part("ledger").said)
    later = world.loop(evening(FIVE[1]))
    assert any(line.startswith("days to proof from now on") for line in later.part("evidence").said)


def test_a_second_loop_of_the_day_writes_nothing(world: World) -> None:
    write_run(world.plan())
    world.loop(evening(FIVE[0]))
    before = LEDGER.read_bytes()

    again = world.loop(evening(FIVE[0], hour=12))

    assert LEDGER.read_bytes() == before
    assert again.exit_code == 0
    assert {status(again, name) for name in ("predict", "ledger", "outcomes", "evidence")} == {Status.NOTHING}


def test_holidays_and_weekends_write_nothing(world: World) -> None:
    write_run(world.plan())
    thursday = dt.date(2024, 9, 12)
    for days in range(6):  # Friday, a weekend, and two days of the Mid-Autumn Festival
        world.loop(evening(thursday + dt.timedelta(days=days)))

    assert {session for _, session, _ in predictions(LEDGER)} == {"2024-09-12", "2024-09-13"}
    assert {late for _, _, late in predictions(LEDGER)} == {0}


def test_a_bar_that_comes_before_the_next_opening_is_on_time_and_a_later_one_is_late(world: World) -> None:
    write_run(world.plan())
    world.loop(evening(FIVE[0]))
    fault = Fault("missing", share=SHARES[0], value=1)
    world.server.faults.add(fault)

    without = world.loop(evening(FIVE[1]))
    world.server.faults.clear()
    morning = dt.datetime.combine(FIVE[2], dt.time(1), dt.UTC)  # half an hour before Shanghai opens
    world.loop(morning, see=FIVE[1])
    world.server.faults.add(replace(fault, share=SHARES[1]))
    world.loop(evening(FIVE[2]))
    world.server.faults.clear()
    world.loop(evening(FIVE[3]))

    assert without.exit_code == 3
    assert AlertKind.MISSING in kinds(without)
    assert "the bar of the last session has not come" in without.part("predict").wrong[0]
    late = {(share, session) for share, session, late in predictions(LEDGER) if late}
    assert late == {(SHARES[1], str(FIVE[2]))}
    assert len(predictions(LEDGER)) == 4 * len(SHARES)


def test_a_missed_week_is_predicted_late_and_is_no_evidence(world: World) -> None:
    write_run(world.plan())
    world.loop(evening(FIVE[0]))
    back = SHANGHAI[START + 6]
    report = world.loop(evening(back))
    world.loop(evening(SHANGHAI[START + 7]))

    by_session: dict[str, set[int]] = {}
    for _, session, late in predictions(LEDGER):
        by_session.setdefault(session, set()).add(late)
    missed = [str(day) for day in SHANGHAI[START + 1 : START + 6]]
    assert by_session == {str(FIVE[0]): {0}} | {day: {1} for day in missed} | {
        str(day): {0} for day in SHANGHAI[START + 6 : START + 8]
    }
    assert AlertKind.LATE in kinds(report)
    # The first session, and the one of the return, as the one after it has no outcome yet.
    assert world.loop(evening(SHANGHAI[START + 7])).part("evidence").numbers["sessions"] == 2


def test_a_restated_price_makes_a_second_outcome_and_changes_no_row(world: World) -> None:
    write_run(world.plan())
    for session in FIVE[:3]:
        world.loop(evening(session))
    before = world.rows()
    share = SHARES[2]
    listing = world.server.market.listings[share]
    close = listing.close.copy()
    close[START + 1] = round(close[START + 1] * 1.01, 2)
    high = listing.high.copy()
    high[START + 1] = max(high[START + 1], close[START + 1])
    world.server.market = world.server.market.with_listings(replace(listing, close=close, high=high, cache={}))

    report = world.loop(evening(FIVE[3]))

    assert world.rows()[: len(before)] == before
    assert report.part("outcomes").numbers["restated"] == 2
    assert len(predictions(LEDGER)) == 4 * len(SHARES)


def test_without_the_source_outcomes_and_evidence_go_on(world: World) -> None:
    write_run(world.plan())
    for session in FIVE[:2]:
        world.loop(evening(session))
    world.server.faults.add(Fault("503"))
    report = world.loop(evening(FIVE[2]))

    assert report.exit_code == 3
    assert status(report, "extract") is Status.FAILED
    assert status(report, "outcomes") is Status.NOTHING
    assert report.part("evidence").numbers["sessions"] == 1
    assert AlertKind.FAILURE in kinds(report)


def test_a_ledger_has_real_times_or_made_ones_and_never_both(world: World) -> None:
    write_run(world.plan())
    world.loop(evening(FIVE[0]))
    assert verify(LEDGER).sound

    with Ledger.create(LEDGER) as ledger, pytest.raises(LedgerError, match="its times are made"):
        check_clock(ledger)
    with Ledger.create("real.ledger") as ledger:
        note(ledger, "calendars", "a real row")
        with pytest.raises(LedgerError, match="holds real predictions, and a made clock"):
            check_clock(ledger, evening(FIVE[1]))


def test_only_some_parts_are_done_and_the_ledger_predicts_what_it_needs(world: World) -> None:
    write_run(world.plan())
    world.loop(evening(FIVE[0]), "extract")
    report = world.loop(evening(FIVE[0]), "ledger")

    assert [one.name for one in report.parts] == ["ledger"]
    kept = read_daily(Path(f"runs/daily/{report.name}"), report.session)
    assert kept is not None
    assert [one.name for one in kept.parts] == ["extract", "ledger"]
    assert len(predictions(LEDGER)) == len(SHARES)


def test_a_share_that_comes_later_begins_with_its_last_session(world: World) -> None:
    write_run(world.plan())
    world.loop(evening(FIVE[0]), shares=",".join(SHARES[:4]))
    world.loop(evening(FIVE[1]))

    assert [session for share, session, _ in predictions(LEDGER) if share == SHARES[4]] == [str(FIVE[1])]


def test_prices_that_ended_long_ago_begin_no_record(world: World) -> None:
    write_run(world.plan())
    report = world.loop(evening(FIVE[4]), see=FIVE[0])

    assert not LEDGER.exists()
    assert report.exit_code == 3
    assert any("the session after the last bar has opened already" in line for line in report.part("predict").wrong)


def test_no_model_and_no_trial_are_said(world: World) -> None:
    nothing = world.loop(evening(FIVE[0]))
    write_run(world.plan())
    refused = world.loop(evening(FIVE[0]), trial=False)

    assert "there is no model yet" in nothing.part("predict").wrong[0]
    assert "--no-trial" in refused.part("predict").wrong[0]
    assert not LEDGER.exists()


def test_one_loop_at_a_time(world: World) -> None:
    plan = world.plan()
    folder = plan.workspace / "daily" / plan.name
    folder.mkdir(parents=True)
    with workspace_lock(folder), pytest.raises(OutputError, match="wait for it"):
        world.loop(evening(FIVE[0]))


def test_a_defect_of_one_part_leaves_the_others(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(day: object, told: object) -> None:
        raise KeyError("no such thing")

    write_run(world.plan())
    parts = tuple(replace(one, work=broken) if one.name == "plausibility" else one for one in PARTS)
    monkeypatch.setattr(loop, "PARTS", parts)
    report = world.loop(evening(FIVE[0]))

    assert (report.exit_code, status(report, "plausibility")) == (3, Status.FAILED)
    assert "this is a defect of the project" in report.part("plausibility").wrong[0]
    log = Path(f"runs/daily/{report.name}/defects.log")
    assert "no such thing" in log.read_text()
    assert len(predictions(LEDGER)) == len(SHARES)

    log.unlink()
    log.mkdir()  # as on a full disk it cannot be written
    report = world.loop(evening(FIVE[1]))
    assert status(report, "plausibility") == Status.FAILED
    assert "this is a defect of the project, and its log cannot be written" in report.part("plausibility").wrong[0]
    assert len(predictions(LEDGER)) == 2 * len(SHARES)


def test_the_page_is_the_last_part_and_tells_of_a_changed_ledger(world: World) -> None:
    write_run(world.plan())
    reports = [world.loop(evening(session)) for session in FIVE[:3]]
    page = Path(f"runs/daily/{reports[0].name}/live.html")

    assert [(one.parts[-1].name, status(one, "page")) for one in reports] == [("page", Status.DONE)] * 3
    assert reports[-1].part("page").said[0].startswith("A replay: nothing is proved: ")
    measured = reports[-1].part("drift").numbers["losses_of_limit"]
    said = f"After {FIVE[2]} nothing rings: losses at {round(100 * measured, 1):g}% of the limit."
    assert said in page.read_text()
    weighed = reports[-1].part("evidence")
    figure = f"{e_value(weighed.numbers['e_value'])}, and 20 is a proof"
    assert f"evidence {figure}" in weighed.said[0]
    assert f"the evidence is {figure}" in page.read_text()
    world.loop(evening(FIVE[2], hour=11), "page")
    assert said in page.read_text()

    tampered(LEDGER, "UPDATE PREDICTION SET probability = 0.9 WHERE share_id = 'sh600000'")
    told = world.loop(evening(FIVE[2], hour=12), "page")
    assert status(told, "page") is Status.PARTIAL
    assert AlertKind.FAILURE in kinds(told)
    assert "These figures cannot be trusted" in page.read_text()
