"""Predictions of a return above the day's median, beside those of a higher close and by themselves."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from compared_shares import SHARES, begin, evening, living, median_of, noted
from live_records import CHALLENGER, CHAMPION, NEW_YORK, Live, moment, rows_of
from needed import needed

from components.ledger.days import day_summaries, live_days, live_series
from components.ledger.errors import LedgerError
from components.ledger.export import export_predictions
from components.ledger.file import Ledger
from components.ledger.labels import LABEL, LEVEL, Labels, keep_label, side_of
from components.ledger.setting_up import note
from components.ledger.verifying import verify

needed("adbc_driver_sqlite")


def test_a_ledger_of_both_labels_judges_each_by_its_own(tmp_path: Path) -> None:
    live = Live(tmp_path, SHARES)
    live.now = moment(f"{NEW_YORK[30]} 12:00")
    begin(live, CHAMPION, "up")
    for at in range(30, 34):
        evening(live, at)
        live.predict(NEW_YORK[at])
    other = dataclasses.replace(CHALLENGER, name="linear")
    live.now = moment(f"{NEW_YORK[34]} 12:00")
    begin(live, other)
    for at in range(34, 38):
        evening(live, at)
        live.predict(NEW_YORK[at], other)
        live.predict(NEW_YORK[at])  # the old one goes on speaking, and no longer counts
    evening(live, 38)
    with Ledger.open(live.path) as ledger:
        first, second = live_series(ledger)
        ups, above = list(live_days(ledger, first, "up")), list(live_days(ledger, second, "outperform"))
        assert list(live_days(ledger, second, "up")) == []
        summaries = day_summaries(ledger, 20)
    for days, begins in ((ups, 30), (above, 34)):
        assert [day.session for day in days] == [str(day) for day in NEW_YORK[begins : begins + 4]]
        for at, day in enumerate(days, begins):
            ahead = [
                live.prices[share].adjusted_close[at + 1] / live.prices[share].adjusted_close[at] - 1
                for share in SHARES
            ]
            needed = 0.0 if days is ups else median_of(live, at)
            np.testing.assert_allclose(day.ahead, ahead, atol=1e-12)
            assert [str(up) for up in day.up] == [
                "nan" if abs(one - needed) < 1e-8 else str(float(one > needed)) for one in ahead
            ]
    assert [one.session for one in noted(live)] == [day.session for day in above]
    assert sum(one.moved for one in summaries if one.model.endswith(other.digest[:8])) == 4 * 4
    assert verify(live.path, now=live.now).sound
    # An export of an earlier version, without the last columns, is one that may be replaced.
    earlier = tmp_path / "rows.parquet"
    with Ledger.open(live.path) as ledger:
        count = export_predictions(ledger, earlier)
        whole = pq.read_table(earlier)
        pq.write_table(whole.select(whole.column_names[:-3]), earlier)
        assert export_predictions(ledger, earlier) == count
    assert pq.read_table(earlier).equals(whole)
    exported = tmp_path / "rows.csv"
    with Ledger.open(live.path) as ledger:
        export_predictions(ledger, exported)
    lines = [line.split(",") for line in exported.read_text().replace('"', "").splitlines()]
    at = {name: lines[0].index(name) for name in ("session", "model", "label", "needed", "came", "direction")}
    for line in lines[1:]:
        mine = line[at["model"]] == other.digest
        assert line[at["label"]] == ("outperform" if mine else "up")
        assert mine or (line[at["came"]] == line[at["direction"]] and float(line[at["needed"]]) == 0)
    assert {line[at["came"]] for line in lines[1:] if line[at["model"]] == other.digest} == {"up", "down", "unchanged"}


def test_a_label_cannot_be_chosen_afterwards(tmp_path: Path) -> None:
    live = Live(tmp_path, SHARES)
    live.now = moment(f"{NEW_YORK[30]} 12:00")
    begin(live, CHAMPION, "up")
    with live.ledger() as ledger:
        with pytest.raises(LedgerError, match="stands there with the label up, and outperform is another one"):
            keep_label(ledger, CHAMPION.digest, "outperform")
        assert not keep_label(ledger, CHAMPION.digest, "up")
        assert keep_label(ledger, CHALLENGER.digest, "outperform")
        assert not keep_label(ledger, CHALLENGER.digest, "outperform")
        assert (Labels(ledger).of(CHAMPION.digest), Labels(ledger).of(CHALLENGER.digest)) == ("up", "outperform")
    assert verify(live.path, now=live.now).sound
    with live.ledger() as ledger:
        note(ledger, LABEL, f'{{"model": "{CHAMPION.digest}", "label": "outperform"}}')
        assert Labels(ledger).of(CHAMPION.digest) == "up"
    [fault] = verify(live.path, now=live.now).faults
    assert "the label of the model aaaaaaaa was written after the model" in str(fault)


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        '{"label": "outperform", "horizon": 1, "session": "2024-03-01", "level": 0.01, "end": "2024-03-01"}',
        '{"label": "outperform", "horizon": 1, "session": "2024-03-01", "level": null, "end": "2024-03-04"}',
        '{"label":"outperform","horizon":1,"session":"2024-03-01","level":0.01,"end":"2024-03-04"}',
    ],
)
def test_what_is_no_level_is_a_fault(tmp_path: Path, text: str) -> None:
    live = living(tmp_path)
    with live.ledger() as ledger:
        note(ledger, LEVEL, text)
    [fault] = verify(live.path, now=live.now).faults
    assert "it is no level of a session as a writer writes it" in str(fault)


def test_a_ledger_of_a_higher_close_has_no_row_more(tmp_path: Path) -> None:
    live = Live(tmp_path, SHARES)
    live.now = moment(f"{NEW_YORK[30]} 12:00")
    begin(live, CHAMPION, "up")
    evening(live, 30)
    live.predict(NEW_YORK[30])
    evening(live, 31)
    assert [row["kind"] for row in rows_of(live.path) if row.table == "NOTE"] == ["calendars"]


def test_sides() -> None:
    assert [side_of(0.01, level) for level in (0.009, 0.011, 0.01, math.nan)] == [
        "up",
        "down",
        "unchanged",
        "unchanged",
    ]
    # The median itself, once as it was made in single precision and once by other arithmetic.
    assert side_of(0.0123456789, float(np.float32(0.0123456789))) == "unchanged"
