"""`awesome extract`, `awesome sources`: prices from the internet."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

import typer

from pipeline.cli import common
from pipeline.cli.common import app, example, new_console, plan_from
from pipeline.cli.option_groups import SOURCES, SUSPECTS, Settings, takes


@app.command(epilog=example("awesome extract --source tencent --shares sh600519,sz000001 --since 2015-01-01"))
@takes(SOURCES, SUSPECTS)
def extract(
    source: common.Source = None,
    shares: common.SourceShares = None,
    since: common.Since = None,
    until: common.Until = None,
    db: common.Db = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the last extraction, which was stopped or failed in part.")
    ] = False,
    refetch: Annotated[
        bool, typer.Option("--refetch", help="Fetch from the start and replace what is stored of the shares.")
    ] = False,
    best_effort: common.BestEffort = None,
    accept: common.Accept = None,
    exclude: common.Exclude = None,
    plugins: common.Plugins = None,
    as_json: common.AsJson = False,
    *,
    more: Settings,
) -> None:
    """Brings the database up to date from a source; the first time, from the first day on.

    Where the output is no terminal, it is JSON lines, an event each: `started`, `warning`, `share`, `ended`, `suspect`
    and `excluded`.

    Exit code 0: all shares are current; 3: some are behind or failed, or a return is wrong that nobody accepted; 4:
    none could be had.
    """
    flags = {"source": source, "shares": shares, "since": since, "until": until, "db": db, "best_effort": best_effort}
    given = flags | {"accept": accept, "exclude": exclude, "plugins": plugins} | more
    plan = plan_from(given, unused=("market", "panel"))  # of the settings: none to extract into
    if plan.source is None and not resume:
        from components.errors import ExtractionError

        raise ExtractionError("no source is named: --source tencent; `awesome sources` lists them")
    from components.extractor import extract as extract_shares
    from components.extractor.progress import JsonLines, extraction_progress
    from components.records import to_json, to_plain
    from components.trials.record import begun_with
    from pipeline.report.extraction import print_extraction
    from pipeline.report.suspects import print_excluded, print_suspects
    from pipeline.resolver import http_settings
    from pipeline.uses.suspects import look_at_extracted

    lines = None if as_json or common.prints_on_terminal() else sys.stdout
    with _stopped_by_signals() as stop, extraction_progress(lines=lines) as listener, begun_with(plan.settings.db):
        report = extract_shares(
            None if plan.source is None else plan.source.plan,
            plan.settings.db,
            http=http_settings(plan.settings),
            resume=resume,
            refetch=refetch,
            decisions=plan.decisions,
            listener=listener,
            stop=stop,
        )
    suspects = look_at_extracted(plan, report, new_console(stderr=True))
    if as_json:
        typer.echo(to_json(report.to_dict() | {"suspects": suspects.suspects, "excluded": suspects.excluded}))
    elif lines is not None:
        for one in suspects.suspects:
            JsonLines(lines).write("suspect", to_plain(one))
        for share in suspects.excluded:
            JsonLines(lines).write("excluded", {"share_id": share})
    else:
        print_suspects(suspects, new_console(), database=plan.database)
        print_excluded(suspects, new_console())
        print_extraction(report, new_console())
    raise typer.Exit(report.exit_code or (common.PARTIAL if suspects.stopping else 0))


@contextmanager
def _stopped_by_signals() -> Iterator[threading.Event]:
    """An event that SIGTERM and the first Ctrl-C set: the shares in hand are finished. A second one stops at once."""
    stop = threading.Event()

    def handle(number: int, frame: object) -> None:
        del frame
        stop.set()
        signal.signal(number, previous[number])

    previous: dict[int, Any] = {int(one): signal.signal(one, handle) for one in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@app.command(epilog=example("awesome sources"))
def sources(plugins: common.Plugins = None) -> None:
    """Lists the sources of prices, what they cover, and whether their key is set."""
    common.take_plugins(plugins)
    from components.extractor.keys import has_key
    from components.extractor.sources.registry import SOURCES

    console = new_console()

    def describe(name: str, title: str, lines: list[str]) -> None:
        console.print(f"[bold]{name}[/]  {title}", highlight=False)
        for line in lines:
            console.print(f"  {line}", highlight=False, markup=False)
        console.print()

    for source in SOURCES.values():
        key = "no key needed"
        if source.key_variable is not None:
            key = f"needs a key in {source.key_variable}, which is {'set' if has_key(source) else 'not set'}"
        lines = [
            f"covers {source.markets}; a share is written {source.share_example}",
            f"prices: {source.adjustment}",
            f"{key}; {source.rate:g} requests a second at the most",
            *source.cautions,
        ]
        describe(source.name, f"{source.title}{common.from_outside(SOURCES, source.name)}", lines)
    describe("file:PATH", "a file of prices", ["CSV or Parquet, as for `awesome prices import`; no network, no key"])
    common.print_broken(SOURCES)
