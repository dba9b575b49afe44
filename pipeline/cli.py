"""`awesome ...`: the command line. Every command imports what it needs when it runs, so that --help answers at once."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

if TYPE_CHECKING:
    from components.feature_store import ImportReport
    from pipeline.settings import Settings

PARTIAL, NOTHING = 3, 4
"""Exit codes of commands that take a part, or nothing, of what they were given."""

_MOST_REFUSALS = 20
_STOPPED = 130
"""What typer returns after Ctrl-C."""

# Newer typer brings a click of its own, so its classes are reached through typer.
_USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
_OWN_PACKAGES = ("pipeline", "components", "models")

app = typer.Typer(
    name="awesome",
    help="Share-price direction models whose evidence can be trusted.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
prices_app = typer.Typer(help="Daily prices in the feature store.", no_args_is_help=True)
features_app = typer.Typer(help="The table FEATURE.", no_args_is_help=True)
schema_app = typer.Typer(help="The curated schema of the examples.", no_args_is_help=True)
app.add_typer(prices_app, name="prices")
app.add_typer(features_app, name="features")
app.add_typer(schema_app, name="schema")

Db = Annotated[Path | None, typer.Option("--db", help="The feature store. (default: awesome.db)")]
Shares = Annotated[str | None, typer.Option(help="Shares to take, separated by commas. (default: all)")]
Formatter = Annotated[str | None, typer.Option(help="The DataFormatter. (default: window_returns)")]
Horizon = Annotated[int | None, typer.Option(help="Sessions ahead. (default: 1)")]
Market = Annotated[str | None, typer.Option(help="A synthetic market instead of the database.")]
MarketShares = Annotated[int | None, typer.Option(help="Its shares. (default: 100)")]
MarketSessions = Annotated[int | None, typer.Option(help="Its sessions. (default: 2900)")]
Seed = Annotated[int | None, typer.Option(help="Of everything random. (default: 0)")]
Workspace = Annotated[Path | None, typer.Option(help="Folder of runs, cache and pushed models. (default: runs)")]
RunFolder = Annotated[Path, typer.Argument(help="The run's folder, or its report.json.")]


def _example(command: str) -> str:
    return f"Example: {command}"


@app.command(epilog=_example("awesome run --models linear,rnn --horizon 20"))
def run(
    db: Db = None,
    shares: Shares = None,
    formatter: Formatter = None,
    models: Annotated[
        str | None, typer.Option(help="Models, separated by commas. (default: linear,dnn,custom_dnn,rnn)")
    ] = None,
    horizon: Horizon = None,
    split_dates: Annotated[
        str | None, typer.Option(help="First sessions of eval and test. (default: 70, 10, 20 % of the sessions)")
    ] = None,
    seed: Seed = None,
    output: Annotated[Path | None, typer.Option(help="Folder of this run. (default: runs/TIME)")] = None,
    workspace: Workspace = None,
    market: Market = None,
    market_shares: MarketShares = None,
    market_sessions: MarketSessions = None,
    cache: Annotated[bool | None, typer.Option("--cache/--no-cache", help="Take unchanged steps over.")] = None,
) -> None:
    """Trains, evaluates and reports; pushes the best model that earned it."""
    settings = _settings(locals())
    console = _console()
    _warn_of_formatter(settings.formatter)
    from pipeline.run import run as run_job

    report, folder = run_job(settings, console)
    from pipeline.summary import print_summary

    console.print()
    print_summary(report, console)
    console.print(f"\nThe report: {folder / 'report.html'}", highlight=False, soft_wrap=True)


@app.command(epilog=_example("awesome predict --model rnn"))
def predict(
    model: Annotated[
        str | None, typer.Option(help="A candidate of a run instead of the pushed model, blessed or not.")
    ] = None,
    run_folder: Annotated[Path | None, typer.Option("--run", help="The run. (default: the latest one)")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")] = False,
    db: Db = None,
    shares: Shares = None,
    formatter: Formatter = None,
    horizon: Horizon = None,
    seed: Seed = None,
    workspace: Workspace = None,
    market: Market = None,
    market_shares: MarketShares = None,
    market_sessions: MarketSessions = None,
) -> None:
    """Prints the probability that each share's next close is higher."""
    flags = {k: v for k, v in locals().items() if k not in ("model", "run_folder", "as_json")}
    settings = _settings(flags)
    from pipeline.predict import predict as predict_shares
    from pipeline.predict import print_forecast

    forecast = predict_shares(settings, model, run_folder, _console(stderr=True))
    if as_json:
        typer.echo(forecast.to_json())
    else:
        print_forecast(forecast, _console())


@app.command(epilog=_example("awesome evaluate runs/2026-11-23T18-30-00"))
def evaluate(run: RunFolder) -> None:
    """Prints a run's table again."""
    from pipeline.results import RunReport
    from pipeline.summary import print_summary

    print_summary(RunReport.from_json(run), _console())


