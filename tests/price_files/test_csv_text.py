"""Separators, encodings, and files that are made to be read without end."""

from __future__ import annotations

import gzip
import io
import subprocess
import sys
from pathlib import Path

import pytest
from importing import long_csv, run, stored

from components.errors import ImportFileError
from components.price_files import forms_from
from components.price_files.rows import read_rows

# --- separators


@pytest.mark.parametrize("separator", [";", "\t", "|"])
def test_the_separator_is_found_and_said(tmp_path: Path, separator: str) -> None:
    report = run(tmp_path, long_csv(30).replace(",", separator))
    assert (report.taken, report.refused) == (30, ())
    names = {";": "semicolon", "\t": "tab", "|": "pipe"}
    assert f"separator {names[separator]}" in report.notes


def test_excel_says_its_separator_in_the_first_line(tmp_path: Path) -> None:
    report = run(tmp_path, "sep=;\ntime;share_id;close\n2024-01-02;A;x\n2024-01-03;A;2\n")
    assert [refusal.row for refusal in report.refused] == [3]
    assert report.taken == 1


def test_commas_within_cells_do_not_separate(tmp_path: Path) -> None:
    report = run(tmp_path, 'time;share_id;close;"name, long"\n2024-01-02;A;2,5;"a, b"\n2024-01-03;A;2,25;"c"\n')
    assert report.taken == 2
    assert [row[0] for row in stored(tmp_path, "close")] == [2.5, 2.25]


def test_two_ways_to_split_are_refused_and_the_flag_decides(tmp_path: Path) -> None:
    text = "time;A,B;C\n2024-01-02;1,1;3\n2024-01-03;2,2;4\n"
    with pytest.raises(ImportFileError, match=r"2 columns with --separator comma or 3 columns with --separator semi"):
        run(tmp_path, text)
    report = run(tmp_path, text, forms=forms_from(separator=";"))
    assert [share.share_id for share in report.shares] == ["A,B", "C"]


def test_blanks_behind_a_comma_mean_nothing(tmp_path: Path) -> None:
    run(tmp_path, 'time, share_id, close\n2024-01-02, "A", "2.5"\n')
    assert stored(tmp_path, "share_id, close") == [("A", 2.5)]


# --- encodings

CHINESE = "日期,代码,收盘,名称\n" + "".join(f"2024-01-{day:02d},600519,{day}.5,贵州茅台\n" for day in range(2, 31))


