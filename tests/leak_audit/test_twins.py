"""Twins: the same moves under two names or on two days, found at several strengths; chance accuses nobody."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from made_rows import Floats, copied, rows_of_closes, walk

from components.leak_audit.checks.twins import find_twins, twins
from components.leak_audit.reading.rows import TEST, TRAIN, AuditRows
from components.leak_audit.reading.subsets import rows_at
from components.leak_audit.results import CheckResult, Status
from components.synthetic_market import generate

SHARES, SESSIONS = 20, 700
KNOWN = "test rows whose moves train or eval holds under another name or day"
MOVED = "other rows whose moves another day holds"
DOUBLED = "rows whose moves another share has on the same day"
COARSE = "equal windows with too few distinct moves to tell"


def figure(result: CheckResult, name: str) -> int:
    return next(int(one.value) for one in result.figures if one.name == name)


def with_twins(count: int, sessions_later: int, spoil: Callable[[Floats], Floats] = lambda close: close) -> AuditRows:
    """A market in which the last shares are the first ones some sessions later, or as many earlier."""
    close = walk(SHARES - count, SESSIONS + abs(sessions_later))
    own, moved = close[:, :SESSIONS], close[:count, -SESSIONS:]
    if sessions_later > 0:
        own, moved = close[:, -SESSIONS:], close[:count, :SESSIONS]
    return rows_of_closes(np.concatenate([own, spoil(moved)]))


def noise(size: float) -> Callable[[Floats], Floats]:
    return lambda close: close * np.exp(np.random.default_rng(9).normal(0, size, close.shape))


def in_cents(close: Floats) -> Floats:
    return np.round(close, 2)


@pytest.mark.parametrize("count", [1, SHARES // 2])
@pytest.mark.parametrize("sessions", [60, 315, -315])
def test_a_share_under_another_name_on_other_days_is_leaking(count: int, sessions: int) -> None:
    rows = with_twins(count, sessions)

    result = twins(rows)

    assert result.status is Status.LEAKING
    test = figure(result, KNOWN)
    assert test == figure(result, "of these, with the same label of horizon 1")
    of_one = np.count_nonzero((rows.split == TEST) & (rows.share == 0))
    # All test rows of the later one of each two, but for those whose twin fell to an embargo.
    assert test >= count * min(of_one, abs(sessions) - 21) - 2 * 22 * count
    later, earlier = (SHARES - count, 0) if sessions > 0 else (0, SHARES - count)
    assert f"S{later} like S{earlier}" in result.sentence


def test_twins_that_share_few_test_rows_with_train_are_suspicious() -> None:
    result = twins(with_twins(1, 30))

    assert result.status is Status.SUSPICIOUS
    assert 0 < figure(result, KNOWN) < 20
    assert figure(result, MOVED) > 500


@pytest.mark.parametrize("factor", [1e-4, 0.37, 1, 1234.5])
def test_the_level_of_the_price_does_not_matter(factor: float) -> None:
    result = twins(with_twins(1, -315, lambda close: close * factor))

    assert result.status is Status.LEAKING
    assert figure(result, KNOWN) >= figure(twins(with_twins(1, -315)), KNOWN) - 2


def test_a_share_with_twice_the_moves_is_a_twin() -> None:
    assert twins(with_twins(1, -315, lambda close: close**2)).status is Status.LEAKING


@pytest.mark.parametrize(
    ("spoil", "part"),
    [(noise(1e-4), 0.95), (in_cents, 0.95), (noise(2e-3), 0.4), (noise(3e-3), 0.15)],
    ids=["noise", "cents", "more noise", "a sixth of a move"],
)
def test_small_noise_and_rounding_to_cents_hide_no_twin(spoil: Callable[[Floats], Floats], part: float) -> None:
    result = twins(with_twins(2, -315, spoil))

    assert result.status is Status.LEAKING
    assert figure(result, KNOWN) >= part * figure(twins(with_twins(2, -315)), KNOWN)


@pytest.mark.parametrize("correlation", [0.9, 0.99])
def test_shares_that_move_together_accuse_nobody(correlation: float) -> None:
    rng = np.random.default_rng(5)
    own = rng.normal(0, np.sqrt(1 - correlation), (SHARES, SESSIONS))
    moves = 0.02 * (rng.normal(0, np.sqrt(correlation), (1, SESSIONS)) + own)

    result = twins(rows_of_closes(50 * np.exp(np.cumsum(moves, axis=1))))

    assert result.status is Status.PASSED
    assert (figure(result, KNOWN), figure(result, MOVED)) == (0, 0)
    assert figure(result, DOUBLED) < (20 if correlation == 0.9 else 5000)


def test_noise_as_large_as_the_moves_is_no_twin() -> None:
    assert figure(twins(with_twins(10, -315, noise(0.02))), KNOWN) == 0


def test_a_history_that_repeats_itself_is_leaking() -> None:
    close = walk(3, SESSIONS)
    half = SESSIONS // 2
    close[0, half:] = close[0, : SESSIONS - half] * (close[0, half - 1] / close[0, 0])

    result = twins(rows_of_closes(close))

    assert result.status is Status.LEAKING
    assert "(S0 like S0)" in result.sentence


def test_a_stretch_of_another_share_s_test_days_within_a_train_history_is_found() -> None:
    """Partly the same: 60 sessions spliced in, in the middle of an own history."""
    close = walk(5, SESSIONS)
    stretch = close[1, 600:660] / close[1, 600]
    close[0, 100:160] = stretch * close[0, 99]
    close[0, 160:] *= close[0, 159] / close[0, 160]

    result = twins(rows_of_closes(close))

    assert result.status is Status.LEAKING
    assert 39 <= figure(result, KNOWN) <= 43


@pytest.mark.parametrize("part", [0.02, 0.5])
def test_copies_of_test_rows_under_other_names_and_days_are_leaking(part: float) -> None:
    rows = rows_of_closes(walk(SHARES, SESSIONS))
    test = rows.of(TEST)
    places = np.random.default_rng(1).choice(test, round(part * len(test)), replace=False)

    result = twins(copied(rows, places))

    assert result.status is Status.LEAKING
    assert figure(result, KNOWN) == figure(result, "of these, with the same label of horizon 1") == len(places)
    assert "like ALIAS" in result.sentence


def test_fewer_than_twenty_equal_rows_accuse_nobody_and_are_counted() -> None:
    rows = rows_of_closes(walk(SHARES, SESSIONS))

    result = twins(copied(rows, rows.of(TEST)[:19]))

    assert result.status is Status.PASSED
    assert figure(result, KNOWN) == 19


def test_a_share_that_is_listed_twice_passes_and_is_named() -> None:
    result = twins(with_twins(1, 0))

    assert result.status is Status.PASSED
    assert "move as another share does on the same day" in result.sentence
    assert f"S{SHARES - 1} like S0" in result.sentence
    assert figure(result, DOUBLED) == np.count_nonzero(rows_of_closes(walk(1, SESSIONS)).share == 0)
    assert (figure(result, KNOWN), figure(result, MOVED)) == (0, 0)


def test_dates_that_are_shifted_by_a_few_sessions_are_suspicious() -> None:
    """Shorter than the embargo, no test row is in train; but no market quotes another day's moves."""
    result = twins(with_twins(1, 3))

    assert result.status is Status.SUSPICIOUS
    assert figure(result, KNOWN) == 0
    assert "have the moves of another day of their split" in result.sentence


