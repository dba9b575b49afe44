"""What is stored judges a file: another share's prices and lost adjustments are refused, sound files are taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from importing import run, stored
from samples import bars, csv

from components.feature_store import FeatureStore
from components.feature_store.decisions import read_decisions
from components.price_files import LayoutChoice

ONE = bars(1, 60)
FACTOR = np.repeat([1.0, 2.0, 2.04], 20)
RAW = (np.array(ONE.close) / FACTOR).tolist()
DAYS = [str(day) for day in ONE.days]


def text_of(close: list[float], begin: int = 0, end: int = 60, **others: object) -> str:
    columns = {"date": DAYS, "symbol": ["A"] * 60, "close": close, **others}
    return csv({name: list(cells)[begin:end] for name, cells in columns.items()})  # type: ignore[call-overload]


def adjusted(tmp_path: Path) -> np.ndarray:
    return np.array([row[2] * row[3] for row in stored(tmp_path)])


def test_a_file_without_adjustments_does_not_overwrite_stored_ones(tmp_path: Path) -> None:
    run(tmp_path, text_of(RAW, factor=FACTOR))
    before = stored(tmp_path)
    for others in ({}, {"adj_close": RAW}, {"factor": [1.0] * 60}):
        report = run(tmp_path, text_of(RAW, **others))
        assert report.taken == 0
        assert [(refusal.share_id, refusal.time) for refusal in report.refused] == [("A", DAYS[0])]
        assert "stored adjustments are gone, the first on 2022-01-31, where prices were adjusted by 2;" in (
            report.refused[0].reason
        )
        assert "--accept A" in report.refused[0].reason
        assert stored(tmp_path) == before


def test_new_days_without_adjustments_need_a_decision(tmp_path: Path) -> None:
    run(tmp_path, text_of(RAW, 0, 50, factor=FACTOR))
    report = run(tmp_path, text_of(RAW, 45))
    assert "the file has no adjustments, and the stored prices of the share have some" in report.refused[0].reason
    with FeatureStore.create(tmp_path / "awesome.db") as store:
        store.decide(read_decisions(accept=["A"]))
    assert run(tmp_path, text_of(RAW, 45)).shares[0].new == 10
    np.testing.assert_allclose(adjusted(tmp_path), ONE.close)


def test_days_that_are_stored_already_need_no_adjustments(tmp_path: Path) -> None:
    run(tmp_path, text_of(RAW, factor=FACTOR))
    report = run(tmp_path, text_of(RAW, 45))
    assert (report.refused, report.shares[0].unchanged) == ((), 15)


def test_closes_that_are_adjusted_instead_lose_nothing(tmp_path: Path) -> None:
    run(tmp_path, text_of(RAW, factor=FACTOR))
    assert run(tmp_path, text_of(ONE.close)).refused == ()
    np.testing.assert_allclose(np.diff(np.log(adjusted(tmp_path))), np.diff(np.log(ONE.close)), atol=1e-12)


def test_a_corrected_factor_is_taken(tmp_path: Path) -> None:
    run(tmp_path, text_of(RAW, factor=FACTOR))
    corrected = np.repeat([1.0, 2.0, 2.03], 20)
    assert run(tmp_path, text_of(RAW, factor=corrected)).refused == ()
    assert stored(tmp_path, "factor")[-1] == (2.03,)


def test_another_share_under_the_same_name_is_refused(tmp_path: Path) -> None:
    run(tmp_path, csv({"date": DAYS, "close": ONE.close}), name="data.csv")
    before = stored(tmp_path)
    report = run(tmp_path, csv({"date": DAYS, "close": bars(2, 60, price=30).close}), name="data.csv")
    assert "another share's prices are stored under this name" in report.refused[0].reason
    assert stored(tmp_path) == before


@pytest.mark.parametrize("scale", [0.25, 1.0])
def test_the_same_share_on_another_scale_or_corrected_is_no_other_one(tmp_path: Path, scale: float) -> None:
    run(tmp_path, text_of(ONE.close))
    close = [round(scale * value, 4) for value in ONE.close]
    close[7], close[30] = 1.5 * close[7], 0.7 * close[30]
    assert run(tmp_path, text_of(close)).refused == ()


@pytest.mark.parametrize("days", [1, 10, 30])
def test_a_part_on_another_scale_is_refused(tmp_path: Path, days: int) -> None:
    """Such as split-adjusted closes after the next split, or a short file of Qlib's, taken for raw ones."""
    run(tmp_path, text_of(ONE.close, 0, 50))
    before = stored(tmp_path)
    half = [close / 2 for close in ONE.close]
    report = run(tmp_path, text_of(half, 50 - days))
    assert "its adjusted closes are 0.5 times the stored ones" in report.refused[0].reason
    assert stored(tmp_path) == before
    assert run(tmp_path, text_of(half)).shares[0].changed == 50


