"""`awesome live`, as a user meets it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from live_records import tampered
from made_live import FIRST, NEW_YORK, Knowing, lived
from needed import needed
from shown import Page

Awesome = Callable[..., Any]

PAGE = Path("runs/daily/awesome-window_returns-h1/live.html")

needed("fsspec")


@pytest.fixture
def live(folder: Path) -> Knowing:
    """A record of six evenings in the working folder."""
    return lived(folder, sessions=6, shares=4)


def clock(live: Knowing) -> str:
    return live.now.isoformat()


def test_it_says_the_sentence_and_writes_the_page(awesome: Awesome, live: Knowing) -> None:
    done = awesome("live", "--clock", clock(live))
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("Nothing is proved. After 5 sessions, ")
    assert f"The page: {PAGE}" in " ".join(done.out.split()).replace("/ ", "/")
    assert "Nothing is proved After 5 sessions" in Page(PAGE.read_text()).words()


def test_a_copy_that_is_not_there_is_named(awesome: Awesome, live: Knowing) -> None:
    assert awesome("live", "--ledger", "nowhere").refusal == (
        "nowhere is no file; name the copy of a ledger, or leave it out"
    )


def test_json_holds_the_same_and_writes_a_page_only_where_one_is_named(awesome: Awesome, live: Knowing) -> None:
    done = awesome("live", "--json", "--clock", clock(live))
    found = json.loads(done.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert found["verdict"]["label"] == "Nothing is proved"
    assert found["facts"]["schema_version"] == 1
    assert [day["session"] for day in found["facts"]["evidence"]["days"]] == list(map(str, NEW_YORK[FIRST:][:5]))
    assert not PAGE.exists()
    assert awesome("live", "--json", "--clock", clock(live), "--output", "here.html").code == 0
    assert Path("here.html").is_file()


def test_a_copy_s_page_does_not_replace_the_loop_s(awesome: Awesome, live: Knowing) -> None:
    copy = Path("copy.ledger")
    copy.write_bytes(live.path.read_bytes())
    done = awesome("live", "--ledger", str(copy), "--clock", clock(live))
    assert (done.code, "Nothing is proved" in done.out, PAGE.exists()) == (0, True, False)
    assert awesome("live", "--ledger", str(copy), "--clock", clock(live), "--output", ".").code == 0
    assert "copy.ledger" in Path("live.html").read_text()


def test_no_ledger_is_said_in_a_plain_line(awesome: Awesome, folder: Path) -> None:
    done = awesome("live")
    assert (done.code, done.err) == (0, "")
    assert (
        "awesome.db.ledger does not exist: the first `awesome daily` with a model begins it; "
        "awesome.db does not exist either"
    ) in " ".join(done.out.split())


def test_a_changed_ledger_is_exit_code_1_and_a_page_that_says_so(awesome: Awesome, live: Knowing) -> None:
    tampered(live.path, "UPDATE PREDICTION SET probability = 0.9 WHERE seq = 10")
    done = awesome("live", "--clock", clock(live))
    assert done.code == 1
    assert done.out.startswith("These figures cannot be trusted. The ledger does not verify: row 10, ")
    assert "These figures cannot be trusted" in Page(PAGE.read_text()).words()


def test_what_is_no_ledger_and_no_page_is_refused(awesome: Awesome, live: Knowing) -> None:
    Path("notes.txt").write_text("no ledger\n" * 200)
    refused = awesome("live", "--ledger", "notes.txt")
    assert refused.code == 1
    assert "notes.txt" in refused.err
    refused = awesome("live", "--clock", clock(live), "--output", "awesome.db")
    assert refused.code == 1
    assert "name a folder, or a file that ends in .html" in refused.err


def test_what_verify_has_found_no_later_look_passes_over(awesome: Awesome, live: Knowing) -> None:
    look = PAGE.with_name("verified.json")
    look.parent.mkdir(parents=True)
    assert awesome("ledger", "verify").code == 0
    assert json.loads(look.read_text())["seq"] > 10
    tampered(live.path, "UPDATE PREDICTION SET probability = 0.9 WHERE seq = 10")
    assert awesome("ledger", "verify", "--ledger", str(live.path)).code == 1  # which might be a copy
    assert look.exists()
    assert awesome("ledger", "verify").code == 1
    assert not look.exists()
