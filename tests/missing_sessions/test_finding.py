from __future__ import annotations

import numpy as np
import pytest
from gappy import find, lacks, sessions, texts, thinned

EXCHANGES = ("XNYS", "XSHG", "XHKG", "XTKS", "XLON", "XETR", "XTSE", "XASX", "XTAI", "XJSE", "XIST", "XTAE")


def pick(days: np.ndarray, begin: int, end: int) -> np.ndarray:
    return np.delete(days, np.arange(begin, end))


# --- sound prices raise nothing


@pytest.mark.parametrize("exchange", EXCHANGES)
@pytest.mark.parametrize("last", ["2024-12-20", "2015-02-27", "2015-01-05"])
def test_holidays_are_no_gaps(exchange: str, last: str) -> None:
    days = sessions(exchange, last=last)
    if not len(days):
        days = np.array(["2015-01-05"], "datetime64[D]")
    for named in ({}, {"AAA": exchange}):
        found = find({"AAA": days}, named, suggest=True)
        assert not found.shares
        assert not found.notes


def test_shares_of_many_exchanges_do_not_lack_one_anothers_sessions() -> None:
    found = find({exchange: sessions(exchange) for exchange in EXCHANGES if exchange != "XHKG"})
    assert lacks(found) == {}
    assert not found.notes


@pytest.mark.parametrize(
    ("most", "other", "last"),
    [
        *[(*pair, "2024-12-20") for pair in (("XNYS", "XSHG"), ("XSHG", "XTKS"), ("XETR", "XLON"), ("XPAR", "XETR"))],
        *[(*pair, "2017-01-05") for pair in (("XNYS", "XSHG"), ("XSHG", "XTKS"), ("XNYS", "XTSE"))],
    ],
)
def test_a_share_among_many_of_another_exchange_lacks_nothing(most: str, other: str, last: str) -> None:
    days = sessions(most, last=last)
    found = find({"AAA": days, "BBB": days, "CCC": days, "DDD": sessions(other, last=last)})
    assert lacks(found) == {}


def test_every_day_of_the_week_beside_weekdays() -> None:
    always = np.arange("2016-01-01", "2024-01-01", dtype="datetime64[D]")
    found = find({"BTC": always, "ETH": always, "XRP": always, "AAA": sessions("XNYS")}, suggest=True)
    assert not found.shares
    assert not found.notes


def test_listed_late_and_gone_early() -> None:
    days = sessions("XNYS")
    found = find({"AAA": days, "BBB": days[1000:], "CCC": days[:1500], "DDD": days[700:701]})
    assert not found.shares


@pytest.mark.parametrize(
    "days", [np.arange("2015-01-02", "2024-12-20", 7, dtype="datetime64[D]"), np.array(["2024-01-05"], "M8[D]")]
)
def test_one_price_a_week_and_one_price(days: np.ndarray) -> None:
    assert not find({"AAA": days}, suggest=True).shares


@pytest.mark.parametrize(
    "saturdays",
    [("1928-01-07", "1952-05-25"), ("1986-01-04", "1998-12-06"), ("2000-01-01", "2013-07-02")],
    ids=["New York", "Seoul", "in the middle of a year"],
)
def test_saturdays_that_an_exchange_gave_up(saturdays: tuple[str, str]) -> None:
    before = np.arange(*saturdays, dtype="datetime64[D]")
    week = np.arange(before[0], np.datetime64("2021-01-01"), dtype="datetime64[D]")
    week = week[np.is_busday(week)]
    days = np.union1d(week, before[np.is_busday(before, weekmask="0000010")])
    assert not find({"AAA": days}, suggest=True).shares
    assert not find({"AAA": days}, suggest=True).notes


# --- what is missing is found


def test_a_fifth_of_the_rows_against_the_calendar() -> None:
    days = sessions("XNYS")
    kept = thinned(days, 0.2)
    found = find({"AAA": kept}, {"AAA": "XNYS"})
    assert lacks(found) == {"AAA": texts(np.setdiff1d(days, kept))}
    assert found.total == len(days) - len(kept) > 400
    assert np.array_equal(found.shares["AAA"].opening, kept[:20])


