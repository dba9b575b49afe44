"""The whole command line, and how it ends: exit codes and one-line errors."""

from __future__ import annotations

import atexit
import gc
import io
import re
import sys
from functools import cache
from typing import Annotated, Any, NoReturn

import typer

from pipeline.cli.common import app, import_files

_STOPPED = 130
"""What typer returns after Ctrl-C."""

# Newer typer brings a click of its own, so its classes are reached through typer.
_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
_INVALID = re.compile(r"^Invalid value for '?(.+?)'?: ")
_OWN_PACKAGES = ("pipeline", "components", "models", "awesome_kubeflow")
_EXTRAS = {
    "mlflow": ("mlflow",),
    "search": ("optuna", "sqlalchemy"),
    "serve": ("grpc", "httptools", "orjson", "prometheus_client", "starlette", "uvicorn"),
    "extract": ("circuitbreaker", "exchange_calendars", "requests", "tenacity"),
    "storage": ("fsspec", "s3fs"),
}
"""Packages by the extra that brings them; all others come with `pipeline`."""


def _print_version(asked: bool) -> None:
    if asked:
        import platform

        from pipeline.version import PACKAGE, own_version

        typer.echo(f"{PACKAGE} {own_version()}, Python {platform.python_version()}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Share-price direction models whose evidence can be trusted."""


@cache
def load_app() -> typer.Typer:
    """The application with all of its commands.

    They come from modules that add to `pipeline.cli.common.app` when they are imported: each file of this package, and
    what other packages name, such as this one in its pyproject.toml:

        [project.entry-points."awesome.commands"]
        mine = "my_package.commands"

    One that cannot be loaded is a line on the error stream, and the other commands are there.
    """
    from models.errors import PluginError
    from models.outside import outside

    # The project's own come last, so that none of them can be replaced.
    for one in outside("awesome.commands"):
        try:
            one.load()
        except PluginError as error:
            print(f"awesome: {error}", file=sys.stderr)
    import_files("pipeline.cli")
    return app


def _fail(message: str, code: int = 1) -> NoReturn:
    from components.masking import masked

    print(f"awesome: {masked(message)}", file=sys.stderr)
    raise SystemExit(code)


def main() -> None:
    """Runs the command line; a user's mistake is one clear line and a non-zero exit, never a traceback."""
    from components.errors import UserError, install_extras
    from models.errors import PluginError

    # The system takes all memory back: looking for what Python could free takes up to a fifth of a second.
    atexit.register(gc.freeze)
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="replace")  # a terminal or a log of another encoding than UTF-8 lacks our signs
    try:
        code = load_app()(prog_name="awesome", standalone_mode=False) or 0
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
        _fail(" ".join(f"{error.filename or 'the system'}: {error.strerror or error}".splitlines()))
    if code == _STOPPED:
        _fail("stopped; the same command takes up from what is finished", _STOPPED)
    raise SystemExit(code)


def _fail_usage(error: Any) -> NoReturn:
    message = error.format_message()
    if type(error).__name__ == "NoArgsIsHelpError":  # the message is the help
        print(message)
        raise SystemExit(error.exit_code)
    command = error.ctx.command_path if getattr(error, "ctx", None) else "awesome"
    message, code = _in_our_words(error) or _INVALID.sub(r"\1: ", message), error.exit_code
    if (setting := _setting_of(error)) is not None:  # ends as one of a value that converts, and cannot be used
        _fail(f"{setting} (from {error.param.opts[0]}): {message.partition(': ')[2]}")
    _fail(f"{' '.join(message.split()).rstrip('.')}; see {command} --help", code)


def _in_our_words(error: Any) -> str:
    """What an option was refused for, if it is one that does not convert; empty for all else."""
    found = getattr(error.__cause__, "errors", None)
    param = getattr(error, "param", None)
    if found is None or param is None:
        return ""
    from pipeline.refusals import refused

    first = found()[0]
    name = max(param.opts, key=len) if param.param_type_name == "option" else param.human_readable_name
    got = first["input"] if "ctx" in first else repr(first["input"])
    return f"{name}: {refused(first)}, got {got}"


def _setting_of(error: Any) -> str | None:
    """The setting that an option which does not convert is for; None where it is an option of its command alone."""
    from pipeline.loading import setting_of

    if not _in_our_words(error) or error.param.param_type_name != "option":
        return None
    return setting_of(max(error.param.opts, key=len), error.param.name)
