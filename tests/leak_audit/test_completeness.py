"""Completeness: what the database gives and the examples lack is named; what is left out for a reason is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from databases import bars, execute, put
from made_rows import copied, rows_of_store

from benchmarks.planted_leaks.small_runs import plain_bars, write_prices
from components.feature_example_gen.splits import SPLITS, SplitSettings
from components.feature_store import FeatureStore, PriceBars
from components.feature_store.decisions import Choice, Decision
from components.leak_audit.check import Audited
from components.leak_audit.checks import completeness
from components.leak_audit.checks.twins import twins
from components.leak_audit.config import AuditConfig, AuditedModel
from components.leak_audit.reading.rows import EVAL, TEST, TRAIN, AuditRows
from components.leak_audit.reading.subsets import rows_at
from components.leak_audit.results import CheckResult, Status
from components.price_files import import_prices
from components.synthetic_market import Market, generate

SHIPPED = Path(__file__).parents[2] / "data" / "prices.csv.gz"
SPLIT = SplitSettings(fractions=(0.5, 0.2, 0.3), horizons=(1, 20), horizon=1)
LACKING = "rows that the database gives are not in the examples, and no counted reason takes them out"


def check(database: Path, rows: AuditRows, splits: SplitSettings = SPLIT, **asked: Any) -> CheckResult:
    model = AuditedModel("linear", 1, {})
    config = AuditConfig((model,), "window_returns", 1, 0, 21, 0.53, database=str(database), splits=splits, **asked)
    nothing: Any = None
    return completeness.completeness(Audited(rows, nothing, nothing, "", {}, config, model))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return make_database(tmp_path / "prices.db")


def make_database(path: Path, bars: Any = plain_bars, scenario: str = "null") -> Path:
    write_prices(generate(scenario, shares=8, sessions=500, seed=1), path, bars)
    return path


def first_bars(sessions: int) -> Any:
    """Gives the bars of a share up to a session."""

    def some_bars(market: Market, share: int) -> PriceBars:
        whole = plain_bars(market, share)
        return PriceBars(whole.time[:sessions], whole.close[:sessions], whole.factor[:sessions])

    return some_bars


def figure(result: CheckResult, name: str) -> int:
    return next(int(one.value) for one in result.figures if one.name == name)


def with_gaps(market: Market, share: int) -> PriceBars:
    """One share lacks some weeks, others a day, and a few closes are unchanged."""
    bars = plain_bars(market, share)
    kept = np.ones(len(bars.time), bool)
    kept[100 : 115 if share == 3 else 100] = False
    kept[300 + 5 * share] = False
    close = bars.close.copy()
    close[50 + share : 440 : 60] = close[49 + share : 439 : 60]
    return PriceBars(bars.time[kept], close[kept], bars.factor[kept])


@pytest.mark.parametrize("scenario", ["null", "reversal"])
@pytest.mark.parametrize("bars", [plain_bars, with_gaps])
@pytest.mark.parametrize(
    "splits",
    [
        SPLIT,
        replace(SPLIT, horizon=20),
        replace(SPLIT, embargo=3),
        replace(SPLIT, start="2000-04-03", end="2001-09-03"),
    ],
    ids=["plain", "20 sessions", "short embargo", "bounds"],
)
def test_examples_are_all_that_the_database_gives(
    tmp_path: Path, scenario: str, bars: Any, splits: SplitSettings
) -> None:
    path = make_database(tmp_path / "prices.db", bars, scenario)
    rows = rows_of_store(path, splits)

    result = check(path, rows, splits)

    assert result.status is Status.PASSED, result.sentence
    assert figure(result, "rows that were compared") == len(rows)


def test_excluded_shares_and_shares_that_were_not_asked_for_are_not_missed(database: Path) -> None:
    with FeatureStore.create(database) as store:
        names = [one.share_id for one in store.shares()]
        store.decide([Decision(names[0], Choice.EXCLUDE)])

    asked = tuple(reversed(names[:5]))  # as a user may write them
    result = check(database, rows_of_store(database, SPLIT, names[:5]), shares=asked)

    assert result.status is Status.PASSED, result.sentence
    assert figure(result, "shares in all") == 4


@pytest.mark.parametrize("part", [0.02, 0.3])
def test_test_rows_that_fell_and_were_dropped_are_named(database: Path, part: float) -> None:
    rows = rows_of_store(database, SPLIT)
    fell = np.flatnonzero((rows.split == TEST) & (rows.labels[1] == 0))
    gone = np.sort(np.random.default_rng(0).choice(fell, round(part * len(fell)), replace=False))

    result = check(database, rows_at(rows, np.delete(np.arange(len(rows)), gone)))

    assert result.status is Status.LEAKING
    assert figure(result, LACKING) == len(gone)
    first = gone[np.lexsort((rows.share[gone], rows.time[gone]))[0]]
    assert f"(train 0, eval 0, test {len(gone)}; the first is {rows.place(int(first))})" in result.sentence


@pytest.mark.parametrize("split", [TRAIN, EVAL, TEST])
def test_one_row_that_lacks_is_found_in_every_split(database: Path, split: int) -> None:
    rows = rows_of_store(database, SPLIT)
    gone = int(rows.of(split)[7])

    result = check(database, rows_at(rows, np.delete(np.arange(len(rows)), gone)))

    assert result.status is Status.LEAKING
    assert f"{SPLITS[split]} 1" in result.sentence
    assert rows.place(gone) in result.sentence


def test_a_whole_share_that_lacks_is_found_also_where_only_some_are_compared(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = rows_of_store(database, SPLIT)
    monkeypatch.setattr(completeness, "MOST_ROWS", 1)
    for share in range(len(rows.shares)):
        result = check(database, rows_at(rows, np.flatnonzero(rows.share != share)))

        assert result.status is Status.LEAKING
        assert f"the first is {rows.shares[share]}, " in result.sentence
        assert "2 of 8 shares; `awesome audit --full` compares all" in result.sentence


def test_full_compares_all_shares_whatever_their_number(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = rows_of_store(database, SPLIT)
    monkeypatch.setattr(completeness, "MOST_ROWS", 1)
    monkeypatch.setattr(completeness, "ROWS_AT_ONCE", 1000)

    some, everything = check(database, rows), check(database, rows, full=True)

    assert figure(some, "shares whose rows were compared") == 1
    assert figure(everything, "shares whose rows were compared") == 8
    assert figure(everything, "rows that were compared") == len(rows)
    assert {some.status, everything.status} == {Status.PASSED}


@pytest.mark.parametrize("column", ["momentum_values", "momentum_60", "market_relative_returns"])
def test_a_share_that_is_too_short_for_the_columns_of_a_day_has_no_row_to_compare(
    database: Path, monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    put(database, "YOUNG", bars(21, "2001-10-01"), "test")
    rows = rows_of_store(database, SPLIT, day_columns=(column,))
    assert "YOUNG" not in rows.shares
    monkeypatch.setattr(completeness, "ROWS_AT_ONCE", 1)

    result = check(database, rows)

    assert result.status is Status.PASSED, result.sentence
    assert figure(result, "shares whose rows were compared") == 9


def test_labels_and_returns_that_were_taken_out_or_changed_are_found(database: Path) -> None:
    rows = rows_of_store(database, SPLIT)
    label, ahead = rows.labels[20].copy(), rows.returns[1].copy()
    label[rows.of(TEST)[:9]] = -1
    ahead[rows.of(EVAL)[3]] *= 1 + 1e-6

    result = check(database, replace(rows, labels={**rows.labels, 20: label}, returns={**rows.returns, 1: ahead}))

    assert result.status is Status.LEAKING
    assert figure(result, "rows have another label_20 than the database, or none") == 9
    assert figure(result, "rows have another forward_return_1 than the database, or none") == 1


def test_a_horizon_that_no_example_carries_any_more_is_found(database: Path) -> None:
    rows = rows_of_store(database, SPLIT)

    result = check(database, replace(rows, labels={1: rows.labels[1]}, returns={1: rows.returns[1]}))

    known = np.count_nonzero(rows.labels[20] >= 0)
    assert figure(result, "rows have another label_20 than the database, or none") == known


def test_closes_that_are_not_those_of_the_database_are_found(database: Path) -> None:
    rows = rows_of_store(database, SPLIT)
    closes = rows.closes.copy()
    closes[11, 4] *= 1.001

    result = check(database, replace(rows, closes=closes))

    assert result.status is Status.LEAKING
    assert "1 rows have other closes than the database" in result.sentence


@pytest.mark.parametrize("part", [0.05, 0.5])
def test_copies_of_test_rows_in_train_are_none_that_the_database_gives(database: Path, part: float) -> None:
    rows = rows_of_store(database, SPLIT)
    test = rows.of(TEST)
    doubled = copied(rows, np.random.default_rng(1).choice(test, round(part * len(test)), replace=False))

    result = check(database, doubled)

    assert result.status is Status.LEAKING
    assert figure(result, "rows of the examples are none that the database gives") == len(doubled) - len(rows)
    assert "the first is ALIAS" in result.sentence
    assert twins(doubled).status is Status.LEAKING


def test_rows_in_another_split_than_their_day_gives_are_found(database: Path) -> None:
    rows = rows_of_store(database, SPLIT)
    moved = np.where(np.arange(len(rows)) == rows.of(TEST)[0], TRAIN, rows.split)

    result = check(database, replace(rows, split=moved))

    assert "1 rows stand in another split than the database's days give (train 1, eval 0, test 0" in result.sentence


def test_windows_that_were_deleted_from_the_database_are_found_by_its_prices(database: Path) -> None:
    with FeatureStore.open(database) as store:
        share, days = store.shares()[3].share_id, store.sessions()
    execute(database, f"DELETE FROM FEATURE WHERE share_id = '{share}' AND time = '{days[450]}'")

    result = check(database, rows_of_store(database, SPLIT))

    assert result.status is Status.LEAKING
    assert f"holds 479 windows of {share} where its prices make 480" in result.sentence


def test_windows_of_another_tool_without_prices_are_compared_as_they_are(database: Path) -> None:
    execute(database, "DELETE FROM PRICE")

    assert check(database, rows_of_store(database, SPLIT)).status is Status.PASSED


def test_a_database_that_has_changed_since_the_run_accuses_nobody(database: Path) -> None:
    rows = rows_of_store(database, SPLIT)
    with FeatureStore.open(database) as store:
        fingerprint = store.digest([one.share_id for one in store.shares()])
    assert check(database, rows, fingerprint=fingerprint).status is Status.PASSED
    market = generate("null", shares=9, sessions=530, seed=1)
    write_prices(market, database, plain_bars)

    result = check(database, rows, fingerprint=fingerprint)

    assert result.status is Status.NOT_APPLICABLE
    assert "The database has changed since" in result.sentence


def test_days_that_came_after_the_run_are_passed_over(tmp_path: Path) -> None:
    path = make_database(tmp_path / "prices.db", first_bars(470))
    rows = rows_of_store(path, SPLIT)
    with FeatureStore.open(path) as store:
        last = str(store.sessions()[-1])
    make_database(path)
    put(path, "AAA", bars(60, "2030-01-01"), "test")  # a share that is listed later, the first by its name

    assert check(path, rows, last_session=last).status is Status.PASSED
    assert check(path, rows).status is Status.LEAKING


def test_rows_that_lack_are_found_in_a_database_that_has_grown_since(tmp_path: Path) -> None:
    path = make_database(tmp_path / "prices.db", first_bars(470))
    rows = rows_of_store(path, SPLIT)
    with FeatureStore.open(path) as store:
        run: dict[str, Any] = {"last_session": str(store.sessions()[-1]), "fingerprint": store.digest()}
    make_database(path)
    lacking = rows_at(rows, np.delete(np.arange(len(rows)), rows.of(TEST)[7]))

    assert check(path, rows, **run).status is Status.PASSED
    assert check(path, lacking, **run).status is Status.LEAKING
    # A window of the new days that is gone says nothing of the run.
    execute(path, "DELETE FROM FEATURE WHERE time = (SELECT max(time) FROM FEATURE)")
    found = check(path, lacking, **run)
    assert found.status is Status.LEAKING
    assert "prices make" not in found.sentence
    assert check(path, rows, **run).status is Status.NOT_APPLICABLE
    # Where its past has changed, nothing can be compared.
    execute(path, "DELETE FROM FEATURE WHERE time = (SELECT min(time) FROM FEATURE)")
    assert check(path, lacking, **run).status is Status.NOT_APPLICABLE


def test_rows_that_lack_are_found_where_the_database_is_that_of_the_run(database: Path) -> None:
    rows = rows_of_store(database, SPLIT)
    with FeatureStore.open(database) as store:
        fingerprint = store.digest([one.share_id for one in store.shares()])

    assert check(database, rows_at(rows, np.arange(9, len(rows))), fingerprint=fingerprint).status is Status.LEAKING


@pytest.mark.parametrize("what", ["no database", "no settings", "no prices"])
def test_without_a_database_nothing_can_be_compared(database: Path, tmp_path: Path, what: str) -> None:
    rows = rows_of_store(database, SPLIT)
    if what == "no prices":
        execute(database, "DELETE FROM FEATURE")
    splits: Any = None if what == "no settings" else SPLIT

    result = check(tmp_path / "gone.db" if what == "no database" else database, rows, splits)

    assert result.status is Status.NOT_APPLICABLE


@pytest.mark.slow
def test_shipped_prices_are_complete_and_have_no_twins(tmp_path: Path) -> None:
    path = tmp_path / "prices.db"
    import_prices(SHIPPED, path)
    splits = SplitSettings()
    rows = rows_of_store(path, splits)

    assert check(path, rows, splits).status is Status.PASSED
    result = twins(rows)
    assert result.status is Status.PASSED
    assert sum(one.value for one in result.figures) == 0
