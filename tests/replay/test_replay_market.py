from __future__ import annotations

import dataclasses
import datetime as dt

import numpy as np
import pytest

from components.extractor.replay import (
    Listing,
    ReplayError,
    exchange_of,
    from_synthetic,
    make_listing,
    sessions,
    share_histories,
    universe_names,
)
from components.synthetic_market import SCENARIOS, generate

FIRST, LAST = dt.date(2019, 1, 1), dt.date(2020, 12, 31)
EX_DATE = dt.date(2020, 6, 18)
PRICES = ("open", "high", "low", "close")


def same_bars(one: Listing, other: Listing, stop: int) -> bool:
    return all(
        np.array_equal(getattr(one, name)[:stop], getattr(other, name)[:stop]) for name in ("time", *PRICES, "volume")
    )


def test_bars_are_whole_cents_in_order_on_the_sessions_of_the_exchange():
    listing = make_listing("sh600519", "XSHG", FIRST, LAST)
    assert str(listing.time[0]) == "2019-01-02"
    assert len(listing) == 244 + 243  # sessions of Shanghai in 2019 and in 2020
    for name in PRICES:
        prices = getattr(listing, name)
        assert np.array_equal(prices, np.round(prices, 2))
    assert (listing.low <= np.minimum(listing.open, listing.close)).all()
    assert (np.maximum(listing.open, listing.close) <= listing.high).all()
    assert listing.low.min() > 0
    assert (listing.volume > 0).all()
    assert (listing.volume % 100 == 0).all()
    # A share that moves like one: a few per cent a day, and not always the same way.
    returns = np.diff(np.log(listing.close))
    assert 0.01 < returns.std() < 0.02
    assert np.abs(returns).max() < 0.08


def test_a_later_end_only_adds_bars():
    actions = {"dividends": {EX_DATE: 1.0}, "splits": {dt.date(2021, 3, 1): 2.0}}
    short = make_listing("AAPL", "XNYS", FIRST, LAST, 3, **actions)
    long = make_listing("AAPL", "XNYS", FIRST, dt.date(2022, 12, 30), 3, **actions)
    assert len(long) > len(short)
    assert same_bars(short, long, len(short))
    assert np.array_equal(short.factor, long.factor[: len(short)])


def test_shares_and_seeds_differ():
    closes = [
        make_listing(share, "XNYS", FIRST, LAST, seed).close for share, seed in (("AAPL", 0), ("GOOGL", 0), ("AAPL", 1))
    ]
    moves = [np.diff(np.log(close)) for close in closes]
    assert np.abs(np.corrcoef(moves)[np.triu_indices(3, 1)]).max() < 0.2


def test_a_split_halves_later_prices_and_changes_nothing_else():
    plain = make_listing("sh600519", "XSHG", FIRST, LAST)
    split = make_listing("sh600519", "XSHG", FIRST, LAST, splits={EX_DATE: 2})
    at = plain.index(EX_DATE)
    assert same_bars(plain, split, at)
    for name in PRICES:
        assert np.abs(getattr(split, name)[at:] * 2 - getattr(plain, name)[at:]).max() <= 0.0151
    assert np.array_equal(split.volume, plain.volume)
    assert split.factor.tolist() == [1.0] * at + [2.0] * (len(plain) - at)


def test_a_dividend_leaves_the_adjusted_close_as_it_was():
    plain = make_listing("sh600519", "XSHG", FIRST, LAST)
    paid = make_listing("sh600519", "XSHG", FIRST, LAST, dividends={EX_DATE: 7.5})
    at = plain.index(EX_DATE)
    assert same_bars(plain, paid, at)
    before = plain.close[at - 1]
    assert paid.factor[at] == pytest.approx(before / (before - 7.5), rel=1e-12)
    assert np.abs(paid.close * paid.factor - plain.close).max() < 0.012


def test_factor_of_a_dividend_and_a_split_on_one_day_by_hand():
    days = np.array(["2024-01-02", "2024-01-03", "2024-01-04"], "datetime64[D]")
    bars = [*[np.array([20.0, 9.0, 9.5])] * 4, np.array([1, 1, 1])]
    listing = Listing(
        *("AAPL", "XNYS", days, *bars),
        dividends={dt.date(2024, 1, 3): 1.0, dt.date(2024, 1, 4): 0.9},
        splits={dt.date(2024, 1, 3): 2.0},
    )
    # 20 for one old share is 10 for each of two, of which 1 is paid out; then 9 of which 0.90 is.
    first = 2 * 10 / 9
    assert listing.factor == pytest.approx([1.0, first, first * 9 / 8.1], rel=1e-15)
    assert listing.shares.tolist() == [1.0, 2.0, 2.0]


def test_open_sessions_in_seconds_know_summer_time():
    listing = make_listing("AAPL", "XNYS", dt.date(2024, 3, 7), dt.date(2024, 3, 12))
    opened = [dt.datetime.fromtimestamp(at, dt.UTC).isoformat() for at in listing.opened]
    assert opened == [
        "2024-03-07T14:30:00+00:00",
        "2024-03-08T14:30:00+00:00",
        "2024-03-11T13:30:00+00:00",
        "2024-03-12T13:30:00+00:00",
    ]


