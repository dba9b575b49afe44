"""Starts the replay server by hand: `python -m components.extractor.replay --help`."""

from __future__ import annotations

import argparse
import datetime as dt
import re
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import FrameType
from typing import NoReturn

from components.errors import UserError
from components.extractor.replay.exchanges import ReplayError, exchange_of
from components.extractor.replay.faults import DATA_FAULTS, HISTORY_FAULTS, HOST_FAULTS, Fault
from components.extractor.replay.making import from_synthetic, make_listing, share_histories, universe_names
from components.extractor.replay.market import NO_EVENTS, NO_RIGHTS, Events, Market, Rights, RightsIssue
from components.extractor.replay.recordings import FIXTURES
from components.extractor.replay.server import ReplayServer
from components.synthetic_market import SCENARIOS

_PROGRAM = "python -m components.extractor.replay"
_SHARES = "sh600519,sz000001,hk00700,AAPL"
_DISTINCT = 20
_EVERY = "*"
_EXAMPLE = """
examples:
  python -m components.extractor.replay --shares sh600519,AAPL --since 2015-01-01
  python -m components.extractor.replay --shares sh600519 --split sh600519:2020-06-18:2
  python -m components.extractor.replay --shares AAPL,GOOGL --fault 429-retry-after=3:AAPL:2 --fault truncated:GOOGL
  python -m components.extractor.replay --scenario momentum --universe 50 --distinct 50

faults:
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Serves until SIGTERM or Ctrl-C.

    Args:
        arguments: of the command line; those of the process by default.

    Returns:
        0 after it was asked to end, 2 for a mistake in an argument.
    """
    try:
        options = _read(arguments)
        server = ReplayServer(
            _market(options),
            faults=options.faults,
            port=options.port,
            fixtures=FIXTURES if not options.no_fixtures and FIXTURES.is_dir() else None,
            log=(lambda line: print(line, flush=True)) if options.log else None,
        )
        _serve(server, options)
    except UserError as error:
        print(f"replay server: {error}", file=sys.stderr)
        return 2
    return 0


