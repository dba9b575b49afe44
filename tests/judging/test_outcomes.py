"""What happened after a forecast, by plain loops over the stored prices; and why some forecasts have no outcome."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import numpy as np
import pytest
from databases import bars, days, execute, put, rows
from needed import needed

from components.feature_store import FeatureStore, Spell, read_decisions
from components.judging.forecasts import Forecasts, Sieve
from components.judging.outcomes import Outcomes, Question, look_up
from components.missing_sessions.found import ShareGaps
from models.labels import get_label

needed("adbc_driver_sqlite")

NAMES = ("AAA", "BBB", "CCC", "DDD")
TABLES = ("PRICE", "FEATURE")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """AAA and BBB of 60 weekdays from 2024-01-01 on; AAA's close of the 40th is that of the 41st."""
    path = tmp_path / "m.db"
    sessions = weekdays()
    for seed, name in enumerate(("AAA", "BBB")):
        given = bars(len(sessions), seed=seed).close
        if name == "AAA":
            given[40] = given[39]
        put(path, name, bars(len(sessions), seed=seed, time=sessions, close=given), "file")
    return path


def weekdays() -> np.ndarray:
    whole = days(84, "2024-01-01")
    return whole[(whole.astype(np.int64) + 3) % 7 < 5]


def forecasts(asked: list[tuple[str, str]], written: list[str] | None = None) -> Sieve:
    """Forecasts of shares and days; what is forecast is the row's number."""
    names = tuple(dict.fromkeys(share for share, _ in asked))

    def numbers(texts: list[str]) -> np.ndarray:
        return np.array(texts, dtype="datetime64[D]").astype(np.int64)

    return Sieve(
        Forecasts(
            path=Path("p.csv"),
            rows=np.arange(2, 2 + len(asked)),
            names=names,
            share=np.array([names.index(share) for share, _ in asked], dtype=np.int64),
            days=numbers([day for _, day in asked]),
            values={"p": np.arange(len(asked)) / 1000},
            scores=frozenset(),
            written=None if written is None else numbers(written),
        )
    )


def outcomes(path: Path, sieve: Sieve, gaps: dict[str, ShareGaps] | None = None, **asked: object) -> Outcomes:
    with FeatureStore.open(path) as store:
        return look_up(store, sieve, Question(**{"horizon": 1, "most_missing": 5, **asked}), gaps or {})


def reasons(sieve: Sieve) -> dict[int, str]:
    return {row.row: one.why for one in sieve.left_out for row in one.examples}


@pytest.mark.parametrize("horizon", [1, 3])
def test_labels_and_returns_are_those_of_the_stored_closes(database: Path, horizon: int) -> None:
    closes: dict[str, list[tuple[str, float]]] = {}
    for share, day, close, factor in rows(database, "SELECT share_id, time, close, factor FROM PRICE ORDER BY 1, 2"):
        closes.setdefault(share, []).append((day, close * factor))
    asked = [(share, day) for share, series in closes.items() for day, _ in reversed(series[20:])]
    found = outcomes(database, sieve := forecasts(asked), horizon=horizon)
    expected = {}
    for share, series in closes.items():
        for at, (day, close) in enumerate(series[:-horizon]):
            later, following = series[at + horizon][1], series[at + 1][1]
            if at >= 20 and later != close:
                expected[share, day] = (int(later > close), later / close - 1, following / close - 1)
    assert [asked[at] for at in found.places] == [key for key in asked if key in expected]
    assert found.share_id.tolist() == [asked[at][0] for at in found.places]
    for at, place in enumerate(found.places):
        label, forward, following = expected[asked[place]]
        assert found.label[at] == label
        # As a run's examples carry them: in single precision.
        assert (found.forward_return[at], found.next_return[at]) == (np.float32(forward), np.float32(following))
    why = {one.why: one.count for one in sieve.left_out}
    # That of AAA's 40th close is unchanged one session ahead.
    assert why == {"pending": 2 * horizon} | ({"unchanged": 1} if horizon == 1 else {})
    assert found.last == closes["AAA"][-1][0]


