"""Folders, patterns and several files of prices as one import."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from importing import long_csv, stored
from samples import bars, csv

from components.errors import ImportFileError
from components.price_files import LayoutChoice, import_files, price_files


def one_share(folder: Path, name: str, seed: int, count: int = 30) -> None:
    one = bars(seed, count)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(csv({"Date": list(one.days), "Open": one.open, "Close": one.close}))


def test_a_folder_with_a_file_a_share(tmp_path: Path) -> None:
    one_share(tmp_path / "in [1]", "AAA.csv", 1)
    one_share(tmp_path / "in [1]" / "more", "bbb.us.txt", 2)
    (tmp_path / "in [1]" / "README.md").write_text("about")
    (tmp_path / "in [1]" / ".hidden.csv").write_text("about")
    calls: list[tuple[int, int, str]] = []
    report = import_files([tmp_path / "in [1]"], tmp_path / "awesome.db", progress=lambda *call: calls.append(call))
    assert [(share.share_id, share.new) for share in report.shares] == [("AAA", 30), ("bbb.us", 30)]
    assert (report.taken, report.refused, report.failed) == (60, (), ())
    assert report.notes == (
        "2 files: one share, named after the file: dates in 'Date', open in 'Open', close in 'Close'",
    )
    assert calls == [(1, 2, "AAA.csv"), (2, 2, "bbb.us.txt")]
    assert [row[2] for row in stored(tmp_path)] == bars(1, 30).close + bars(2, 30).close


def test_files_patterns_and_folders_name_each_file_once(tmp_path: Path) -> None:
    for name in ("b.csv", "a.csv", "c[1].csv"):
        one_share(tmp_path, name, 1)
    every = [tmp_path / "a.csv", tmp_path / "b.csv", tmp_path / "c[1].csv"]
    assert price_files([tmp_path]) == every
    assert price_files([str(tmp_path / "*.csv")]) == every
    assert price_files([tmp_path / "c[1].csv", tmp_path / "c[1].csv"]) == every[2:]
    with pytest.raises(ImportFileError, match=r"no file is called like .*\*\.parquet"):
        price_files([str(tmp_path / "*.parquet")])
    (tmp_path / "empty").mkdir()
    with pytest.raises(ImportFileError, match=r"empty holds no file of prices; their names end in \.csv"):
        price_files([tmp_path / "empty"])


def test_a_file_that_fails_is_named_and_stops_none_of_the_others(tmp_path: Path) -> None:
    one_share(tmp_path / "in", "AAA.csv", 1)
    (tmp_path / "in" / "bad.csv").write_text("Date,Open\n2022-01-03,1\n")
    (tmp_path / "in" / "long.csv.gz").write_bytes(gzip.compress((long_csv(5, "B") + "soon,B,1\n").encode()))
    report = import_files([tmp_path / "in"], tmp_path / "awesome.db")
    assert [share.share_id for share in report.shares] == ["AAA", "B"]
    assert [Path(failed.path).name for failed in report.failed] == ["bad.csv"]
    assert "there is no column of closes" in report.failed[0].reason
    assert [(Path(refusal.file).name, refusal.row) for refusal in report.refused] == [("long.csv.gz", 7)]


def test_files_of_which_none_can_be_taken_leave_no_database(tmp_path: Path) -> None:
    for name in ("a.csv", "b.csv", "c.csv"):
        (tmp_path / name).write_text("Date,Open\n2022-01-03,1\n")
    with pytest.raises(ImportFileError, match=r"none of the 3 files can be taken: .*a\.csv.*b\.csv") as caught:
        import_files([tmp_path], tmp_path / "awesome.db")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "awesome.db").exists()


def test_two_files_of_one_name_are_not_mixed(tmp_path: Path) -> None:
    one_share(tmp_path / "in" / "de", "AAA.csv", 1)
    one_share(tmp_path / "in" / "us", "AAA.csv", 2)
    one_share(tmp_path / "in" / "us copy", "AAA.csv", 1)
    report = import_files([tmp_path / "in"], tmp_path / "awesome.db")
    assert [row[2] for row in stored(tmp_path)] == bars(1, 30).close
    assert [Path(failed.path).parent.name for failed in report.failed] == ["us"]
    assert "de/AAA.csv names the same share, AAA, and has another close on 2022-01-03" in report.failed[0].reason


def test_a_share_in_several_files_is_one_line_of_the_report(tmp_path: Path) -> None:
    lines = long_csv(60).splitlines()
    for number, part in enumerate((lines[1:31], lines[31:])):
        (tmp_path / f"{number}.csv").write_text("\n".join([lines[0], *part]))
    report = import_files([tmp_path / "0.csv", tmp_path / "1.csv"], tmp_path / "awesome.db")
    assert [(one.new, str(one.first), str(one.last)) for one in report.shares] == [(60, "2020-01-01", "2020-02-29")]


def test_a_share_from_another_source_fails_its_file_only(tmp_path: Path) -> None:
    one_share(tmp_path / "in", "AAA.csv", 1)
    one_share(tmp_path / "in", "BBB.csv", 2)
    import_files([tmp_path / "in" / "AAA.csv"], tmp_path / "awesome.db", source="tiingo")
    report = import_files([tmp_path / "in"], tmp_path / "awesome.db")
    assert [share.share_id for share in report.shares] == ["BBB"]
    assert "AAA come from the source 'tiingo', not 'file'" in report.failed[0].reason


def test_one_name_is_not_for_several_files(tmp_path: Path) -> None:
    one_share(tmp_path, "AAA.csv", 1)
    one_share(tmp_path, "BBB.csv", 2)
    with pytest.raises(ImportFileError, match="--share names the share of one file, not of 2"):
        import_files([tmp_path], tmp_path / "awesome.db", choice=LayoutChoice(share="X"))


def test_a_file_a_day(tmp_path: Path) -> None:
    shares = {f"S{number}": bars(number, 30) for number in range(3)}
    for at, day in enumerate(bars(0, 30).days):
        columns = {"symbol": list(shares), "close": [one.close[at] for one in shares.values()]}
        (tmp_path / f"{29 - at:02}.csv").write_text(csv({"date": [day] * 3, **columns}))
    report = import_files([tmp_path], tmp_path / "awesome.db")
    assert [(share.share_id, share.new) for share in report.shares] == [("S0", 30), ("S1", 30), ("S2", 30)]
    assert [row[2] for row in stored(tmp_path)] == [close for one in shares.values() for close in one.close]
    again = import_files([tmp_path], tmp_path / "awesome.db")
    assert [share.unchanged for share in again.shares] == [30, 30, 30]


def test_a_day_that_differs_between_files_is_taken_from_none(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("date,symbol,close\n2022-01-03,A,1\n2022-01-04,A,2\n2022-01-04,B,2\n")
    (tmp_path / "b.csv").write_text("date,symbol,close\n2022-01-05,A,3\n2022-01-04,A,2.5\n2022-01-03,A,1\n")
    report = import_files([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path / "awesome.db")
    assert [row[:3] for row in stored(tmp_path)] == [
        ("A", "2022-01-03", 1.0),
        ("A", "2022-01-05", 3.0),
        ("B", "2022-01-04", 2.0),
    ]
    assert [(Path(refusal.file).name, refusal.row, refusal.time) for refusal in report.refused] == [
        ("a.csv", 3, "2022-01-04"),
        ("b.csv", 3, "2022-01-04"),
    ]
    assert "a.csv, row 3; close 2.5 in " in report.refused[0].reason


def with_factors(path: Path, closes: dict[str, float], name: str = "factor", share: str = "A") -> None:
    lines = [f"{day},{share},{close},{close if name == 'adj_close' else 1}" for day, close in closes.items()]
    path.write_text("\n".join([f"date,symbol,close,{name}", *lines]))


@pytest.mark.parametrize("name", ["factor", "adj_close"])
def test_a_later_file_with_another_close_is_refused(tmp_path: Path, name: str) -> None:
    """Closes with adjustments are written file by file, so that the later file's would replace the earlier one's."""
    with_factors(tmp_path / "a.csv", {"2022-01-03": 10, "2022-01-04": 11, "2022-01-05": 12}, name)
    with_factors(tmp_path / "b.csv", {"2022-01-04": 11, "2022-01-05": 12.5, "2022-01-06": 13}, name)
    with_factors(tmp_path / "c.csv", {"2022-01-05": 12, "2022-01-06": 14}, name)
    report = import_files([tmp_path], tmp_path / "awesome.db")
    assert [row[1:3] for row in stored(tmp_path)] == [
        ("2022-01-03", 10.0),
        ("2022-01-04", 11.0),
        ("2022-01-05", 12.0),
        ("2022-01-06", 14.0),
    ]
    [failed] = report.failed
    assert failed.reason == (
        f"{tmp_path}/b.csv, row 3: the close of A on 2022-01-05 is 12.5, and 12 in {tmp_path}/a.csv, which was taken "
        "before; keep the right one"
    )


def test_parts_that_are_written_already_are_not_changed_by_a_later_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("components.price_files.several_files._MOST_ROWS", 3)
    for name, closes in (("a", (1, 2)), ("b", (2, 3)), ("c", (3, 4.5)), ("d", (4, 5)), ("e", (1, 9, 5))):
        first = 3 + "abcd".find(name) if name != "e" else 3
        lines = [f"2022-01-{first + at:02},A,{close}" for at, close in enumerate(closes)]
        (tmp_path / f"{name}.csv").write_text("\n".join(["date,symbol,close", *lines]))
    report = import_files([tmp_path], tmp_path / "awesome.db")
    assert [row[2] for row in stored(tmp_path)] == [1.0, 2.0, 3.0, 5.0]
    assert sorted((Path(refusal.file).name, refusal.time) for refusal in report.refused) == [
        ("c.csv", "2022-01-06"),
        ("d.csv", "2022-01-06"),
    ]
    [failed] = report.failed
    assert f"e.csv, row 3: the close of A on 2022-01-04 is 9, and 2 in {tmp_path}/a.csv" in failed.reason


@pytest.mark.parametrize("adjusted_first", [True, False])
def test_files_with_and_without_adjustments_do_not_change_each_other(tmp_path: Path, adjusted_first: bool) -> None:
    one, two = ("a", "b") if adjusted_first else ("b", "a")
    with_factors(tmp_path / f"{one}.csv", {"2022-01-03": 10, "2022-01-04": 11})
    (tmp_path / f"{two}.csv").write_text("date,symbol,close\n2022-01-04,A,11.5\n2022-01-05,A,12\n")
    report = import_files([tmp_path], tmp_path / "awesome.db")
    assert [Path(failed.path).name for failed in report.failed] == ["b.csv"]
    assert f"and {'11' if adjusted_first else '11.5'} in {tmp_path}/a.csv" in report.failed[0].reason
    assert [row[2] for row in stored(tmp_path)] == ([10.0, 11.0] if adjusted_first else [11.5, 12.0])


def test_a_part_that_is_refused_when_it_is_written_names_its_own_file(tmp_path: Path) -> None:
    (tmp_path / "stored.csv").write_text("date,symbol,close,factor\n2022-01-10,A,10,1\n2022-01-11,A,5,2\n")
    import_files([tmp_path / "stored.csv"], tmp_path / "awesome.db")
    (tmp_path / "a.csv").write_text("date,symbol,close\n2022-01-05,A,11.5\n2022-01-06,A,12\n")
    (tmp_path / "b.csv").write_text("date,symbol,close\n2022-01-03,A,11.5\n2022-01-04,A,12\n")
    report = import_files([tmp_path / "a.csv", tmp_path / "b.csv"], tmp_path / "awesome.db")
    [refusal] = report.refused
    assert "the file has no adjustments" in refusal.reason
    assert (Path(refusal.file).name, refusal.row, refusal.time) == ("b.csv", 2, "2022-01-03")


def qlib_file(folder: Path, share: str, seed: int, splits: dict[int, float], adjusted: bool = True) -> None:
    one = bars(seed, 60)
    factor = np.cumprod([splits.get(day, 1.0) for day in range(60)])
    close = one.close if adjusted else one.close / factor
    folder.mkdir(exist_ok=True)
    (folder / f"{share}.csv").write_text(csv({"date": one.days, "close": list(close), "factor": factor.tolist()}))


def test_closes_beside_factors_are_judged_over_all_files(tmp_path: Path) -> None:
    """Of the file of B alone nobody could tell."""
    qlib_file(tmp_path / "in", "A", 1, {30: 2.0, 40: 3.0})
    qlib_file(tmp_path / "in", "B", 2, {20: 1.002})
    report = import_files([tmp_path / "in"], tmp_path / "awesome.db")
    assert any("closes: adjusted already" in note and "A on " in note for note in report.notes)
    for share, seed in (("A", 1), ("B", 2)):
        adjusted = [row[2] * row[3] for row in stored(tmp_path) if row[0] == share]
        np.testing.assert_allclose(np.diff(np.log(adjusted)), np.diff(np.log(bars(seed, 60).close)), atol=1e-12)


def test_files_whose_closes_contradict_one_another_are_refused(tmp_path: Path) -> None:
    qlib_file(tmp_path / "in", "A", 1, {30: 2.0, 40: 3.0})
    qlib_file(tmp_path / "in", "B", 2, {30: 2.0, 40: 3.0}, adjusted=False)
    with pytest.raises(ImportFileError, match="say --prices raw or --prices adjusted"):
        import_files([tmp_path / "in"], tmp_path / "awesome.db")
    assert not (tmp_path / "awesome.db").exists()


def test_adjusted_closes_of_two_files_are_not_on_one_scale(tmp_path: Path) -> None:
    for name, days, ratio in (("a", "345", 0.5), ("b", "678", 0.6)):
        lines = [f"2022-01-0{day},A,10,{10 * ratio}" for day in days]
        (tmp_path / f"{name}.csv").write_text("\n".join(["date,symbol,close,adj_close", *lines]))
    report = import_files([tmp_path], tmp_path / "awesome.db")
    assert [row[1] for row in stored(tmp_path)] == ["2022-01-03", "2022-01-04", "2022-01-05"]
    assert "cannot be joined" in report.refused[0].reason
    assert Path(report.refused[0].file).name == "b.csv"


def test_a_file_a_day_with_a_factor_that_counts_from_the_listing_on(tmp_path: Path) -> None:
    """Of tushare's factors those of any two days are on one scale."""
    shares = {f"60000{number}.SH": bars(number, 30) for number in range(3)}
    factor = 8.2 * np.repeat([1.0, 2.0], 15)
    for at, day in enumerate(bars(0, 30).days):
        columns = {
            "ts_code": list(shares),
            "trade_date": [f"{day:%Y%m%d}"] * 3,
            "close": [one.close[at] / factor[at] for one in shares.values()],
            "vol": [1] * 3,
            "adj_factor": [factor[at]] * 3,
        }
        (tmp_path / f"{day:%Y%m%d}.csv").write_text(csv(columns))
    report = import_files([tmp_path], tmp_path / "awesome.db")
    assert (report.refused, report.taken) == ((), 90)
    for share, one in shares.items():
        adjusted = [row[2] * row[3] for row in stored(tmp_path) if row[0] == share]
        np.testing.assert_allclose(np.diff(np.log(adjusted)), np.diff(np.log(one.close)), atol=1e-12)
    again = import_files([tmp_path], tmp_path / "awesome.db")
    assert [share.unchanged for share in again.shares] == [30, 30, 30]
