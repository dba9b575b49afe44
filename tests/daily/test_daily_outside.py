"""What leaves the machine: alerts, and the ledger in the storage; and the command as a user types it."""

from __future__ import annotations

import datetime as dt
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from command_line import COMMAND, clean_environment
from http_here import Request, answering
from lived import FIRST, LAST, SHANGHAI, SHARES, START, World, evening, predictions, write_run

from components.errors import StoreError
from components.extractor.replay import Fault, make_listing
from components.feature_store import FeatureStore, PriceBars
from components.object_storage import Storage, stored_heads
from pipeline.daily.alerts import send_alerts
from pipeline.daily.report import Alert, AlertKind, DailyReport, Status
from pipeline.loading import load_settings
from pipeline.settings import SettingsError

EVENINGS = SHANGHAI[START : START + 4]
LEDGER = Path("prices.db.ledger")
TOLD = DailyReport(
    "2024-09-02", "", "", "", "", "prices", (), (Alert(AlertKind.PROVED, 'it\'s "proved"; $(rm -rf .)'),)
)


def command(folder: Path, code: str) -> str:
    script = folder / "alert me.py"
    script.write_text(code)
    return f"{sys.executable} '{script}' '$(touch injected)'"


def test_a_command_is_given_the_alerts_and_no_shell(folder: Path) -> None:
    told = command(folder, "import sys; open('told.json', 'w').write(sys.stdin.read() + '\\n' + sys.argv[1])")
    assert send_alerts(TOLD, load_settings({"alert_command": told})) == ()

    message, argument = Path("told.json").read_text().split("\n")
    assert json.loads(message) == {
        "text": 'proved: it\'s "proved"; $(rm -rf .)',
        "session": "2024-09-02",
        "name": "prices",
        "exit_code": 0,
        "alerts": [{"kind": "proved", "text": 'it\'s "proved"; $(rm -rf .)'}],
    }
    assert argument == "$(touch injected)"
    assert not Path("injected").exists()


def test_alerts_that_do_not_arrive_are_said_without_their_secret(folder: Path) -> None:
    settings = load_settings(
        {"alert_command": command(folder, "raise SystemExit(7)"), "alert_url": "http://127.0.0.1:9/hooks/s3cret"}
    )
    undelivered = send_alerts(TOLD, settings)

    assert undelivered == ("alert_command: ended with exit code 7", "alert_url: ConnectionError")
    assert "s3cret" not in repr(settings) + str(settings.alert_url)


@pytest.mark.parametrize(
    ("statuses", "undelivered"),
    [([503, 503, 204], ()), ([503] * 3, ("alert_url: answered 503",)), ([403], ("alert_url: answered 403",))],
)
def test_a_webhook_is_asked_three_times_at_the_most(
    folder: Path, statuses: list[int], undelivered: tuple[str, ...]
) -> None:
    asked: list[Request] = []

    def answer(request: Request) -> tuple[int, bytes, str]:
        asked.append(request)
        return statuses[len(asked) - 1], b"", "text/plain"

    del folder
    with answering(answer) as url:
        assert send_alerts(TOLD, load_settings({"alert_url": f"{url}/hooks/s3cret"})) == undelivered
    assert len(asked) == len(statuses)
    assert {(one.method, one.path, one.headers["Content-Type"]) for one in asked} == {
        ("POST", "/hooks/s3cret", "application/json")
    }
    assert json.loads(asked[0].content)["alerts"][0]["kind"] == "proved"


def test_wrong_alert_settings_are_refused_in_one_line(folder: Path) -> None:
    del folder
    with pytest.raises(SettingsError, match=r"alert_command .*No closing quotation"):
        load_settings({"alert_command": "mail 'me"})
    with pytest.raises(SettingsError, match=r"alert_url .*is not an address") as refusal:
        load_settings({"alert_url": "s3cret"})
    assert "s3cret" not in str(refusal.value)
    with pytest.raises(SettingsError, match=r"clock .*has no zone"):
        load_settings({"clock": "2024-09-02T10:00"})
    with pytest.raises(SettingsError, match=r"clock .*has not come; a replay is of days that are over"):
        load_settings({"clock": "2999-09-02T10:00Z"})


