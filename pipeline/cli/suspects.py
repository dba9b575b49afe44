"""`awesome prices suspects`: what does not look like a price, and what a person says of it."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli import common
from pipeline.cli.common import example, new_console, plan_from, print_line
from pipeline.cli.option_groups import PLACES, SUSPECTS, Settings, takes
from pipeline.cli.prices import prices_app


@prices_app.command("suspects", epilog=example("awesome prices suspects --db awesome.db --accept AAPL:2000-09-29"))
@takes(SUSPECTS, PLACES)
def prices_suspects(
    db: common.Db = None,
    panel: common.Panel = None,
    shares: common.Shares = None,
    accept: common.Accept = None,
    exclude: common.Exclude = None,
    forget: Annotated[
        list[str] | None,
        typer.Option("--forget", metavar="SHARE[:DAY]", help="Takes back what was accepted or excluded."),
    ] = None,
    workspace: common.Workspace = None,
    as_json: common.AsJson = False,
    *,
    more: Settings,
) -> None:
    """Lists returns that no market makes, each with share, day and likely cause, and keeps what you decide of them.

    While a wrong one is neither accepted nor of an excluded share, nothing is pushed. Exit code 3 while there is one.
    """
    flags = {"db": db, "panel": panel, "shares": shares, "accept": accept, "exclude": exclude}
    plan = plan_from(flags | {"workspace": workspace} | more)
    from components.feature_store import read_decisions
    from components.price_panel.opening import open_prices, open_to_decide
    from components.records import to_json
    from pipeline.job.panel import fetch_panel
    from pipeline.job.prices import keep_decisions
    from pipeline.report.suspects import print_excluded, print_suspects
    from pipeline.uses.suspects import look_at_all

    if plan.settings.panel is not None:
        fetch_panel(plan)
    open_prices(plan.database).close()  # a database that is not there must not be made
    keep_decisions(plan)
    if forget:
        taken_back = read_decisions(accept=forget)
        whole = [one.share_id for one in taken_back if one.day is None]
        with open_to_decide(plan.database) as store:
            taken = store.forget((*taken_back, *read_decisions(exclude=whole)))
        print_line(f"{taken} decisions taken back")
    record, decisions = look_at_all(plan, new_console(stderr=True))
    if as_json:
        typer.echo(to_json({"record": record, "decisions": [str(one) for one in decisions]}))
    else:
        print_suspects(record, new_console(), None, plan.database)
        print_excluded(record, new_console())
        if decisions:
            print_line(f"decisions: {'; '.join(map(str, decisions))}")
    if record.stopping:
        raise typer.Exit(common.PARTIAL)
