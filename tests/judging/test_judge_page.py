"""docs/judge.md shows what the command prints."""

from __future__ import annotations

import csv
import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from needed import needed

needed("adbc_driver_sqlite")

PAGE = Path(__file__).parents[2] / "docs" / "judge.md"
NUMBER = re.compile(r"[+-]?\d[\d,]*\.?\d*")


def test_the_example_is_what_is_printed(
    awesome: Callable[..., Any], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    example = PAGE.read_text().partition("## An example")[2]
    commands, shown = re.findall(r"```(?:sh)?\n(.*?)```", example, re.DOTALL)[:2]
    made, exported, judged = commands.strip().split("\n")
    assert awesome(*made.split()[1:]).code == 0
    [query] = re.findall(r'"(SELECT .*?)"', exported)
    with closing(sqlite3.connect("market.db")) as connection, open("forecasts.csv", "w", newline="") as file:
        found = connection.execute(query)
        csv.writer(file).writerows([[column[0] for column in found.description], *found])
    done = awesome(*judged.split()[1:])
    assert (done.code, done.err) == (0, "")
    printed = "\n".join(line.rstrip() for line in done.out.splitlines()).partition("\nTest split")[0].strip()
    # Another processor or version of a library may have another last digit.
    assert NUMBER.sub("#", printed) == NUMBER.sub("#", shown.strip())
    one, two = ([float(text.replace(",", "")) for text in NUMBER.findall(part)] for part in (printed, shown))
    assert one == pytest.approx(two, abs=0.002)
