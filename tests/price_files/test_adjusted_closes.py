"""Closes beside a factor: as traded, or adjusted already, by what they do where the factor steps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from importing import run, stored
from samples import bars

from components.errors import ImportFileError
from components.price_files import LayoutChoice

SESSIONS = 120


def rows_of(share: str, seed: int, steps: dict[int, float], adjusted: bool, note: str = "") -> list[str]:
    """Returns the rows of a share whose factor is multiplied on some days; prices as traded, or adjusted already."""
    one = bars(seed, SESSIONS)
    factor = np.cumprod([steps.get(day, 1.0) for day in range(SESSIONS)])
    scale = np.ones(SESSIONS) if adjusted else factor
    lines = []
    for at, day in enumerate(one.days):
        prices = (one.open[at], one.high[at], one.low[at], one.close[at])
        cells = [*(price / scale[at] for price in prices), one.volume[at] * scale[at], factor[at]]
        lines.append(",".join([str(day), share, *(repr(float(cell)) for cell in cells)]))
    return lines


def returns(tmp_path: Path, share: str = "A") -> np.ndarray:
    adjusted = [row[2] * row[3] for row in stored(tmp_path) if row[0] == share]
    return np.diff(np.log(adjusted))


def truth(seed: int) -> np.ndarray:
    return np.diff(np.log(bars(seed, SESSIONS).close))


def text_of(*shares: list[str], qlib: bool = False) -> str:
    header = "date,symbol,open,high,low,close,volume,factor"
    if qlib:
        header = "datetime,instrument,$open,$high,$low,$close,$volume,$factor"
    return "\n".join([header, *(line for share in shares for line in share)])


SPLITS = {40: 2.0, 80: 1.5}
DIVIDENDS = dict.fromkeys(range(5, SESSIONS, 5), 1.02)
FINE = {60: 1.001}


@pytest.mark.parametrize("adjusted", [False, True])
@pytest.mark.parametrize("steps", [SPLITS, DIVIDENDS, {60: 0.1}], ids=["splits", "dividends", "reverse split"])
def test_closes_tell_by_themselves_what_they_are(tmp_path: Path, adjusted: bool, steps: dict[int, float]) -> None:
    report = run(tmp_path, text_of(rows_of("A", 1, steps, adjusted), rows_of("B", 2, {}, adjusted)))
    assert report.refused == ()
    np.testing.assert_allclose(returns(tmp_path), truth(1), atol=1e-12)
    np.testing.assert_allclose(returns(tmp_path, "B"), truth(2), atol=1e-12)
    what = "closes: adjusted already (raw is close / factor)" if adjusted else "closes: as traded"
    assert any(note.startswith(what) for note in report.notes)
    # As traded, whatever the file had: price x volume is the turnover.
    one, factor = bars(1, SESSIONS), np.cumprod([steps.get(day, 1.0) for day in range(SESSIONS)])
    close, volume = np.transpose(stored(tmp_path, "close, volume"))[:, :SESSIONS].astype(float)
    np.testing.assert_allclose(close, one.close / factor)
    np.testing.assert_allclose(volume, one.volume * factor, atol=0.5)


@pytest.mark.parametrize("steps", [SPLITS, DIVIDENDS], ids=["splits", "dividends"])
def test_a_factor_to_divide_by_is_turned_round(tmp_path: Path, steps: dict[int, float]) -> None:
    rows = [row.rsplit(",", 1) for row in rows_of("A", 1, steps, adjusted=False)]
    report = run(tmp_path, text_of([f"{row},{1 / float(factor)!r}" for row, factor in rows]))
    np.testing.assert_allclose(returns(tmp_path), truth(1), atol=1e-12)
    assert "to be divided by the factor, as they move with the factor where it steps (A on" in report.notes[-1]


def test_steps_that_are_too_small_are_taken_as_documented_and_the_user_decides(tmp_path: Path) -> None:
    text = text_of(rows_of("A", 1, FINE, adjusted=True))
    note = "closes: as traded, by their names alone (1 step of the factor does not tell; --prices decides otherwise)"
    assert run(tmp_path, text).notes[-1] == note
    (tmp_path / "awesome.db").unlink()
    run(tmp_path, text, choice=LayoutChoice(prices="adjusted"))
    np.testing.assert_allclose(returns(tmp_path), truth(1), atol=1e-12)


def test_qlibs_names_say_adjusted_where_its_steps_do_not(tmp_path: Path) -> None:
    report = run(tmp_path, text_of(rows_of("A", 1, FINE, adjusted=True), qlib=True))
    assert "closes: adjusted already, by their names alone" in report.notes[-1]
    np.testing.assert_allclose(returns(tmp_path), truth(1), atol=1e-12)


def test_qlibs_names_do_not_overrule_the_closes(tmp_path: Path) -> None:
    run(tmp_path, text_of(rows_of("A", 1, SPLITS, adjusted=False), qlib=True))
    np.testing.assert_allclose(returns(tmp_path), truth(1), atol=1e-12)


def test_a_file_that_contradicts_itself_is_refused_with_both_days(tmp_path: Path) -> None:
    text = text_of(rows_of("A", 1, SPLITS, adjusted=True), rows_of("B", 2, SPLITS, adjusted=False))
    with pytest.raises(ImportFileError, match=r"B on .* factor x 2.* A on .*; say --prices raw or --prices adjusted"):
        run(tmp_path, text)
    assert not (tmp_path / "awesome.db").exists()


def test_one_share_that_contradicts_the_others_is_refused_alone(tmp_path: Path) -> None:
    sound = [rows_of(f"S{number}", number, SPLITS, adjusted=False) for number in range(5)]
    report = run(tmp_path, text_of(*sound, rows_of("X", 9, SPLITS, adjusted=True)))
    assert {share.share_id for share in report.shares} == {f"S{number}" for number in range(5)}
    assert [(refusal.share_id, refusal.time) for refusal in report.refused] == [("X", "2022-02-28")]
    assert "its factor does not fit its closes" in report.refused[0].reason


def test_hundreds_of_sound_shares_raise_nothing(tmp_path: Path) -> None:
    steps = dict.fromkeys(range(20, SESSIONS, 20), 1.01)
    report = run(tmp_path, text_of(*(rows_of(f"S{number:03}", number, steps, False) for number in range(200))))
    assert (report.refused, len(report.shares)) == ((), 200)


def test_a_factor_that_takes_a_volume_out_of_range_is_refused_by_its_row(tmp_path: Path) -> None:
    text = "date,symbol,close,volume,factor\n2022-01-03,A,10,100,1\n2022-01-04,A,11,100,1e308\n"
    report = run(tmp_path, text, choice=LayoutChoice(prices="adjusted"))
    assert [(refusal.row, refusal.reason) for refusal in report.refused] == [(3, "the volume is out of range")]
    assert [row[1] for row in stored(tmp_path)] == ["2022-01-03"]
