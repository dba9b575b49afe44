"""The table of docs/leaks.md: its checks are there, and its words select tests that plant the leak."""

from __future__ import annotations

import re
from pathlib import Path

from components.leak_audit.check import CHECKS

HERE = Path(__file__).parent
PAGE = (HERE.parents[1] / "docs" / "leaks.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.partition("## Every kind that is known")[2].splitlines()
    if re.fullmatch(r"\|.*\| `\w+` \|", line)
]


def test_the_words_of_each_row_select_a_test() -> None:
    names = [name for path in HERE.glob("test_*.py") for name in re.findall(r"^def (test_\w+)", path.read_text(), re.M)]
    words = [row[-1].strip("`") for row in ROWS]
    selected = [(row[2], *(name for name in names if word in name)) for row, word in zip(ROWS, words, strict=True)]

    assert len(words) >= 25
    assert [one for one in words if not any(one in name for name in names)] == []
    assert [found for found in selected if selected.count(found) > 1] == []  # no leak stands there twice


def test_the_checks_of_the_table_are_made_and_may_say_what_it_says() -> None:
    for _, verdict, name, *_ in ROWS:
        assert name in CHECKS
        assert CHECKS[name].leaks or "leaking" not in verdict
