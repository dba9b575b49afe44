"""Adds a try to the record beside a database before anybody learns what came of it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

from components.evidence.findings import Findings
from components.trials.record import Record, RecordGrew, Trial, TrialsError, append, read_record

_LOG = logging.getLogger(__name__)


def count_try(path: Path, judge_after: Callable[[Record], tuple[Findings, Trial]]) -> tuple[Findings, Trial]:
    """Judges a try after those of a record, and adds it before anybody learns what came of it.

    Runs at the same time judge after one another: one that was overtaken is judged again. Where the record cannot be
    written it can be made again of what lies beside the findings.
    """
    while True:
        record = read_record(path)
        findings, trial = judge_after(record)
        try:
            append(path, [trial], after=record)
        except RecordGrew:
            continue
        except TrialsError as error:
            _LOG.warning("this try is not counted: %s", error)
        return findings, trial
