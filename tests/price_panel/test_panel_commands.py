"""`awesome panel`: from prices to a panel and what is said of it; refusals are a line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from panels import file_of, write_database

from components.errors import UserError
from components.price_panel.store import PanelStore
from pipeline import api

Awesome = Any

PRICES = "time,share_id,close,factor\n" + "".join(f"2020-01-{day:02},000001,{day},1\n" for day in range(1, 29))


def test_a_database_becomes_a_panel_that_grows(folder: Path, awesome: Awesome) -> None:
    write_database(folder / "awesome.db")
    done = awesome("panel", "write", "prices.panel")
    assert done.code == 0
    assert done.out.splitlines()[-1].startswith(
        "prices.panel: 120 prices new, 0 replaced, 0 there already; 120 in 1 file"
    )
    write_database(folder / "awesome.db", 41)
    assert "3 prices of 3 shares, 2020-02-10 to 2020-02-10" in awesome("panel", "write", "prices.panel").out
    done = awesome("panel", "verify", "prices.panel")
    assert (done.code, done.out.partition(", 0.")[0]) == (0, "prices.panel: as it was written: 2 files, 123 prices")


def test_a_name_with_colons_is_no_uri_and_no_emoji(folder: Path, awesome: Awesome) -> None:
    write_database(folder / "awesome.db")
    assert "\na:b: 120 prices new" in awesome("panel", "write", "a:b").out
    assert "a:b: as it was written: 1 file, 120 prices" in awesome("panel", "verify", "a:b").out


def test_files_are_read_as_an_import_reads_them(folder: Path, awesome: Awesome) -> None:
    (folder / "prices.csv").write_text(PRICES + "2020-02-30,000001,5,1\n")
    done = awesome("panel", "write", "p", "prices.csv")
    assert done.code == 3
    assert "refused: row 30, share 000001, 2020-02-30: " in done.out
    with PanelStore.open(folder / "p") as panel:
        assert panel.listings.share_ids() == ["000001"]


def test_what_was_damaged_is_named_and_ends_with_1(folder: Path, awesome: Awesome) -> None:
    write_database(folder / "awesome.db")
    awesome("panel", "write", "p")
    file_of(folder / "p").unlink()
    done = awesome("panel", "verify", "p")
    assert done.code == 1
    assert f"p/{Path(file_of(folder / 'p')).name} is missing" in done.out.splitlines()[0]
    assert done.out.splitlines()[-1].startswith("p: 1 fault: 1 file")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ("panel write p --db none.db", "none.db does not exist"),
        ("panel write p --db awesome.db --shares X", "awesome.db has no share X"),
        ("panel write p --from p", "p: a panel is not written from itself"),
        ("panel write awesome.db", "awesome.db: a panel is not written from itself"),
        ("panel write p x.csv --db awesome.db", "name a database (--db) or files, not both"),
        ("panel write p x.csv", "x.csv does not exist"),
        ("panel verify awesome.db", "awesome.db is a file, and a panel is a folder"),
        ("panel verify ftp://x", "panel (from the argument PANEL): ftp://: there is no such storage"),
        ("panel write ftp://x", "panel (from the argument PANEL): ftp://: there is no such storage"),
        ("run --panel ftp://x", "panel (from --panel): ftp://: there is no such storage"),
        ("run --panel p --db awesome.db", "name a panel or db, not both"),
        ("run --panel p --market null", "name a panel or market, not both"),
        ("run --panel p --source tencent", "name a panel or source, not both"),
        ("run --panel nowhere", "nowhere does not exist; write one: awesome panel write nowhere"),
        ("predict --panel nowhere --model linear", "nowhere"),
        ("prices suspects --panel nowhere", "nowhere does not exist; write one: awesome panel write nowhere"),
        ("trials --panel nowhere", "nowhere does not exist; write one: awesome panel write nowhere"),
    ],
)
def test_refusals(folder: Path, awesome: Awesome, arguments: str, why: str) -> None:
    write_database(folder / "awesome.db")
    assert why in awesome(*arguments.split()).refusal


@pytest.mark.parametrize("setting", ["MARKET", "SOURCE", "PANEL"])
def test_a_panel_that_is_an_argument_overrules_the_settings(
    folder: Path, awesome: Awesome, monkeypatch: pytest.MonkeyPatch, setting: str
) -> None:
    write_database(folder / "awesome.db")
    monkeypatch.setenv(f"AWESOME_{setting}", {"MARKET": "null", "SOURCE": "tencent", "PANEL": "other"}[setting])
    assert awesome("panel", "write", "p").code == 0
    assert awesome("panel", "verify", "p").out.startswith("p: as it was written: ")


def test_what_needs_a_database_says_so(folder: Path, awesome: Awesome, monkeypatch: pytest.MonkeyPatch) -> None:
    write_database(folder / "awesome.db")
    awesome("panel", "write", "p")
    monkeypatch.setenv("AWESOME_PANEL", "p")
    for command in ("members list", "daily"):
        assert "it needs a database: --db FILE" in awesome(*command.split()).refusal
    assert "has no members" in awesome("members", "list", "--db", "awesome.db").out


def test_decisions_of_a_panel_are_kept_in_it(folder: Path, awesome: Awesome) -> None:
    write_database(folder / "awesome.db")
    awesome("panel", "write", "p")
    assert "exclude IBM" in awesome("prices", "suspects", "--panel", "p", "--exclude", "IBM").out
    with PanelStore.open(folder / "p") as panel:
        assert panel.decisions().excluded == {"IBM"}
    assert awesome("prices", "suspects", "--panel", "p", "--forget", "IBM").out.startswith("1 decisions taken back")


def test_a_panel_that_stands_where_files_do_is_told_from_the_target(folder: Path, awesome: Awesome) -> None:
    write_database(folder / "awesome.db")
    for name in ("one", "two"):
        awesome("panel", "write", name)
    refusal = awesome("panel", "write", "one", "two").refusal
    assert refusal.startswith("two is a panel, and what stands first is written to: awesome panel write one --from two")
    assert awesome("panel", "write", "one", "--from", "two").code == 0


def test_a_panel_has_no_ledger_to_be_judged(folder: Path, awesome: Awesome) -> None:
    write_database(folder / "awesome.db")
    awesome("panel", "write", "one")
    for command in (("live",), ("ledger", "show"), ("ledger", "verify"), ("ledger", "export", "said.csv")):
        refusal = awesome(*command, "--db", "one").refusal
        assert refusal.startswith("one is no database but a panel, or another folder, and has no ledger; name the data")
    for given in ({"db": "one"}, {"panel": "one"}):  # from Python as from the command line
        with pytest.raises(UserError, match="one is no database but a panel"):
            api.live(**given)
