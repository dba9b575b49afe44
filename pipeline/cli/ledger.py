"""`awesome ledger`: predictions that were written down before the fact, and what came of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import common
from pipeline.cli.common import app, example, new_console, plan_from, print_line
from pipeline.cli.option_groups import PLACES, Settings, takes
from pipeline.cli.overview import Group

ledger_app = typer.Typer(
    cls=Group, help="Predictions made before the fact, and what came of them.", no_args_is_help=True
)
app.add_typer(ledger_app, name="ledger")


@ledger_app.command("show", epilog=example("awesome ledger show --days 5"))
def ledger_show(
    ledger: common.LedgerFile = None,
    db: common.Db = None,
    days: Annotated[int, typer.Option(min=1, help="Sessions, the latest first.")] = 10,
    as_json: common.AsJson = False,
) -> None:
    """Shows the last sessions: how many shares were predicted, late, have come due, and were right."""
    plan = plan_from({"db": db})
    from components.ledger.days import day_summaries
    from components.ledger.file import Ledger
    from components.records import to_json
    from pipeline.report.ledger import print_days
    from pipeline.uses.ledger import ledger_of

    with Ledger.open(ledger_of(plan, ledger)) as opened:
        found = day_summaries(opened, days)
    if as_json:
        typer.echo(to_json(found))
    else:
        print_days(found, new_console())


@ledger_app.command("verify", epilog=example("awesome ledger verify --storage-url s3://prices/awesome"))
@takes(PLACES)
def ledger_verify(
    ledger: common.LedgerFile = None,
    db: common.Db = None,
    storage_url: Annotated[
        str | None,
        typer.Option(help="Where its heads are kept, as in `awesome db push`. (default: the setting storage_url)"),
    ] = None,
    head: Annotated[
        list[str] | None, typer.Option("--head", metavar="SEQ:HASH", help="A head that somebody kept.")
    ] = None,
    recompute: Annotated[
        bool, typer.Option("--recompute", help="Make every probability again, and from the prices what it was made of.")
    ] = False,
    workspace: common.Workspace = None,
    label: common.Label = None,
    formatter: common.Formatter = None,
    horizon: common.Horizon = None,
    plugins: common.Plugins = None,
    as_json: common.AsJson = False,
    *,
    more: Settings,
) -> None:
    """Finds every row that was edited, taken out, put in, exchanged or back-dated, and names it.

    What was cut off the end, or a chain that was made anew, shows against heads that are kept elsewhere: each
    `db push` and `model push` keeps one in the storage. Exit code 1 where anything is wrong.

    With --recompute the models that lie in the workspace are asked once more about what stands in the ledger, to the
    last bit; windows and columns of the day that today's prices make other ones are named, as prices may be restated.
    Exit code 3 where a model is not there, or cannot be asked.
    """
    flags = {"db": db, "storage_url": storage_url, "workspace": workspace, "plugins": plugins}
    plan = plan_from(flags | {"label": label, "formatter": formatter, "horizon": horizon} | more)
    from components.records import to_json, to_plain
    from pipeline.daily.page import look_file
    from pipeline.report.ledger import print_verification
    from pipeline.uses.ledger import keep_look, verify_ledger
    from pipeline.uses.recomputing import print_recomputed, recompute_ledger

    found = verify_ledger(plan, ledger, head or ())
    if ledger is None:  # the next look of the loop goes on from this one, or passes over nothing that is wrong
        keep_look(look_file(plan), found.verification)
    sound = found.verification.sound
    again = recompute_ledger(plan, ledger) if recompute and sound else ()
    if as_json:
        plain = to_plain(found.verification)
        typer.echo(to_json({**plain, "recomputed": again} if recompute else plain))
    else:
        print_verification(found.ledger, found.storage, found.verification, new_console())
        print_recomputed(again, plan.database, new_console())
        if recompute and not sound:
            new_console().print("what is not as it was written is not computed again", style="yellow")
    if not sound or any(one.computed is not None and one.computed.different for one in again):
        raise typer.Exit(1)
    if any(one.computed is None for one in again):
        raise typer.Exit(common.PARTIAL)


@ledger_app.command("export", epilog=example("awesome ledger export predictions.parquet"))
def ledger_export(
    file: Annotated[Path, typer.Argument(help="The file to write, .csv or .parquet.")],
    ledger: common.LedgerFile = None,
    db: common.Db = None,
) -> None:
    """Writes every prediction, the window that the model saw and its latest outcome to a CSV or Parquet file.

    What does not verify is exported as it stands there, with a warning.
    """
    plan = plan_from({"db": db})
    from components.ledger.export import export_predictions
    from components.ledger.file import Ledger
    from components.ledger.verifying import verify
    from pipeline.uses.ledger import ledger_of

    path = ledger_of(plan, ledger)
    with Ledger.open(path) as opened:
        count = export_predictions(opened, file)
    print_line(f"{count:,} predictions written to {file}")
    if faults := verify(path).faults:
        line = f"warning: {path} is not as it was written ({faults[0]}); `awesome ledger verify` names every row"
        new_console(stderr=True).print(line, highlight=False, markup=False, soft_wrap=True)