def test_what_has_no_outcome_says_why(database: Path) -> None:
    asked = {
        ("AAA", "2024-01-02"): "early",
        ("AAA", "2024-02-03"): "day off",  # a Saturday
        ("aaa", "2024-02-06"): "other letters",
        ("ZZZ", "2024-02-06"): "unknown share",
        ("AAA", "2024-03-22"): "pending",  # the last session
        ("AAA", "2024-03-25"): "pending",  # after it
        ("AAA", "2024-03-30"): "day off",  # the Saturday after it
        ("AAA", "2024-02-23"): "unchanged",
        ("BBB", "2024-02-06"): "excluded",
        ("AAA", "2024-02-07"): "",
    }
    with FeatureStore.create(database) as store:
        store.decide(read_decisions((), ("BBB",)))
    found = outcomes(database, sieve := forecasts(list(asked)))
    assert reasons(sieve) == {row: why for row, why in enumerate(asked.values(), 2) if why}
    assert found.places.tolist() == [len(asked) - 1]
    details = {row.row: row.reason for one in sieve.left_out for row in one.examples}
    assert details[2] == "from 2024-01-29 on"
    assert details[3] == "Saturday"
    assert details[4] == "AAA"
    assert {one.why for one in sieve.left_out if not one.mend} == {"pending", "unchanged", "excluded"}


@pytest.mark.parametrize("label", ["up", "outperform"])
@pytest.mark.parametrize("horizon", [1, 3])
def test_of_a_universe_its_members_are_judged_and_the_delisted_by_what_they_were_worth(
    database: Path, horizon: int, label: str
) -> None:
    for seed, name in enumerate(("CCC", "DDD"), 2):
        put(database, name, bars(60, seed=seed, time=weekdays()), "file")
    execute(database, *(f"DELETE FROM {table} WHERE share_id = 'BBB' AND time > '2024-03-13'" for table in TABLES))
    first, left, last = (dt.date.fromisoformat(day) for day in ("2024-02-06", "2024-02-14", "2024-03-13"))
    with FeatureStore.create(database) as store:
        before = Spell("DDD", first, last - dt.timedelta(days=1))
        store.listings.put_members(
            [Spell("AAA", first, left), Spell("BBB", first, last, -0.5), Spell("CCC", first), before]
        )
    asked = {
        ("AAA", "2024-02-05"): "outside",
        ("AAA", "2024-02-14"): "",
        ("AAA", "2024-02-15"): "outside",
        ("BBB", "2024-03-13"): "",
        ("BBB", "2024-03-14"): "pending",
        ("DDD", "2024-03-13"): "outside",
    }
    found = outcomes(database, sieve := forecasts(list(asked)), horizon=horizon, label=get_label(label))
    assert reasons(sieve) == {row: why for row, why in enumerate(asked.values(), 2) if why}
    closes = {
        share: dict(rows(database, f"SELECT time, close FROM PRICE WHERE share_id = '{share}'")) for share in NAMES
    }

    def ahead(share: str, day: str) -> float:
        whole = list(closes[share])
        at = whole.index(day)
        return -0.5 if at + horizon >= len(whole) else closes[share][whole[at + horizon]] / closes[share][day] - 1

    expected = []
    for share, day in (("AAA", "2024-02-14"), ("BBB", "2024-03-13")):
        others = NAMES if share == "AAA" else ("BBB", "CCC")
        level = np.median([ahead(one, day) for one in others]) if label == "outperform" else 0
        expected.append(ahead(share, day) - level)
    np.testing.assert_allclose(found.forward_return, expected, atol=1e-6)
    assert found.label.tolist() == [int(value > 0) for value in expected]
    assert found.next_return[1] == pytest.approx(-0.5)
    assert found.last == ("2024-03-18" if label == "outperform" and horizon == 3 else "2024-03-14")


def test_a_session_that_is_missing_is_no_day_off(database: Path) -> None:
    with FeatureStore.open(database) as store:
        bars_of = store.bars("BBB")
    assert bars_of is not None
    keep = ~np.isin(bars_of.time, np.array(["2024-02-13", "2024-02-20"], dtype="datetime64[D]"))
    path = database.with_name("gap.db")
    put(path, "BBB", bars(int(keep.sum()), time=bars_of.time[keep], close=bars_of.close[keep]), "file")
    gaps = {"BBB": ShareGaps(np.array(["2024-02-13"], dtype="datetime64[D]"), bars_of.time[:20])}
    asked = [("BBB", "2024-02-13"), ("BBB", "2024-02-20"), ("BBB", "2024-02-12"), ("BBB", "2024-02-19")]
    outcomes(path, sieve := forecasts(asked), gaps)
    # A label of the next session is none across a missing one; across a day off it is.
    assert reasons(sieve) == {2: "lacks", 3: "day off", 4: "across"}
    [off] = [one for one in sieve.left_out if one.why == "day off"]
    assert off.examples[0].reason == "its sessions around it are 2024-02-19 and 2024-02-21"


