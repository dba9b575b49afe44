"""`awesome prices import` and what it says of cells: the options, and a dry run that stores nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

Awesome = Callable[..., Any]
DAYS = np.busday_offset("2024-01-01", np.arange(30), roll="forward")


def test_a_dry_run_shows_how_a_file_would_be_read_and_makes_nothing(awesome: Awesome) -> None:
    file = Path("prices.csv")
    rows = [f"{day:%d.%m.%Y};BMW;1.{200 + number},25;5" for number, day in enumerate(DAYS.tolist())]
    file.write_text("Date;Symbol;Close;Volume\n" + "\n".join(rows) + "\n")
    before = sorted(Path().iterdir())
    outcome = awesome("prices", "import", str(file), "--db", "p.db", "--dry-run")
    assert (outcome.code, outcome.err) == (0, "")
    assert sorted(Path().iterdir()) == before
    for line in ("separator semicolon", "decimal sign ',', thousands by '.'", "dates day first"):
        assert line in outcome.out
    assert "1 share, dates from 2024-01-01 to 2024-02-09 (01.01.2024 is 2024-01-01)" in outcome.out
    assert re.search(r"^BMW +2024-01-01 +1200\.25 +5 +1 *$", outcome.out, re.MULTILINE)
    assert re.search(r"^BMW +2024-02-09 +1229\.25 +5 +1 *$", outcome.out, re.MULTILINE)
    assert outcome.out.splitlines()[-1] == "30 prices would be taken into p.db, 0 rows refused; nothing was written"


def test_a_dry_run_counts_against_what_is_stored_and_leaves_it(awesome: Awesome) -> None:
    file = Path("prices.csv")
    rows = [f"{day},A,{10 + number}" for number, day in enumerate(DAYS)]
    file.write_text("date,symbol,close\n" + "\n".join(rows[:20]))
    assert awesome("prices", "import", str(file), "--db", "p.db").code == 0
    stored = Path("p.db").read_bytes()
    file.write_text("date,symbol,close\n" + "\n".join([*rows[:19], f"{DAYS[19]},A,29.5", *rows[20:]]))
    outcome = awesome("prices", "import", str(file), "--db", "p.db", "--dry-run")
    assert outcome.code == 0
    assert re.search(r"^A +10 +1 +19 ", outcome.out, re.MULTILINE)
    assert Path("p.db").read_bytes() == stored
    again = awesome("prices", "import", str(file), "--db", "p.db", "--dry-run", "--source", "other")
    assert "p.db: the prices of A come from the source 'file', not 'other'" in again.refusal
    assert Path("p.db").read_bytes() == stored


def test_a_dry_run_names_suspects_and_refused_rows(awesome: Awesome) -> None:
    rows = [f"{day},A,{(10 + number % 3) / (10 if number >= 15 else 1)}" for number, day in enumerate(DAYS)]
    Path("p.csv").write_text("date,symbol,close\n" + "\n".join([*rows, "soon,A,5"]))
    outcome = awesome("prices", "import", "p.csv", "--db", "p.db", "--dry-run")
    assert outcome.code == 3
    assert "refused: row 32, share A, soon: the date is unreadable" in outcome.out
    assert str(DAYS[15]) in outcome.out
    assert not Path("p.db").exists()


def test_the_options_decide_where_a_file_does_not_tell(awesome: Awesome) -> None:
    file = Path("prices.csv")
    file.write_text("date;symbol;close\n01/02/2024;A;1,234\n02/02/2024;A;1,235\n")
    refused = awesome("prices", "import", str(file), "--db", "p.db")
    assert refused.code == 1
    assert "--decimal" in refused.refusal
    refused = awesome("prices", "import", str(file), "--db", "p.db", "--decimal", ",")
    assert "--date-format dmy" in refused.refusal
    assert not Path("p.db").exists()
    taken = awesome("prices", "import", str(file), "--db", "p.db", "--decimal", ",", "--date-format", "dmy")
    assert taken.code == 0
    assert re.search(r"^A +2 +0 +0 +2024-02-01 +2024-02-02 *$", taken.out, re.MULTILINE)


def test_instants_are_asked_for_and_the_zone_decides(awesome: Awesome) -> None:
    rows = [f"{day - 1}T16:00:00Z,A,{10 + number}" for number, day in enumerate(DAYS)]
    Path("p.csv").write_text("date,symbol,close\n" + "\n".join(rows))
    assert "--timezone" in awesome("prices", "import", "p.csv", "--db", "p.db").refusal
    taken = awesome("prices", "import", "p.csv", "--db", "p.db", "--timezone", "Asia/Shanghai")
    assert re.search(r"^A +30 +0 +0 +2024-01-01 +2024-02-09 *$", taken.out, re.MULTILINE)


def test_the_exchange_that_is_named_says_the_zone(awesome: Awesome) -> None:
    rows = [f"{day - 1}T16:00:00Z,A,{10 + number}" for number, day in enumerate(DAYS)]
    Path("p.csv").write_text("date,symbol,close\n" + "\n".join(rows))
    taken = awesome("prices", "import", "p.csv", "--db", "p.db", "--exchange", "XSHG")
    assert re.search(r"^A +30 +0 +0 +2024-01-01 +2024-02-09 *$", taken.out, re.MULTILINE)
    assert "as dates in Asia/Shanghai, the exchange of the shares" in taken.out
    wrong = awesome("prices", "import", "p.csv", "--db", "q.db", "--exchange", "XNYS")
    assert "--timezone" in wrong.refusal
