"""The whole command line, and how it ends: exit codes and one-line errors."""

from __future__ import annotations

import sys
from typing import Any, NoReturn

import typer

from pipeline.cli import (  # noqa: F401  (their commands enter the application)
    audit,
    describe,
    evidence,
    experiments,
    extraction,
    images,
    jobs,
    kubeflow,
    prices,
    runs,
    storage,
    walkforward,
)
from pipeline.cli.common import app

_STOPPED = 130
"""What typer returns after Ctrl-C."""

# Newer typer brings a click of its own, so its classes are reached through typer.
_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
_OWN_PACKAGES = ("pipeline", "components", "models", "awesome_kubeflow")
_EXTRAS = {
    "extract": ("circuitbreaker", "exchange_calendars", "requests", "requests_ratelimiter", "tenacity"),
    "storage": ("fsspec", "s3fs"),
}
"""Packages by the extra that brings them; all others come with `pipeline`."""


def _fail(message: str, code: int = 1) -> NoReturn:
    print(f"awesome: {message}", file=sys.stderr)
    raise SystemExit(code)


def main() -> None:
    """Runs the command line; a user's mistake is one clear line and a non-zero exit, never a traceback."""
    from components.errors import UserError, install_extras
    from models.errors import PluginError

    try:
        code = app(prog_name="awesome", standalone_mode=False) or 0
    except _USAGE_ERROR as error:
        _fail_usage(error)
    except (UserError, PluginError) as error:
        _fail(str(error))
    except (KeyboardInterrupt, typer.Abort):
        code = _STOPPED
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in _OWN_PACKAGES:
            raise
        package = (error.name or "").split(".")[0]
        extra = next((name for name, packages in _EXTRAS.items() if package in packages), "pipeline")
        _fail(f"{error.name} is not installed; this command needs the extra `{extra}`: {install_extras(extra)}")
    except OSError as error:
        _fail(f"{error.filename or 'the system'}: {error.strerror or error}")
    if code == _STOPPED:
        _fail("stopped; the same command takes up from what is finished", _STOPPED)
    raise SystemExit(code)


def _fail_usage(error: Any) -> NoReturn:
    message = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":  # the message is the help
        print(message)
        raise SystemExit(error.exit_code)
    command = error.ctx.command_path if getattr(error, "ctx", None) else "awesome"
    _fail(f"{' '.join(message.split()).rstrip('.')}; see {command} --help", error.exit_code)