def test_a_failing_alert_never_stops_the_loop(folder: Path) -> None:
    world = World(folder, None)
    write_run(world.plan())
    world.bars(EVENINGS[0])
    report = world.loop(evening(EVENINGS[0]), alert_command="/no/such/program")

    assert report.exit_code == 0
    assert report.undelivered == ("alert_command: cannot be started (No such file or directory)",)
    assert len(predictions(LEDGER)) == len(SHARES)


def test_without_prices_nothing_begins_and_no_model_is_trained_on_others(world: World) -> None:
    with pytest.raises(StoreError, match=r"awesome.db does not exist; import prices"):
        world.loop(evening(EVENINGS[0]), retrain=None, db="awesome.db", source=None)
    with pytest.raises(SettingsError, match=r"market \(from .*\): a made market has no future"):
        world.loop(evening(EVENINGS[0]), db=None, source=None, market="reversal")
    Path("awesome.db").write_text("no database")
    with pytest.raises(StoreError, match="is not an SQLite database"):
        world.loop(evening(EVENINGS[0]), db="awesome.db")
    Path("awesome.db").unlink()
    assert not Path("runs").exists()
    # The shipped prices are what `awesome run` takes where there are none; they ended years ago.
    world.server.faults.add(Fault("503"))
    report = world.loop(evening(EVENINGS[0]), retrain=None, db="awesome.db")
    assert report.part("retrain").status is Status.FAILED
    assert not any(Path("runs").glob("20*"))


def test_a_report_that_cannot_be_written_is_what_somebody_is_told_of(folder: Path) -> None:
    world = World(folder, None)
    write_run(world.plan())
    world.bars(EVENINGS[0])
    (folder / "runs" / "daily" / world.plan().name / f"{EVENINGS[0]}.json").mkdir(parents=True)
    told = command(folder, "import sys; open('told.json', 'w').write(sys.stdin.read())")
    report = world.loop(evening(EVENINGS[0]), alert_command=told)

    assert (report.exit_code, len(predictions(LEDGER))) == (3, len(SHARES))
    [line] = report.part("report").wrong
    assert line.endswith(f"{EVENINGS[0]}.json: Is a directory")
    assert f"report: {line}" in Path("told.json").read_text()


def test_a_loop_for_each_exchange_makes_up_for_what_both_have_missed(folder: Path) -> None:
    hong_kong = make_listing("hk00700", "XHKG", FIRST, LAST)
    world = World(folder, None)
    write_run(world.plan())
    for session in (EVENINGS[0], SHANGHAI[START + 45]):  # more than 40 days later
        world.bars(session)
        end = hong_kong.index(session + dt.timedelta(days=1))
        bars = PriceBars(hong_kong.time[:end], hong_kong.close[:end], hong_kong.factor[:end])
        with FeatureStore.create("prices.db") as store:
            store.upsert("hk00700", bars, "tencent")
        world.loop(evening(session))
        world.loop(evening(session, hour=11), shares="hk00700")

    missed = [str(day) for day in hong_kong.time[hong_kong.index(EVENINGS[0]) : end]]
    assert [session for share, session, _ in predictions(LEDGER) if share == "hk00700"] == missed


def test_prices_that_restate_most_outcomes_are_what_somebody_is_told_of(folder: Path) -> None:
    world = World(folder, None)
    write_run(world.plan())
    for session in EVENINGS[:3]:
        world.bars(session)
        world.loop(evening(session))
    with closing(sqlite3.connect("prices.db")) as connection, connection:
        connection.execute("UPDATE PRICE SET close = close * 2")  # as those of another database
    report = world.loop(evening(EVENINGS[2], hour=11))

    [line] = report.part("outcomes").wrong
    assert line.startswith("10 of 10 outcomes are of restated prices: look whether")
    assert [one.kind for one in report.alerts if one.text == line] == [AlertKind.SUSPECTS]


