"""Tells somebody: a command that is given JSON, and a webhook. That they fail never stops the loop."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from components.records import to_json
from pipeline.daily.report import DailyReport

if TYPE_CHECKING:
    from pipeline.settings import Settings

_COMMAND_SECONDS = 60
_URL_SECONDS = 10
_URL_ATTEMPTS = 3


@dataclass(frozen=True)
class Message:
    """What is sent.

    Attributes:
        text: all alerts, a line each: what chats show.
        session: of the report.
        name: of the pipeline.
        exit_code: of the loop.
        alerts: kind and text of each.
    """

    text: str
    session: str
    name: str
    exit_code: int
    alerts: tuple[dict[str, str], ...]


def send_alerts(report: DailyReport, settings: Settings) -> tuple[str, ...]:
    """Sends the alerts of a report where there are any, and says which did not arrive, without any secret."""
    if not report.alerts:
        return ()
    message = Message(
        text="\n".join(f"{one.kind.value}: {one.text}" for one in report.alerts),
        session=report.session,
        name=report.name,
        exit_code=report.exit_code,
        alerts=tuple({"kind": one.kind.value, "text": one.text} for one in report.alerts),
    )
    content = to_json(message, indent=None)
    found = []
    if settings.alert_command:
        found.append(_run(settings.alert_command, content))
    if settings.alert_url is not None:
        found.append(_post(settings.alert_url.get_secret_value(), content))
    return tuple(filter(None, found))


def _run(command: str, content: str) -> str:
    """Runs a command without a shell; returns why that failed, or nothing."""
    try:
        # Its parts were checked with the settings. What it prints is its own, and goes nowhere.
        done = subprocess.run(
            shlex.split(command), input=content.encode(), capture_output=True, timeout=_COMMAND_SECONDS, check=False
        )
    except (OSError, ValueError) as error:
        return f"alert_command: cannot be started ({getattr(error, 'strerror', None) or error})"
    except subprocess.TimeoutExpired:
        return f"alert_command: did not end within {_COMMAND_SECONDS} seconds"
    return f"alert_command: ended with exit code {done.returncode}" if done.returncode else ""


def _post(url: str, content: str) -> str:
    """Posts to a webhook; returns why that failed, or nothing. The address is a secret and in no message."""
    try:
        import requests
    except ImportError:
        return "alert_url: needs the package requests, of the extra `extract`"
    why = ""
    for _ in range(_URL_ATTEMPTS):
        try:
            answer = requests.post(
                url,
                data=content.encode(),
                headers={"Content-Type": "application/json"},
                timeout=_URL_SECONDS,
                allow_redirects=False,
            )
        except requests.RequestException as error:
            why = f"alert_url: {type(error).__name__}"
            continue
        if answer.status_code < 300:
            return ""
        why = f"alert_url: answered {answer.status_code}"
        if answer.status_code < 500 and answer.status_code != 429:
            break
    return why
