"""A panel beside a database as the source of a run: `python -m benchmarks.sources_of_a_run`.

Of a synthetic market the same prices are put into both. Each part is done in a process of its own, on each of them:
`look` is what FeatureExampleGen's driver asks (shares, missing sessions, suspects, the fingerprint), `windows` the
reading of what examples are made of, `examples` all that a Beam worker does with its shards, files written too. CPU
microseconds are per row of the feature table; the peak memory holds the imports (`imports` alone is its own row).
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks.measure import print_table, write_result

SIZES = ((100, 2000), (500, 2000), (1000, 2000))
"""Shares and sessions of the markets."""

SOURCES = ("prices.db", "prices.panel")


def main() -> None:
    """Makes the markets, measures and prints."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", help="such as 100x2000,500x2000; the default is three sizes up to 2M rows")
    parser.add_argument("--part", choices=list(PARTS), help=argparse.SUPPRESS)
    parser.add_argument("--source", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.part:
        print(json.dumps(_measured(PARTS[options.part], options.source)))
        return
    sizes = [tuple(map(int, one.split("x"))) for one in options.sizes.split(",")] if options.sizes else SIZES
    rows = []
    for shares, sessions in sizes:
        with tempfile.TemporaryDirectory() as folder:
            rows += _of_size(Path(folder), shares, sessions)
    print_table("A panel beside a database", rows)
    write_result("sources_of_a_run", {"rows": rows})


def _of_size(folder: Path, shares: int, sessions: int) -> list[dict[str, object]]:
    from components.feature_store import FeatureStore
    from components.price_panel.writing import write_store
    from components.synthetic_market import generate, get_scenario, write_market

    database, panel = (folder / source for source in SOURCES)
    write_market(generate(get_scenario("reversal"), shares=shares, sessions=sessions), database)
    with FeatureStore.open(database) as store:
        begin = _cpu()
        written = write_store(panel, store)
        writing = _cpu() - begin
        rows = sum(one.rows for one in store.shares())
    bytes_of = {SOURCES[0]: database.stat().st_size, SOURCES[1]: written.manifest.size}
    print(f"{rows:,} rows: written from the database in {writing / rows * 1e6:.1f} CPU us a row")
    measured: list[dict[str, object]] = []
    for source in SOURCES:
        for part in PARTS:
            command = [sys.executable, "-m", "benchmarks.sources_of_a_run", "--part", part]
            done = subprocess.run([*command, "--source", str(folder / source)], capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(done.stderr)
            found = json.loads(done.stdout.splitlines()[-1])
            measured.append(
                {
                    "rows": f"{rows:,}",
                    "source": source,
                    "bytes a row": round(bytes_of[source] / rows, 1),
                    "part": part,
                    "CPU us a row": round(found["seconds"] / rows * 1e6, 2),
                    "peak MB": round(found["peak"]),
                    "result": found["result"],
                }
            )
    return measured


def _measured(part: Callable[[str], str], source: str) -> dict[str, object]:
    from components.feature_example_gen import executor  # noqa: F401  (its imports are no part of what is measured)

    begin = _cpu()
    result = part(source)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"seconds": _cpu() - begin, "peak": peak, "result": result}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _imports(source: str) -> str:
    del source
    return ""


def _look(source: str) -> str:
    from components.feature_example_gen.config import ExampleGenConfig
    from components.feature_example_gen.prices import find_suspects
    from components.missing_sessions.finding import find_missing
    from components.price_panel.opening import open_prices

    with open_prices(source, check=True) as store:
        shares = [one.share_id for one in store.shares()]
        found = find_missing(store).of(shares).digest(store.digest(shares))
        find_suspects(ExampleGenConfig(source), store)
    return found[:12]


def _windows(source: str) -> str:
    from components.feature_example_gen.executor import make_shards
    from components.price_panel.opening import open_prices

    rows = 0
    with open_prices(source) as store:
        shards = make_shards([(one.share_id, one.rows) for one in store.shares()], 50_000)
        for shard in shards:
            rows += store.read_features(shard.shares).num_rows
    return f"{rows:,}"


def _examples(source: str) -> str:
    from components.feature_example_gen.executor import WriteShard, make_shards
    from components.feature_example_gen.splits import SPLITS, SplitSettings, plan_splits
    from components.missing_sessions.limit import DEFAULT_LIMIT
    from components.price_panel.opening import open_prices

    with tempfile.TemporaryDirectory() as folder:
        with open_prices(source) as store:
            plan = plan_splits(store.sessions(), SplitSettings())
            shards = make_shards([(one.share_id, one.rows) for one in store.shares()], 50_000)
        uris = {split: f"{folder}/Split-{split}" for split in SPLITS}
        for uri in uris.values():
            Path(uri).mkdir()
        write = WriteShard(source, plan, uris, {}, DEFAULT_LIMIT)
        results = [result for shard in shards for result in write.process(shard)]
    return f"{sum(count.rows for result in results for count in result.counts.values()):,}"


PARTS: dict[str, Callable[[str], str]] = {
    "imports": _imports,
    "look": _look,
    "windows": _windows,
    "examples": _examples,
}
"""What is done in a process of its own, by name."""


if __name__ == "__main__":
    main()