@app.command(epilog=_example("awesome tensorboard runs/2026-11-23T18-30-00 --port 6007"))
def tensorboard(run: RunFolder, port: Annotated[int, typer.Option(help="Of the page.")] = 6006) -> None:
    """Opens a run's training curves in TensorBoard."""
    import os

    from components.errors import UserError
    from pipeline.results import RunReport

    report = RunReport.from_json(run)
    gone = [name for name, model in report.models.items() if not Path(model.model_run_uri).is_dir()]
    if gone:
        raise UserError(f"{run}: the training logs of {', '.join(gone)} are gone from the pipeline's cache; run again")
    logs = ",".join(f"{name}:{model.model_run_uri}" for name, model in report.models.items())
    # The module has no entry point of its own that a frozen path would not break.
    command = [sys.executable, "-m", "tensorboard.main", f"--logdir_spec={logs}", f"--port={port}"]
    os.execv(sys.executable, command)


@app.command(epilog=_example("awesome config"))
def config() -> None:
    """Prints every setting, its value and where the value comes from."""
    from rich.table import Table
    from rich.text import Text

    from pipeline.settings import Settings, load_settings, origins

    settings, origin = load_settings(), origins()
    table = Table("setting", "value", "from", "meaning", box=None, pad_edge=False)
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        text = ",".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)
        table.add_row(*map(Text, (name, text, origin[name], field.description or "")))
    _console().print(table)


@app.command(epilog=_example("awesome formatters"))
def formatters() -> None:
    """Describes every DataFormatter."""
    from models.formatters import FORMATTERS

    console = _console()
    for formatter in FORMATTERS.values():
        console.print(f"[bold]{formatter.name}[/]  {formatter.description}", highlight=False)
        for feature in formatter.features:
            size = f"[{feature.steps}]" if feature.steps > 1 else ""
            text = f"  {feature.name}{size} ({feature.kind.value}, of {feature.source}): {feature.operation.value}"
            console.print(text, highlight=False, markup=False)
        if formatter.warning:
            console.print(f"  [yellow]warning: {formatter.warning}[/]", highlight=False)
        console.print()


@app.command(epilog=_example("awesome models"))
def models() -> None:
    """Describes every model and its hyperparameters."""
    from dataclasses import asdict

    from models.registry import ARCHITECTURES

    console = _console()
    for architecture in ARCHITECTURES.values():
        versions = ", ".join(
            f"{v}{' (default)' if v == architecture.default_version else ''}" for v in architecture.versions
        )
        console.print(f"[bold]{architecture.name}[/]  {architecture.description}; version {versions}", highlight=False)
        values = ", ".join(f"{name} {value}" for name, value in asdict(architecture.hyperparameters).items())
        console.print(f"  {values}\n", highlight=False, markup=False)


@app.command(epilog=_example("awesome market reversal --db reversal.db"))
def market(
    scenario: Annotated[str | None, typer.Argument(help="Its name; without one, all are listed.")] = None,
    db: Annotated[Path | None, typer.Option("--db", help="Where to. (default: market-SCENARIO.db)")] = None,
    shares: Annotated[int, typer.Option(help="Shares.")] = 100,
    sessions: Annotated[int, typer.Option(help="Trading days.")] = 2900,
    seed: Annotated[int, typer.Option(help="The same seed makes the same market.")] = 0,
) -> None:
    """Writes a synthetic market and prints the best AUC that is possible on it."""
    from components.synthetic_market import SCENARIOS, generate, get_scenario, write_market

    console = _console()
    if scenario is None:
        for known in SCENARIOS.values():
            console.print(f"[bold]{known.name:<14}[/] {_best(known, 1):<8} {known.description}", highlight=False)
        return
    chosen = get_scenario(scenario)
    path = db or Path(f"market-{scenario}.db")
    with _progress() as bar:
        task = bar.add_task(f"Writing {path}", total=shares)
        write_market(
            generate(chosen, shares=shares, sessions=sessions, seed=seed),
            path,
            lambda done, _: bar.update(task, completed=done),
        )
    text = f"{path}: {shares} shares x {sessions} sessions, {chosen.description}"
    console.print(text, highlight=False, markup=False, soft_wrap=True)
    for horizon in (1, 20):
        console.print(f"best possible AUC at horizon {horizon}: {_best(chosen, horizon)}", highlight=False)


def _best(scenario: Any, horizon: int) -> str:
    best = scenario.best_auc(horizon)
    return "unknown" if best is None else f"{best:.4f}"


