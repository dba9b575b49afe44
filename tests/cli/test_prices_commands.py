"""`awesome prices import` and `awesome features export` as a user types them."""

from __future__ import annotations

import csv
import gzip
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from components.feature_store import CLOSE_COLUMNS

Awesome = Callable[..., Any]


def write_prices(path: Path, sessions: int = 40, bad: dict[int, str] | None = None) -> Path:
    """A long file of one share; `bad` gives closes that are none, by line."""
    lines = ["time,share_id,close"]
    for day in range(sessions):
        close = (bad or {}).get(day + 2, f"{100 + day % 7}")
        lines.append(f"{'2024-01-01' if day < 31 else '2024-02-01'}"[:8] + f"{day % 31 + 1:02d},IBM,{close}")
    path.write_text("\n".join(lines) + "\n")
    return path


def fetch(db: Path, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(db)) as connection:
        return connection.execute(query).fetchall()


def test_prices_are_imported_in_full(awesome: Awesome) -> None:
    file = write_prices(Path("prices.csv"))
    outcome = awesome("prices", "import", str(file), "--db", "p.db")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.splitlines()[-1] == "40 prices taken into p.db, 0 rows refused"
    assert re.search(r"^IBM +40 +0 +0 +2024-01-01 +2024-02-09 *$", outcome.out, re.MULTILINE)
    assert fetch(Path("p.db"), "SELECT COUNT(*) FROM PRICE") == [(40,)]
    again = awesome("prices", "import", str(file), "--db", "p.db")
    assert again.code == 0
    assert re.search(r"^IBM +0 +0 +40 ", again.out, re.MULTILINE)


