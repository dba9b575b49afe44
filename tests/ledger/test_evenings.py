"""Whatever happens in an evening, the ledger ends as that of one clean evening after the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from live_records import CHAMPION, NEW_YORK, Live, moment, rows_of

from components.ledger.file import Batch
from components.ledger.labels import LEVEL, keep_label
from components.ledger.verifying import verify

FIRST, EVENINGS = 20, 3
ACTS = ("predict", "settle", "killed predicting", "killed settling")


class Killed(BaseException):
    """What ends a program in the middle."""


def killed(act: str, live: Live, session: object) -> None:
    """Ends a program when it has written one row of a batch."""
    add = Batch.add

    def once(self: Batch, table: str, values: Sequence[object]) -> int:
        add(self, table, values)
        raise Killed

    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(Batch, "add", once)
        try:
            done(act, live, session)
        except Killed:
            pass


def done(act: str, live: Live, session: object) -> None:
    if act == "predict":
        live.predict(session)
    elif act == "settle":
        live.settle()
    else:
        killed("predict" if "predicting" in act else "settle", live, session)


def evenings(folder: Path, acts: Sequence[Sequence[str]], label: str) -> list[tuple[str, tuple]]:
    """The rows of a ledger after some evenings, each of which ends as it should."""
    live = Live(folder)
    live.now = moment(f"{NEW_YORK[FIRST]} 12:00")
    with live.ledger() as ledger:
        keep_label(ledger, CHAMPION.digest, label)
    live.begin()
    for session, before in zip(NEW_YORK[FIRST : FIRST + EVENINGS], acts, strict=True):
        live.now = moment(f"{session} 23:00")
        live.store(str(session))
        for act in (*before, "predict", "settle"):
            done(act, live, session)
    assert verify(live.path, now=live.now).sound
    return [(row.table, row.values) for row in rows_of(live.path)[1:]]  # the first one is a ledger's own name


@pytest.mark.parametrize("label", ["up", "outperform"])
@given(acts=st.lists(st.lists(st.sampled_from(ACTS), max_size=3), min_size=EVENINGS, max_size=EVENINGS))
@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_kills_and_doubled_runs_leave_the_clean_ledger(label: str, acts: list[list[str]]) -> None:
    with TemporaryDirectory() as folder, TemporaryDirectory() as clean:
        found, expected = (evenings(Path(one), each, label) for one, each in ((folder, acts), (clean, [[]] * EVENINGS)))

        def settled(rows: list[tuple[str, tuple]]) -> list[tuple[str, tuple]]:
            # An evening may have settled before it predicted: rows stand in another order, and numbers say so.
            of_row = {seq: values[:2] for seq, (_, values) in enumerate(rows, 2)}
            return sorted(
                (table, (of_row[values[0]], *values[1:]) if table == "OUTCOME" else values) for table, values in rows
            )

        assert settled(found) == settled(expected)
        assert sum(values[0] == LEVEL for table, values in expected if table == "NOTE") == (
            EVENINGS - 1 if label == "outperform" else 0
        )