@prices_app.command("import", epilog=_example("awesome prices import prices.csv --db awesome.db"))
def prices_import(
    file: Annotated[Path, typer.Argument(help="CSV (also .gz) or Parquet: long, or wide with one column a share.")],
    db: Db = None,
    source: Annotated[str, typer.Option(help="What to call the origin of the prices.")] = "file",
    replace: Annotated[bool, typer.Option("--replace", help="Delete shares of another source first.")] = False,
) -> None:
    """Imports a file of daily prices and says what it took and what it refused.

    Exit code 0: all rows taken; 3: some were refused; 4: none was taken.
    """
    settings = _settings({"db": db})
    from components.feature_store import import_prices

    with _progress() as bar:
        task = bar.add_task(f"Importing {file}", total=None)

        def show(done: int, total: int, share: str) -> None:
            bar.update(task, completed=done, total=total, description=f"Importing {file}: {share}")

        report = import_prices(file, settings.db, source=source, replace=replace, progress=show)
    _print_import(report, settings.db)
    if not report.taken:
        raise typer.Exit(NOTHING)
    if report.refused:
        raise typer.Exit(PARTIAL)


def _print_import(report: ImportReport, db: Path) -> None:
    from rich.table import Table
    from rich.text import Text

    console = _console()
    table = Table("share", "new", "changed", "unchanged", "first", "last", box=None, pad_edge=False)
    for share in report.shares:
        counts = (str(share.new), str(share.changed), str(share.unchanged))
        table.add_row(Text(share.share_id), *counts, str(share.first), str(share.last))
    console.print(table)
    if report.ignored_columns:
        text = f"ignored columns: {', '.join(report.ignored_columns)}"
        console.print(text, highlight=False, markup=False, soft_wrap=True)
    for refusal in report.refused[:_MOST_REFUSALS]:
        text = f"refused: row {refusal.row}, share {refusal.share_id or '?'}, {refusal.time or '?'}: {refusal.reason}"
        console.print(text, highlight=False, markup=False, soft_wrap=True)
    if len(report.refused) > _MOST_REFUSALS:
        console.print(f"... and {len(report.refused) - _MOST_REFUSALS} more", highlight=False)
    text = f"{report.taken} prices taken into {db}, {len(report.refused)} rows refused"
    console.print(text, highlight=False, markup=False, soft_wrap=True)


@features_app.command("export", epilog=_example("awesome features export features.csv --header"))
def features_export(
    file: Annotated[Path, typer.Argument(help="The CSV file.")],
    db: Db = None,
    header: Annotated[bool, typer.Option("--header", help="Name the columns in the first line.")] = False,
) -> None:
    """Writes FEATURE as CSV, byte for byte as the sqlite3 program does."""
    settings = _settings({"db": db})
    from components.feature_store import FeatureStore, export_features

    with FeatureStore.open(settings.db) as store:
        rows = export_features(store, file, header=header)
    typer.echo(f"{rows} rows written to {file}")


@schema_app.command("update", epilog=_example("awesome schema update --out schema.new.pbtxt"))
def schema_update(
    db: Db = None,
    shares: Shares = None,
    horizon: Horizon = None,
    out: Annotated[Path, typer.Option(help="Where the inferred schema goes, for review.")] = Path(
        "schema.inferred.pbtxt"
    ),
) -> None:
    """Infers a schema from the data and shows how it differs from the curated one, which it leaves alone."""
    settings = _settings({"db": db, "shares": shares, "horizon": horizon})
    from pipeline.quiet import quiet_log
    from pipeline.schema_update import update_schema

    with quiet_log():
        difference = update_schema(settings, out)
    typer.echo(difference)


def _settings(flags: dict[str, Any]) -> Settings:
    from pipeline.settings import SettingsError, load_settings

    if flags.get("db") is not None and flags.get("market") is not None:
        raise SettingsError("--market makes a database of its own: name --db or --market, not both")
    return load_settings(flags)


def _warn_of_formatter(name: str) -> None:
    from models.formatters import FORMATTERS

    formatter = FORMATTERS.get(name)
    if formatter is not None and formatter.warning:
        _console(stderr=True).print(f"[yellow]warning: formatter {name}: {formatter.warning}[/]", highlight=False)


def _console(stderr: bool = False) -> Any:
    from rich.console import Console

    return Console(stderr=stderr)


def _progress() -> Any:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn())
    console = _console(stderr=True)
    # Into a file or a pipe, the bar would come out as an empty line.
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)


def _fail(message: str, code: int = 1) -> NoReturn:
    print(f"awesome: {message}", file=sys.stderr)
    raise SystemExit(code)


def main() -> None:
    """Runs the command line; a user's mistake is one clear line and a non-zero exit, never a traceback."""
    from components.errors import UserError

    try:
        code = app(prog_name="awesome", standalone_mode=False) or 0
    except _USAGE_ERROR as error:
        _fail_usage(error)
    except UserError as error:
        _fail(str(error))
    except (KeyboardInterrupt, typer.Abort):
        code = _STOPPED
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] in _OWN_PACKAGES:
            raise
        _fail(
            f"{error.name} is not installed; this command needs the extra `pipeline`: pip install 'awesome[pipeline]'"
        )
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


if __name__ == "__main__":
    main()
