"""Factors behind adjusted closes that are affine in the raw ones, against events that were made.

Here the truth is the exchanges' rule alone: the factor steps by the close before over the reference price, which is
(close before - cash) / ratio, and the adjusted close k x raw + c goes on over the ex-date.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from components.extractor.adjustment import OVERLAP, HistoryChangedError, increment_bars, whole_bars
from components.extractor.affine import LOOK, PATIENCE, NoLawError
from components.extractor.sources.base import AdjustedCloses, History
from components.extractor.verify import select
from components.feature_store import PriceBars
from components.feature_store.arrays import Floats

FIRST = np.datetime64("2020-01-06", "D")


@dataclass(frozen=True)
class Event:
    """What happens on a session: a share becomes `ratio` shares and is paid `cash`; `said` is what the source tells."""

    ratio: float = 1.0
    cash: float = 0.0
    said: str = "all"  # or "cash", "day", "nothing"

    @property
    def effect(self) -> tuple[float, float]:
        return self.ratio, self.cash


@dataclass(frozen=True)
class Made:
    history: History
    factor: Floats

    def part(self, begin: int, end: int) -> History:
        kept = np.zeros(len(self.history), dtype=bool)
        kept[begin:end] = True
        return select(self.history, kept)

    def returns(self, count: int | None = None) -> Floats:
        size = len(self.factor) if count is None else count
        return np.diff(np.log((self.history.close * self.factor)[:size]))


def make(
    events: dict[int, Event],
    count: int = 300,
    *,
    start: float = 10.0,
    volatility: float = 0.015,
    seed: int = 1,
    k: float = 1.0,
    c: float = 0.0,
    decimals: int = 2,
    proportional: bool = False,
) -> Made:
    """A share whose prices walk at random but for its events."""
    random = np.random.default_rng(seed)
    raw, value, step = np.empty(count), np.empty(count), np.ones(count)
    action, cash, ratio = np.zeros(count, dtype=bool), np.full(count, np.nan), np.full(count, np.nan)
    price = round(start, 2)
    for at in range(count):
        reference = price
        event = events.get(at)
        if at and event is not None:
            reference = (price - event.cash) / event.ratio
            step[at] = price / reference
            if proportional:
                k *= step[at]
            else:
                k, c = k * event.ratio, c + k * event.cash
            action[at] = event.said != "nothing"
            if event.said in ("all", "cash"):
                cash[at] = event.cash
            if event.said == "all":
                ratio[at] = event.ratio
        price = max(round(reference * float(np.exp(random.normal(0, volatility))), 2), 0.05)
        raw[at], value[at] = price, np.floor((k * price + c) * 10**decimals + 0.5 + 1e-7) / 10**decimals
    nothing = np.full(count, np.nan)
    days = np.busday_offset(FIRST, np.arange(count), roll="forward").astype("datetime64[D]")
    adjusted = AdjustedCloses(value, action, decimals, cash, ratio)
    return Made(History(days, nothing, nothing, nothing, raw, nothing, adjusted), np.cumprod(step))


def found(made: Made) -> Floats:
    bars, waits = whole_bars(made.history)
    assert waits == ""
    return bars.factor


def extracted(made: Made, cuts: list[int]) -> tuple[PriceBars | None, int]:
    """What is stored after extractions up to each cut, and how many of them were no increments."""
    stored: PriceBars | None = None
    whole = 0
    for cut in cuts:
        if stored is not None:
            begin = max(0, len(stored) - 1 - OVERLAP)
            try:
                late = increment_bars(made.part(begin, cut), stored)
            except HistoryChangedError:
                pass
            else:
                stored = PriceBars(
                    made.history.time[:cut],
                    np.append(stored.close[:begin], late.close),
                    np.append(stored.factor[:begin], late.factor),
                )
                continue
        whole += 1
        try:
            stored, _ = whole_bars(made.part(0, cut))
        except NoLawError:
            pass
    return stored, whole


# --- events that the rows tell


KINDS = {
    "cash": Event(cash=0.3),
    "bonus": Event(ratio=1.8),
    "both": Event(ratio=1.5, cash=0.25),
    "rights": Event(ratio=1.3, cash=-0.3 * 6.5),
    "merger": Event(ratio=0.2),
    "small": Event(cash=0.001),
    "odd": Event(cash=0.123456),
}


@pytest.mark.parametrize("law", ["affine", "proportional"])
@pytest.mark.parametrize("kind", KINDS)
def test_an_event_is_what_the_rows_say(kind: str, law: str) -> None:
    made = make({100: KINDS[kind], 103: KINDS["cash"], 104: KINDS["both"]}, proportional=law == "proportional", k=3.7)
    np.testing.assert_allclose(found(made), made.factor, rtol=1e-12)


def test_by_hand() -> None:
    """10, two for one and 1 a share paid: reference 4.5; then 0.5 paid: reference 4 after 4.5."""
    close = np.array([10.0, 10.0, 4.5, 4.5, 4.0])
    value = np.array([10.0, 10.0, 10.0, 10.0, 10.0])  # 2 x 4.5 + 1, 2 x 4 + 2
    nan = np.full(5, np.nan)
    cash, ratio = np.array([nan[0]] * 2 + [1, np.nan, 0.5]), np.array([np.nan] * 2 + [2, np.nan, 1])
    days = FIRST + np.arange(5)
    history = History(days, nan, nan, nan, close, nan, AdjustedCloses(value, ~np.isnan(cash), 2, cash, ratio))
    bars, _ = whole_bars(history)
    assert bars.factor.tolist() == pytest.approx([1, 1, 10 / 4.5, 10 / 4.5, 10 / 4.5 * 4.5 / 4], rel=1e-15)


def test_adjusted_closes_below_0_are_ordinary() -> None:
    made = make({60: Event(ratio=1.3, cash=-1.5), 200: Event(cash=0.2)}, start=9.0, c=-8.5)
    assert made.history.adjustment.value.min() < 0 < made.history.adjustment.value.max()
    np.testing.assert_allclose(found(made), made.factor, rtol=1e-12)


def test_a_dividend_above_the_first_prices() -> None:
    """A share of 2 became one of 60 and pays 5: more than it once cost."""
    close = np.concatenate([np.linspace(2, 60, 100).round(2), np.linspace(55, 70, 100).round(2)])
    value = close + np.where(np.arange(200) < 100, 0, 5.0)
    action = np.arange(200) == 100
    nan = np.full(200, np.nan)
    adjusted = AdjustedCloses(value, action, 2, np.where(action, 5.0, np.nan), np.where(action, 1.0, np.nan))
    bars, _ = whole_bars(History(FIRST + np.arange(200), nan, nan, nan, close, nan, adjusted))
    assert bars.factor[[0, 99, 100, 199]].tolist() == pytest.approx([1, 1, 60 / 55, 60 / 55], rel=1e-15)


@pytest.mark.parametrize("start", [2.0, 10.0, 150.0, 1500.0])
@pytest.mark.parametrize("decimals", [2, 3])
@pytest.mark.parametrize("k", [1.0, 7.3, 124.0])
def test_the_words_may_leave_out_the_bonus(start: float, decimals: int, k: float) -> None:
    """As in a row that says `10派3元` on the day of ten new shares for ten; the first session has to tell."""
    event = Event(ratio=2.0, cash=round(start * 0.03, 3), said="cash")
    made = make({150: event}, start=start, decimals=decimals, k=k)
    np.testing.assert_allclose(found(made), made.factor, rtol=1e-12)
    bars, waits = whole_bars(made.part(0, 151))
    assert (len(bars), waits) == (151, "")
    assert bars.factor.tobytes() == found(made)[:151].tobytes()


def test_a_share_that_does_not_move_is_what_the_rows_say() -> None:
    made = make({40: KINDS["cash"], 80: KINDS["bonus"], 120: KINDS["merger"]}, volatility=0.0)
    np.testing.assert_allclose(found(made), made.factor, rtol=1e-12)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_few_sessions(count: int) -> None:
    made = make({1: KINDS["both"], 2: KINDS["cash"]}, count)
    np.testing.assert_allclose(found(made), made.factor, rtol=1e-12)


def test_raw_closes_may_be_rounded_as_well() -> None:
    made = make({100: KINDS["cash"]}, k=8.0, start=6.0)
    exact = made.history.close + np.random.default_rng(1).uniform(-0.005, 0.005, 300)
    adjusted = made.history.adjustment
    off = 8.0 * (exact - made.history.close)
    noisy = Made(
        replace(made.history, adjustment=replace(adjusted, value=np.round(adjusted.value + off, 2))), made.factor
    )
    np.testing.assert_allclose(found(noisy), made.factor, rtol=1e-12)


# --- events that they do not tell


@pytest.mark.parametrize("law", ["affine", "proportional"])
@pytest.mark.parametrize("said", ["day", "nothing"])
@pytest.mark.parametrize("event", [Event(cash=0.4), Event(ratio=2.0), Event(ratio=1.5, cash=0.2)])
def test_an_event_that_no_row_tells_is_found(event: Event, said: str, law: str) -> None:
    made = make({150: replace(event, said=said)}, k=2.6, decimals=3, proportional=law == "proportional")
    factor = found(made)
    assert np.flatnonzero(np.diff(factor)).tolist() == [149]
    np.testing.assert_allclose(np.diff(np.log(factor)), np.diff(np.log(made.factor)), atol=3e-4)


def test_it_waits_until_the_closes_tell_and_more_of_them_change_nothing() -> None:
    made = make({150: Event(cash=0.4, said="nothing")})
    whole = found(made)
    lengths = []
    for end in range(150, 150 + PATIENCE + 5):
        bars, waits = whole_bars(made.part(0, end))
        assert len(bars) in (150, end)
        assert ("no row says what changed the prices of" in waits) == (len(bars) < end)
        assert bars.factor.tobytes() == whole[: len(bars)].tobytes()
        lengths.append(len(bars))
    assert lengths == sorted(lengths)
    assert lengths[1] == 150
    assert lengths[LOOK] == 150 + LOOK


@pytest.mark.parametrize("apart", [5, 6, 9])
def test_two_events_that_no_row_tells_may_be_close_to_each_other(apart: int) -> None:
    """As where a share is suspended on both ex-dates."""
    events = {150: Event(cash=0.4, said="nothing"), 150 + apart: Event(ratio=2.0, said="nothing")}
    made = make(events, start=25.0)
    np.testing.assert_allclose(np.diff(np.log(found(made))), np.diff(np.log(made.factor)), atol=3e-4)


@pytest.mark.parametrize("sessions", [6, 12, 40])
@pytest.mark.parametrize("times", [1.1, 0.9, 2.0])
def test_adjusted_closes_that_go_back_are_no_two_events(times: float, sessions: int) -> None:
    made = make({100: KINDS["cash"]}, k=2.0)
    value = made.history.adjustment.value.copy()
    value[170 : 170 + sessions] = np.round(value[170 : 170 + sessions] * times, 2)
    wrong = replace(made.history, adjustment=replace(made.history.adjustment, value=value))
    with pytest.raises(NoLawError, match=f"the adjusted close of {made.history.time[170]}, .* is neither proportional"):
        whole_bars(wrong)


def test_an_ex_date_on_which_nothing_shows_is_none() -> None:
    made = make({150: Event(said="day")}, k=2.6)
    assert found(made).tolist() == [1.0] * 300


@pytest.mark.parametrize("off", [0.05, -0.4, 3.0])
def test_a_close_that_follows_no_law_is_refused_by_its_day(off: float) -> None:
    made = make({100: KINDS["cash"]}, k=2.0)
    value = made.history.adjustment.value.copy()
    value[170] += off
    wrong = replace(made.history, adjustment=replace(made.history.adjustment, value=value))
    with pytest.raises(NoLawError, match=f"the adjusted close of {made.history.time[170]}, .* is neither proportional"):
        whole_bars(wrong)


def test_closes_that_follow_no_law_for_long_are_refused() -> None:
    made = make({})
    value = np.round(made.history.close * np.exp(np.arange(300) / 300), 2)
    wrong = replace(made.history, adjustment=replace(made.history.adjustment, value=value))
    with pytest.raises(NoLawError, match="is neither proportional to the raw ones nor"):
        whole_bars(wrong)


@pytest.mark.parametrize("event", [Event(cash=0.5), Event(ratio=1.5)])
def test_an_event_that_the_adjusted_closes_do_not_show_is_refused(event: Event) -> None:
    made = make({150: event})
    shown = make({150: event}).history.close * 2  # as if nothing had happened
    wrong = replace(made.history, adjustment=replace(made.history.adjustment, value=shown))
    with pytest.raises(NoLawError, match=f"a row names an event of {made.history.time[150]} .* do not show"):
        whole_bars(wrong)


# --- increments


def test_an_increment_without_an_event_goes_on_with_the_factor() -> None:
    made = make({100: KINDS["both"], 250: KINDS["cash"]})
    stored, whole = extracted(made, [200, 215, 240, 249])
    assert whole == 1
    assert stored is not None
    assert stored.factor.tobytes() == found(made)[:249].tobytes()


@pytest.mark.parametrize("said", ["all", "nothing"])
def test_a_new_event_means_fetching_from_the_start(said: str) -> None:
    made = make({233: Event(cash=0.4, said=said)})
    stored, _ = whole_bars(made.part(0, 230))
    with pytest.raises(HistoryChangedError, match=str(made.history.time[233])):
        increment_bars(made.part(219, 240), stored)


def test_another_event_than_the_stored_one_means_fetching_from_the_start() -> None:
    before, now = make({225: Event(cash=0.2)}), make({225: Event(cash=0.4)})
    stored, _ = whole_bars(before.part(0, 230))
    history = replace(now.part(219, 240), close=before.part(219, 240).close)
    late = replace(history.adjustment, value=history.close + np.where(np.arange(21) < 6, 0, 0.4))
    with pytest.raises(HistoryChangedError, match=f"factor of {before.history.time[225]} has moved"):
        increment_bars(replace(history, adjustment=late), stored)


def test_an_event_after_sessions_without_a_move_is_what_the_rows_say() -> None:
    """The sessions between two events tell nothing of k, and what is known of it before them is wide."""
    for seed in range(40, 60):
        events = {4: Event(1.48, -0.4), 7: Event(0.1), 8: Event(cash=0.014)}
        made = make(events, 14, start=2.0, volatility=0.002, seed=seed, k=40.0)
        np.testing.assert_allclose(found(made), made.factor, rtol=1e-11)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Made, list[int]]:
    count = draw(st.integers(1, 120))
    start = draw(st.sampled_from([2.0, 5.0, 17.0, 300.0]))
    events, at, price = {}, 0, start
    while (at := at + draw(st.integers(1, 3) | st.integers(1, 60))) < count:
        ratio = draw(st.sampled_from([1.0, 1.0, 1.0, 1.1, 1.48, 2.0, 0.5, 0.1]))
        cash = round(price * draw(st.sampled_from([0.0, 0.001, 0.02, 0.1, -0.2])), 3)
        if 0.5 < price / ratio < 3000 and (ratio, cash) != (1.0, 0.0):
            events[at] = Event(ratio, cash)
            price /= ratio
    proportional = draw(st.booleans())
    made = make(
        events,
        count,
        start=start,
        volatility=draw(st.sampled_from([0.0, 0.002, 0.015])),
        seed=draw(st.integers(0, 10**6)),
        k=draw(st.sampled_from([1.0, 1.0, 3.123, 40.0])),
        c=0.0 if proportional else draw(st.sampled_from([0.0, 1.8, -7.5])),
        decimals=draw(st.sampled_from([2, 3])),
        proportional=proportional,
    )
    return made, sorted(draw(st.sets(st.integers(1, count), max_size=25)) | {count})


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(cases())
def test_any_increments_end_in_the_true_factors(case: tuple[Made, list[int]]) -> None:
    made, cuts = case
    stored, whole = extracted(made, cuts)
    assert stored is not None
    assert stored.factor.tobytes() == found(made).tobytes()
    np.testing.assert_allclose(stored.factor, made.factor, rtol=1e-11)
    # Nobody fetches from the start for anything but an event.
    events = np.flatnonzero(made.history.adjustment.action)
    assert whole <= 1 + sum(((events >= low) & (events < high)).any() for low, high in itertools.pairwise(cuts))


@pytest.mark.parametrize("start", [3.0, 6.0, 40.0])
@pytest.mark.parametrize("volatility", [0.004, 0.012])
@pytest.mark.parametrize("event", [Event(cash=0.15), Event(ratio=1.1), Event(ratio=1.3, cash=0.1)])
@pytest.mark.parametrize("said", ["day", "nothing"])
def test_what_is_taken_of_an_event_that_is_not_told_stays(
    event: Event, volatility: float, start: float, said: str
) -> None:
    made = make({120: replace(event, said=said)}, 200, start=start, volatility=volatility)
    whole = found(made)
    for end in range(120, 200):
        bars, _ = whole_bars(made.part(0, end))
        assert len(bars) in (120, end)
        assert bars.factor.tobytes() == whole[: len(bars)].tobytes()
    assert np.abs(np.diff(np.log(whole)) - np.diff(np.log(made.factor))).max() < 5e-3
