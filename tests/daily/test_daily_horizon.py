"""The loop twenty sessions ahead: what comes due, when, and the accounts that take turns."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from lived import SHANGHAI, SHARES, START, World, evening, market, write_run
from scipy.stats import spearmanr

from components.ledger.file import Ledger
from components.live_evidence import Parameters
from components.live_record import judge
from pipeline.daily.report import DailyReport, PartReport

HORIZON = 20
EVENINGS = SHANGHAI[START : START + 46]
LEDGER = Path("prices.db.ledger")


def part(report: DailyReport, name: str) -> PartReport:
    [found] = [one for one in report.parts if one.name == name]
    return found


def outcomes() -> list[tuple[str, str, str, float, float, float]]:
    with closing(sqlite3.connect(LEDGER)) as ledger:
        return ledger.execute(
            "SELECT p.session, o.due, p.share_id, p.probability, o.close, o.close_due * o.factor FROM OUTCOME o "
            "JOIN PREDICTION p ON p.seq = o.prediction ORDER BY p.session, p.share_id"
        ).fetchall()


def taking_turns(numbers: Sequence[float], sizes: Sequence[float], weights: Sequence[float]) -> float:
    """Twenty accounts as docs/ledger.md has them: each bets every twentieth session, and an open bet counts as lost."""
    total = 0.0
    for size, weight in zip(sizes, weights, strict=True):
        capital = [1.0] * HORIZON
        for session, number in enumerate(numbers):
            capital[session % HORIZON] *= 1 + size * number
        settled = (len(numbers) - 1) % HORIZON
        shown = [own if account == settled else (1 - size) * own for account, own in enumerate(capital)]
        total += weight * sum(shown) / HORIZON
    return total


def headline(rank_ics: Sequence[float], gains: Sequence[float], parameters: Parameters) -> float:
    bound, weight = parameters.bound, parameters.rank_ic_weight
    counted = [min(max(one, -bound), bound) / bound for one in rank_ics]
    one = taking_turns(counted, parameters.rank_ic.sizes, parameters.rank_ic.weights)
    other = taking_turns(gains, parameters.log_loss.sizes, parameters.log_loss.weights)
    return weight * one + (1 - weight) * other


@pytest.mark.slow
def test_outcomes_come_due_after_twenty_sessions_and_twenty_accounts_take_turns(folder: Path) -> None:
    world = World(folder, None, {"horizon": HORIZON})
    write_run(world.plan(), pushed=True)
    for at, session in enumerate(EVENINGS):
        world.bars(session)
        report = world.loop(evening(session), "predict", "ledger", "outcomes", "evidence")
        assert report.exit_code == 0
        found = outcomes()
        known = max(0, at - HORIZON + 1)
        assert [(made, due) for made, due, *_ in found] == [
            (str(made), str(due))
            for made, due in zip(EVENINGS[:known], EVENINGS[HORIZON:], strict=False)
            for _ in SHARES
        ]
        evidence = part(report, "evidence")
        if not known:
            assert evidence.said[0] == "no outcome counts as evidence yet"
            continue
        assert (evidence.numbers["sessions"], evidence.numbers["waiting"]) == (known, HORIZON)
        with Ledger.open(LEDGER) as ledger:
            record = judge(ledger, HORIZON)
        assert record is not None
        first = found[: len(SHARES)]
        ahead = [due / close - 1 for *_, close, due in first]
        assert record.rank_ics[0] == pytest.approx(spearmanr([one[3] for one in first], ahead)[0])
        expected = headline(record.rank_ics.tolist(), record.gains.tolist(), record.parameters)
        assert evidence.numbers["e_value"] == pytest.approx(expected)
    # More than a round, so that some have bet twice; each share's outcome is of its own adjusted closes.
    assert known == 26
    for made, due, share, _, close, close_due in found:
        listing = market().listings[share]
        level = (listing.close * listing.factor)[[listing.index(np.datetime64(day).item()) for day in (made, due)]]
        assert close_due / close == pytest.approx(level[1] / level[0])
