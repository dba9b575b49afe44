"""A million rows: seconds of the processor, and memory."""

from __future__ import annotations

import resource
import subprocess
import sys
import time as clock
from pathlib import Path

import numpy as np
import pytest

# --- size


@pytest.mark.slow
def test_a_million_windows_are_built_within_40_seconds_and_a_gibibyte(tmp_path: Path) -> None:
    code = (
        "import sys, numpy as np\n"
        "from components.feature_store import FeatureStore, PriceBars\n"
        "time = np.datetime64('1985-01-01') + np.arange(10_020)\n"
        "with FeatureStore.create(sys.argv[1]) as store:\n"
        "    for share in range(100):\n"
        "        close = np.random.default_rng(share).random(10_020) + 1\n"
        "        store.upsert(f'S{share:03}', PriceBars(time, close, np.ones(10_020)), 'file')\n"
        "    print(sum(share.rows for share in store.shares()))\n"
    )
    seconds, mebibytes = _seconds_and_mebibytes(code, tmp_path / "awesome.db", "1000000\n")
    assert seconds < 40
    assert mebibytes < 1024


@pytest.mark.slow
def test_a_million_lines_are_imported_within_a_minute_and_a_gibibyte(tmp_path: Path) -> None:
    close = np.random.default_rng(0).random(10_000).round(2) + 10
    time = (np.datetime64("1985-01-01") + np.arange(10_000)).astype(str)
    rows = [f",{value:.2f},{value + 1:.2f},{value - 1:.2f},{value:.2f},1000,{value / 2:.2f}" for value in close]
    with (tmp_path / "in.csv").open("w") as stream:
        stream.write("time,share_id,open,high,low,close,volume,adj_close\n")
        for share in range(100):
            stream.write("".join([f"{day},S{share}{row}\n" for day, row in zip(time, rows, strict=True)]))
    code = (
        "import sys\n"
        "from components.price_files import import_prices\n"
        "report = import_prices(sys.argv[1].replace('awesome.db', 'in.csv'), sys.argv[1])\n"
        "print(report.taken, len(report.refused))\n"
    )
    seconds, mebibytes = _seconds_and_mebibytes(code, tmp_path / "awesome.db", "1000000 0\n")
    assert seconds < 60
    assert mebibytes < 1024


def _seconds_and_mebibytes(code: str, path: Path, output: str) -> tuple[float, float]:
    """Runs code in a process of its own, which is how its peak memory can be told from ours."""
    # Not ru_maxrss, which a new process takes over from the one that started it, however large that is.
    code += "import re\nprint(re.search(r'VmHWM:\\s+(\\d+) kB', open('/proc/self/status').read())[1])\n"
    begin, used = clock.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
        text=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    lines = done.stdout.splitlines(keepends=True)
    assert "".join(lines[:-1]) == output
    # The processor's time, for other programs may share the machine; a wait for the disk would show in the wall's.
    cpu = after.ru_utime + after.ru_stime - used.ru_utime - used.ru_stime
    print(f"{cpu:.1f} s of processor time, {clock.monotonic() - begin:.1f} s, {int(lines[-1]) / 1024:.0f} MiB")
    return cpu, int(lines[-1]) / 1024
