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


def test_features_are_exported_as_they_are_stored(awesome: Awesome, market_db: Path) -> None:
    outcome = awesome("features", "export", "f.csv", "--db", str(market_db), "--header")
    assert (outcome.code, outcome.out, outcome.err) == (0, "2040 rows written to f.csv\n", "")
    with Path("f.csv").open(newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["time", "share_id", *CLOSE_COLUMNS]
    assert len(rows) == 3 * (700 - 20)
    time, share_id, close0 = rows[7][:3]
    [(stored,)] = fetch(market_db, f"SELECT close0 FROM FEATURE WHERE share_id = '{share_id}' AND time = '{time}'")
    assert float(close0) == pytest.approx(stored, rel=1e-14)
    awesome("features", "export", "plain.csv", "--db", str(market_db))
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