def test_the_database_of_the_settings_is_used_where_none_is_named(
    awesome: Awesome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWESOME_DB", "mine.db")
    assert awesome("prices", "import", str(write_prices(Path("prices.csv")))).code == 0
    assert Path("mine.db").is_file()
    assert not Path("awesome.db").exists()


def test_refused_rows_are_printed_with_their_lines(awesome: Awesome) -> None:
    file = write_prices(Path("prices.csv"), bad={5: "n/a", 9: "-3"})
    outcome = awesome("prices", "import", str(file), "--db", "p.db")
    assert outcome.code == 3
    assert re.search(r"^refused: row 5, share IBM, 2024-01-04: .", outcome.out, re.MULTILINE)
    assert re.search(r"^refused: row 9, share IBM, 2024-01-08: .", outcome.out, re.MULTILINE)
    assert outcome.out.count("refused: ") == 2
    assert outcome.out.splitlines()[-1] == "38 prices taken into p.db, 2 rows refused"


def test_of_many_refused_rows_the_first_are_printed_and_all_are_counted(awesome: Awesome) -> None:
    file = write_prices(Path("prices.csv"), bad=dict.fromkeys(range(2, 37), "0"))
    outcome = awesome("prices", "import", str(file), "--db", "p.db")
    assert outcome.code == 3
    assert outcome.out.count("refused: row") == 20
    assert "... and 15 more" in outcome.out
    assert outcome.out.splitlines()[-1] == "5 prices taken into p.db, 35 rows refused"


def test_nothing_taken_is_another_exit_code(awesome: Awesome) -> None:
    file = write_prices(Path("prices.csv"), bad=dict.fromkeys(range(2, 42), "none"))
    outcome = awesome("prices", "import", str(file), "--db", "p.db")
    assert outcome.code == 4
    assert outcome.out.splitlines()[-1] == "0 prices taken into p.db, 40 rows refused"


def test_another_source_is_refused_until_it_may_replace(awesome: Awesome) -> None:
    file = write_prices(Path("prices.csv"))
    assert awesome("prices", "import", str(file), "--db", "p.db", "--source", "one").code == 0
    refused = awesome("prices", "import", str(file), "--db", "p.db", "--source", "two")
    assert "IBM" in refused.refusal
    assert fetch(Path("p.db"), "SELECT DISTINCT source FROM PRICE") == [("one",)]
    assert awesome("prices", "import", str(file), "--db", "p.db", "--source", "two", "--replace").code == 0
    assert fetch(Path("p.db"), "SELECT DISTINCT source FROM PRICE") == [("two",)]


def test_ignored_columns_are_named(awesome: Awesome) -> None:
    file = Path("prices.csv")
    rows = [line + ",x" for line in write_prices(file).read_text().splitlines()]
    file.write_text("\n".join(["time,share_id,close,mood", *rows[1:]]))
    assert "ignored columns: mood" in awesome("prices", "import", str(file), "--db", "p.db").out


def test_a_bracketed_share_is_printed_as_it_is(awesome: Awesome) -> None:
    file = write_prices(Path("[red]x.csv"), bad={3: "[bold]"})
    file.write_text(file.read_text().replace("IBM", "[b]IBM"))
    outcome = awesome("prices", "import", str(file), "--db", "[red]p.db")
    assert re.search(r"^\[b\]IBM +39 ", outcome.out, re.MULTILINE)
    assert "refused: row 3, share [b]IBM, 2024-01-02: " in outcome.out
    assert outcome.out.splitlines()[-1] == "39 prices taken into [red]p.db, 1 rows refused"


def write_bars(path: Path, close: str = "Close", sessions: int = 30) -> Path:
    """A file of one share, without a column that names it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"Date,Open,High,Low,{close},Volume,Open Interest"]
    lines += [f"2024-01-{day + 1:02d},{90 + day % 7},99,85,{90 + day % 5},1000,7" for day in range(sessions)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_the_layout_that_was_understood_is_printed(awesome: Awesome) -> None:
    outcome = awesome("prices", "import", str(write_bars(Path("ES.csv"), "Last")), "--db", "p.db")
    assert outcome.code == 0
    assert "one share, ES (after the file's name; --share NAME gives another): dates in 'Date'," in outcome.out
    assert "close: 'Last', as no column is called close" in outcome.out
    assert fetch(Path("p.db"), "SELECT DISTINCT share_id FROM PRICE") == [("ES",)]


def test_what_a_file_does_not_say_is_said_by_flags(awesome: Awesome) -> None:
    file = write_bars(Path("data.csv"), "Slut")
    assert "there is no column of closes" in awesome("prices", "import", str(file), "--db", "p.db").refusal
    flags = ("--share", "ES", "--column", "close=Slut", "--column", "volume=")
    assert awesome("prices", "import", str(file), "--db", "p.db", *flags).code == 0
    assert fetch(Path("p.db"), "SELECT DISTINCT share_id, volume FROM PRICE") == [("ES", None)]
    assert awesome("prices", "import", str(file), "--layout", "tall").refusal.startswith("--layout tall is unknown")
    assert awesome("prices", "import", str(file), "--prices", "split").refusal.startswith("--prices split is unknown")
    assert "close is not such as close=Settle" in awesome("prices", "import", str(file), "--column", "close").err


def test_a_folder_is_one_import_and_a_file_that_fails_stops_none(awesome: Awesome) -> None:
    for name in ("AAA", "BBB"):
        write_bars(Path(f"in [1]/{name}.csv"))
    Path("in [1]/wrong.csv").write_text("Date,Open\n2024-01-01,1\n")
    outcome = awesome("prices", "import", "in [1]", "--db", "p.db")
    assert outcome.code == 3
    assert re.search(r"^BBB +30 +0 +0 ", outcome.out, re.MULTILINE)
    assert "failed: in [1]/wrong.csv, line 1: there is no column of closes" in outcome.out
    assert outcome.out.splitlines()[-1] == "60 prices taken into p.db, 0 rows refused, 1 file failed"
    assert awesome("prices", "import", "in [[]1]/[AB]*.csv", "--db", "q.db").code == 0
    assert awesome("prices", "import", "in [1]/AAA.csv", "in [1]/BBB.csv", "--db", "r.db").code == 0
    assert fetch(Path("q.db"), "SELECT * FROM PRICE") == fetch(Path("r.db"), "SELECT * FROM PRICE")
    assert "no file is called like none*" in awesome("prices", "import", "none*", "--db", "p.db").refusal


def test_help_says_what_a_factor_must_mean(awesome: Awesome) -> None:
    text = " ".join(awesome("prices", "import", "--help").out.replace("│", " ").split())
    assert "close x factor is adjusted for splits and dividends; adj_close is that product itself" in text


def test_features_are_exported_as_they_are_stored(awesome: Awesome, market_db: Path) -> None:
    outcome = awesome("features", "export", "f.csv", "--db", str(market_db))
    assert (outcome.code, outcome.out, outcome.err) == (0, "2040 rows written to f.csv\n", "")
    with Path("f.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["time", "share_id", *CLOSE_COLUMNS]
    assert len(rows) == 3 * (700 - 20)
    time, share_id, close0 = rows[7][:3]
    [(stored,)] = fetch(market_db, f"SELECT close0 FROM FEATURE WHERE share_id = '{share_id}' AND time = '{time}'")
    assert float(close0) == pytest.approx(stored, rel=1e-14)
    awesome("features", "export", "plain.csv", "--db", str(market_db), "--no-header")
    assert Path("plain.csv").read_bytes() == Path("f.csv").read_bytes().split(b"\n", 1)[1]


def test_the_shipped_prices_are_readable_as_they_are_shipped(awesome: Awesome) -> None:
    from pipeline.job.prices import SHIPPED_PRICES

    with gzip.open(SHIPPED_PRICES, "rt", newline="") as file:
        rows = sum(1 for _ in csv.DictReader(file))
    outcome = awesome("prices", "import", str(SHIPPED_PRICES), "--db", "p.db")
    assert outcome.code in (0, 3)
    taken, refused = map(int, re.findall(r"(\d+) (?:prices|rows)", outcome.out.splitlines()[-1]))
    assert taken + refused == rows
    assert taken > 0.99 * rows
