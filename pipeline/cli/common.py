"""What the commands share: the application itself, their options, their settings, and where they print."""

from __future__ import annotations

import datetime as dt
import os
import sys
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Annotated, Any, TextIO, cast

import typer

from pipeline.cli.overview import Overview

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn

    from models.plugins import Registry
    from pipeline.plan import Plan

PARTIAL, NOTHING = 3, 4
"""Exit codes of commands that do a part, or nothing, of what they were asked for; docs/exit-codes.md has all."""

app = typer.Typer(
    name="awesome",
    cls=Overview,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Db = Annotated[Path | None, typer.Option("--db", help="The feature store. (default: awesome.db)")]
Panel = Annotated[
    str | None, typer.Option("--panel", metavar="DIR|URL", help="A panel of prices instead of the database.")
]
Shares = Annotated[str | None, typer.Option(help="Shares to take, separated by commas. (default: all)")]
Source = Annotated[str | None, typer.Option(help="Where prices come from, see `awesome sources`; or file:PATH.")]
SourceShares = Annotated[
    str | None,
    typer.Option("--shares", help="Shares, separated by commas, or @FILE. (default: all stored from the source)"),
]
Since = Annotated[str | None, typer.Option(help="First day, such as 2015-01-01. (default: as before, or 2010-01-01)")]
Until = Annotated[str | None, typer.Option(help="Last day asked for. (default: the last closed session)")]
BestEffort = Annotated[
    bool | None, typer.Option("--best-effort", help="Ask a source that turns most programs away, too.")
]
Accept = Annotated[
    list[str] | None,
    typer.Option(
        "--accept", metavar="SHARE:DAY", help="A suspect that is right; or a share that needs no adjustments."
    ),
]
Exclude = Annotated[
    list[str] | None, typer.Option("--exclude", metavar="SHARE", help="A share that is left out from now on.")
]
AcceptSuspicion = Annotated[
    list[str] | None,
    typer.Option(
        "--accept-suspicion",
        metavar="CHECK",
        help="A suspicious check of the leak audit that is to keep no model back.",
    ),
]
Formatter = Annotated[str | None, typer.Option(help="The DataFormatter. (default: window_returns)")]
Plugins = Annotated[
    list[str] | None,
    typer.Option("--plugin", metavar="FILE", help="A file with a model, a formatter, ... of your own."),
]
Label = Annotated[str | None, typer.Option(help="What is predicted, see `awesome labels`. (default: up)")]
Horizon = Annotated[int | None, typer.Option(help="Sessions ahead. (default: 1)")]
MaxMissingSessions = Annotated[
    int | None,
    typer.Option(
        help="Missing sessions that a window's 20 steps may reach across, and labels in proportion. (default: 5)"
    ),
]
Exchange = Annotated[
    str | None, typer.Option(help="The exchange of the shares, such as XSHG or XNYS: names what its sessions lack.")
]
TrainSteps = Annotated[int | None, typer.Option(help="Steps of training at most. (default: each model's own epochs)")]
Models = Annotated[str | None, typer.Option(help="Models, separated by commas. (default: linear,dnn,custom_dnn,rnn)")]
SplitDates = Annotated[
    str | None, typer.Option(help="First sessions of eval and test. (default: 70, 10, 20 % of the sessions)")
]
HyperparametersFile = Annotated[
    Path | None,
    typer.Option("--hyperparameters", metavar="FILE", help="JSON of hyperparameters by model, as a search leaves it."),
]
Market = Annotated[str | None, typer.Option(help="A synthetic market instead of the database.")]
MarketShares = Annotated[int | None, typer.Option(help="Its shares. (default: 100)")]
MarketSessions = Annotated[int | None, typer.Option(help="Its sessions. (default: 2900)")]
Seed = Annotated[int | None, typer.Option(help="Of everything random. (default: 0)")]
Workspace = Annotated[Path | None, typer.Option(help="Folder of runs, cache and pushed models. (default: runs)")]
Cache = Annotated[bool | None, typer.Option("--cache/--no-cache", help="Take unchanged steps over.")]
BeamRunner = Annotated[
    str | None, typer.Option(help="What runs Beam's steps: direct, flink or portable. (default: direct, this process)")
]
FlinkMaster = Annotated[str | None, typer.Option(metavar="HOST:PORT", help="Flink's REST address.")]
FlinkJobServer = Annotated[
    Path | None, typer.Option(metavar="JAR", help="Beam's job server for that Flink. (default: what Beam fetches)")
]
BeamJobEndpoint = Annotated[
    str | None, typer.Option(metavar="HOST:PORT", help="A running job server. (default: one is started for each step)")
]
BeamWorkers = Annotated[
    str | None,
    typer.Option(metavar="HOST:PORT", help="The worker pool, as TaskManagers reach it. (default: localhost:50000)"),
]
BeamParallelism = Annotated[int | None, typer.Option(help="Parts that a step is split into. (default: 1)")]
Mlflow = Annotated[
    str | None, typer.Option(metavar="URI", help="An MLflow server to log to, such as http://127.0.0.1:5000.")
]
Clock = Annotated[str | None, typer.Option(help="A made present for replays, such as 2026-11-30T18:00+08:00.")]
LedgerFile = Annotated[
    Path | None,
    typer.Option("--ledger", help="The ledger's file, such as a copy. (default: that beside the database)"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]
Separator = Annotated[
    str | None, typer.Option(help="Between cells: comma, semicolon, tab or pipe. (default: as the lines show)")
]
Decimal = Annotated[
    str | None, typer.Option(help="The decimal sign, . or , (default: as all numbers of the file show)")
]
DateFormat = Annotated[
    str | None,
    typer.Option(help="dmy, mdy, ymd, excel, days, s, ms, us, ns or such as %d.%m.%y. (default: as all dates show)"),
]
Timezone = Annotated[
    str | None,
    typer.Option(help="Whose dates instants are, such as Asia/Shanghai; local: as written. (default: asked for)"),
]
Encoding = Annotated[str | None, typer.Option(help="Of a CSV file. (default: UTF-8, else found out)")]
Costs = Annotated[float, typer.Option(help="Basis points of what is bought or sold.")]
Quantile = Annotated[float, typer.Option(help="Share of a day's shares to buy, and to sell short.")]
RunFolder = Annotated[
    Path | None,
    typer.Argument(help="The run: a folder, a report.json, a name or an id in the workspace. (default: the latest)"),
]


def import_files(package: str) -> None:
    """Imports every file of a package, by its dotted name, so that their commands enter the application."""
    for one in iter_modules(import_module(package).__path__):
        import_module(f"{package}.{one.name}")


def example(command: str) -> str:
    """The line at the end of a command's help."""
    return f"Example: {command}"


def take_plugins(plugins: list[str] | None) -> None:
    """Takes the files of `--plugin`, or those of the settings: for commands that need nothing else of these."""
    from models.errors import PluginError
    from models.plugins import take_files
    from pipeline.loading import load_settings, origins
    from pipeline.settings import SettingsError

    flags = {"plugins": plugins}
    try:
        take_files(load_settings(flags).plugins)
    except PluginError as error:
        raise SettingsError(f"plugins (from {origins(flags)['plugins']}): {error}") from None


def algebra_in_one_thread() -> None:
    """Keeps NumPy's library of linear algebra from starting threads, unless it was told how many.

    The matrices of a twin are small: threads would only wait for each other, and on a busy machine for a long time.
    """
    if "numpy" not in sys.modules:  # which reads it when it is imported
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def plan_from(
    flags: dict[str, Any],
    context: typer.Context | None = None,
    named: Mapping[str, str] | None = None,
    unused: Collection[str] = (),
) -> Plan:
    """What the settings say, flags first; None in `flags` means not given.

    Args:
        flags: values of settings.
        context: of the command, so that what it advises can repeat it with all of its options.
        named: what it calls settings that it takes otherwise than by their flags.
        unused: settings that it makes no use of, as it has no flag for them.
    """
    from pipeline.plan import load_plan

    plan = load_plan(flags, named, unused)
    if context is None:
        return plan
    from dataclasses import replace

    command = context.command_path.partition(" ")[2]  # behind `awesome`
    return replace(plan, command=command, own=_own_options(context, flags.keys()))


def _own_options(context: typer.Context, settings: Collection[str]) -> dict[str, tuple[str, ...]]:
    """The options of a command that were typed and are no settings, word by word, by name."""
    from pipeline.given_flags import flag_words

    found: dict[str, tuple[str, ...]] = {}
    for one in context.command.params:
        name = one.name or ""
        source = context.get_parameter_source(name)
        if one.param_type_name == "option" and source is not None and source.name == "COMMANDLINE":
            if name in settings:
                continue
            flag = max(one.opts, key=len)
            off = max(one.secondary_opts, key=len, default="")
            found[name] = tuple(flag_words(flag, context.params[name], off))
    return found


def run_folder(named: Path | None, workspace: Path | None = None) -> Path:
    """The folder of the run that a command is given: the latest one of the workspace where none is named.

    Raises:
        ReportError: there is none.
    """
    from pipeline.loading import load_settings
    from pipeline.runs.folder import find_run

    return find_run(load_settings({"workspace": workspace}).workspace, named)


def columns_from(given: list[str] | None) -> dict[str, str]:
    """What `--column` says, such as close=Settle: names of columns by role."""
    columns: dict[str, str] = {}
    for one in given or ():
        role, equals, name = one.partition("=")
        if not equals:
            raise typer.BadParameter(f"{one} is not such as close=Settle", param_hint="--column")
        columns[role.strip()] = name
    return columns


def day_from(given: str | None, option: str) -> dt.date | None:
    """A day that an option says; None where it was not given."""
    try:
        return None if given is None else dt.date.fromisoformat(given)
    except ValueError:
        raise typer.BadParameter(f"{given} is no date such as 2020-12-31", param_hint=option) from None


def new_console(stderr: bool = False) -> Console:
    """Where a command prints."""
    from rich.console import Console

    return Console(stderr=stderr, emoji=False)  # a share or a folder may be called a:b:c


def prints_on_terminal() -> bool:
    """Whether a person reads what a command prints, not a program."""
    return sys.stdout.isatty()


def new_progress(*counts: ProgressColumn) -> Progress:
    """A progress bar on the error stream, shown on a terminal only; behind it the counts, or how many of how many."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), *(counts or [MofNCompleteColumn()]))
    console = new_console(stderr=True)
    # Into a file or a pipe, the bar would come out as an empty line.
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


class _Enduring:
    """A stream that goes on into nothing once it cannot be written: a log on a full disk, a pipe that nobody reads."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            return self._give_up(len(text))

    def flush(self) -> None:
        try:
            self._stream.flush()
        except OSError:
            self._give_up()

    def _give_up(self, length: int = 0) -> int:
        # What is still in its buffer would else fail again at the end of the process.
        with open(os.devnull, "w") as nothing, suppress(OSError):
            os.dup2(nothing.fileno(), self._stream.fileno())
        return length

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def enduring_output() -> Iterator[None]:
    """What is printed within stops nothing where it cannot be written."""
    streams = cast("list[TextIO]", [_Enduring(sys.stdout), _Enduring(sys.stderr)])
    with redirect_stdout(streams[0]), redirect_stderr(streams[1]):
        yield


def print_line(text: str) -> None:
    """Prints a line as it is, however long it is."""
    new_console().print(text, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def status(text: str, shown: bool = True, console: Console | None = None) -> Iterator[None]:
    """A spinner on the error stream, where nothing else shows that it goes on; on `console`, if more is said there."""
    console = console or new_console(stderr=True)
    if not (shown and console.is_terminal):
        yield
        return
    with console.status(text):
        yield


def from_outside(registry: Registry[Any], name: str) -> str:
    """Which package a declaration comes from, behind what it is; nothing for the project's own."""
    package = registry.package_of(name)
    return f"; from {package}" if package else ""


def print_broken(registry: Registry[Any]) -> None:
    """What comes from outside and cannot be used, a line each, below what can."""
    for line in registry.broken:
        print_line(f"broken: {line}")


def warn_of_plan(plan: Plan) -> None:
    """Says on the error stream what is wrong with a formatter that only shows a leak, and which flags do nothing."""
    if warning := plan.formatter.warning:
        text = f"[yellow]warning: formatter {plan.formatter.name}: {warning}[/]"
        new_console(stderr=True).print(text, highlight=False)
    # A file of settings is for all runs, also for those of a few models; a flag is for this one.
    asked = plan.origins.get("hyperparameters") == "--hyperparameters"
    if asked and (idle := [name for name in plan.settings.hyperparameters if name not in plan.models]):
        text = f"hyperparameters of {', '.join(idle)} (from --hyperparameters) do nothing, as "
        text += f"{', '.join(plan.models)} alone "
        text += "is trained" if len(plan.models) == 1 else "are trained"
        new_console(stderr=True).print(text, style="yellow", highlight=False, markup=False, soft_wrap=True)
