"""`awesome predict`: what a model says of tomorrow, or of each session of a stretch of the past."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import common
from pipeline.cli.common import app, example, new_console, plan_from, print_line
from pipeline.cli.option_groups import PLACES, SUSPECTS, Settings, takes

if TYPE_CHECKING:
    from pipeline.plan import Plan
    from pipeline.uses.forecast import Forecast
    from pipeline.uses.past import PastForecasts

_OWN = ("context", "model", "run_folder", "as_json", "output", "db_table", "since", "until", "more")
"""Options that are no settings."""


@app.command(epilog=example("awesome predict --model rnn --since 2024-01-02 --output past.parquet"))
@takes(SUSPECTS, PLACES)
def predict(
    context: typer.Context,
    model: Annotated[
        str | None, typer.Option(help="A run's candidate, or the folder of a pulled one, instead of the pushed model.")
    ] = None,
    run_folder: Annotated[Path | None, typer.Option("--run", help="The run. (default: the latest one)")] = None,
    since: Annotated[
        str | None, typer.Option(metavar="DAY", help="Predict after every session of the past from this day on.")
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="DAY", help="The last of these sessions.")] = None,
    as_json: common.AsJson = False,
    output: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write it to a file, too: .csv, .parquet or .json.")
    ] = None,
    db_table: Annotated[
        str | None, typer.Option(metavar="NAME", help="Write it into a table of the database, too.")
    ] = None,
    db: common.Db = None,
    panel: common.Panel = None,
    shares: common.Shares = None,
    label: common.Label = None,
    formatter: common.Formatter = None,
    horizon: common.Horizon = None,
    max_missing_sessions: common.MaxMissingSessions = None,
    seed: common.Seed = None,
    workspace: common.Workspace = None,
    plugins: common.Plugins = None,
    market: common.Market = None,
    market_shares: common.MarketShares = None,
    market_sessions: common.MarketSessions = None,
    *,
    more: Settings,
) -> None:
    """Prints the probability that each share's next close is higher, or of what else a model's label asks.

    With --since or --until it does so after every session of that stretch, each from prices up to that session alone;
    rows that the model's run has predicted are the run's own, and those that it was trained on are marked.
    """
    given = locals()
    flags = {name: value for name, value in given.items() if name not in _OWN} | more
    console = new_console(stderr=True)
    with common.status("Predicting", console=console):
        common.algebra_in_one_thread()
        first, last = common.day_from(since, "--since"), common.day_from(until, "--until")
        if first is not None and last is not None and first > last:
            raise typer.BadParameter(f"{first} is after --until {last}", param_hint="--since")
        plan = plan_from(flags, context)
        if run_folder is not None:
            from pipeline.runs.folder import find_run

            run_folder = find_run(plan.workspace, run_folder)
        from pipeline.uses.forecast import check_output, write_forecast

        if output is not None:
            check_output(output)
        if db_table is not None:
            from pipeline.uses.prediction_table import check_table

            check_table(plan.database, db_table, panel=plan.settings.panel is not None)
        found: Forecast | PastForecasts
        if first is None and last is None:
            from pipeline.uses.predict import choose_model, predict_by, run_id, run_of

            # Once: the latest run and the pushed model may be others a moment later.
            chosen = choose_model(plan, model, run_folder)
            found = forecast = predict_by(plan, chosen, console)
            rows = [(one.session, one.share_id, one.probability) for one in forecast.shares]
            if output is not None:
                write_forecast(forecast, output)
        else:
            from pipeline.uses.past import predict_past
            from pipeline.uses.past_table import past_json, print_past, write_past

            found = past = predict_past(plan, model, run_folder, first, last, console)
            rows = list(zip(past.sessions, past.share_ids, map(float, past.probabilities), strict=True))
            if output is not None:
                write_past(past, output)
        told = ""
        if db_table is not None:
            now = first is None and last is None
            trained_in = run_id(chosen, run_of(plan, chosen)) if now else past.run
            told = _to_table(plan, db_table, trained_in, rows, found)
    if as_json:
        from components.records import to_json

        typer.echo(to_json(forecast) if first is None and last is None else past_json(past))
        return
    if first is None and last is None:
        from pipeline.uses.forecast_table import print_forecast

        today = dt.date.today() if plan.settings.market is None else None
        print_forecast(forecast, new_console(), plan, today)
    else:
        print_past(past, new_console(), plan)
    if output is not None:
        print_line(f"\nThe forecast: {output}")
    if told:
        print_line(f"\n{told}")


def _to_table(
    plan: Plan,
    name: str,
    run: str,
    rows: Iterable[tuple[str, str, float]],
    found: Forecast | PastForecasts,
) -> str:
    from pipeline.uses.prediction_table import write_predictions

    made = found.model, run, found.label, found.horizon
    written = write_predictions(plan.database, name, rows, *made)
    stood = written.rows - written.written
    return (
        f"The table {name} of {plan.database}: {written.written:,} row{'' if written.written == 1 else 's'} written"
        + (f", {stood:,} stood there already" if stood else "")
    )
