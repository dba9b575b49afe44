"""`awesome panel`: prices as Parquet files with a manifest, the source of a run beside the database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import common
from pipeline.cli.common import app, example, new_progress, plan_from, print_line
from pipeline.cli.option_groups import PLACES, Settings, takes
from pipeline.cli.overview import Group

if TYPE_CHECKING:
    from components.price_panel.manifest import Manifest
    from components.price_panel.writing import Progress, Written
    from pipeline.plan import Plan

_MOST_REFUSALS = 20

panel_app = typer.Typer(
    cls=Group,
    help="Prices as Parquet files with a manifest: the source of a run beside the database.",
    no_args_is_help=True,
)
app.add_typer(panel_app, name="panel")

_NAMED = {"panel": "the argument PANEL"}

PanelPlace = Annotated[str, typer.Argument(metavar="PANEL", help="A folder, s3://BUCKET/FOLDER or cos://...")]


@panel_app.command("write", epilog=example("awesome panel write prices.panel --db awesome.db"))
@takes(PLACES)
def panel_write(
    panel: PanelPlace,
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE...",
            help="Instead of a database: a folder of Parquet files as DuckDB or Spark write it, or files of prices.",
        ),
    ] = None,
    db: common.Db = None,
    from_panel: Annotated[
        Path | None, typer.Option("--from", metavar="PANEL", help="Another panel, such as one of very many files.")
    ] = None,
    shares: common.Shares = None,
    source: Annotated[str, typer.Option(help="What to call the origin of the prices of files.")] = "file",
    file_rows: Annotated[int, typer.Option(min=1, help="Prices of a file, about.")] = 1_000_000,
    *,
    more: Settings,
) -> None:
    """Adds what is new or has changed to a panel, which is made where it is missing; no file in it is ever rewritten.

    Of a database all its prices and what was said of its shares (accepted, excluded, exchanges, members) are taken. A
    folder of Parquet files needs columns of a share, a day, a close and a factor (or adj_close), and may be cut into
    folders such as share_id=000001 or time=2026-11-30; files are read as `awesome prices import` does. Exit code 3
    where rows of files were refused.
    """
    if from_panel is not None and (db is not None or files):
        raise typer.BadParameter("name a panel to write from, a database or files, one of the three")
    if db is not None and files:
        raise typer.BadParameter("name a database (--db) or files, not both")
    from pipeline.uses.panel import write_panel

    plan = plan_from({"panel": panel, "shares": shares} | more, named=_NAMED)
    with _bar(f"Writing {panel}") as progress:
        written = write_panel(plan, db or from_panel, files or (), source, file_rows, progress)
    _say_written(plan, written)
    if written.refused:
        raise typer.Exit(common.PARTIAL)


@panel_app.command("verify", epilog=example("awesome panel verify prices.panel"))
@takes(PLACES)
def panel_verify(panel: PanelPlace, as_json: common.AsJson = False, *, more: Settings) -> None:
    """Looks at every file of a panel and names what is not as it was written; exit code 1 where something is not."""
    from components.records import to_json
    from pipeline.uses.panel import verify

    plan = plan_from({"panel": panel} | more, named=_NAMED)
    with _bar(f"Verifying {panel}", "files") as progress:
        found = verify(plan, progress)
    manifest = found.manifest
    if as_json:
        typer.echo(to_json({"faults": found.faults, "strays": found.strays, "manifest": manifest}))
    else:
        for fault in found.faults:
            print_line(fault)
        for stray in found.strays:
            print_line(
                f"warning: {panel}: {stray} is named by no manifest: a writer was killed, the next one removes it"
            )
        what = _some(len(found.faults), "fault") if found.faults else "as it was written"
        days = f", {min(one.first for one in manifest.files)} to {max(one.last for one in manifest.files)}"
        print_line(
            f"{panel}: {what}: {_files(manifest)}, {_some(manifest.rows, 'price')}, {manifest.size / 2**20:.1f} MiB"
            f"{days if manifest.files else ''}"
        )
    if found.faults:
        raise typer.Exit(1)


def _say_written(plan: Plan, written: Written) -> None:
    for one in written.files:
        again = f", {one.replaces:,} of them in the place of others" if one.replaces else ""
        print_line(
            f"{one.path}: {_some(one.rows, 'price')} of {_some(one.shares, 'share')}{again}, "
            f"{one.first} to {one.last}, {one.size / 2**20:.2f} MiB"
        )
    for line in written.refused[:_MOST_REFUSALS]:
        print_line(f"refused: {line}")
    if (more := len(written.refused) - _MOST_REFUSALS) > 0:
        print_line(f"... and {more} more")
    manifest = written.manifest
    counts = f"{written.new:,} prices new, {written.replaced:,} replaced, {written.unchanged:,} there already"
    print_line(
        f"{plan.settings.panel}: {counts}; {manifest.rows:,} in {_files(manifest)}, {manifest.size / 2**20:.1f} MiB"
    )


def _files(manifest: Manifest) -> str:
    return _some(len(manifest.files), "file")


def _some(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"


@contextmanager
def _bar(title: str, what: str = "shares") -> Iterator[Progress]:
    with new_progress() as bar:
        task = bar.add_task(title, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total, description=f"{title}, {what}")
