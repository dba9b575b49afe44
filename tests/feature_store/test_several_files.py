"""Folders, patterns and several files of prices as one import."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from importing import long_csv, stored
from samples import bars, csv

from components.errors import ImportFileError
from components.feature_store import LayoutChoice, import_files, price_files


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
