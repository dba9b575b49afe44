"""Time, CPU and memory of the steps of a benchmark, and where its figures go.

CPU seconds are those of this process and of the children it has waited for. On a shared machine they move less than
the wall clock does, though only ratios inside one run count.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from components.whole_files import write_whole

RESULTS = Path(__file__).parent / "results"


Steps = dict[str, dict[str, float]]
"""What each step of one process used: {step: {wall, cpu, peak_rss}}, seconds and MiB."""

_MIB = 1024**2 if sys.platform == "darwin" else 1024  # of `ru_maxrss`: macOS counts bytes, Linux KiB


@contextmanager
def measured(steps: Steps, name: str) -> Iterator[None]:
    """Adds what runs inside the `with` block to the steps, to three decimals.

    `peak_rss` is the largest resident memory that this process, or any one of its children, had reached by the end of
    the block. It never falls: only a step that raises it has set it.

    >>> steps = {}
    >>> with measured(steps, "sum"):
    ...     _ = sum(range(1000))
    >>> list(steps["sum"])
    ['wall', 'cpu', 'peak_rss']
    """
    wall, cpu, _ = _used()
    yield
    wall_after, cpu_after, peak = _used()
    used = {"wall": wall_after - wall, "cpu": cpu_after - cpu, "peak_rss": peak}
    steps[name] = {what: round(value, 3) for what, value in used.items()}


def _used() -> tuple[float, float, float]:
    """The clock, and CPU seconds and peak memory of this process and of all children it has waited for so far."""
    return time.perf_counter(), used_cpu(), max(usage.ru_maxrss for usage in _usages()) / _MIB


def used_cpu() -> float:
    """CPU seconds of this process and of all children it has waited for so far."""
    return sum(usage.ru_utime + usage.ru_stime for usage in _usages())


def _usages() -> list[resource.struct_rusage]:
    return [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]


@dataclass(frozen=True)
class ProcessUsage:
    """What one process and its children used.

    Attributes:
        wall: Seconds on the clock.
        cpu: CPU seconds, user and system.
        peak_rss: Largest resident memory, MiB.
        output: What it printed.
    """

    wall: float
    cpu: float
    peak_rss: float
    output: str


def run_process(command: Sequence[str], variables: Mapping[str, str] | None = None) -> ProcessUsage:
    """Runs a command to its end and asks the operating system what it used.

    Args:
        command: Program and arguments.
        variables: Of the environment, beside those of this process.

    Raises:
        SystemExit: It failed.
    """
    # Bytecode is written as on any user's machine; without it imports would be most of the time.
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    environment |= variables or {}
    begin = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, env=environment)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        text = output.read()
    if process.returncode:
        raise SystemExit(f"{' '.join(command)} failed with {process.returncode}")
    return ProcessUsage(time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / _MIB, text)


def check_out(commit: str, folder: Path) -> Path:
    """Brings the files of a commit of this project to a folder, once, and gives it."""
    if not folder.is_dir():
        folder.mkdir()
        root = Path(__file__).parents[1]
        tar = subprocess.run(["git", "-C", str(root), "archive", commit], check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", str(folder)], input=tar, check=True)
    return folder


def print_table(title: str, rows: Sequence[Mapping[str, object]]) -> None:
    """Prints rows as a table.

    Args:
        title: What the table shows.
        rows: One mapping a row; the keys of the first name the columns. Floats are shown with four significant digits
            (whole numbers from 1000 on), numbers stand to the right, an absent value is a dash.
    """
    table = Table(title=title, title_justify="left")
    columns = list(rows[0]) if rows else []
    for column in columns:
        numeric = all(isinstance(row.get(column), int | float | None) for row in rows)
        table.add_column(column, justify="right" if numeric else "left")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    Console(width=None if sys.stdout.isatty() else 160).print(table)


def _cell(value: object) -> str:
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)


def write_result(name: str, payload: Mapping[str, Any], folder: Path | None = None) -> None:
    """Writes a benchmark's figures, with the machine they were measured on, to `benchmarks/results/NAME.json`.

    Args:
        name: Names the file.
        payload: The figures; must be serializable as JSON without NaN.
        folder: Where to, instead of `benchmarks/results`.

    Raises:
        ValueError: A figure is not finite.
    """
    machine = {"processors": os.cpu_count(), "python": platform.python_version(), "platform": platform.system()}
    text = json.dumps({"machine": machine, **payload}, indent=2, allow_nan=False) + "\n"
    folder = folder or RESULTS
    folder.mkdir(exist_ok=True)
    write_whole(folder / f"{name}.json", text)
