"""The label proof of a label that compares a day's shares: an honest run passes, and each planted fault is named."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_rows import rows_of_store

from benchmarks.planted_leaks.small_runs import plain_bars, write_prices
from components.feature_example_gen import day_levels
from components.feature_example_gen.day_levels import DayLevels, make_levels
from components.feature_example_gen.splits import SplitSettings
from components.feature_store import FeatureStore, PriceBars
from components.leak_audit.check import CHECKS, Audited
from components.leak_audit.checks import completeness, label_proof
from components.leak_audit.config import AuditConfig, AuditedModel
from components.leak_audit.reading.rows import AuditRows
from components.leak_audit.results import CheckResult, Status
from components.synthetic_market import Market, generate
from models.errors import PluginError
from models.labels import get_label
from models.plugins import take_files

SPLIT = SplitSettings(fractions=(0.5, 0.2, 0.3), horizons=(1, 20), horizon=1)
OUTPERFORM = get_label("outperform")


def bars_with_gaps(market: Market, share: int) -> PriceBars:
    """Prices of a share; the first one lacks sessions around both borders, so that its returns reach further."""
    whole = plain_bars(market, share)
    here = np.ones(len(whole.time), bool)
    if share == 0:
        here[[268, 272, 368, 372]] = False
    return PriceBars(whole.time[here], whole.close[here], whole.factor[here])


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "prices.db"
    write_prices(generate("market_factor", shares=7, sessions=520, seed=1), path, bars_with_gaps)
    return path


def checked(database: Path, rows: AuditRows, check: str = label_proof.NAME, **asked: Any) -> CheckResult:
    model = AuditedModel("linear", 1, {})
    told = {"database": str(database), "splits": SPLIT, "label": OUTPERFORM.name} | asked
    config = AuditConfig((model,), "window_returns", 1, 0, 21, 0.53, **told)
    nothing: Any = None
    return CHECKS[check].run(Audited(rows, nothing, nothing, "", {}, config, model))


def spoilt(monkeypatch: pytest.MonkeyPatch, database: Path, spoil: Callable[[DayLevels], DayLevels]) -> AuditRows:
    """The rows of a FeatureExampleGen that takes other levels than it should."""
    monkeypatch.setattr(day_levels, "make_levels", lambda *asked: spoil(make_levels(*asked)))
    rows = rows_of_store(database, SPLIT, label=OUTPERFORM)
    monkeypatch.undo()
    return rows


def test_an_honest_run_passes_and_its_levels_were_made_again(database: Path) -> None:
    rows = rows_of_store(database, SPLIT, label=OUTPERFORM)

    found = checked(database, rows)

    assert found.status is Status.PASSED, found
    assert "are those that all shares' prices give" in found.sentence
    days = sum(len(np.unique(rows.time[~np.isnan(values)])) for values in rows.excess.values())
    assert next(one.value for one in found.figures if one.name == "days whose level was made again") == days > 600
    assert checked(database, rows, completeness.NAME).status is Status.PASSED


def test_without_the_database_the_levels_are_compared_with_one_another(database: Path) -> None:
    rows = rows_of_store(database, SPLIT, label=OUTPERFORM)
    database.unlink()

    found = checked(database, rows)

    assert found.status is Status.PASSED
    assert "compared with one another alone: there is no database" in found.sentence


def test_levels_of_later_days_are_named(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def tomorrow(levels: DayLevels) -> DayLevels:
        return replace(levels, level={h: np.append(values[1:], values[-1:]) for h, values in levels.level.items()})

    found = checked(database, spoilt(monkeypatch, database, tomorrow))

    assert found.status is Status.LEAKING
    assert "have another level than the prices of their day give: the first is S" in found.sentence


def test_a_level_of_some_of_the_shares_is_named(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def of_some(tables: Any, *asked: Any) -> DayLevels | None:
        found = make_levels([table.filter([one != "S001" for one in table["share_id"].to_pylist()])
                             for table in tables], *asked)  # fmt: skip
        return found

    monkeypatch.setattr(day_levels, "make_levels", of_some)
    rows = rows_of_store(database, SPLIT, label=OUTPERFORM)
    monkeypatch.undo()

    assert checked(database, rows).status is Status.LEAKING


def test_a_level_made_of_the_next_split_is_named(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unpurged(levels: DayLevels) -> DayLevels:
        return replace(levels, end={h: np.full_like(values, -1) for h, values in levels.end.items()})

    found = checked(database, spoilt(monkeypatch, database, unpurged))

    assert found.status is Status.LEAKING
    assert "have a level that is made of prices of the next split" in found.sentence


def test_a_row_with_a_level_of_its_own_is_named(database: Path) -> None:
    rows = rows_of_store(database, SPLIT, label=OUTPERFORM)
    beyond = rows.excess[1].copy()
    beyond[5] *= 1.001  # of the same sign, so that the label agrees with it

    found = checked(database, replace(rows, excess={**rows.excess, 1: beyond}))

    assert found.status is Status.LEAKING
    assert "show another level than the other rows of their day" in found.sentence
    assert f"{rows.place(5)}, horizon 1" in found.sentence


def test_a_label_that_is_not_the_sign_of_its_return_is_named(database: Path) -> None:
    rows = rows_of_store(database, SPLIT, label=OUTPERFORM)
    labels = rows.labels[1].copy()
    labels[5] = 1 - labels[5]

    found = checked(database, replace(rows, labels={**rows.labels, 1: labels}))

    assert found.status is Status.LEAKING
    assert f"the first is {rows.place(5)}, horizon 1" in found.sentence


OF_ALL_SEVEN = """
import numpy as np

from models.labels import Label, Words


def second_best(day):
    return float(np.partition(day, 5)[5]) / WHOLE


WHOLE = 1
LABEL = Label("second_best", "better than the second best of seven", Words(*"abcdef"), second_best, 7)
"""


def test_somebodys_own_level_is_asked_of_days_with_enough_shares_and_fails_in_one_line(
    database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_AWESOME_PLUGINS", "[]")
    (tmp_path / "of_all_seven.py").write_text(OF_ALL_SEVEN)
    take_files([tmp_path / "of_all_seven.py"])
    rows = rows_of_store(database, SPLIT, label=get_label("second_best"))

    found = checked(database, rows, label="second_best")  # where S000 lacks a session there are six, of which it fails

    assert found.status is Status.PASSED, found
    assert "are those that all shares' prices give" in found.sentence
    monkeypatch.setattr("models.plugged.of_all_seven.WHOLE", 0)
    with pytest.raises(PluginError, match=r"of_all_seven.py fails in line 8 of of_all_seven.py \(ZeroDivisionError"):
        checked(database, rows, label="second_best")


def test_examples_of_up_do_not_pass_for_those_of_another_label(database: Path) -> None:
    rows = rows_of_store(database, SPLIT)

    assert checked(database, rows, label="up").status is Status.PASSED
    found = checked(database, rows)
    assert (found.status, "Labels of horizon 1 show no level" in found.sentence) == (Status.LEAKING, True)
    assert checked(database, rows, completeness.NAME).status is Status.LEAKING
    with FeatureStore.open(database) as store:
        assert len(store.shares()) == 7