def test_sessions_past_the_end_of_the_calendar_are_weekdays():
    days = sessions("XSHG", dt.date(2190, 1, 1), dt.date(2190, 1, 10))
    assert [day.weekday() for day in days.tolist()] == [4, 0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("actions", "told"),
    [
        ({"splits": {dt.date(2020, 6, 20): 2}}, "2020-06-20 is no session of XSHG"),
        ({"splits": {dt.date(2019, 1, 2): 2}}, "first session"),
        ({"splits": {EX_DATE: 0}}, "2020-06-18"),
        ({"splits": {EX_DATE: 1e6}}, "falls below"),
        ({"dividends": {EX_DATE: 1e6}}, "2020-06-18"),
        ({"dividends": {EX_DATE: -1}}, "2020-06-18"),
        ({"seed": -1}, "seed -1"),
        ({"exchange": "XXXX"}, "XXXX"),
        ({"last": dt.date(2019, 1, 1)}, "no session"),
    ],
)
def test_impossible_listings_are_refused(actions, told):
    with pytest.raises(ReplayError, match=told):
        make_listing(
            **{"share": "sh600519", "exchange": "XSHG", "first": FIRST, "last": LAST, "seed": 0, **actions}  # type: ignore[arg-type]
        )


@pytest.mark.parametrize("scenario", ["momentum", "regime", "market_factor"])
def test_synthetic_returns_are_the_scenarios(scenario):
    names = ["sh600000", "AAPL", "hk00700"]
    market = from_synthetic(scenario, names, FIRST, LAST, 4, splits={"AAPL": {EX_DATE: 3}})
    length = int(np.busday_count(FIRST, "2040-01-01"))
    made = generate(SCENARIOS[scenario], shares=3, sessions=length, seed=4)
    for column, name in enumerate(names):
        listing = market.listings[name]
        returns = np.diff(np.log(listing.close * listing.factor))
        truth = np.diff(np.log(made.close[: len(listing), column]))
        assert listing.exchange == exchange_of(name)
        # Half a cent at each end, of the least price there is.
        assert np.abs(returns - truth).max() < 0.0101 / listing.close.min()
    assert market.today == LAST


def test_a_market_whose_shares_are_delisted_is_refused():
    with pytest.raises(ReplayError, match="shares of survivors are delisted, and no replayed share is: choose another"):
        from_synthetic("survivors", ["sh600000"], FIRST, LAST)


def test_a_longer_synthetic_market_begins_with_the_shorter_one():
    short = from_synthetic("regime", ["sh600000", "AAPL"], FIRST, LAST)
    long = from_synthetic("regime", ["sh600000", "AAPL"], FIRST, dt.date(2022, 6, 30))
    for name, listing in short.listings.items():
        assert same_bars(listing, long.listings[name], len(listing))


def test_a_universe_shares_few_histories():
    distinct = [make_listing(name, "XSHG", FIRST, LAST) for name in ("sh600000", "sh600001")]
    universe = share_histories(distinct, universe_names("XSHG", 5))
    assert list(universe) == ["sh600000", "sh600001", "sh600002", "sh600003", "sh600004"]
    assert universe["sh600004"].share == "sh600004"
    assert universe["sh600004"].close is distinct[0].close
    assert universe["sh600003"].close is distinct[1].close


def test_names_of_universes_are_distinct_and_of_their_exchange():
    for exchange, count in (("XSHG", 30_000), ("XHKG", 500), ("XNYS", 20_000)):
        names = universe_names(exchange, count)
        assert len(set(names)) == count
        assert {exchange_of(name) for name in names} == {exchange}
        assert universe_names(exchange, 7) == names[:7]
    with pytest.raises(ReplayError, match="1000000"):
        universe_names("XSHG", 1_000_000)
    with pytest.raises(ReplayError, match="XTKS"):
        universe_names("XTKS", 1)


def test_exchange_by_name():
    expected = {"sz000001": "XSHG", "600519.SS": "XSHG", "0700.HK": "XHKG", "BRK-B": "XNYS", "BRK.B": "XNYS"}
    expected |= {"^GSPC": "XNYS", "^HSI": "XHKG", "VOD.L": "XLON"}
    assert {share: exchange_of(share) for share in expected} == expected


@pytest.mark.parametrize("share", ["", "sh60051", "aapl", "AA PL", "hk0700"])
def test_names_that_no_source_writes(share):
    with pytest.raises(ReplayError, match="write it like"):
        exchange_of(share)


def test_an_open_bar_lies_within_the_day_and_is_not_the_final_one():
    listing = make_listing("sh600519", "XSHG", FIRST, LAST)
    for index in range(len(listing)):
        row, final = listing.open_row(index), listing.row(index)
        assert final.low <= row.low <= min(row.open, row.close) <= max(row.open, row.close) <= row.high <= final.high
        assert 0 < row.volume < final.volume
        assert dataclasses.replace(row, close=0, high=0, low=0, volume=0) == dataclasses.replace(
            final, close=0, high=0, low=0, volume=0
        )