def test_eval_rows_in_train_are_suspicious() -> None:
    rows = rows_of_closes(walk(SHARES, SESSIONS))
    rows = rows_at(rows, np.flatnonzero(rows.split != TEST))
    rows = replace(rows, split=np.where(rows.split == TRAIN, TRAIN, TEST))  # so that `copied` copies eval rows

    doubled = copied(rows, rows.of(TEST)[::3])
    result = twins(replace(doubled, split=np.where(doubled.split == TEST, 1, doubled.split)))

    assert result.status is Status.SUSPICIOUS
    assert "rows have the moves of another day of train" in result.sentence


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("market", ["null", "reversal", "market_factor"])
def test_clean_markets_have_no_twins(market: str, seed: int) -> None:
    close = generate(market, shares=30, sessions=900, seed=seed).close.T

    result = twins(rows_of_closes(close))

    assert result.status is Status.PASSED
    assert [figure(result, name) for name in (KNOWN, MOVED, DOUBLED)] == [0, 0, 0]


def bouncing(close: Floats) -> Floats:
    """Between two ticks, each session, as a share that hardly anybody trades."""
    return np.where(np.arange(close.shape[1]) % 2, 0.11, 0.12) * np.ones_like(close)


def constant(close: Floats) -> Floats:
    return np.full_like(close, 7.0)


def suspended(close: Floats) -> Floats:
    """A move once a month."""
    return close[:, np.arange(close.shape[1]) // 21 * 21]


def coarse(close: Floats) -> Floats:
    """A penny share: 12 ticks, and never more than one of them a session."""
    steps = np.random.default_rng(4).integers(-1, 2, close.shape)
    return np.clip(12 + np.cumsum(steps, axis=1) % 5, 1, None) * 0.01


def rising(close: Floats) -> Floats:
    """By the same rate each session: a price that somebody made up."""
    return np.cumprod(np.full_like(close, 1.001), axis=1)


def accruing(close: Floats) -> Floats:
    """Funds that earn nearly the same interest each day."""
    return 10 * np.exp(np.cumsum(2e-4 * np.random.default_rng(6).normal(1, 0.05, close.shape), axis=1))


def accruing_over_weekends(close: Floats) -> Floats:
    """Funds of the money market: three days' interest on a Monday, so that all of their weeks are alike."""
    interest = np.where(np.arange(close.shape[1]) % 5, 1, 3) * 1.4e-4
    return 100 * np.exp(np.cumsum(interest * np.random.default_rng(6).normal(1, 0.1, close.shape), axis=1))


@pytest.mark.parametrize("spoil", [bouncing, constant, suspended, coarse, rising, accruing, accruing_over_weekends])
def test_windows_that_are_alike_by_their_kind_accuse_nobody(spoil: Callable[[Floats], Floats]) -> None:
    result = twins(rows_of_closes(spoil(walk(SHARES, SESSIONS))))

    assert result.status is Status.PASSED
    assert [figure(result, name) for name in (KNOWN, MOVED, DOUBLED)] == [0, 0, 0]


def test_equal_windows_of_few_distinct_moves_are_counted() -> None:
    assert figure(twins(rows_of_closes(bouncing(walk(4, SESSIONS)))), COARSE) > 1000


def test_wrong_prices_do_not_make_twins_of_each_other() -> None:
    """A tick a hundred times too high, on another day of each share, is all that their windows have in common."""
    close = walk(SHARES, SESSIONS)
    for share in range(SHARES):
        close[share, 40 + 33 * share] *= 100

    assert len(find_twins(rows_of_closes(close)).row) == 0


def test_there_may_be_one_row() -> None:
    rows = rows_of_closes(walk(1, SESSIONS))

    assert twins(rows_at(rows, np.array([5]))).status is Status.PASSED