def test_a_name_of_another_vendor_is_told_from_an_unknown_one(tmp_path: Path) -> None:
    path = tmp_path / "m.db"
    for name in ("sh600000", "sz000001", "BRK-B", "hk00700"):
        put(path, name, bars(40), "file")
    asked = ["600000.SH", "SH600000", "600000", "brk.b us equity", "0700.HK", "000001.SH"]
    with FeatureStore.open(path) as store:
        day = str(store.sessions()[-5])
    outcomes(path, sieve := forecasts([(name, day) for name in asked]))
    told = {row.share_id: (one.why, row.reason) for one in sieve.left_out for row in one.examples}
    assert told == {
        "600000.SH": ("other name", "sh600000"),
        "SH600000": ("other letters", "sh600000"),
        "600000": ("unknown share", ""),
        "brk.b us equity": ("other name", "BRK-B"),
        "0700.HK": ("other name", "hk00700"),
        "000001.SH": ("unknown share", ""),
    }


def test_other_letters_can_be_taken(database: Path) -> None:
    found = outcomes(database, sieve := forecasts([("aaa", "2024-02-06"), ("BBB", "2024-02-06")]), ignore_case=True)
    assert found.share_id.tolist() == ["AAA", "BBB"]
    assert sieve.left_out == []


def test_the_same_share_in_two_ways_of_writing_is_there_twice(database: Path) -> None:
    sieve = forecasts([("aaa", "2024-02-06"), ("AAA", "2024-02-06"), ("AAA", "2024-02-07")])
    found = outcomes(database, sieve, ignore_case=True)
    assert found.places.tolist() == [2]
    assert reasons(sieve) == {2: "contradicting", 3: "contradicting"}


def test_a_row_that_is_there_twice_counts_once(database: Path) -> None:
    sieve = forecasts([("AAA", "2024-02-06"), ("AAA", "2024-02-06")])
    sieve.forecasts.values["p"][:] = 0.5
    found = outcomes(database, sieve)
    assert found.places.tolist() == [0]
    assert reasons(sieve) == {3: "repeated"}
    assert [one.mend for one in sieve.left_out] == [False]


def test_days_that_a_model_may_know_are_left_out(database: Path) -> None:
    asked = [("AAA", f"2024-02-{day:02d}") for day in (5, 6, 7, 8)]
    found = outcomes(database, sieve := forecasts(asked), known_until=dt.date(2024, 2, 6))
    assert found.places.tolist() == [2, 3]
    assert reasons(sieve) == {2: "known", 3: "known"}


def test_what_was_written_on_the_next_session_is_late(database: Path) -> None:
    asked = [("AAA", "2024-02-09"), ("AAA", "2024-02-16"), ("AAA", "2024-02-08")]
    # Friday's forecasts on the Sunday after and on Monday, the next session; and one of a day to come.
    found = outcomes(database, sieve := forecasts(asked, ["2024-02-11", "2024-02-19", "2999-01-01"]))
    assert found.places.tolist() == [0]
    assert reasons(sieve) == {3: "late", 4: "not dated"}
    [late] = [one for one in sieve.left_out if one.why == "late"]
    assert late.examples[0].reason == "written on 2024-02-19"


def test_baselines_learn_only_from_labels_that_were_known_before_the_first_forecast(database: Path) -> None:
    with FeatureStore.open(database) as store:
        sessions = [str(day) for day in store.sessions()]
    for horizon in (1, 3):
        found = outcomes(database, forecasts([("AAA", sessions[20]), ("AAA", sessions[25])]), horizon=horizon)
        # Windows end from the 21st price on, and their labels have to end before the first forecast's session.
        assert len(found.training) == max(0, 20 - horizon)
        last = sessions[20 - horizon - 1]
        [(close,)] = rows(database, f"SELECT close0 FROM FEATURE WHERE share_id = 'AAA' AND time = '{last}'")
        assert found.training.closes[-1, 0] == np.float32(close)
    # A forecast of a day before the share's prices takes nothing away; one of the 24 labels is that of no change.
    assert len(outcomes(database, forecasts([("AAA", "2001-01-02"), ("AAA", sessions[25])])).training) == 23
