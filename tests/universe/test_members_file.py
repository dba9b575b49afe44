"""members.csv: what is read, and the line that says why it is not, with the file and the row."""

from __future__ import annotations

import datetime as dt
import gzip
from pathlib import Path

import pytest

from components.feature_store import Spell
from components.universe.members_file import MembersError, read_members, write_members_file

LAST_PRICES = {"AAA": dt.date(2020, 6, 30), "BBB": dt.date(2020, 6, 30), "O'Neil": dt.date(2019, 1, 3)}
HEADER = "share,from,to,delisting_return\n"
ONE = (Spell("AAA", dt.date(2019, 7, 1)),)


def written(folder: Path, text: str) -> Path:
    path = folder / "members.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_spells_are_read_in_order_and_come_back_from_what_is_written(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        HEADER
        + "BBB,2018-01-02,2020-06-30,-0.55\nAAA,2019-07-01,,\nAAA,2015-01-05,2018-12-31,\n\nO'Neil,2015-01-05,,\n",
    )
    spells = read_members(path, LAST_PRICES)
    assert spells == (
        Spell("AAA", dt.date(2015, 1, 5), dt.date(2018, 12, 31)),
        Spell("AAA", dt.date(2019, 7, 1)),
        Spell("BBB", dt.date(2018, 1, 2), dt.date(2020, 6, 30), -0.55),
        Spell("O'Neil", dt.date(2015, 1, 5)),
    )
    again = tmp_path / "again.csv"
    write_members_file(again, spells)
    assert read_members(again, LAST_PRICES) == spells


@pytest.mark.parametrize(
    "text",
    [
        "share,from,to\nAAA,2019-07-01,\n",
        "\ufeffTo;Ticker;note;From\r\n;AAA;x;2019-07-01\r\n",
        "to\tsymbol\tstart\n\tAAA\t2019-07-01\n",
    ],
)
def test_columns_come_in_any_order_and_with_other_separators(tmp_path: Path, text: str) -> None:
    assert read_members(written(tmp_path, text), LAST_PRICES) == (Spell("AAA", dt.date(2019, 7, 1)),)


def test_a_compressed_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "members.csv.gz"
    path.write_bytes(gzip.compress(b"share,from,to\nAAA,2019-07-01,\n"))
    assert read_members(path, LAST_PRICES) == (Spell("AAA", dt.date(2019, 7, 1)),)
    path.write_bytes(path.read_bytes()[:20])
    with pytest.raises(MembersError, match=r"members\.csv\.gz"):
        read_members(path, LAST_PRICES)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no column share"),
        ("share,from\nAAA,2019-07-01\n", "names no column to"),
        ("share,ticker,from,to\nAAA,AAA,2019-07-01,\n", "share and ticker both name the share"),
        (HEADER, "names no share below its header"),
        (HEADER + "AAA,2019-07-01,\n", "row 2 has 3 cells, and the header names 4"),
        (HEADER + ",2019-07-01,,\n", "row 2 names no share"),
        (HEADER + "AAA,2019-07-01,,\nXXX,2019-07-01,,\n", "row 3: the database has no prices of XXX; import them"),
        (HEADER + "AAA,2019-07-01,2020-07-01,30\n", "share AAA: delisting_return is '30', a gain of 3,000%"),
        (HEADER + "AAA,2019-07-01,2020-07-01,1.01\n", "row 2, share AAA: delisting_return is '1.01', a gain of 101%"),
        (HEADER + "AAA,01.07.2019,,\n", r"row 2, share AAA: from is '01\.07\.2019', not a day such as 2020-01-31"),
        (HEADER + "AAA,,2019-07-01,\n", "row 2, share AAA: from is ''"),
        (HEADER + "AAA,2019-07-01,today,\n", "to is 'today'.*an open end is an empty cell"),
        (HEADER + "AAA,2019-02-29,,\n", "from is '2019-02-29', not a day"),
        (HEADER + "AAA,2019-07-01,2018-07-01,\n", "row 2, share AAA: it would end on 2018-07-01, before it begins"),
        (HEADER + "AAA,2019-07-01,,\nBBB,2019-07-01,,\nAAA,2019-07-01,,\n", "rows 2 and 4, share AAA: the same spell"),
        (HEADER + "AAA,2019-07-01,,\nAAA,2015-07-01,2019-07-01,\n", "rows 2 and 3, .*ends on 2019-07-01, and the next"),
        (HEADER + "AAA,2015-07-01,,\nAAA,2019-07-01,,\n", "rows 2 and 3, .*2015-07-01 does not end, and the next"),
        (HEADER + "AAA,2015-07-01,2020-06-30,much\n", "row 2, share AAA: delisting_return is 'much', not a number"),
        (HEADER + "AAA,2015-07-01,2020-06-30,-30\n", r"row 2, share AAA: .* write -0\.3"),
        (HEADER + "AAA,2015-07-01,2020-06-30,nan\n", r"row 2, share AAA: .* write -0\.3"),
        (HEADER + "AAA,2015-07-01,,-0.3\n", "row 2, share AAA: .* the spell has no end"),
        (HEADER + "AAA,2015-07-01,2020-06-29,-0.3\n", "after 2020-06-29, and its last price is of 2020-06-30"),
        (HEADER + "AAA,2015-07-01,2016-06-30,-0.3\nAAA,2017-07-01,,\n", "row 2, .* comes back later"),
        (HEADER + 'AAA,"2015-07-01,,\n', "row 2"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_is_one_line_with_file_and_row(tmp_path: Path, text: str, message: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(MembersError, match=message) as caught:
        read_members(path, LAST_PRICES)
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)


def test_members_without_prices_are_taken_where_that_is_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, HEADER + "XXX,2015-07-01,2016-06-30,-0.3\n")
    assert read_members(path, LAST_PRICES, without_prices=True)[0].share_id == "XXX"


def test_files_that_cannot_be_read_or_written_are_named(tmp_path: Path) -> None:
    with pytest.raises(MembersError, match=r"none\.csv cannot be read"):
        read_members(tmp_path / "none.csv", LAST_PRICES)
    with pytest.raises(MembersError, match="cannot be read"):
        read_members(tmp_path, LAST_PRICES)
    latin = tmp_path / "latin.csv"
    latin.write_bytes("share,from,to\nMünchen,2019-07-01,\n".encode("latin-1"))
    with pytest.raises(MembersError, match=r"latin\.csv is no CSV file in UTF-8"):
        read_members(latin, LAST_PRICES)
    with pytest.raises(MembersError, match="is a folder; name a file"):
        write_members_file(tmp_path, ONE)
    latin_bytes = latin.read_bytes()
    with pytest.raises(MembersError, match=r"latin\.csv is something else than a file of members; name another"):
        write_members_file(latin, ONE)
    assert latin.read_bytes() == latin_bytes
    with pytest.raises(MembersError, match="cannot be written"):
        write_members_file(tmp_path / "nowhere" / "members.csv", ONE)


def test_nothing_is_written_that_an_import_refuses(tmp_path: Path) -> None:
    with pytest.raises(MembersError, match=r"none\.csv: not written, as the database holds no members"):
        write_members_file(tmp_path / "none.csv", ())
    assert not (tmp_path / "none.csv").exists()
