"""kubeflow/manifests: the commands that its containers run, what they are told, and when."""

from __future__ import annotations

import datetime as dt
import os
import zoneinfo
from pathlib import Path
from typing import Any

import pytest
import typer
from overlays import Object, needs_kubectl, of_kind, own_containers, pod_templates

from pipeline.cli import load_app
from pipeline.loading import load_settings
from pipeline.settings import Settings

SCRIPT = "extract-then-succeed"

pytestmark = needs_kubectl


def environment(name: str, container: Object) -> dict[str, str]:
    """What a container sees; a value from a Secret stands for itself as its name."""
    config_maps = of_kind(name, "ConfigMap")
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        found |= config_maps[source["configMapRef"]["name"]]["data"]
    for env in container.get("env", []):
        found[env["name"]] = env.get("value", "")
    return found


def test_variables_are_settings_that_can_be_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for key in [key for key in os.environ if key.startswith("AWESOME_")]:
        monkeypatch.delenv(key)
    mounted = of_kind(name, "ConfigMap")["awesome-shares"]["data"]
    for where, one in own_containers(name).items():
        variables = {k: v for k, v in environment(name, one).items() if k.startswith("AWESOME_")}
        assert {key.removeprefix("AWESOME_").lower() for key in variables} <= Settings.model_fields.keys(), where
        shares = variables.get("AWESOME_SHARES", "")
        if shares:
            path = Path(shares.removeprefix("@"))
            assert path.parent.as_posix() in {mount["mountPath"] for mount in one["volumeMounts"]}, where
            (tmp_path / "shares").write_text(mounted[path.name], encoding="utf-8")
            variables["AWESOME_SHARES"] = f"@{tmp_path / 'shares'}"
        with monkeypatch.context() as patch:
            for key, value in variables.items():
                if value:
                    patch.setenv(key, value)
            settings = load_settings()
        assert str(settings.db) == "/data/awesome.db", where
        assert not shares or settings.shares == tuple(mounted["shares"].split()), where


def test_no_variable_of_a_service_can_pass_for_a_setting(name: str) -> None:
    for owner, template in pod_templates(name).items():
        assert template["spec"]["enableServiceLinks"] is False, owner
    for service in of_kind(name, "Service"):
        assert not service.startswith("awesome")


def parse(arguments: list[str]) -> str:
    """Reads a command line as `awesome` does, without doing it; returns the command."""
    command: Any = typer.main.get_command(load_app())
    path, rest = [], list(arguments)
    while hasattr(command, "commands"):
        command = command.commands[rest[0]]
        path.append(rest.pop(0))
    command.make_context(" ".join(path), rest)
    return " ".join(path)


def test_commands_can_be_understood(name: str) -> None:
    commands = {}
    for where, one in own_containers(name).items():
        words = [*one.get("command", ["awesome"]), *one.get("args", [])]
        assert words[0] in ("awesome", SCRIPT), where
        commands[where] = parse([*(["extract"] if words[0] == SCRIPT else []), *words[1:]])
    assert commands == {
        "CronJob/awesome-daily/daily": "daily",
        "CronJob/awesome-extractor/extract": "extract",
        "CronJob/awesome-extractor/push": "db push",
        "CronJob/awesome-training/pull": "db pull",
        "CronJob/awesome-training/train": "run",
        "CronJob/awesome-training/push": "model push",
    }


def test_a_wrong_command_is_not_understood() -> None:
    with pytest.raises(Exception, match=r"[Nn]o such option"):
        parse(["db", "push", "--force"])


def test_extraction_comes_after_the_close(name: str) -> None:
    from exchange_calendars.exchange_calendar_xhkg import XHKGExchangeCalendar
    from exchange_calendars.exchange_calendar_xshg import XSHGExchangeCalendar

    spec = of_kind(name, "CronJob")["awesome-extractor"]["spec"]
    minute, hour, *_, weekdays = spec["schedule"].split()
    assert weekdays == "1-5"
    zone = zoneinfo.ZoneInfo(spec["timeZone"])
    start = dt.datetime(2026, 3, 2, int(hour), int(minute), tzinfo=zone)
    for calendar in (XSHGExchangeCalendar, XHKGExchangeCalendar):
        closes = calendar.close_times[-1][1]
        close = dt.datetime.combine(start.date(), closes, zoneinfo.ZoneInfo(str(calendar.tz)))
        assert start - close >= dt.timedelta(hours=1), calendar
    job = spec["jobTemplate"]["spec"]
    assert spec["concurrencyPolicy"] == "Forbid"
    assert not spec.get("suspend")
    assert spec["startingDeadlineSeconds"] + job["activeDeadlineSeconds"] < 24 * 3600
