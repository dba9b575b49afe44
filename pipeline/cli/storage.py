"""`awesome db`, `awesome model`: to object storage and back."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from components.evidence.words import low_to_high, number4
from pipeline.cli.common import (
    Db,
    RunFolder,
    Workspace,
    app,
    example,
    new_console,
    new_progress,
    plan_from,
    print_line,
)
from pipeline.cli.option_groups import PLACES, Settings, takes
from pipeline.cli.overview import Group

if TYPE_CHECKING:
    from components.object_storage import ModelManifest, Pushed

_MIB = 2**20
_WIDEST = 400
_COLUMNS = ("model", "version", "AUC (95 %)", "blessed", "tries", "champion", "horizon", "data", "MiB")

db_app = typer.Typer(cls=Group, help="The database, to object storage and back.", no_args_is_help=True)
model_app = typer.Typer(cls=Group, help="Trained models, to object storage and back.", no_args_is_help=True)
app.add_typer(db_app, name="db")
app.add_typer(model_app, name="model")

_NAMED = {"storage_url": "the argument url"}

Url = Annotated[
    str | None,
    typer.Argument(help="A folder, file://, s3:// or cos:// URL. (default: the setting storage_url)"),
]


@db_app.command("push", epilog=example("awesome db push s3://prices/awesome"))
@takes(PLACES)
def db_push(url: Url = None, db: Db = None, *, more: Settings) -> None:
    """Pushes a snapshot of the database to features/DATE/, even while it is written, and what its ledger has new."""
    plan = plan_from({"db": db, "storage_url": url} | more, named=_NAMED)
    from components.feature_store import FeatureStore
    from components.ledger.file import ledger_path
    from components.object_storage import push_database, push_ledger, push_tries
    from pipeline.uses.publish import code_version
    from pipeline.uses.storage import open_storage

    FeatureStore.open(plan.settings.db).close()  # of a database that is not there no record is pushed
    with open_storage(plan) as storage, _bar(f"Pushing {plan.settings.db}") as progress:
        # Before the database: whoever pulls it must not know of fewer tries.
        tries = push_tries(storage, plan.settings.db)
        pushed = push_database(storage, plan.settings.db, code_version(), progress)
        rows = push_ledger(storage, ledger_path(plan.settings.db), plan.settings.db.name)
    _print_push(pushed)
    _print_tries(tries, "that the storage did not hold")
    _print_ledger(rows, "that the storage did not hold")


@db_app.command("pull", epilog=example("awesome db pull s3://prices/awesome --date 2026-11-23"))
@takes(PLACES)
def db_pull(
    url: Url = None,
    db: Db = None,
    date: Annotated[str, typer.Option(help="Day of the push, ISO, or latest.")] = "latest",
    *,
    more: Settings,
) -> None:
    """Pulls a database, checks it, and only then replaces the one that is there; and what its ledger lacks here."""
    plan = plan_from({"db": db, "storage_url": url} | more, named=_NAMED)
    from components.ledger.file import ledger_path
    from components.object_storage import pull_database, pull_ledger, pull_tries
    from pipeline.uses.storage import open_storage

    with open_storage(plan) as storage, _bar(f"Pulling {plan.settings.db}") as progress:
        tries = pull_tries(storage, plan.settings.db)
        pulled = pull_database(storage, plan.settings.db, date, progress)
        rows = pull_ledger(storage, ledger_path(plan.settings.db), pulled.manifest.file.path)
    manifest = pulled.manifest
    print_line(f"pulled {_moved(1, manifest.file.size, pulled.seconds)} from {pulled.url} into {pulled.database}")
    last = manifest.last_session or "none"
    print_line(f"{manifest.shares} shares, last session {last}, data {manifest.data_digest[:8]}")
    _print_tries(tries, f"that {'was' if tries == 1 else 'were'} not known here")
    _print_ledger(rows, f"that {'was' if rows == 1 else 'were'} not known here")


@model_app.command("push", epilog=example("awesome model push s3://prices/awesome runs/latest --model rnn"))
@takes(PLACES)
def model_push(
    url: Url = None,
    run: RunFolder = None,
    model: Annotated[str | None, typer.Option(help="The model. (default: every model of the run)")] = None,
    workspace: Workspace = None,
    *,
    more: Settings,
) -> None:
    """Pushes a run's models to models_training/MODEL/VERSION/ with their logs and evaluations."""
    from components.ledger.file import ledger_path
    from components.object_storage import push_ledger, push_model, push_tries
    from pipeline.runs.folder import REPORT_JSON, find_run
    from pipeline.uses.publish import database_of, models_to_push
    from pipeline.uses.storage import open_storage

    if url is not None and (Path(url) / REPORT_JSON).is_file():  # the storage is set, and the run alone was named
        run, url = Path(url), None
    plan = plan_from({"storage_url": url, "workspace": workspace} | more, named=_NAMED)

    folder = find_run(plan.workspace, run)
    chosen = models_to_push(folder, model)
    with open_storage(plan) as storage:
        for facts, folders in chosen:
            with _bar(f"Pushing {facts.model}") as progress:
                pushed = push_model(storage, facts, folders, progress)
            _print_push(pushed)
        if (database := database_of(folder)) is not None:
            _print_tries(push_tries(storage, database), "that the storage did not hold")
            _print_ledger(push_ledger(storage, ledger_path(database), database.name), "that the storage did not hold")


