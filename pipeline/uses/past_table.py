"""Forecasts of the past for a terminal, as JSON and as a file: `awesome predict --since`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.records import to_json
from components.whole_files import write_whole
from models.labels import words_of
from pipeline.given_flags import again
from pipeline.plan import Plan
from pipeline.report.universe import in_short
from pipeline.uses.forecast import check_output, write_rows
from pipeline.uses.forecast_table import other_market, worth_of
from pipeline.uses.past import EVAL, LATER, TEST, TRAIN, PastForecasts

if TYPE_CHECKING:
    from rich.console import Console

COLUMNS = ("session", "share_id", "probability", "split", "model", "label", "horizon", "trained_on")
"""Of a file, one row a share and session, by session and share; `split` is what the model's run used the day for."""

_SHOWN = 40


def write_past(past: PastForecasts, path: Path) -> None:
    """Writes forecasts as CSV, Parquet or JSON, as the name says, whole or not at all.

    Raises:
        OutputFormatError: the name ends in none of these.
        OSError: it cannot be written.
    """
    check_output(path)
    if path.suffix.lower() == ".json":
        write_whole(path, past_json(past) + "\n")
        return
    untrained, rows = set(past.untrained), len(past.sessions)
    columns: dict[str, list[Any]] = {
        "session": list(past.sessions),
        "share_id": list(past.share_ids),
        "probability": [float(one) for one in past.probabilities],
        "split": list(past.uses),
        "model": [past.model] * rows,
        "label": [past.label] * rows,
        "horizon": [past.horizon] * rows,
        "trained_on": [share not in untrained for share in past.share_ids],
    }
    write_rows({name: columns[name] for name in COLUMNS}, path)


def past_json(past: PastForecasts) -> str:
    """What a program reads of forecasts: the rows, and what the model is worth."""
    rows = [
        {"session": session, "share_id": share, "probability": float(probability), "split": split}
        for session, share, probability, split in zip(
            past.sessions, past.share_ids, past.probabilities, past.uses, strict=True
        )
    ]
    told = ("model", "origin", "run", "blessed", "label", "horizon", "auc", "auc_low", "auc_high")
    counts = ("across", "outside", "short", "absent", "untrained", "in_run", "otherwise", "held_back")
    return to_json({name: getattr(past, name) for name in (*told, *counts)} | {"rows": rows})


def print_past(past: PastForecasts, console: Console, plan: Plan) -> None:
    """Prints the latest rows, and under them what has to be known of all.

    Args:
        past: what was said.
        console: where to.
        plan: of the command, which its hints repeat.
    """
    from rich.table import Table
    from rich.text import Text

    ahead = "1 session" if past.horizon == 1 else f"{past.horizon} sessions"
    event = words_of(past.label).event
    table = Table("session", "share", f"probability of {event} after {ahead}", "split", box=None, pad_edge=False)
    begin = max(0, len(past.sessions) - _SHOWN)
    for at in range(begin, len(past.sessions)):
        share = Text(past.share_ids[at])  # no markup in a name
        table.add_row(past.sessions[at], share, f"{past.probabilities[at]:.4f}", past.uses[at] or "unknown")
    console.print(table)
    if begin:
        every = again(plan, "--output", "FILE.csv")
        console.print(Text(f"... after {begin:,} earlier rows; a file has them all: {every}"), soft_wrap=True)
    for line, style in _said(past, plan):
        console.print(Text(line, style=style), soft_wrap=True)
    console.print(f"\n{worth_of(past)}", highlight=False)


def _said(past: PastForecasts, plan: Plan) -> Iterator[tuple[str, str]]:
    days = past.days
    stretch = f" from {days[0]} to {days[-1]}" if len(days) > 1 else f", {days[0]}"
    yield f"{_some(len(past.sessions), 'row')}, {_some(len(days), 'session')}{stretch}", ""
    seen = sum(split in (TRAIN, EVAL) for split in past.uses)
    if seen:
        yield (
            f"{_some(seen, 'row')} of sessions that the model was trained, stopped early or chosen by (train, eval): "
            "what it says of them is no forecast",
            "yellow",
        )
    if past.uses[0] not in (TRAIN, EVAL, TEST, LATER):
        yield "the model's run is not here, so nobody knows which of these sessions it was trained on", "yellow"
    if past.in_run:
        yield f"{_some(past.in_run, 'row')} as in the run {past.run}, to the last bit", ""
    if past.otherwise:
        yield f"{_some(past.otherwise, 'row')} otherwise than in the run {past.run}: prices were restated", "yellow"
    for count, why in (
        (past.across, f"across too many missing sessions; allow more: {again(plan, '--max-missing-sessions', 'N')}"),
        (past.outside, "of shares that did not belong to the universe then"),
        (past.short, "with too few sessions before for the model's formatter"),
    ):
        if count:
            yield f"{_some(count, 'window')} left out: {why}", "yellow"
    if past.absent:
        yield other_market(past.absent), "yellow"
    if past.untrained:
        yield f"never trained on, so answered as an unknown share: {in_short(past.untrained)}", "yellow"


def _some(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
