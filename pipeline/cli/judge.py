"""`awesome judge`: anybody's forecasts before the court of a run's models."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import common
from pipeline.cli.common import app, example, new_console, plan_from, print_line, status
from pipeline.cli.option_groups import SUSPECTS, Settings, takes


def _names(given: list[str] | None) -> tuple[str, ...]:
    return tuple(name.strip() for one in given or () for name in one.split(",") if name.strip())


@app.command(epilog=example("awesome judge predictions.csv --known-until 2020-12-31"))
@takes(SUSPECTS)
def judge(
    file: Annotated[Path, typer.Argument(help="CSV (also .gz) or Parquet: time, share_id, and probability or score.")],
    db: common.Db = None,
    label: common.Label = None,
    horizon: common.Horizon = None,
    known_until: Annotated[
        str | None, typer.Option(help="Last day that the model may have been trained on; days up to it are left out.")
    ] = None,
    probability: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Columns of probabilities of a higher close, separated by commas."),
    ] = None,
    score: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Columns of scores, larger where a rise is thought likelier."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(metavar="ROLE=NAME", help="Which column is what: time=NAME, share=NAME, written=NAME."),
    ] = None,
    share: Annotated[str | None, typer.Option(help="The share of a file that names none.")] = None,
    ignore_case: Annotated[
        bool, typer.Option("--ignore-case", help="Take SH600519 for the database's sh600519.")
    ] = False,
    costs: common.Costs = 10.0,
    quantile: common.Quantile = 0.2,
    separator: common.Separator = None,
    decimal: common.Decimal = None,
    date_format: common.DateFormat = None,
    timezone: common.Timezone = None,
    encoding: common.Encoding = None,
    output: Annotated[
        Path | None,
        typer.Option(
            help="Folder for judgement.html and .json, and report.json and predictions.parquet as a run leaves them."
        ),
    ] = None,
    seed: common.Seed = None,
    max_missing_sessions: common.MaxMissingSessions = None,
    plugins: common.Plugins = None,
    as_json: common.AsJson = False,
    workspace: common.Workspace = None,
    *,
    more: Settings,
) -> None:
    """Judges forecasts of any origin by the database's prices, as a run's models are judged.

    A row is a forecast of one share, made after the close of the session `time`, of whether the close a horizon later
    is higher, or of what else --label asks. A column `written` says when that was; a row of the next session's day or
    later is left out. Whoever judges has looked at these days: it counts as a try on them (`awesome trials`).

    Exit code 0: all rows were read, and judged where the outcome is there; 3: some have to be mended; 4: none was
    judged.
    """
    flags = {"db": db, "label": label, "horizon": horizon, "seed": seed, "max_missing_sessions": max_missing_sessions}
    plan = plan_from(flags | {"plugins": plugins, "workspace": workspace} | more)
    from components.judging.forecast_columns import ColumnChoice
    from components.price_files import forms_from
    from components.records import to_json
    from pipeline.report.judgement import print_judgement
    from pipeline.runs.judged import JUDGEMENT_HTML
    from pipeline.uses.judge import Asked, check_output, judge_file, write_judgement

    forms = forms_from(encoding=encoding, separator=separator, decimal=decimal, dates=date_format, zone=timezone)
    columns = ColumnChoice(_names(probability), _names(score), common.columns_from(column), share)
    asked = Asked(columns, forms, common.day_from(known_until, "--known-until"), ignore_case, costs, quantile)
    if output is not None:
        check_output(output)
    with status("Judging"):
        made = judge_file(plan, file, asked)
    if as_json:
        typer.echo(to_json(made.judgement))
    else:
        print_judgement(made.judgement, new_console())
    if made.judgement.report is None:
        raise typer.Exit(common.NOTHING)
    if output is not None:
        write_judgement(made, output)
        if not as_json:
            print_line(f"\nThe page: {output / JUDGEMENT_HTML}")
    if made.judgement.file.mend:
        raise typer.Exit(common.PARTIAL)
