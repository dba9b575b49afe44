"""`awesome members`: who belongs to the universe from when to when, and what delisted shares were worth last."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import common
from pipeline.cli.common import app, example, new_console, plan_from, print_line
from pipeline.cli.overview import Group

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from components.feature_store import Spell

members_app = typer.Typer(
    cls=Group,
    help="Who belongs to the universe from when to when; without any, all shares of the database always.",
    no_args_is_help=True,
)
app.add_typer(members_app, name="members")


@members_app.command("import", epilog=example("awesome members import members.csv --db awesome.db"))
def members_import(
    file: Annotated[
        Path, typer.Argument(help="CSV (also .gz): share, from, to (empty: not ended), maybe delisting_return.")
    ],
    db: common.Db = None,
    without_prices: Annotated[
        bool, typer.Option("--without-prices", help="Take members that the database has no prices of, too.")
    ] = False,
) -> None:
    """Puts the members of a file in the place of those that are stored; all of its rows are taken, or none.

    A row is a spell, from its first day to its last, which belongs to it; a share may have several. From then on every
    command takes rows of members alone: examples, predictions, and what the shares of a day are compared by.

    A delisting_return is that of the session after `to`, which is then the day of the share's last price: -0.3 for a
    loss of 30 %. The last labels of the share are made of it. None is made up.
    """
    plan = plan_from({"db": db})
    from components.feature_store import FeatureStore
    from components.universe.members_file import read_members

    with FeatureStore.open(plan.database) as store:
        prices = {one.share_id: one.last for one in store.shares()}
    spells = read_members(file, prices, without_prices)
    with FeatureStore.create(plan.database) as store:
        before = len(store.listings.members())
        store.listings.put_members(spells)
    known = sum(one.delisting_return is not None for one in spells)
    instead = f", in the place of {_count(before, 'spell')}" if before else ""
    print_line(f"{_spells(spells)} taken into {plan.database}{instead}, with {_count(known, 'delisting return')}")
    if absent := len({one.share_id for one in spells} - set(prices)):
        print_line(f"the database has no prices of {_count(absent, 'share')} of them")
    if outside := len(set(prices) - {one.share_id for one in spells}):
        print_line(
            f"{_count(outside, 'share')} of the database {'is' if outside == 1 else 'are'} in no spell: left out"
        )
    if prices:
        print_line(_as_of(spells, max(prices.values())))


@members_app.command("list", epilog=example("awesome members list --on 2015-06-30"))
def members_list(
    db: common.Db = None,
    on: Annotated[str | None, typer.Option("--on", metavar="DAY", help="Only who belongs to it on this day.")] = None,
    as_json: common.AsJson = False,
) -> None:
    """Lists the spells, and how many shares belong to the universe on a day: the last one of the prices, or --on."""
    plan = plan_from({"db": db})
    day = common.day_from(on, "--on")
    from components.feature_store import FeatureStore
    from components.records import to_json

    with FeatureStore.open(plan.database) as store:
        spells = store.listings.members()
        last = max((one.last for one in store.shares()), default=None)
    shown = spells if day is None else tuple(one for one in spells if one.includes(day))
    if as_json:
        typer.echo(to_json({"spells": shown}))
        return
    if not spells:
        print_line(f"{plan.database} has no members: all of its shares belong to the universe always")
        return
    from rich.table import Table
    from rich.text import Text

    table = Table("share", "from", "to", "delisting return", box=None, pad_edge=False)
    for one in shown:
        value = "" if one.delisting_return is None else f"{one.delisting_return:.10g}"
        table.add_row(Text(one.share_id), str(one.first), str(one.last or ""), value)
    new_console().print(table)
    as_of = day or last
    print_line(_spells(spells) + ("" if as_of is None else f"; {_as_of(spells, as_of)}"))


@members_app.command("export", epilog=example("awesome members export members.csv"))
def members_export(
    file: Annotated[Path, typer.Argument(help="The CSV file.")],
    db: common.Db = None,
) -> None:
    """Writes the spells as `awesome members import` reads them."""
    plan = plan_from({"db": db})
    from components.feature_store import FeatureStore
    from components.universe.members_file import write_members_file

    with FeatureStore.open(plan.database) as store:
        spells = store.listings.members()
    write_members_file(file, spells)
    print_line(f"{_count(len(spells), 'spell')} written to {file}")


@members_app.command("forget", epilog=example("awesome members forget --db awesome.db"))
def members_forget(db: common.Db = None) -> None:
    """Takes all spells away, delisting returns too: from then on all shares belong to the universe always."""
    plan = plan_from({"db": db})
    from components.feature_store import FeatureStore

    FeatureStore.open(plan.database).close()  # a database that is not there must not be made
    with FeatureStore.create(plan.database) as store:
        count = len(store.listings.members())
        store.listings.put_members(())
    print_line(f"{_count(count, 'spell')} taken away from {plan.database}")


def _as_of(spells: Sequence[Spell], day: dt.date) -> str:
    there = sum(one.includes(day) for one in spells)
    return f"members on {day}: {there:,}"


def _spells(spells: Sequence[Spell]) -> str:
    return f"{_count(len({one.share_id for one in spells}), 'share')} in {_count(len(spells), 'spell')}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
