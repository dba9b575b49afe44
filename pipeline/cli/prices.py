"""`awesome market`, `prices`, `features`, `schema`: into the feature store and out of it."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import replace as changed
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli import common
from pipeline.cli.common import app, example, new_console, new_progress, plan_from, print_line
from pipeline.cli.option_groups import SPLITS, SUSPECTS, Settings, takes
from pipeline.cli.overview import Group

if TYPE_CHECKING:
    from components.price_files import ImportReport, TrialStore

_MOST_REFUSALS = 20
_ROWS_SHOWN = 3

prices_app = typer.Typer(cls=Group, help="Daily prices in the feature store.", no_args_is_help=True)
features_app = typer.Typer(cls=Group, help="The table FEATURE.", no_args_is_help=True)
schema_app = typer.Typer(cls=Group, help="The curated schema of the examples.", no_args_is_help=True)
app.add_typer(prices_app, name="prices")
app.add_typer(features_app, name="features")
app.add_typer(schema_app, name="schema")


@app.command(epilog=example("awesome market reversal --db reversal.db"))
def market(
    scenario: Annotated[str | None, typer.Argument(help="Its name; without one, all are listed.")] = None,
    db: Annotated[Path | None, typer.Option("--db", help="Where to. (default: market-SCENARIO.db)")] = None,
    shares: Annotated[int, typer.Option(help="Shares.")] = 100,
    sessions: Annotated[int, typer.Option(help="Trading days.")] = 2900,
    seed: Annotated[int, typer.Option(help="The same seed makes the same market.")] = 0,
    without_dead: Annotated[
        bool,
        typer.Option("--without-dead", help="Leave out shares that were delisted, as of a list of today's shares."),
    ] = False,
) -> None:
    """Writes a synthetic market and prints the best AUC that is possible on it."""
    from components.synthetic_market import SCENARIOS, generate, get_scenario, write_market
    from components.trials.record import begun_with

    console = new_console()
    if scenario is None:
        for known in SCENARIOS.values():
            console.print(
                f"[bold]{known.name:<14}[/] {_known(known.best_auc(1)):<8} {known.description}", highlight=False
            )
        return
    chosen = get_scenario(scenario)
    path = db or Path(f"market-{scenario}{'-without-dead' if without_dead else ''}.db")
    made = generate(chosen, shares=shares, sessions=sessions, seed=seed)
    written = made.survivors() if without_dead else made
    with new_progress() as bar, begun_with(path):
        task = bar.add_task(f"Writing {path}", total=len(written.share_ids))
        write_market(written, path, lambda done, _: bar.update(task, completed=done))
    print_line(f"{path}: {len(written.share_ids)} shares x {sessions} sessions, {chosen.description}")
    if dead := int(made.ended.sum()):
        what = "left out" if without_dead else f"with a return of {chosen.delisting_return:.0%} after their last price"
        print_line(f"{dead} of {shares} shares were delisted, {what}")
    for horizon in (1, 20):
        print_line(f"best possible AUC at horizon {horizon}: {_known(chosen.best_auc(horizon))}")
        beside, ranks = chosen.best_auc(horizon, "outperform"), chosen.best_rank_ic(horizon)
        print_line(f"of the label outperform: {_known(beside)}; rank IC of a day: {_known(ranks)}")


def _known(best: float | None) -> str:
    return "unknown" if best is None else f"{best:.4f}"


@prices_app.command("import", epilog=example("awesome prices import prices.csv --db awesome.db"))
@takes(SUSPECTS)
def prices_import(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...", help="CSV (also .gz) or Parquet, folders or patterns; docs/importing.md has the layouts."
        ),
    ],
    db: common.Db = None,
    share: Annotated[
        str | None, typer.Option(help="The share of a file that names none. (default: the file's name)")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ROLE=NAME",
            help="Which column is what, such as close=Settle or date=Datum; a name left out leaves it out.",
        ),
    ] = None,
    layout: Annotated[
        str | None,
        typer.Option(help="long, one (share), wide (a column a share) or fields (such as Close_AAA), if not as found."),
    ] = None,
    prices: Annotated[
        str | None,
        typer.Option(help="raw or adjusted: what the closes beside a factor are. (default: as the closes show)"),
    ] = None,
    source: Annotated[str, typer.Option(help="What to call the origin of the prices.")] = "file",
    replace: Annotated[bool, typer.Option("--replace", help="Delete shares of another source first.")] = False,
    accept: common.Accept = None,
    exclude: common.Exclude = None,
    exchange: common.Exchange = None,
    separator: common.Separator = None,
    decimal: common.Decimal = None,
    date_format: common.DateFormat = None,
    timezone: common.Timezone = None,
    encoding: common.Encoding = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show how it would be read and store nothing.")] = False,
    *,
    more: Settings,
) -> None:
    """Imports files of daily prices and says what it took, what it refused, and what sessions its shares lack.

    Several files, a folder or a pattern in quotes are one import; a file that cannot be read stops none of the others.

    A close is as traded. A factor makes it comparable: close x factor is adjusted for splits and dividends; adj_close
    is that product itself. Only one of them is needed, up to one constant a share; without either, closes are taken as
    adjusted already. Closes that are adjusted beside a factor, as Qlib's, are seen by what they do where the factor
    steps.

    Separators, decimal signs, the order of day and month, and encodings are found from the whole file and stated; where
    two readings are possible, it is refused and both are shown with the option for each.

    Exit code 0: all rows taken; 3: some, or some of the files, were refused, or a return is wrong that nobody
    accepted; 4: none was taken.
    """
    plan = plan_from({"db": db, "accept": accept, "exclude": exclude} | more)
    zone_of_exchange = None
    if exchange is not None:
        from pipeline.job.prices import check_exchange

        zone_of_exchange = check_exchange(exchange)
    from components.price_files import LayoutChoice, forms_from, import_files, trial_store
    from components.trials.record import begun_with
    from pipeline.job.prices import known_decisions
    from pipeline.uses.suspects import report_suspects

    forms = forms_from(
        encoding=encoding,
        separator=separator,
        decimal=decimal,
        dates=date_format,
        zone=timezone,
        exchange_zone=zone_of_exchange,
    )
    decisions = (*known_decisions(files), *plan.decisions)
    options: dict[str, Any] = {"source": source, "replace": replace, "forms": forms, "decisions": decisions}
    choice = LayoutChoice(share, common.columns_from(column), layout, prices)
    target = plan.settings.db
    making = nullcontext() if dry_run else begun_with(target)
    with new_progress() as bar, making, trial_store(target) if dry_run else nullcontext() as trial:
        what = files[0] if len(files) == 1 else f"{len(files)} files"
        task = bar.add_task(f"Importing {what}", total=None)

        def show(done: int, total: int, one: str) -> None:
            bar.update(task, completed=done, total=total, description=f"Importing {what}: {one}")

        report = import_files(files, target if trial is None else trial, choice=choice, progress=show, **options)
        bar.stop()
        _print_import(report, target, trial)
        database = target if trial is None else trial.database
        wrong = report_suspects(
            changed(plan, database=target), database, [share.share_id for share in report.shares], new_console()
        )
        if report.taken:
            from pipeline.job.prices import missing_of_import
            from pipeline.report.missing import print_missing

            print_missing(missing_of_import(database, report, exchange).summary(), new_console())
    if not report.taken:
        raise typer.Exit(common.NOTHING)
    if report.refused or report.failed or wrong:
        raise typer.Exit(common.PARTIAL)


def _failed_files(report: ImportReport) -> str:
    count = len(report.failed)
    return f", {count} file{'s' if count != 1 else ''} failed" if count else ""


def _print_import(report: ImportReport, db: Path, trial: TrialStore | None) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table("share", "new", "changed", "unchanged", "first", "last", box=None, pad_edge=False)
    for share in report.shares:
        counts = (str(share.new), str(share.changed), str(share.unchanged))
        table.add_row(Text(share.share_id), *counts, str(share.first), str(share.last))
    new_console().print(table)
    for note in report.notes:
        print_line(note)
    if report.ignored_columns:
        print_line(f"ignored columns: {', '.join(report.ignored_columns)}")
    for one in report.refused[:_MOST_REFUSALS]:
        where = f"{one.file}, row" if one.file else "row"
        print_line(f"refused: {where} {one.row}, share {one.share_id or '?'}, {one.time or '?'}: {one.reason}")
    if len(report.refused) > _MOST_REFUSALS:
        print_line(f"... and {len(report.refused) - _MOST_REFUSALS} more")
    for failed in report.failed:
        print_line(f"failed: {failed.reason}")
    if trial is not None:
        _print_trial(report, trial)
    how, end = ("taken into", "") if trial is None else ("would be taken into", "; nothing was written")
    rows = f"{len(report.refused)} rows refused{_failed_files(report)}{end}"
    print_line(f"{report.taken} prices {how} {db}, {rows}")


def _print_trial(report: ImportReport, trial: TrialStore) -> None:
    """Shows the first and the last rows as they would be stored."""
    from rich.table import Table
    from rich.text import Text

    if report.shares:
        first, last = min(share.first for share in report.shares), max(share.last for share in report.shares)
        as_written = report.dates.partition(" is ")
        read = f" ({report.dates})" if as_written[0] != as_written[2] else ""
        shares = f"{len(report.shares)} share{'s' * (len(report.shares) != 1)}"
        print_line(f"{shares}, dates from {first} to {last}{read}")
    if trial.first is None or trial.last is None:
        return
    fields = ("open", "high", "low", "close", "volume", "factor")
    table = Table("share", "time", *fields, box=None, pad_edge=False)
    count = min(_ROWS_SHOWN, len(trial.first[1]))
    rows = [(*trial.first, at) for at in range(count)]
    share_id, bars = trial.last
    begin = max(len(bars) - _ROWS_SHOWN, count if bars is trial.first[1] else 0)
    rows += [(share_id, bars, at) for at in range(begin, len(bars))]
    for share_id, bars, at in rows:
        cells = (bars.column(name)[at] for name in fields)
        table.add_row(
            Text(share_id), str(bars.time[at]), *("" if value != value else f"{value:.10g}" for value in cells)
        )
    new_console().print(table)


@features_app.command("export", epilog=example("awesome features export features.csv"))
def features_export(
    file: Annotated[Path, typer.Argument(help="The CSV file.")],
    db: common.Db = None,
    header: Annotated[bool, typer.Option("--header/--no-header", help="Name the columns in the first line.")] = True,
) -> None:
    """Writes FEATURE as CSV, byte for byte as the sqlite3 program does."""
    plan = plan_from({"db": db})
    from components.feature_store import FeatureStore, export_features

    with FeatureStore.open(plan.settings.db) as store:
        rows = export_features(store, file, header=header)
    typer.echo(f"{rows} rows written to {file}")


@schema_app.command("update", epilog=example("awesome schema update --out schema.new.pbtxt"))
@takes(SPLITS)
def schema_update(
    db: common.Db = None,
    shares: common.Shares = None,
    formatter: common.Formatter = None,
    label: common.Label = None,
    horizon: common.Horizon = None,
    plugins: common.Plugins = None,
    out: Annotated[Path, typer.Option(help="Where the inferred schema goes, for review.")] = Path(
        "schema.inferred.pbtxt"
    ),
    *,
    more: Settings,
) -> None:
    """Infers a schema from the data and shows how it differs from the curated one, which it leaves alone."""
    flags = {"db": db, "shares": shares, "formatter": formatter, "label": label, "horizon": horizon}
    plan = plan_from(flags | {"plugins": plugins} | more)
    from pipeline.job.quiet import quiet_log
    from pipeline.uses.schema_update import update_schema

    with quiet_log():
        difference = update_schema(plan, out)
    typer.echo(difference)
