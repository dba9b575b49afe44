"""Checks look at some shares at a time: what they find is what they find of all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
from made_rows import copied, rows_of_closes, walk

from components.leak_audit.checks.label_proof import label_proof
from components.leak_audit.checks.split_proof import split_proof
from components.leak_audit.checks.twins import twins
from components.leak_audit.reading.rows import TEST, AuditRows
from components.leak_audit.results import CheckResult

CHECKS: list[Callable[[AuditRows], CheckResult]] = [lambda rows: split_proof(rows, 21), label_proof, twins]


def honest() -> AuditRows:
    return rows_of_closes(walk(7, 400))


def wrong_labels() -> AuditRows:
    rows = honest()
    turned = np.flatnonzero(rows.share == 3)[50:60]
    labels = rows.labels[1].copy()
    labels[turned] = 1 - np.maximum(labels[turned], 0)
    return replace(rows, labels={1: labels})


def reaching() -> AuditRows:
    rows = honest()
    split = rows.split.copy()
    split[np.flatnonzero((rows.share == 5) & (rows.split == TEST))[:3]] = 0
    return replace(rows, split=split)


def test_the_rows_that_reach_into_test_are_seen() -> None:
    assert split_proof(reaching(), 21).status is not split_proof(honest(), 21).status


def with_copies() -> AuditRows:
    rows = honest()
    return copied(rows, rows.of(TEST)[::7])


@pytest.mark.parametrize("make", [honest, wrong_labels, reaching, with_copies])
def test_blocks_of_shares_change_nothing(make: Callable[[], AuditRows], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = make()
    at_once = [check(rows) for check in CHECKS]
    blocks = AuditRows.blocks

    def a_share_each(some: AuditRows, most: int = 1) -> Iterator[slice]:
        return blocks(some, most)

    monkeypatch.setattr(AuditRows, "blocks", a_share_each)

    assert len(list(rows.blocks())) >= 7
    for check, found in zip(CHECKS, at_once, strict=True):
        assert repr(check(rows)) == repr(found)  # a figure that is not known is nan, and no nan equals another


def test_blocks_hold_whole_shares_and_all_rows_once() -> None:
    rows = honest()
    each = int(np.count_nonzero(rows.share == 0))

    blocks = list(rows.blocks(3 * each))

    assert [len(np.unique(rows.share[block])) for block in blocks] == [3, 3, 1]
    np.testing.assert_array_equal(
        np.concatenate([np.arange(len(rows))[block] for block in blocks]), np.arange(len(rows))
    )
    np.testing.assert_array_equal(rows.of_shares(np.array([1, 4])), np.flatnonzero(np.isin(rows.share, [1, 4])))
