"""Time, CPU and memory of the steps of a benchmark, and where its figures go.

CPU seconds are those of this process and of the children it has waited for. On a shared machine they move less than
the wall clock does, though only ratios inside one run count.
"""

from __future__ import annotations

import json
import os
import platform
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from components.whole_files import write_whole

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True)
class StepUsage:
    """What one step used.

    Attributes:
        wall: Seconds on the clock.
        cpu: CPU seconds, user and system, of this process and of the children that ended within the step.
        peak_rss: The largest resident memory in MiB that this process, or any one of its children, had reached by the
            end of the step. It never falls: only a step that raises it has set it.
    """

    wall: float
    cpu: float
    peak_rss: float


def cpu_seconds() -> float:
    """CPU seconds, user and system, of this process and of all children it has waited for, since it started."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def peak_rss() -> float:
    """The largest resident memory of this process or of any one child so far, in MiB."""
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)  # macOS counts bytes, Linux KiB


class StepClock:
    """Measures named steps of one process, in the order in which they are first entered.

    Steps are not nested. A step entered again adds to its seconds. A step that fails is recorded all the same.

    Example:
        >>> clock = StepClock()
        >>> with clock.step("sum"):
        ...     _ = sum(range(1000))
        >>> list(clock.usages)
        ['sum']
    """

    def __init__(self) -> None:
        """Starts with no steps."""
        self._usages: dict[str, StepUsage] = {}

    @property
    def usages(self) -> Mapping[str, StepUsage]:
        """What each step used so far."""
        return dict(self._usages)

    @property
    def total(self) -> StepUsage:
        """The sum of the steps' seconds and the largest of their peaks."""
        steps = self._usages.values()
        return StepUsage(
            wall=sum(step.wall for step in steps),
            cpu=sum(step.cpu for step in steps),
            peak_rss=max((step.peak_rss for step in steps), default=0.0),
        )

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Measures what runs inside the `with` block under a name."""
        wall, cpu = time.perf_counter(), cpu_seconds()
        try:
            yield
        finally:
            before = self._usages.get(name, StepUsage(0.0, 0.0, 0.0))
            self._usages[name] = StepUsage(
                wall=before.wall + time.perf_counter() - wall,
                cpu=before.cpu + cpu_seconds() - cpu,
                peak_rss=peak_rss(),
            )

    def as_json(self) -> dict[str, dict[str, float]]:
        """The steps as plain numbers: {step: {wall, cpu, peak_rss}}, to three decimals."""
        return {
            name: {field: round(value, 3) for field, value in asdict(usage).items()}
            for name, usage in self._usages.items()
        }


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
    return ProcessUsage(time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text)


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


def machine() -> dict[str, object]:
    """What the figures were measured on: processors, Python and its platform."""
    return {"processors": os.cpu_count(), "python": platform.python_version(), "platform": platform.system()}


def write_result(name: str, payload: Mapping[str, Any], *, folder: Path = RESULTS) -> Path:
    """Writes a benchmark's figures, with the machine they were measured on, as one JSON file.

    Args:
        name: Names the file, `NAME.json`: letters, digits, dashes and underscores.
        payload: The figures; must be serializable as JSON without NaN.
        folder: Where to write; made if it is missing.

    Returns:
        The file written, whole or not at all.

    Raises:
        ValueError: The name is not a plain file name, or a figure is not finite.
    """
    if not re.fullmatch(r"[\w-]+", name):
        raise ValueError(f"{name!r} does not name a result: use letters, digits, dashes and underscores")
    text = json.dumps({"machine": machine(), **payload}, indent=2, allow_nan=False) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.json"
    write_whole(path, text)
    return path