@model_app.command("list", epilog=example("awesome model list s3://prices/awesome"))
@takes(PLACES)
def model_list(url: Url = None, *, more: Settings) -> None:
    """Lists the models that were pushed whole."""
    plan = plan_from({"storage_url": url} | more, named=_NAMED)
    from rich.table import Column, Table
    from rich.text import Text

    from components.object_storage import list_models
    from pipeline.uses.storage import open_storage

    with open_storage(plan) as storage:
        listing = list_models(storage)
        where = storage.url
    if listing.models:
        table = Table(*(Column(name, no_wrap=True) for name in _COLUMNS), box=None, pad_edge=False)
        for manifest in listing.models:
            table.add_row(*map(Text, _row(manifest)))
        # A version that is cut off could not be pulled, so a narrow terminal breaks the lines instead.
        console = new_console()
        console.width = max(console.width, _WIDEST)
        console.width = console.measure(table).maximum
        console.print(table)
    elif not listing.unreadable:
        print_line(f"{where}: no model was pushed yet; push one with `awesome model push`")
    for line in listing.unreadable:
        new_console(stderr=True).print(f"warning: {line}", highlight=False, markup=False, soft_wrap=True)


@model_app.command("pull", epilog=example("awesome model pull s3://prices/awesome --model rnn --to rnn"))
@takes(PLACES)
def model_pull(
    url: Url = None,
    *,
    model: Annotated[str, typer.Option(help="The model.")],
    version: Annotated[str, typer.Option(help="Its version, or latest.")] = "latest",
    to: Annotated[
        Path | None,
        typer.Option(help="Where to; a pulled model alone is replaced. (default: runs/pulled/MODEL/VERSION)"),
    ] = None,
    db: Db = None,
    workspace: Workspace = None,
    more: Settings,
) -> None:
    """Pulls a model, checks it, and only then replaces one that was pulled before.

    What was tried on its test days is added to the record beside the database, where it is of the same name.
    """
    plan = plan_from({"storage_url": url, "db": db, "workspace": workspace} | more, named=_NAMED)
    from components.object_storage import pull_model
    from pipeline.uses.storage import open_storage
    from pipeline.uses.trials import take_tries

    folder = to if to is not None else plan.workspace / "pulled" / model / "{version}"
    with open_storage(plan) as storage, _bar(f"Pulling {model}") as progress:
        pulled = pull_model(storage, model, folder, version, progress)
    manifest = pulled.manifest
    print_line(
        f"pulled {_moved(len(manifest.files), manifest.size, pulled.seconds)} from {pulled.url} into {pulled.folder}"
    )
    print_line(take_tries(pulled, plan.database, db is not None))
    again = ["awesome", "predict", "--model", str(pulled.folder), *([] if db is None else ["--db", str(db)])]
    print_line(f"predict with it: {shlex.join(again)}")


def _row(manifest: ModelManifest) -> tuple[str, ...]:
    facts = manifest.facts
    known = facts.auc == facts.auc
    return (
        facts.model,
        facts.version,
        f"{facts.auc:.4f} ({low_to_high(facts.auc_low, facts.auc_high, number4)})" if known else "not measured",
        "yes" if facts.blessed else "no",
        "unknown" if facts.tries is None else f"{facts.tries}{'' if facts.tries_complete else ' or more'}",
        "yes" if facts.champion else "",
        str(facts.horizon),
        facts.data_digest[:8] if facts.market is None else f"{facts.data_digest[:8]} (market {facts.market})",
        f"{manifest.size / _MIB:.1f}",
    )


@contextmanager
def _bar(text: str) -> Iterator[Callable[[int, int], None]]:
    """A progress bar in bytes, on a terminal only."""
    from rich.progress import DownloadColumn, TransferSpeedColumn

    with new_progress(DownloadColumn(True), TransferSpeedColumn()) as bar:
        task = bar.add_task(text, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _print_push(pushed: Pushed) -> None:
    if pushed.already_there:
        print_line(f"{pushed.url}: already there, nothing was sent")
    else:
        print_line(f"pushed {_moved(pushed.files, pushed.size, pushed.seconds)} to {pushed.url}")


def _print_tries(count: int, which: str) -> None:
    if count:
        print_line(f"{count} {'try' if count == 1 else 'tries'} {which}")


def _print_ledger(rows: int, which: str) -> None:
    if rows:
        print_line(f"{rows:,} {'row' if rows == 1 else 'rows'} of the ledger {which}")


def _moved(files: int, size: int, seconds: float) -> str:
    return f"{files} file{'' if files == 1 else 's'}, {size / _MIB:.1f} MiB in {seconds:.1f} s"
