"""`awesome kubeflow schedule` as a user types it, against the server."""

from __future__ import annotations

from command_shell import Shell

RECURRING = ("POST", "/apis/v2beta1/recurringruns")
PIPELINE = "awesome-window-returns-h1"


def test_a_schedule_comes_after_the_close_and_the_extraction(uploaded: Shell) -> None:
    outcome = uploaded.awesome("schedule", "--parameter", "horizon=5")
    assert (outcome.code, outcome.err) == (0, "")
    [sent] = uploaded.server.asked(*RECURRING)
    [version] = uploaded.server.versions.values()
    assert sent.body is not None
    assert sent.body["trigger"] == {"cron_schedule": {"cron": "0 0 11 ? * 1,2,3,4,5"}}
    assert (sent.body["mode"], sent.body["max_concurrency"], sent.body["no_catchup"]) == ("ENABLE", "1", True)
    assert sent.body["runtime_config"]["parameters"] == {"horizon": 5}
    # Without a version each run takes the newest one there is.
    assert sent.body["pipeline_version_reference"] == {"pipeline_id": version["pipeline_id"]}
    [kept] = uploaded.server.recurring_runs.values()
    assert outcome.out.splitlines() == [
        f"schedule {PIPELINE}-daily, id {kept['recurring_run_id']}: the newest version of {PIPELINE}, now "
        f"{version['display_name']}",
        "11:00 UTC, Monday to Friday: 240 minutes after the latest close of XSHG in a year, 07:00 UTC",
    ]


def test_the_same_command_replaces_the_schedule(uploaded: Shell) -> None:
    uploaded.awesome("schedule", "--name", "other")
    uploaded.awesome("schedule")
    outcome = uploaded.awesome("schedule", "--exchange", "XNYS", "--delay", "30")
    assert ", replaced: " in outcome.out
    kept = {one["display_name"]: one for one in uploaded.server.recurring_runs.values()}
    assert len(uploaded.server.recurring_runs) == len(kept) == 2
    assert kept[f"{PIPELINE}-daily"]["trigger"]["cron_schedule"]["cron"] == "0 30 21 ? * 1,2,3,4,5"


def test_a_schedule_that_cannot_be_made_leaves_the_old_one(uploaded: Shell) -> None:
    uploaded.awesome("schedule")
    before = dict(uploaded.server.recurring_runs)
    uploaded.server.broken[RECURRING] = [(500, b'{"message": "the database is away"}', "application/json")]
    assert "refuses (HTTP 500): the database is away" in uploaded.awesome("schedule", "--delay", "30").refusal
    assert uploaded.server.recurring_runs == before


def test_schedules_are_listed_and_deleted(uploaded: Shell) -> None:
    assert uploaded.awesome("schedule", "--list").out == "no schedules\n"
    uploaded.awesome("schedule")
    [schedule_id] = uploaded.server.recurring_runs
    line = f"{schedule_id}  enabled   0 0 11 ? * 1,2,3,4,5  {PIPELINE}-daily  {PIPELINE}\n"
    assert uploaded.awesome("schedule", "--list").out == line
    assert uploaded.awesome("schedule", "--delete", "weekly").refusal == (
        f"schedule weekly: does not exist; there are {PIPELINE}-daily"
    )
    assert uploaded.awesome("schedule", "--delete", f"{PIPELINE}-daily").code == 0
    assert uploaded.server.recurring_runs == {}


def test_an_unknown_exchange_is_named(uploaded: Shell) -> None:
    assert uploaded.awesome("schedule", "--exchange", "MOON").refusal.startswith("--exchange MOON: is no exchange that")
    assert uploaded.server.recurring_runs == {}