def test_the_head_of_the_ledger_goes_to_the_storage(folder: Path) -> None:
    world = World(folder, None, {"storage_url": str(folder / "bucket")})
    (folder / "bucket").mkdir()
    write_run(world.plan())
    for session in EVENINGS[:2]:
        world.bars(session)
        report = world.loop(evening(session))
    again = world.loop(evening(EVENINGS[1], hour=12))

    assert report.exit_code == again.exit_code == 0
    with Storage.at(str(folder / "bucket")) as storage:
        heads = stored_heads(storage, "prices.db")
    assert len(heads) == 2
    assert again.part("push").numbers["rows"] == 0

    LEDGER.unlink()
    world.bars(EVENINGS[2])
    torn = world.loop(evening(EVENINGS[2]))
    assert "prices.db.ledger is gone, and" in torn.part("ledger").wrong[0]
    assert "bring it back: awesome db pull" in torn.part("ledger").wrong[0]
    assert not LEDGER.exists()


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
@pytest.mark.parametrize("output", ["/dev/full", "a pipe that nobody reads", "log"])
def test_a_log_that_cannot_be_written_stops_nothing(folder: Path, output: str, encoding: str) -> None:
    if output == "/dev/full" and not Path(output).exists():
        pytest.skip("this system has no device that is always full")
    world = World(folder, None)
    write_run(world.plan())
    world.bars(EVENINGS[0])
    command = [COMMAND, "daily", "--db", "prices.db", "--clock", f"{EVENINGS[0]}T18:00+08:00", "--no-retrain"]
    environment = clean_environment() | {"PYTHONIOENCODING": encoding}
    if output.startswith("a pipe"):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment) as process:
            assert process.stdout is not None
            process.stdout.close()
            assert process.stderr is not None
            error, code = process.stderr.read(), process.wait()
    else:
        with open(output, "w") as stream:
            done = subprocess.run(command, stdout=stream, stderr=subprocess.PIPE, env=environment, check=False)
        error, code = done.stderr, done.returncode

    assert (error, code) == (b"", 0)
    assert len(predictions(LEDGER)) == len(SHARES)


def test_the_command_prints_what_each_part_did(world: World, awesome, monkeypatch: pytest.MonkeyPatch) -> None:
    write_run(world.plan())
    world.see(EVENINGS[0])
    arguments = (
        *(
            "daily",
            "--db",
            str(world.folder / "prices.db"),
            "--source",
            "tencent",
            "--shares",
            ",".join(SHARES),
            "--since",
            "2024-01-02",
        ),
        *("--clock", f"{EVENINGS[0]}T18:00+08:00", "--no-retrain"),
    )
    done = awesome(*arguments)
    listed = awesome(*arguments, "--json")
    unknown = awesome(*arguments, "--only", "predict,legder")
    world.server.faults.add(Fault("503"))
    in_part = awesome(*arguments, "--clock", f"{EVENINGS[0]}T19:00+08:00")
    suffices = awesome(*arguments, "--clock", f"{EVENINGS[0]}T19:30+08:00", "--part-suffices")

    path = Path(f"runs/daily/prices-window_returns-h1/{EVENINGS[0]}.json")
    path.unlink()
    path.mkdir()
    unwritten = awesome(*arguments)

    assert done.code == 0, done.err
    assert (unwritten.code, "The report: " in unwritten.out) == (3, False)
    assert (in_part.code, suffices.code) == (3, 0)
    assert "5 written down on time, 0 late, 0 known before" in done.out
    assert f"The report: runs/daily/prices-window_returns-h1/{EVENINGS[0]}.json" in done.out
    assert json.loads(listed.out)["clock"] == "made: 2024-09-02T10:00:00Z"
    assert unknown.code == 1
    assert "--only legder: there is no such part; there are extract, plausibility" in unknown.err