@pytest.mark.parametrize("encoding", ["gbk", "gb18030", "utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("packed", [False, True])
def test_chinese_files_are_read_in_the_encodings_that_they_come_in(tmp_path: Path, encoding: str, packed: bool) -> None:
    data = CHINESE.encode(encoding)
    report = run(tmp_path, gzip.compress(data) if packed else data)
    assert (report.taken, report.refused) == (29, ())
    assert [share.share_id for share in report.shares] == ["600519"]
    assert any(note.startswith("text read as") for note in report.notes) == (not encoding.startswith("utf-8"))


def test_a_chinese_name_is_the_share_that_it_says(tmp_path: Path) -> None:
    report = run(tmp_path, "日期,代码,收盘\n2024-01-02,贵州茅台,5\n2024-01-02,五粮液,6\n".encode("gbk"))
    assert [share.share_id for share in report.shares] == ["贵州茅台", "五粮液"]


def test_western_letters_in_columns_that_mean_nothing_are_read(tmp_path: Path) -> None:
    text = "time,share_id,close,société\n" + "".join(f"2024-01-{day:02d},A,{day},Crédit\n" for day in range(2, 31))
    report = run(tmp_path, text.encode("latin-1"))
    assert report.taken == 29
    assert "text read as cp1252" in report.notes


def test_western_letters_in_the_name_of_a_share_are_asked_for(tmp_path: Path) -> None:
    data = "time,share_id,close\n2024-01-02,A,1\n2024-01-02,Crédit,1\n".encode("latin-1")
    with pytest.raises(ImportFileError, match=r"line 3: the text is not UTF-8; .* --encoding"):
        run(tmp_path, data)
    report = run(tmp_path, data, forms=forms_from(encoding="latin-1"))
    assert [share.share_id for share in report.shares] == ["A", "Crédit"]


def test_half_of_utf8_is_damage(tmp_path: Path) -> None:
    rows = [f"2024-01-{day:02d},A,{day},贵州茅台".encode() for day in range(2, 31)]
    rows[20] = rows[20][:-1]
    with pytest.raises(ImportFileError, match="line 22: the text is not UTF-8"):
        run(tmp_path, b"time,share_id,close,name\n" + b"\n".join(rows))


def test_an_encoding_that_does_not_fit_is_refused_by_line(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match=r"line \d+: the text is not shift_jis"):
        run(
            tmp_path,
            b"time,share_id,close\n2024-01-02,A,1\n2024-01-03,\xfd\xfe,1\n",
            forms=forms_from(encoding="shift_jis"),
        )


@pytest.mark.parametrize(
    ("encoding", "name"), [("euc_kr", "삼성전자"), ("shift_jis", "トヨタ自動車"), ("big5", "台積電")]
)
def test_other_texts_of_asia_are_not_taken_for_chinese(tmp_path: Path, encoding: str, name: str) -> None:
    rows = [f"2024-01-{day:02d},{name},{day}" for day in range(2, 31)]
    data = ("time,share_id,close\n" + "\n".join(rows)).encode(encoding)
    with pytest.raises(ImportFileError, match=r"line 2: the text is not UTF-8; .* --encoding"):
        run(tmp_path, data)
    report = run(tmp_path, data, forms=forms_from(encoding=encoding))
    assert [share.share_id for share in report.shares] == [name]


# --- what spreadsheets leave


def test_blank_lines_mean_nothing(tmp_path: Path) -> None:
    for text in (
        "\n\r\ntime,share_id,close,volume\n2024-01-02,A,1,2\n,,,\n\n , ,,\nx,A,1,2\n",
        "\ntime,A,B\n2024-01-02,1,2\n,,\n\n,-,\nx,1,2\n",
    ):
        report = run(tmp_path, text, name=f"{len(text)}.csv", source=str(len(text)))
        assert [(refusal.time, refusal.reason) for refusal in report.refused] == [
            ("x", "the date is unreadable; write it as 2024-01-31")
        ]
        assert report.refused[0].row == len(text.splitlines())
        (tmp_path / "awesome.db").unlink()


@pytest.mark.parametrize("form", ["'{}", '="{}"', "{}"])
def test_cells_that_are_marked_as_texts(tmp_path: Path, form: str) -> None:
    """As NetEase and Chinese terminals write codes, so that a spreadsheet keeps their zeros."""
    cells = [form.format(cell) for cell in ("2024-01-02", "000001", "9.25")]
    run(tmp_path, "date,symbol,close\n" + ",".join(cells) + "\n")
    assert stored(tmp_path, "share_id, time, close") == [("000001", "2024-01-02", 9.25)]


def test_a_comma_too_much_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ImportFileError, match="line 2: 4 cells, the header has 3; fix the line, or put cells"):
        run(tmp_path, "time,share_id,close\n2024-01-02,A,1234,5\n2024-01-03,A,1235,5\n")


# --- without end


def packed(head: bytes, piece: bytes, times: int) -> bytes:
    """A gzip file of a head and a piece that is repeated."""
    out = io.BytesIO()
    many = 20_000
    with gzip.GzipFile(fileobj=out, mode="wb", compresslevel=1) as stream:
        stream.write(head)
        for _ in range(times // many):
            stream.write(piece * many)
    return out.getvalue()


LONG = b"time,share_id,close\n"
ENDLESS = {
    "one line": (lambda: LONG + b"2024-01-02,A,1," * 3_500_000, "line 2: longer than"),
    "no line": (lambda: b"x" * 50_000_000, "line 1: longer than"),
    "a header": (lambda: b"time," + b"A," * 25_000_000, "line 1: longer than"),
    "one cell": (lambda: LONG + b'2024-01-02,"' + b"A" * 50_000_000 + b'",1\n', "line 2: longer than"),
    "an open quote": (lambda: LONG + b'2024-01-02,"A\n' + b"2024-01-02,A,1\n" * 3_000_000, "line 2: "),
    "lines in quotes": (lambda: LONG + b'2024-01-02,"A\nb",' * 3_000_000, "line 2: a quote is opened"),
    "columns": (lambda: b"time," + b",".join(b"%d" % number for number in range(200_000)) + b"\n", "200,001 columns"),
    "equal rows": (lambda: packed(LONG, b"2024-01-02,A,1\n", 21_000_000), "daily prices have one row a share and day"),
    "few days": (lambda: packed(LONG, b"2024-01-02,A,1\n2024-01-03,B,2\n", 21_000_000), "one row a share and day"),
    "wide rows": (lambda: packed(b"time,A,B\n", b"2024-01-02,1,2\n", 21_000_000), "one row a share and day"),
    "decimal commas": (
        lambda: packed(b"time;share_id;close\n", b"2024-01-02;A;1,5\n", 21_000_000),
        "one row a share and day",
    ),
    "blank lines": (lambda: packed(LONG, b"\n", 100_000_000), "blank lines"),
    "junk": (
        lambda: packed(LONG, b"x,y,z\n", 21_000_000),
        "rows cannot be taken; such as row 2: close 'z' is not a number",
    ),
    "no dates": (lambda: packed(LONG, b"x,A,1\n", 21_000_000), "one row a share and day"),
    "zeros": (lambda: packed(b"", b"\0", 300_000_000), "line 1: longer than"),
}
IMPORT = """
import sys, time
from components.errors import ImportFileError
from components.price_files import import_prices
start = time.process_time()
try:
    import_prices(sys.argv[1], sys.argv[2])
except ImportFileError as error:
    print(error)
[most] = [line for line in open("/proc/self/status") if line.startswith("VmHWM")]
print(time.process_time() - start, int(most.split()[1]) / 1024)
"""


@pytest.mark.parametrize("kind", list(ENDLESS))
def test_files_without_end_end_in_one_line(tmp_path: Path, kind: str) -> None:
    """Within 5 s of processor time and 200 MiB, in a process of their own."""
    write, message = ENDLESS[kind]
    path = tmp_path / "in.csv"
    path.write_bytes(write())
    command = [sys.executable, "-c", IMPORT, str(path), str(tmp_path / "a.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    lines = done.stdout.splitlines()
    assert len(lines) == 2
    assert message in lines[0]
    assert lines[0].startswith(str(path))
    assert len(lines[0]) < 500
    seconds, mebibytes = map(float, lines[1].split())
    assert seconds < 5
    assert mebibytes < 200
    assert not (tmp_path / "a.db").exists()


def test_the_rows_of_many_shares_are_not_too_many(tmp_path: Path) -> None:
    """Rows are held against shares and days, so a file of many is read whole."""
    days = [f"20{year:02d}-01-0{day}" for year in range(20) for day in range(1, 7)]
    rows = [f"{day},S{share},1\n" for share in range(2_000) for day in days]
    (tmp_path / "in.csv").write_text("time,share_id,close\n" + "".join(rows))
    found = read_rows(tmp_path / "in.csv")
    assert {len(share.days) for share in found.shares} == {120}
    assert len(found.shares) == 2_000


def test_a_quote_within_a_cell_opens_nothing(tmp_path: Path) -> None:
    rows = [f'2024-{month:02d}-{day:02d},A,1,a 5" pipe {"x" * 400}' for month in range(1, 13) for day in range(1, 29)]
    assert run(tmp_path, "time,share_id,close,name\n" + "\n".join(rows)).taken == 336