def _serve(server: ReplayServer, options: argparse.Namespace) -> None:
    end = threading.Event()

    def ask_to_end(number: int, frame: FrameType | None) -> None:
        end.set()

    before = {number: signal.signal(number, ask_to_end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with server:
            print(f"replay server: {server.url}")
            print(f"AWESOME_SOURCES_URL={server.url} {_command(options, server.market)}", flush=True)
            end.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _command(options: argparse.Namespace, market: Market) -> str:
    """What to type to ask the server for some of its shares."""
    sources = {share: _source_of(share) for share in market.listings}
    source = next(iter(sources.values()))
    shares = [share for share in sources if sources[share] == source][:3]
    key = "TIINGO_API_KEY=any " if source == "tiingo" else ""
    return f"{key}awesome extract --source {source} --shares {','.join(shares)} --since {options.since}"


def _source_of(share: str) -> str:
    if re.fullmatch(r"(sh|sz|hk)\d+", share):
        return "tencent"
    return "yahoo" if "^" in share or exchange_of(share) != "XNYS" else "tiingo"


def _market(options: argparse.Namespace) -> Market:
    names = options.shares
    # Many names share the histories of the first few.
    made = names[: options.distinct] if options.distinct else names
    known = {*made, _EVERY} if len(made) == len(names) else {_EVERY}
    for share in {**options.dividends, **options.splits, **options.rights}:
        if share not in known:
            hint = "is not one of the shares" if len(made) == len(names) else "shares its history with others: write *"
            raise ReplayError(f"--split, --dividend and --rights: {share} {hint}")
    dividends = {share: _events_of(share, options.dividends) for share in made}
    splits = {share: _events_of(share, options.splits) for share in made}
    drawn = (options.since, options.until, options.seed)
    if options.scenario is None:
        listings = [
            make_listing(
                share,
                exchange_of(share),
                *drawn,
                dividends=dividends[share],
                splits=splits[share],
                rights={**options.rights.get(_EVERY, NO_RIGHTS), **options.rights.get(share, NO_RIGHTS)},
            )
            for share in made
        ]
    else:
        synthetic = from_synthetic(options.scenario, made, *drawn, dividends=dividends, splits=splits)
        listings = list(synthetic.listings.values())
    listings = [replace(listing, told=not options.unnamed) for listing in listings]
    return Market(share_histories(listings, names), options.until, options.live)


def _events_of(share: str, events: Mapping[str, Events]) -> Events:
    return {**events.get(_EVERY, NO_EVENTS), **events.get(share, NO_EVENTS)}


def _read(arguments: Sequence[str] | None) -> argparse.Namespace:
    """The command line, checked; `shares` are the names, `distinct` is None where each has its own history."""
    given = _parser().parse_args(arguments)
    given.until = given.until or dt.date.today()
    if given.until <= given.since:
        raise ReplayError(f"--until {given.until} is not after --since {given.since}: choose a later day")
    if given.distinct is not None and (given.universe is None or given.distinct < 1):
        raise ReplayError("--distinct goes with --universe, and is at least 1")
    if given.universe is not None:
        if given.shares is not None:
            raise ReplayError("--shares and --universe exclude each other: give one of them")
        shares = universe_names(given.exchange, given.universe)
        given.distinct = given.distinct or _DISTINCT
    else:
        shares = [share.strip() for share in (given.shares or _SHARES).split(",") if share.strip()]
        if not shares:
            raise ReplayError("--shares names no share: write it like sh600519,AAPL")
        for share in shares:
            exchange_of(share)
    given.shares = tuple(dict.fromkeys(shares))
    given.dividends = _read_events("--dividend", given.dividend)
    given.splits = _read_events("--split", given.split)
    given.rights = _read_rights(given.rights)
    if given.rights and given.scenario is not None:
        raise ReplayError("--rights and --scenario exclude each other: a scenario's shares issue none")
    given.faults = [_read_fault(text) for text in given.fault]
    return given


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Refuses the command line in one line."""
        raise ReplayError(f"{message} (see {_PROGRAM} --help)")


def _parser() -> argparse.ArgumentParser:
    faults = {**HOST_FAULTS, **DATA_FAULTS, **HISTORY_FAULTS}
    told = "".join(f"  {kind:<17} {what}\n" for kind, what in faults.items())
    parser = _Parser(
        prog=_PROGRAM,
        description="Answers as the price sources do, on 127.0.0.1, from a synthetic market.",
        epilog=_EXAMPLE + told,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    add = parser.add_argument
    add("--port", type=int, default=8765, help="to listen on; 0 for any that is free (default: %(default)s)")
    add("--shares", metavar="NAME,NAME", help=f"as the sources write them (default: {_SHARES})")
    add("--since", type=_read_day, default=dt.date(2015, 1, 1), help="first day of all shares (default: %(default)s)")
    add("--until", type=_read_day, help="the market's today; a later one only adds bars (default: today)")
    add("--live", action="store_true", help="the session of the market's today is still open")
    add("--universe", type=int, metavar="N", help="that many shares instead of --shares")
    add("--distinct", type=int, metavar="K", help=f"histories that they share (default: {_DISTINCT})")
    add("--exchange", default="XSHG", help="of --universe: XSHG, XHKG or XNYS (default: %(default)s)")
    add("--scenario", metavar="NAME", help=f"a synthetic market: {', '.join(SCENARIOS)}")
    add("--seed", type=int, default=0, help="another one makes another market (default: %(default)s)")
    add("--split", action="append", default=[], metavar="SHARE:DATE:RATIO", help="a split; SHARE may be *")
    add("--dividend", action="append", default=[], metavar="SHARE:DATE:CASH", help="cash a share; SHARE may be *")
    add("--rights", action="append", default=[], metavar="SHARE:DATE:RATIO:PRICE", help="new shares at a price")
    add("--unnamed", action="store_true", help="no row names an event, as where a source leaves it out")
    add("--fault", action="append", default=[], metavar="KIND[=VALUE][:SHARE[:TIMES]]", help="misbehave; see below")
    add("--no-fixtures", action="store_true", help="leave out the recorded replies, which go before the market")
    add("--log", action="store_true", help="a line for each request")
    return parser


def _read_day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a date: write it like 2015-01-31") from None


def _read_events(option: str, texts: Sequence[str]) -> dict[str, Events]:
    found: dict[str, dict[dt.date, float]] = {}
    for text in texts:
        try:
            share, day, number = text.split(":")
            found.setdefault(share, {})[dt.date.fromisoformat(day)] = float(number)
        except ValueError:
            raise ReplayError(f"{option} {text!r} is not understood: write it like sh600519:2020-06-18:2") from None
    return dict(found)


def _read_rights(texts: Sequence[str]) -> dict[str, Rights]:
    found: dict[str, dict[dt.date, RightsIssue]] = {}
    for text in texts:
        try:
            share, day, ratio, price = text.split(":")
            issue = RightsIssue(float(ratio), float(price))
            found.setdefault(share, {})[dt.date.fromisoformat(day)] = issue
        except ValueError:
            raise ReplayError(
                f"--rights {text!r} is not understood: write it like sh600519:2020-06-18:0.3:12.5"
            ) from None
    return dict(found)


def _read_fault(text: str) -> Fault:
    kind, _, rest = text.partition(":")
    share, _, times = rest.partition(":")
    kind, _, value = kind.partition("=")
    try:
        return Fault(
            kind,
            share=share if share not in ("", _EVERY) else None,
            times=int(times) if times else None,
            value=float(value) if value else None,
        )
    except ValueError:
        raise ReplayError(f"--fault {text!r} is not understood: write it like slow=2:sh600519:3") from None


if __name__ == "__main__":
    sys.exit(main())
