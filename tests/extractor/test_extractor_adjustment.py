from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.errors import SourceError
from components.extractor.adjustment import (
    OVERLAP,
    REVISED,
    HistoryChangedError,
    check_complete,
    increment_bars,
    whole_bars,
)
from components.extractor.sources.base import AdjustedCloses, Factors, History, Steps
from components.extractor.verify import select
from components.feature_store import PriceBars
from components.feature_store.arrays import Booleans, Days, Floats

FIRST = np.datetime64("2020-01-06", "D")


def days(count: int) -> Days:
    return np.busday_offset(FIRST, np.arange(count), roll="forward").astype("datetime64[D]")


def history(
    close: list[float] | Floats, adjustment: Factors | Steps | AdjustedCloses, time: Days | None = None
) -> History:
    values = np.asarray(close, dtype=float)
    nothing = np.full(len(values), np.nan)
    return History(days(len(values)) if time is None else time, nothing, nothing, nothing, values, nothing, adjustment)


def part(whole: History, begin: int, end: int) -> History:
    """What the source says when it is asked for fewer days."""
    kept = np.zeros(len(whole), dtype=bool)
    kept[begin:end] = True
    asked = select(whole, kept)
    if isinstance(asked.adjustment, Steps):
        value = asked.adjustment.value.copy()
        value[0] = 1.0  # the session before the first one is not known
        asked = replace(asked, adjustment=Steps(value))
    return asked


def extracted(whole: History, cuts: list[int]) -> tuple[PriceBars, list[str]]:
    """What is stored after extractions up to each of the cuts, and why any of them fetched from the start again."""
    stored, reasons = fetched(part(whole, 0, cuts[0])), []
    for cut in cuts[1:]:
        begin = max(0, len(stored) - 1 - OVERLAP)
        try:
            late = increment_bars(part(whole, begin, cut), stored)
        except HistoryChangedError as changed:
            reasons.append(str(changed))
            stored = fetched(part(whole, 0, cut))
            continue
        assert np.array_equal(late.time, whole.time[begin:cut])
        stored = PriceBars(
            whole.time[:cut],
            np.append(stored.close[:begin], late.close),
            np.append(stored.factor[:begin], late.factor),
        )
    return stored, reasons


def fetched(whole: History) -> PriceBars:
    """What is stored of a share that is fetched from the start."""
    bars, waits = whole_bars(whole)
    assert waits == ""
    return bars


def rounded(values: Floats, decimals: int = 2) -> Floats:
    return np.round(values + 1e-9, decimals)


def adjusted(close: Floats, factor: Floats, action: Booleans, decimals: int = 2) -> AdjustedCloses:
    return AdjustedCloses(rounded(close * factor, decimals), action, decimals)


def walk(seed: int, count: int, start: float, volatility: float = 0.02) -> Floats:
    noise = np.random.default_rng(seed).standard_normal(count) * volatility
    return np.maximum(rounded(start * np.exp(np.cumsum(noise))), 0.5)


# --- closed forms


def test_steps_are_multiplied_up_from_the_first_day() -> None:
    # A dividend of 2 on a close of 100, then two shares for one.
    steps = Steps(np.array([1.0, 100 / 98, 1.0, 2.0, 1.0]))
    bars = fetched(history([100.0, 98.0, 99.0, 49.5, 50.0], steps))
    assert bars.factor.tolist() == pytest.approx([1, 100 / 98, 100 / 98, 200 / 98, 200 / 98], rel=1e-15)
    # Who held one share for 100 has two for 50 and the dividend, which bought 2/98 of a share more.
    assert bars.close[-1] * bars.factor[-1] == pytest.approx(100 * (1 + 2 / 98), rel=1e-15)


def test_the_first_step_is_not_taken_as_its_session_before_is_unknown() -> None:
    assert fetched(history([10.0, 10.0], Steps(np.array([2.0, 1.0])))).factor.tolist() == [1.0, 1.0]


def test_factors_are_taken_as_they_are() -> None:
    factor = np.array([8.0 / 3, 8.0 / 3, 9.1])
    bars = fetched(history([3.0, 3.0, 3.0], Factors(factor)))
    assert bars.factor.tobytes() == factor.tobytes()


def test_what_is_not_adjusted_has_the_factor_1() -> None:
    close = walk(1, 40, 3.0)
    given = AdjustedCloses(close, np.zeros(40, dtype=bool))
    assert fetched(history(close, given)).factor.tolist() == [1.0] * 40


# --- increments by hand


def test_an_increment_goes_on_with_the_stored_factor() -> None:
    close = walk(4, 40, 20.0)
    whole = history(close, Steps(np.where(np.arange(40) == 5, 1.02, 1.0)))
    stored, reasons = extracted(whole, [20, 27, 40])
    assert reasons == []
    assert stored.factor.tobytes() == fetched(whole).factor.tobytes()


@pytest.mark.parametrize("kind", ["steps", "factors", "adjusted"])
def test_a_new_action_means_fetching_from_the_start(kind: str) -> None:
    close, action = walk(5, 40, 20.0), np.arange(40) == 33
    steps = np.where(action, 1.5, 1.0)
    adjustments = {
        "steps": Steps(steps),
        "factors": Factors(np.cumprod(steps)),
        "adjusted": adjusted(close, np.cumprod(steps), action),
    }
    whole = history(close, adjustments[kind])
    stored = fetched(part(whole, 0, 30))
    with pytest.raises(HistoryChangedError, match=f"corporate action on {whole.time[33]}"):
        increment_bars(part(whole, 19, 40), stored)


