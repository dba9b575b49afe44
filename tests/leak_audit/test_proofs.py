"""Split proof, label proof and permutation on rows made by hand, no TensorFlow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from components.leak_audit.checks import label_proof, split_proof
from components.leak_audit.checks.permutation import deal_within_days
from components.leak_audit.reading.rows import EVAL, TEST, TRAIN, AuditRows
from components.leak_audit.results import Status
from models.features import WINDOW

HORIZONS = (1, 5)
SESSIONS = 200


def prices(shares: int = 1, seed: int = 0) -> NDArray[np.float64]:
    """Closes, [shares, 20 more than there are windows]: session k of a row is column k + 20."""
    moves = np.random.default_rng(seed).normal(0, 0.02, (shares, SESSIONS + WINDOW - 1))
    return 50 * np.exp(np.cumsum(moves, axis=1))


def make_rows(splits: Mapping[int, range], shares: int = 1, purge: bool = True) -> AuditRows:
    """Rows of the given sessions; with `purge`, without those whose labels reach behind their split."""
    close = prices(shares)
    kept = []
    for share in range(shares):
        for split, sessions in splits.items():
            last = sessions[-1] if purge and split != TEST else SESSIONS - 1
            kept += [(share, k, split) for k in sessions if k + max(HORIZONS) <= last]
    share, session, split = (np.array(column) for column in zip(*kept, strict=True))
    order = np.lexsort((split, session, share))
    share, session, split = share[order], session[order], split[order]
    columns = session[:, None] + WINDOW - 1 - np.arange(WINDOW)
    closes = close[share[:, None], columns]
    now = close[share, session + WINDOW - 1]
    ahead = {h: close[share, session + WINDOW - 1 + h] / now - 1 for h in HORIZONS}
    return AuditRows(
        features=(),
        share=share,
        shares=tuple(f"S{i}" for i in range(shares)),
        time=20200000 + session,
        session=session,
        closes=closes.astype(np.float32),
        split=split,
        labels={h: (values > 0).astype(np.int64) for h, values in ahead.items()},
        returns={h: values.astype(np.float32) for h, values in ahead.items()},
        raw={},
    )


def figure(result: object, name: str) -> float:
    return next(one.value for one in result.figures if one.name == name)  # type: ignore[attr-defined]


HONEST = {TRAIN: range(100), EVAL: range(121, 150), TEST: range(171, SESSIONS)}


@pytest.mark.parametrize("shares", [1, 3])
def test_ranges_with_purge_and_embargo_pass(shares: int) -> None:
    result = split_proof.split_proof(make_rows(HONEST, shares), embargo=21)

    assert result.status is Status.PASSED
    assert figure(result, "test rows that share a session with train") == 0


@pytest.mark.parametrize(("embargo", "allowed"), [(0, 20), (5, 15), (20, 0), (21, 0)])
def test_the_embargo_says_how_many_sessions_may_be_shared(embargo: int, allowed: int) -> None:
    cut = {TRAIN: range(100), EVAL: range(100 + embargo, 150), TEST: range(150 + embargo, SESSIONS)}
    rows = make_rows(cut)

    result = split_proof.split_proof(rows, embargo)

    assert result.status is Status.PASSED
    found = split_proof.shared_sessions(rows, EVAL, TEST)
    # The window of the first test row begins 20 sessions before it; eval's last label ends on session 149.
    assert found.sessions == allowed == max(0, 149 - (150 + embargo - 20) + 1)
    if embargo < 20:
        longer = split_proof.split_proof(rows, embargo + 1)
        assert longer.status is Status.LEAKING


def test_shared_sessions_are_those_of_a_naive_count() -> None:
    rng = np.random.default_rng(1)
    rows = make_rows({TRAIN: range(SESSIONS)}, shares=2, purge=False)
    rows = replace(rows, split=rng.choice(3, len(rows), p=(0.05, 0.05, 0.9)))
    used: dict[int, set[int]] = {0: set(), 1: set()}
    for row in rows.of(TRAIN):
        used[int(rows.share[row])] |= set(range(rows.session[row] - 20, rows.session[row] + 6))
    common = [
        len(used[int(rows.share[row])] & set(range(rows.session[row] - 20, rows.session[row] + 6)))
        for row in rows.of(TEST)
    ]

    found = split_proof.shared_sessions(rows, TRAIN, TEST)

    assert found.rows == np.count_nonzero(common)
    assert found.sessions == max(common)


def test_a_label_that_reaches_into_a_later_split_is_leaking_whatever_the_embargo() -> None:
    cut = {TRAIN: range(100), EVAL: range(100, 150), TEST: range(150, SESSIONS)}

    result = split_proof.split_proof(make_rows(cut, purge=False), embargo=0)

    assert result.status is Status.LEAKING
    assert figure(result, "eval labels that reach into test") == 5


def test_a_row_in_two_splits_is_leaking() -> None:
    rows = make_rows(HONEST)
    double = np.sort(np.append(np.arange(len(rows)), 3))
    twice = replace(
        rows,
        share=rows.share[double], time=rows.time[double], session=rows.session[double], closes=rows.closes[double],
        split=np.where(np.arange(len(double)) == 4, TEST, rows.split[double]),
        labels={h: v[double] for h, v in rows.labels.items()}, returns={h: v[double] for h, v in rows.returns.items()},
    )  # fmt: skip

    result = split_proof.split_proof(twice, embargo=21)

    assert result.status is Status.LEAKING
    assert "stand in more than one split" in result.sentence


def test_a_suspended_share_s_label_is_seen_to_end_in_a_later_split() -> None:
    rows = make_rows({TRAIN: range(20), TEST: range(100, 140)})
    # The share was suspended after session 10: the rows 11 to 14 behind it are dated within the test split.
    late = (rows.split == TRAIN) & (rows.session > 10)
    time = np.where(late, 20200300 + rows.session, rows.time)
    rows = replace(rows, time=np.where(rows.split == TEST, 20200205 + rows.session, time))

    found = split_proof.shared_sessions(rows, TRAIN, TEST)

    assert found.sessions == 0
    assert found.late == 4
    # Labels of the rows 6 to 14 end on row 11 or behind it, five sessions on.
    assert found.reaching == 9


def test_ordinals_that_closes_contradict_are_counted() -> None:
    rows = make_rows(HONEST)
    session = rows.session.copy()
    session[rows.split == TRAIN] += np.arange(np.count_nonzero(rows.split == TRAIN))  # every second one, they say

    ordinals = split_proof.prove_ordinals(replace(rows, session=session))

    assert ordinals.wrong >= 90


def test_windows_that_overlap_though_their_ordinals_are_far_apart_are_found() -> None:
    rows = make_rows({TRAIN: range(50), EVAL: range(71, 100), TEST: range(121, SESSIONS)})
    assert split_proof.prove_ordinals(rows).wrong == 0
    # Eval's rows claim to be 30 sessions later than they are; in truth they follow train at once.
    near = make_rows({TRAIN: range(50), EVAL: range(45, 100), TEST: range(121, SESSIONS)})
    hidden = replace(near, session=near.session + np.where(near.split == TRAIN, 0, 30))

    result = split_proof.split_proof(hidden, embargo=21)

    assert result.status is Status.LEAKING
    assert "the proof does not hold" in result.sentence
    assert split_proof.prove_ordinals(hidden).wrong == 1


def test_days_must_rise_with_the_sessions() -> None:
    rows = make_rows(HONEST)

    assert split_proof.prove_ordinals(replace(rows, time=rows.time[::-1].copy())).wrong == len(rows) - 1


def test_true_labels_are_verified() -> None:
    rows = make_rows(HONEST, shares=2)

    result = label_proof.label_proof(rows)

    assert result.status is Status.PASSED
    # All but those whose close lies behind the last window of a split: one a split and share at horizon 1.
    known = len(rows) - 2 * 3
    assert figure(result, "labels of horizon 1 verified") == known
    assert figure(result, "labels of horizon 1 whose later close no row holds") == 6


@pytest.mark.parametrize("row", [0, 40])
def test_one_wrong_return_is_found_and_named(row: int) -> None:
    rows = make_rows(HONEST)
    ahead = rows.returns[5].copy()
    ahead[row] += 1e-4

    result = label_proof.label_proof(replace(rows, returns={**rows.returns, 5: ahead}))

    assert result.status is Status.LEAKING
    assert figure(result, "labels of horizon 5 that are wrong") >= 1
    assert f"S0, 2020-{row // 100:02d}-{row % 100:02d}, horizon 5" in result.sentence


def test_labels_of_which_none_can_be_verified_are_leaking() -> None:
    # Every second session of a share whose rows are so far apart that no window holds another row's later close.
    rows = make_rows({TRAIN: range(100), EVAL: range(121, 150), TEST: range(171, SESSIONS)})
    kept = np.arange(0, len(rows), 30)
    columns = {name: getattr(rows, name)[kept] for name in ("share", "time", "session", "closes", "split")}
    apart = replace(
        rows, **columns,
        labels={h: v[kept] for h, v in rows.labels.items()}, returns={h: v[kept] for h, v in rows.returns.items()},
    )  # fmt: skip

    result = label_proof.label_proof(apart)

    assert result.status is Status.LEAKING
    assert "the proof does not hold" in result.sentence


def test_a_row_a_split_is_too_few_for_any_proof() -> None:
    rows = make_rows({TRAIN: range(1), EVAL: range(50, 51), TEST: range(194, 195)}, purge=False)
    assert len(rows) == 3

    result = label_proof.label_proof(rows)

    assert result.status is Status.NOT_APPLICABLE


@pytest.mark.parametrize(("train", "status"), [(20, Status.NOT_APPLICABLE), (21, Status.PASSED)])
def test_a_train_split_shorter_than_the_only_horizon_is_not_accused(train: int, status: Status) -> None:
    """Twenty sessions are enough for a split, and a label of 20 sessions ends behind the last of them."""
    made = make_rows({TRAIN: range(train), EVAL: range(65, 85), TEST: range(130, 150)}, purge=False)
    closes = prices()[0]
    ahead = closes[made.session + WINDOW + 19] / closes[made.session + WINDOW - 1] - 1
    places = made.session[:, None] + WINDOW - 1 - np.arange(WINDOW)
    rows = replace(
        made,
        closes=closes[places].astype(np.float32),
        labels={20: (ahead > 0).astype(np.int64)},
        returns={20: ahead.astype(np.float32)},
    )

    assert label_proof.label_proof(rows).status is status


def test_a_turned_label_and_a_label_of_an_unchanged_close_are_wrong() -> None:
    rows = make_rows(HONEST)
    turned, still = rows.labels[1].copy(), rows.returns[1].copy()
    turned[7] = 1 - turned[7]
    still[9] = 0

    result = label_proof.label_proof(
        replace(rows, labels={**rows.labels, 1: turned}, returns={**rows.returns, 1: still})
    )

    assert figure(result, "labels of horizon 1 that are wrong") == 2


def test_labels_are_dealt_within_days_and_none_to_its_own_row() -> None:
    rng = np.random.default_rng(0)
    day = np.repeat(np.arange(50), rng.integers(2, 9, 50))
    names = np.arange(len(day))

    dealt = deal_within_days(names, day, seed=3)

    assert np.all(dealt != names)
    assert np.array_equal(day[dealt], day)
    assert np.array_equal(np.sort(dealt), names)
    assert not np.array_equal(dealt, deal_within_days(names, day, seed=4))
