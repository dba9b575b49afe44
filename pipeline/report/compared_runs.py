"""A comparison of finished runs for people: sentences, a table for a terminal, and the page compare.html."""

from __future__ import annotations

import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table
from rich.text import Text

from components.evidence.interval import UNKNOWN, Interval
from components.evidence.metric import AUC, METRICS, RANK_IC
from components.evidence.words import figure, number, signed
from pipeline.report.summary import titled_table
from pipeline.report.words import readable_time
from pipeline.runs.compared import ComparedRun, ComparedRuns

if TYPE_CHECKING:
    from pipeline.report.drawing import Chart

_TOLD = (AUC, RANK_IC)
"""The figures that a terminal has room for."""


def sentences(found: ComparedRuns) -> list[str]:
    """What a comparison says, and what it does not."""
    first, others = found.runs[0], found.runs[1:]
    said = [sentence for run in others for sentence in _of_a_run(run, first)]
    if any(run.chosen == "the highest AUC" for run in found.runs):
        said.append(
            "A model that is compared because its AUC is the highest of its run was chosen on the test days, which "
            "flatters it; --model names one instead."
        )
    if len(others) > 1:
        said.append(
            f"{len(others)} differences were looked at: an interval of 95 % misses one in twenty, whatever is compared."
        )
    return said


def _of_a_run(run: ComparedRun, first: ComparedRun) -> list[str]:
    name = f"{run.name} ({run.model})"
    if run.incomparable:
        return [f"{name} cannot be set beside {first.name} day by day: {run.incomparable}."]
    revised = (
        f"; {run.revised:,} rows are left out, whose outcome is another one since prices were revised"
        if run.revised
        else ""
    )
    return [
        f"{name} less {first.name} ({first.model}) on the {run.common_days:,} test days that both have, "
        f"{run.common_rows:,} rows: {_difference(run)}{revised}."
    ]


def _difference(run: ComparedRun) -> str:
    metric = AUC if AUC in run.differences else RANK_IC
    found = run.differences.get(metric, UNKNOWN)
    title = METRICS[metric].title
    if not math.isfinite(found.low):
        return f"{title} {figure(found, signed)}"
    verdict = (
        "which is better" if found.low > 0 else "which is worse" if found.high < 0 else "nobody can tell them apart"
    )
    return f"{title} {figure(found, signed)}, {verdict}"


def print_compared_runs(found: ComparedRuns, console: Console) -> None:
    """Prints the table, what it says, and what was not the same; readable from 80 columns on."""
    console.print(_figures(found))
    for sentence in sentences(found):
        console.print(Text(sentence))
    if found.settings:
        console.print()
        console.print(_settings(found))


def _figures(found: ComparedRuns) -> Table:
    table = titled_table("Runs compared with the first one", tight=True)
    # The widths are those of a run's name and of an interval of negative numbers: no number is cut at 80 columns.
    table.add_column("run\nmodel", min_width=19, overflow="fold")
    for metric in _TOLD:
        title = METRICS[metric].title
        table.add_column(f"{title}\n95 %", min_width=13)
        table.add_column("less first\n95 %", min_width=13)
    for run in found.runs:
        cells = [Text(f"{run.name}\n{run.model}, {run.chosen}")]
        for metric in _TOLD:
            cells.append(Text(_two_lines(run.figures.get(metric, UNKNOWN))))
            cells.append(Text("" if run is found.runs[0] else _two_lines(run.differences.get(metric, UNKNOWN))))
        table.add_row(*cells)
    return table


def _two_lines(one: Interval) -> str:
    if not math.isfinite(one.value):
        return "n/a"
    ends = f"{number(one.low)} {number(one.high)}" if math.isfinite(one.low) else "n/a"
    return f"{number(one.value)}\n{ends}"


def _settings(found: ComparedRuns) -> Table:
    table = titled_table("What is not the same", tight=True)
    table.add_column("", overflow="fold")
    for run in found.runs:
        table.add_column(Text(run.name), overflow="fold")
    for name, values in found.settings.items():
        table.add_row(*map(Text, (name, *values)))
    return table


def render_compared_runs(found: ComparedRuns) -> str:
    """Makes the page, self-contained as report.html is."""
    from pipeline.report.templates import load_template

    metrics = [one for one in METRICS.values() if any(one.name in run.figures for run in found.runs)]
    return load_template(Path(__file__).with_name("compare.html.j2")).render(
        difference=partial(signed, decimals=4),
        found=found,
        first=found.runs[0],
        created=[readable_time(run.created) for run in found.runs],
        sentences=sentences(found),
        metrics=metrics,
        chart=_chart(found),
    )


def _chart(found: ComparedRuns) -> Chart | None:
    """The paired differences of the AUC, or of the rank IC where labels differ, beside none."""
    from pipeline.report.drawing import model_styles
    from pipeline.report.rows_chart import Row, rows_chart

    others = [run for run in found.runs[1:] if run.differences]
    if not others:
        return None
    metric = AUC if all(AUC in run.differences for run in others) else RANK_IC
    title = METRICS[metric].title
    styles = model_styles([run.name for run in others])
    words = "; ".join(f"{run.name} {figure(run.differences[metric], signed)}" for run in others)
    return rows_chart(
        "differences",
        "Beside the first run",
        f"{title}, paired by days: {words}.",
        [Row(f"{run.name}\n{run.model}", [(run.differences[metric], styles[run.name])], [run.name]) for run in others],
        label=f"{title} less that of {found.runs[0].name}, 95 % interval",
        rules=[(0.0, "", False)],
        height=0.52,
        size=9,
        write=signed,
    )