@pytest.mark.parametrize("kind", ["steps", "factors"])
@pytest.mark.parametrize(("change", "raises"), [(1 + 3 * REVISED, True), (1 + REVISED / 10, False)])
def test_a_factor_that_moved_in_the_overlap_means_fetching_from_the_start(
    kind: str, change: float, raises: bool
) -> None:
    close, action = np.full(40, 1000.0), np.arange(40) == 25
    steps = np.where(action, 1.5, 1.0)
    made = {
        "steps": lambda by: Steps(np.where(action, 1.5 * by, 1.0)),
        "factors": lambda by: Factors(np.cumprod(steps) * by),
    }[kind]
    stored = fetched(part(history(close, made(1.0)), 0, 30))
    late = part(history(close, made(change)), 19, 40)
    if not raises:
        assert len(increment_bars(late, stored)) == 21
        return
    with pytest.raises(HistoryChangedError, match=r"factor of .* has moved"):
        increment_bars(late, stored)


def test_a_close_that_was_corrected_means_fetching_from_the_start() -> None:
    close = walk(6, 40, 20.0)
    stored = fetched(part(history(close, Steps(np.ones(40))), 0, 30))
    close[28] += 0.01
    whole = history(close, Steps(np.ones(40)))
    with pytest.raises(HistoryChangedError, match=f"close of {whole.time[28]} was corrected"):
        increment_bars(part(whole, 19, 40), stored)


def test_a_session_that_was_missing_before_means_fetching_from_the_start() -> None:
    whole = history(walk(7, 40, 5.0), Steps(np.where(np.arange(40) == 27, 1.3, 1.0)))
    kept = np.arange(40) != 26
    stored = fetched(part(select(whole, kept), 0, 29))
    with pytest.raises(HistoryChangedError, match=f"{whole.time[26]} was missing before"):
        increment_bars(part(whole, 20, 40), stored)


# --- any increments end as the whole


@dataclass(frozen=True)
class Case:
    whole: History
    cuts: list[int]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    count = draw(st.integers(2, 90))
    start = draw(st.sampled_from([2.0, 2.17, 5.0, 9.99, 17.0, 100.0, 1500.0]) | st.floats(2.0, 1500.0))
    volatility = draw(st.sampled_from([0.0, 0.001, 0.02, 0.1]))
    close = walk(draw(st.integers(0, 10**6)), count, start, volatility)
    action = np.zeros(count, dtype=bool)
    size = st.sampled_from([1.00001, 1.0001, 1.0003, 1.001, 1.003, 0.999, 1.02, 1.5, 2.0, 0.1]) | st.floats(1.0, 1.1)
    steps = np.ones(count)
    at = draw(st.integers(0, count))
    while at < count:
        steps[at], action[at] = draw(size), True
        at += draw(st.integers(1, 3) | st.integers(1, 14) | st.integers(1, 60))
    kind = draw(st.sampled_from(["steps", "factors"]))
    first = draw(st.sampled_from([1.0, 1.0, 8.12, 0.37]))
    steps[0] = 1.0
    factor = first * np.cumprod(steps)
    adjustment = Steps(steps) if kind == "steps" else Factors(factor)
    cuts = sorted(draw(st.sets(st.integers(1, count), min_size=0, max_size=25)) | {count})
    return Case(history(close, adjustment), cuts)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_any_increments_end_in_the_factors_of_the_whole(case: Case) -> None:
    stored, _ = extracted(case.whole, case.cuts)
    clean = fetched(case.whole)
    assert stored.close.tobytes() == clean.close.tobytes()
    assert stored.factor.tobytes() == clean.factor.tobytes()


# --- completeness


def _stored(count: int, *left_out: int) -> History:
    kept = ~np.isin(np.arange(count), left_out)
    return select(history(np.full(count, 10.0), Steps(np.ones(count))), kept)


def test_a_reply_with_all_stored_sessions_is_complete() -> None:
    check_complete("sina", "sh600519", _stored(20), days(20)[5:15], None)


def test_a_reply_that_leaves_out_stored_sessions_is_refused() -> None:
    with pytest.raises(SourceError) as raised:
        check_complete("sina", "sh600519", _stored(20, 7, 12), days(20), None)
    text = str(raised.value)
    assert text.startswith("sina, share sh600519: the reply leaves out 2 stored sessions")
    assert str(days(20)[7]) in text
    assert "--refetch" in text
    assert "\n" not in text


def test_an_empty_reply_is_not_complete_even_if_the_source_has_an_end() -> None:
    for reach in (None, 1023):
        with pytest.raises(SourceError, match="leaves out 20 stored"):
            check_complete("sina", "sh600519", _stored(20, *range(20)), days(20), reach)


def test_what_lies_before_a_source_s_end_is_not_missed() -> None:
    late = _stored(20, *range(8))
    check_complete("sina", "sh600519", late, days(20), 1023)
    with pytest.raises(SourceError, match="leaves out 8 stored"):
        check_complete("sina", "sh600519", late, days(20), None)
    with pytest.raises(SourceError, match="leaves out 1 stored"):
        check_complete("sina", "sh600519", _stored(20, *range(8), 11), days(20), 1023)