@pytest.mark.parametrize("part", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("others", [1, 4])
def test_rows_against_the_other_shares(part: float, others: int) -> None:
    days = sessions("XNYS")
    kept = thinned(days, part)
    whole = {f"S{number}": days for number in range(others)}
    assert lacks(find({"AAA": kept, **whole})) == {"AAA": texts(np.setdiff1d(days, kept))}


def test_all_shares_lack_rows_of_their_own() -> None:
    days = sessions("XNYS")
    shares = {f"S{number}": thinned(days, 0.03, number) for number in range(5)}
    found = find(shares)
    for share, kept in shares.items():
        missing = lacks(found)[share]
        assert set(missing) <= set(texts(np.setdiff1d(days, kept)))
        assert len(missing) > 0.97 * (len(days) - len(kept))


@pytest.mark.parametrize("exchange", ["XNYS", "XSHG"])
def test_a_fifth_of_the_rows_of_one_share_alone(exchange: str) -> None:
    days = sessions(exchange)
    kept = thinned(days, 0.2)
    found = find({"AAA": kept}, suggest=True)
    assert set(texts(np.setdiff1d(days, kept))) <= set(lacks(found)["AAA"])
    [first, second] = found.notes
    assert first.startswith("AAA: no exchange is named, and ")
    assert f"their days fit the exchange {exchange} best, and no share has {len(days) - len(kept)} of" in second


def test_a_fifth_of_the_rows_of_a_share_that_is_traded_on_sundays() -> None:
    days = sessions("XTAE")
    kept = thinned(days, 0.2)
    found = find({"AAA": kept})
    assert set(texts(np.setdiff1d(days, kept))) <= set(lacks(found)["AAA"])
    assert len(found.notes) == 1


def test_few_rows_of_one_share_alone_are_said_and_not_counted() -> None:
    days = sessions("XNYS")
    kept = thinned(days, 0.03)
    found = find({"AAA": kept}, suggest=True)
    assert not found.shares
    [note] = found.notes
    assert note == (
        f"AAA: their days fit the exchange XNYS best, and no share has {len(days) - len(kept)} of its {len(days):,} "
        f"sessions ({', '.join(texts(np.setdiff1d(days, kept))[:3])}, ...); an import with --exchange XNYS counts them "
        "as missing"
    )
    assert not find({"AAA": kept}).notes  # without calendars nothing tells them from holidays


def test_a_suspension() -> None:
    days = sessions("XSHG")
    expected = texts(days[500:530])
    for shares, named in [
        ({"AAA": pick(days, 500, 530), "BBB": days}, {}),
        ({"AAA": pick(days, 500, 530)}, {"AAA": "XSHG"}),
        ({"AAA": pick(days, 500, 530), "BBB": days}, {"AAA": "XSHG", "BBB": "XSHG"}),
    ]:
        assert lacks(find(shares, named)) == {"AAA": expected}
    assert set(expected) <= set(lacks(find({"AAA": pick(days, 500, 530)}))["AAA"])


def test_monthly_prices_lack_most_days() -> None:
    months = np.arange("2005-01", "2024-12", dtype="datetime64[M]").astype("datetime64[D]")
    found = find({"AAA": np.busday_offset(months, 0, roll="forward")})
    assert found.total > 4900


# --- what the calendar does not know


def test_a_session_that_no_share_has_is_none() -> None:
    """XKRX has 2026-06-03 (an election) and 2026-07-17 (Constitution Day again) as sessions: both are holidays."""
    days = np.setdiff1d(sessions("XKRX", "2026-01-02", "2026-11-10"), np.array(["2026-06-03", "2026-07-17"], "M8[D]"))
    named = {"AAA": "XKRX", "BBB": "XKRX"}
    found = find({"AAA": days, "BBB": np.delete(days, 50)}, named)
    assert lacks(found) == {"BBB": texts(days[50:51])}
    assert found.notes == (
        "XKRX: no share has 2 sessions of its calendar (2026-06-03, 2026-07-17): the exchange may have been closed, so "
        "they do not count as missing",
    )
    alone = find({"AAA": days}, named)
    assert not alone.shares
    assert alone.notes == (f"{found.notes[0]}; no second share of it tells",)


def test_a_month_that_no_share_has_is_lacking() -> None:
    days = pick(sessions("XHKG"), 800, 820)
    found = find({"AAA": days, "BBB": days}, {"AAA": "XHKG", "BBB": "XHKG"})
    assert {share: len(gaps.days) for share, gaps in found.shares.items()} == {"AAA": 20, "BBB": 20}


def test_bars_on_days_off_are_named() -> None:
    days = sessions("XSHG")
    odd = np.array(["2020-01-27", "2021-10-02"], "M8[D]")  # Spring Festival, and a Saturday
    found = find({"AAA": np.union1d(days, odd), "BBB": days}, {"AAA": "XSHG", "BBB": "XSHG"})
    assert not found.shares
    assert found.notes == ("XSHG: 2 bars are on days off (AAA 2020-01-27, 2021-10-02)",)


def test_shares_of_another_exchange_than_was_said() -> None:
    days = sessions("XSHG")
    found = find(
        {"AAA": days, "BBB": pick(days, 10, 14), "CCC": sessions("XNYS")},
        dict.fromkeys("ABC", "") | {"AAA": "XNYS", "BBB": "XNYS", "CCC": "XNYS"},
    )
    assert lacks(found) == {"BBB": texts(days[10:14])}
    assert [note[:3] for note in found.notes] == ["AAA", "BBB"]
    assert "days are days off of XNYS, so it is not compared with its calendar" in found.notes[0]


def test_an_exchange_that_is_none_is_said() -> None:
    days = sessions("XNYS")
    found = find({"AAA": days, "BBB": pick(days, 10, 14)}, {"AAA": "XXXX", "BBB": "XXXX"})
    assert lacks(found) == {"BBB": texts(days[10:14])}
    assert found.notes[0].startswith("XXXX: is no exchange that exchange_calendars knows")


# --- how it is told


def test_the_worst_shares_come_first() -> None:
    days = sessions("XNYS")
    shares = {f"S{number:02d}": pick(days, 100, 100 + number) for number in range(1, 15)} | {"WHOLE": days}
    lines = find(shares | {f"W{number}": days for number in range(20)}).lines(shares_shown=2)
    assert lines == [
        f"S14 lacks 14 sessions: {', '.join(texts(days[100:103]))}, ...",
        f"S13 lacks 13 sessions: {', '.join(texts(days[100:103]))}, ...",
        "... and 12 more shares lack 78 sessions",
    ]


def test_the_digest_is_that_of_the_prices_until_something_is_missing() -> None:
    days = sessions("XNYS")
    whole = find({"AAA": days, "BBB": days})
    assert whole.digest("abc") == "abc"
    once = find({"AAA": days, "BBB": pick(days, 9, 10)})
    other = find({"AAA": days, "BBB": pick(days, 10, 11)})
    assert len({"abc", once.digest("abc"), other.digest("abc"), once.digest("abd")}) == 4
    assert once.of(["AAA"]).digest("abc") == "abc"
    assert once.of(["BBB"]).digest("abc") == once.digest("abc")


def test_of_some_shares_only_what_concerns_them_is_said() -> None:
    days = sessions("XNYS")
    shares = {"AAA": days, "BBB": thinned(sessions("XTAE"), 0.2), "CCC": sessions("XSHG"), "DDD": days}
    found = find(shares, {"CCC": "XNYS", "DDD": "XNYS"}, suggest=True)
    assert len(found.notes) == 2
    assert found.of(["AAA"]).notes == ()
    assert [note[:3] for note in found.of(["BBB", "AAA"]).notes] == ["BBB"]
    assert [note[:3] for note in found.of(["CCC"]).notes] == ["CCC"]
    assert list(found.of(["BBB", "AAA"]).shares) == ["BBB"]


@pytest.mark.parametrize("exchange", ["XIST", "XMEX", "XIDX", "XWAR", "XBKK", "XNZE", "XMIL"])
@pytest.mark.parametrize("first", ["2021-06-01", "2023-03-01", "2024-06-03"])
def test_no_other_exchange_is_suggested_for_sound_prices(exchange: str, first: str) -> None:
    found = find({"AAA": sessions(exchange, first)}, suggest=True)
    assert (lacks(found), found.notes) == ({}, ())


def test_a_fifth_of_half_a_year_is_said() -> None:
    days = sessions("XNYS", "2024-06-03")
    [*_, note] = find({"AAA": thinned(days, 0.2)}, suggest=True).notes
    assert "their days fit the exchange XNYS best" in note
