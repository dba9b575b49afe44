"""`awesome serve`: TensorFlow Serving's protocol over the pushed models, without TensorFlow."""

from __future__ import annotations

import gc
import logging
import os
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from pipeline.cli import common
from pipeline.cli.common import app, example, plan_from
from pipeline.cli.option_groups import PLACES, SUSPECTS, Settings, takes

_MEGABYTE = 1 << 20
_LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"


@app.command(epilog=example("awesome serve --formatter window_returns --horizon 1"))
@takes(SUSPECTS, PLACES)
def serve(
    context: typer.Context,
    base: Annotated[
        Path | None,
        typer.Option(help="Folder of numbered versions, each with a saved_model.pb. (default: the pushed models)"),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="The model's name for clients. (default: the folder's own name)")
    ] = None,
    host: Annotated[
        str, typer.Option(help="Address to listen on; others than this machine's need a token.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of REST; 0 for one that is free.")] = 8501,
    grpc_port: Annotated[int, typer.Option(min=0, max=65535, help="Of gRPC; 0 for one that is free.")] = 8500,
    grpc: Annotated[bool, typer.Option("--grpc/--no-grpc", help="Whether gRPC is served as well.")] = True,
    versions: Annotated[int, typer.Option(min=1, help="How many of the highest versions answer.")] = 1,
    label: Annotated[
        list[str] | None, typer.Option(metavar="LABEL=VERSION", help="A name of a version; may be given again.")
    ] = None,
    look_every: Annotated[
        float, typer.Option(min=0.1, max=86_400, help="Seconds between two looks for new versions.")
    ] = 2,
    max_rows: Annotated[int, typer.Option(min=1, help="Rows of one request.")] = 10_000,
    max_megabytes: Annotated[float, typer.Option(min=0.001, max=4096, help="Size of one request.")] = 16,
    max_rate: Annotated[
        float, typer.Option(min=0, max=1_000_000, help="Requests a second; 0 for as many as there are.")
    ] = 0,
    max_concurrent: Annotated[int, typer.Option(min=1, help="Requests at a time; more are turned away.")] = 64,
    timeout: Annotated[float, typer.Option(min=0.01, max=86_400, help="Seconds that a request may take.")] = 30,
    ledger: Annotated[
        bool,
        typer.Option("--ledger", help="Write every answer into the ledger before it is given."),
    ] = False,
    db: common.Db = None,
    panel: common.Panel = None,
    shares: common.Shares = None,
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
    """Serves the pushed model as TensorFlow Serving does, REST and gRPC, and forecasts for people at /v1/forecast.

    A token, which AWESOME_SERVE_TOKEN or the file that AWESOME_SERVE_TOKEN_FILE names holds, is asked for where one is
    set, and needed where others than this machine can ask.

    With --ledger only windows that are the last ones of the database are answered: of no other is it known after which
    session it is.
    """
    common.algebra_in_one_thread()
    own = ("db", "panel", "shares", "formatter", "horizon", "max_missing_sessions", "seed", "workspace", "plugins")
    given = locals()
    plan = plan_from(
        {name: given[name] for name in (*own, "market", "market_shares", "market_sessions")} | more, context
    )
    from pipeline.secrets import serve_token
    from pipeline.serving.gate import Limits
    from pipeline.serving.server import ServeConfig, Started
    from pipeline.serving.server import serve as serve_models
    from pipeline.uses.serve import load_pushed, windows_of

    record = None
    if ledger:
        from pipeline.uses.ledger import ledger_of
        from pipeline.uses.served_ledger import ServedLedger

        record = ServedLedger(plan, ledger_of(plan))

    folder = plan.serving if base is None else base
    if folder.is_file():
        raise typer.BadParameter(f"{folder} is a file; name the folder of the versions", param_hint="--base")
    config = ServeConfig(
        base=folder,
        model=name or folder.absolute().name,
        host=host,
        port=port,
        grpc_port=grpc_port if grpc else None,
        token=serve_token(),
        limits=Limits(
            body_bytes=round(max_megabytes * _MEGABYTE),
            rows=max_rows,
            rate=max_rate,
            concurrent=max_concurrent,
            seconds=timeout,
        ),
        look_every=look_every,
        versions=versions,
        labels=_labels(label or []),
    )
    logging.basicConfig(format=_LOG_FORMAT, level=logging.WARNING)
    log = logging.getLogger("awesome.serve")
    log.setLevel(logging.INFO)

    def started(at: Started) -> None:
        _spare_circles()
        shown = f"[{host}]" if ":" in host else host
        beside = "" if at.grpc_port is None else f", gRPC at {shown}:{at.grpc_port}"
        log.info("%s: http://%s:%d/v1/models/%s%s", folder, shown, at.port, config.model, beside)
        if not at.versions.numbers():
            log.warning("%s holds no version that answers; the server waits for one", folder)

    with ThreadPoolExecutor(os.cpu_count() or 1, "awesome-twin") as threads:
        serve_models(config, partial(load_pushed, spread=threads.map), windows_of(plan), record, started)


def _spare_circles() -> None:
    """Keeps Python from looking through the whole process for circles of objects in the middle of answers.

    A body of 5,000 windows is 10,000 objects, which end with their request. With Python's own thresholds they make it
    look through all modules time and again, which stops every thread for tens of milliseconds.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


def _labels(given: list[str]) -> dict[str, int]:
    found = {}
    for text in given:
        label, _, version = text.partition("=")
        if not label or not (version.isascii() and version.isdecimal()):
            raise typer.BadParameter(f"{text!r} is not LABEL=VERSION, such as stable=1700000000", param_hint="--label")
        found[label] = int(version)
    return found