def test_a_part_with_corrections_is_taken(tmp_path: Path) -> None:
    run(tmp_path, text_of(ONE.close, 0, 50))
    close = [*ONE.close[:41], ONE.close[41] * 1.1, *ONE.close[42:]]
    assert run(tmp_path, text_of(close, 40)).shares[0].new == 10


def test_adjusted_closes_that_a_dividend_has_rescaled_need_the_whole_history(tmp_path: Path) -> None:
    run(tmp_path, text_of(ONE.close, 0, 50))
    rescaled = [round(close * 0.994, 2) for close in ONE.close]
    assert "0.994 times" in run(tmp_path, text_of(rescaled, 30)).refused[0].reason
    # With the closes as traded beside them the scale is known.
    (tmp_path / "awesome.db").unlink()
    run(tmp_path, text_of(ONE.close, 0, 50, adj_close=ONE.close))
    report = run(tmp_path, text_of(ONE.close, 30, adj_close=rescaled))
    assert (report.refused, report.shares[0].new, report.shares[0].changed) == ((), 10, 0)


@pytest.mark.parametrize("name", ["factor", "adj_close"])
def test_a_column_that_moves_from_day_to_day_holds_no_adjustments(tmp_path: Path, name: str) -> None:
    report = run(tmp_path, text_of(RAW, **{name: bars(2, 60).close}))
    assert report.taken == 0
    assert f"days, the first on {DAYS[1]}: it holds no adjustments" in report.refused[0].reason
    assert report.refused[0].reason.endswith(f"--column {name}=")


def test_many_dividends_and_noise_of_single_precision_are_adjustments(tmp_path: Path) -> None:
    noise = np.random.default_rng(3).normal(1, 1e-7, 60)
    weekly = 1.002 ** (np.arange(60) // 5)
    report = run(tmp_path, text_of(ONE.close, adj_close=(np.array(ONE.close) * weekly * noise).tolist()))
    assert (report.refused, report.taken) == ((), 60)


@pytest.mark.parametrize(("name", "values"), [("factor", (1, 1, 2)), ("adj_close", (5, 5, 5))])
def test_a_part_whose_factors_do_not_go_on_is_refused(tmp_path: Path, name: str, values: tuple[float, ...]) -> None:
    """It once left a factor of 2 before one of 1: a return of -50 % on a day of none."""
    closes = [10, 10, 5, 5, 5]
    whole = [f"2022-01-{3 + at:02},A,{close}" for at, close in enumerate(closes)]
    run(tmp_path, "\n".join(["date,symbol,close", *whole]))
    part = [f"{line},{value}" for line, value in zip(whole, values, strict=False)]
    report = run(tmp_path, "\n".join([f"date,symbol,close,{name}", *part]))
    [refusal] = report.refused
    assert "its factor on 2022-01-05 is 2 times the stored one, and the file does not have 2022-01-06" in refusal.reason
    assert [row[3] for row in stored(tmp_path)] == [1.0] * 5
    rest = [f"{line},{value}" for line, value in zip(whole, (*values, *values[-1:], *values[-1:]), strict=True)]
    assert run(tmp_path, "\n".join([f"date,symbol,close,{name}", *rest[1:]])).refused == ()
    assert [row[3] for row in stored(tmp_path)] == [1.0, 1.0, 2.0, 2.0, 2.0]


def test_a_file_that_lacks_a_stored_day_beside_which_its_factors_differ_is_refused(tmp_path: Path) -> None:
    days = [f"2022-01-{day:02}" for day in range(3, 10)]
    run(tmp_path, "\n".join(["date,symbol,close", *(f"{day},A,10" for day in days)]))
    lines = [f"{day},A,10,{1 if day < '2022-01-05' else 2}" for day in days if day != "2022-01-07"]
    report = run(tmp_path, "\n".join(["date,symbol,close,factor", *lines]), choice=LayoutChoice(prices="raw"))
    assert "its factor on 2022-01-06 is 2 times the stored one" in report.refused[0].reason
    assert {row[3] for row in stored(tmp_path)} == {1.0}
