from __future__ import annotations

import datetime as dt
import json

import pytest

from components.extractor import ExtractionPlan, ExtractionReport, ShareOutcome, Status
from components.records import to_plain

NEW, SAME, AGAIN, BEHIND, FAILED = Status


def report(*statuses: Status) -> ExtractionReport:
    shares = tuple(ShareOutcome(f"sh{number:06d}", status) for number, status in enumerate(statuses))
    return ExtractionReport("tencent", "awesome.db", dt.date(2020, 1, 2), "2026-09-22T08:00:00+00:00", 1.23456, shares)


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        ([NEW], 0),
        ([SAME], 0),
        ([AGAIN], 0),
        ([NEW, SAME, AGAIN], 0),
        ([BEHIND], 3),
        ([NEW, BEHIND], 3),
        ([NEW, FAILED], 3),
        ([SAME, FAILED], 3),
        ([BEHIND, FAILED], 3),
        ([FAILED], 4),
        ([FAILED, FAILED], 4),
        ([], 4),
    ],
)
def test_exit_codes(statuses: list[Status], code: int) -> None:
    assert report(*statuses).exit_code == code
    assert json.loads(report(*statuses).to_json())["exit_code"] == code


def test_counts_name_every_status_in_order() -> None:
    assert list(report(FAILED, NEW, NEW).counts.items()) == [
        ("new", 2),
        ("unchanged", 0),
        ("readjusted", 0),
        ("behind", 0),
        ("failed", 1),
    ]


OUTCOME = ShareOutcome(
    share_id="hk00700",
    status=Status.BEHIND,
    reason='the source ends 1 session before 2026-09-22; "so" 它\u2028说\n',
    new=3,
    changed=1,
    first="2020-01-02",
    last="2026-09-21",
    expected="2026-09-22",
    gaps=2,
    first_gaps=("2021-05-06", "2021-05-07"),
    off_calendar=1,
)


def test_the_report_as_json() -> None:
    made = ExtractionReport(
        "tencent", "a.db", None, "2026-09-22T08:00:00+00:00", 1.23456, (OUTCOME,), ("mind the gap",), resumed=4
    )
    assert json.loads(made.to_json()) == {
        "source": "tencent",
        "database": "a.db",
        "since": None,
        "started": "2026-09-22T08:00:00+00:00",
        "seconds": 1.235,
        "counts": {"new": 0, "unchanged": 0, "readjusted": 0, "behind": 1, "failed": 0},
        "exit_code": 3,
        "resumed": 4,
        "warnings": ["mind the gap"],
        "shares": [{**to_plain(OUTCOME), "status": "behind"}],
    }
    assert json.loads(report(NEW).to_json())["since"] == "2020-01-02"


@pytest.mark.parametrize(
    ("source", "file"), [("tencent", None), ("file:a:b.csv", "a:b.csv"), ("file:", ""), ("file", ""), ("files:x", None)]
)
def test_the_file_of_a_plan(source: str, file: str | None) -> None:
    assert ExtractionPlan(source).file == file
