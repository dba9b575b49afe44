"""Prices that do not look like prices, as a user meets them: import, `prices suspects`, extraction."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.feature_store import FeatureStore, PriceBars
from pipeline.plan import resolve
from pipeline.settings import Settings
from pipeline.uses.suspects import look_at_windows

Awesome = Callable[..., Any]

DAYS = np.busday_offset("2018-01-01", np.arange(600), roll="forward").astype("datetime64[D]")
SPLIT, UNIT, SPIKE, BACK = (str(DAYS[at]) for at in (300, 400, 500, 501))


def write(path: Path, broken: bool = True) -> Path:
    """Seven shares, three of them with the faults that people report; a name with a colon among them."""
    market = np.random.default_rng(0).normal(0, 0.008, len(DAYS))
    lines = ["date,symbol,close,adj_close"]
    for number, share in enumerate(("HK:0001", "UNIT", "SPIKE", "A", "B", "C", "D")):
        own = np.random.default_rng(number + 1).normal(0, 0.01, len(DAYS))
        close = 80 * np.exp(np.cumsum(market + own))
        adjusted = close.copy()
        if broken and number == 0:
            close[300:] /= 4
            adjusted = close.copy()
        if broken and number == 1:
            close[400:] /= 100
            adjusted = close.copy()
        if broken and number == 2:
            adjusted[500] *= 20
        lines += [f"{day},{share},{c:.4f},{a:.4f}" for day, c, a in zip(DAYS, close, adjusted, strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return path


def listed(text: str) -> list[tuple[str, str, str]]:
    """Grade, share and day of each line that names a suspect."""
    lines = [line.strip().split(": ", 1) for line in text.splitlines() if line.startswith("  ") and ": " in line]
    return [(grade, *rest.split(": ", 1)[0].rsplit(", ", 1)) for grade, rest in lines if grade in GRADES]


GRADES = ("wrong", "large", "accepted")


def test_an_import_names_share_day_return_and_cause(awesome: Awesome) -> None:
    outcome = awesome("prices", "import", str(write(Path("prices.csv"))), "--db", "p.db")
    assert (outcome.code, outcome.err) == (3, "")
    assert listed(outcome.out) == [
        ("wrong", "HK:0001", SPLIT),
        ("wrong", "SPIKE", SPIKE),
        ("wrong", "SPIKE", BACK),
        ("wrong", "UNIT", UNIT),
    ]
    assert "4-for-1 split" in outcome.out
    assert "pence and pounds" in outcome.out
    assert f"taken back on {BACK}" in outcome.out
    assert f"--accept HK:0001:{SPLIT}" in outcome.out


def test_sound_prices_and_the_shipped_ones_say_nothing(awesome: Awesome) -> None:
    outcome = awesome("prices", "import", str(write(Path("prices.csv"), broken=False)), "--db", "p.db")
    assert (outcome.code, listed(outcome.out), "market's" in outcome.out) == (0, [], False)
    shipped = Path(__file__).parents[2] / "data" / "prices.csv.gz"
    outcome = awesome("prices", "import", str(shipped), "--db", "shipped.db")
    assert (outcome.code, listed(outcome.out)) == (0, [])
    outcome = awesome("prices", "suspects", "--db", "shipped.db")
    assert (outcome.code, listed(outcome.out)) == (0, [("accepted", "AAPL", "2000-09-29")])


def test_decisions_are_taken_with_the_import_and_outlive_another(awesome: Awesome) -> None:
    file = str(write(Path("prices.csv")))
    decided = ("--accept", f"HK:0001:{SPLIT}", "--accept", f"SPIKE:{BACK}", "--exclude", "UNIT")
    outcome = awesome("prices", "import", file, "--db", "p.db", *decided)
    assert (outcome.code, listed(outcome.out)) == (0, [])
    again = awesome("prices", "import", file, "--db", "p.db", "--source", "other", "--replace")
    assert (again.code, listed(again.out)) == (0, [])


def test_suspects_are_listed_decided_and_taken_back(awesome: Awesome) -> None:
    awesome("prices", "import", str(write(Path("prices.csv"))), "--db", "p.db")
    command = ("prices", "suspects", "--db", "p.db")
    assert awesome(*command).code == 3
    both = f"HK:0001:{SPLIT},SPIKE:{SPIKE}"
    outcome = awesome(*command, "--accept", both, "--exclude", "UNIT")
    assert (outcome.code, {grade for grade, _, _ in listed(outcome.out)}) == (0, {"accepted"})
    assert "excluded shares, left out: UNIT" in outcome.out
    outcome = awesome(*command, "--forget", "UNIT", "--forget", f"HK:0001:{SPLIT}")
    assert (outcome.code, "2 decisions taken back" in outcome.out) == (3, True)
    assert [one for one in listed(outcome.out) if one[0] == "wrong"] == [
        ("wrong", "HK:0001", SPLIT),
        ("wrong", "UNIT", UNIT),
    ]
    content = json.loads(awesome(*command, "--json").out)
    assert [one["share_id"] for one in content["record"]["suspects"]] == ["HK:0001", "UNIT", "SPIKE", "SPIKE"]
    assert content["decisions"] == [f"accept SPIKE:{SPIKE}"]


def many_spikes() -> Path:
    """Twenty-one shares of fifty suspects each, none in a last window, and one behind them with one in its last."""
    days = np.busday_offset("2014-01-01", np.arange(1500), roll="forward").astype("datetime64[D]")
    with FeatureStore.create("many.db") as store:
        for number in range(22):
            close = 80 * np.exp(np.cumsum(np.random.default_rng(number).normal(0, 0.01, len(days))))
            if number < 21:
                close[100 + 2 * number : 1350 : 50] *= 1.3  # on days of its own
            else:
                close[-3:] /= 4
            store.upsert(f"S{number:02d}", PriceBars(days, close, np.ones(len(days))), "test")
    return Path("many.db")


def test_more_than_a_thousand_suspects_hide_none(awesome: Awesome) -> None:
    many_spikes()
    outcome = awesome("prices", "suspects", "--db", "many.db")
    assert (outcome.code, len(listed(outcome.out))) == (3, 21 * 50 + 1)
    assert [day for grade, share, day in listed(outcome.out) if (grade, share) == ("wrong", "S21")] == ["2019-09-27"]
    assert "more" not in outcome.out
    plan = resolve(Settings(db=Path("many.db")))
    with FeatureStore.open("many.db") as store:
        record = look_at_windows(plan, store, store.listings.last_windows(store.listings.share_ids()))
        further = look_at_windows(plan, store, store.listings.last_windows(store.listings.share_ids()), 252)
    assert [one.share_id for one in record.stopping] == ["S21"]
    assert (record.left_out, record.shares, record.returns) == (0, 22, 22 * 20)
    # Each is up and back on the next day; the last 252 of 1500 days show those from day 1248 on.
    spikes = [at for share in range(21) for at in range(100 + 2 * share, 1350, 50) if at >= 1500 - 252]
    assert (len(further.suspects), further.returns) == (2 * len(spikes) + 1, 22 * 252)


def test_a_decision_of_nothing_that_is_stored_is_said(awesome: Awesome) -> None:
    awesome("prices", "import", str(write(Path("prices.csv"), broken=False)), "--db", "p.db")
    outcome = awesome("prices", "suspects", "--db", "p.db", "--accept", "A:2017-01-02", "--exclude", "NOBODY")
    assert "accept A:2017-01-02: the share has no price on that day" in outcome.err
    assert "exclude NOBODY: p.db has no such share" in outcome.err


def test_a_day_that_is_no_suspect_is_said_where_it_is_accepted(awesome: Awesome) -> None:
    file = str(write(Path("prices.csv")))
    slip, right = f"HK:0001:{DAYS[301]}", f"HK:0001:{SPLIT},SPIKE:{BACK}"
    said = f"warning: accept {slip}: the return of that day is no suspect, so there is nothing to accept\n"
    imported = awesome("prices", "import", file, "--db", "p.db", "--accept", slip, "--accept", right)
    assert said in imported.out
    assert imported.out.count("warning: ") == 1
    looked = awesome("prices", "suspects", "--db", "p.db", "--shares", "A", "--accept", slip, "--accept", right)
    assert (looked.code, looked.err) == (0, said)
    extracted = awesome("extract", "--source", f"file:{file}", "--db", "q.db", "--accept", slip, "--accept", right)
    assert extracted.err.endswith(said)
    assert extracted.err.count("warning: ") == 1


def test_to_accept_a_share_without_a_day_or_one_that_is_excluded_is_said(awesome: Awesome) -> None:
    awesome("prices", "import", str(write(Path("prices.csv"))), "--db", "p.db")
    outcome = awesome("prices", "suspects", "--db", "p.db", "--accept", "UNIT,A", "--exclude", "SPIKE")
    assert outcome.code == 3
    assert outcome.err == f"warning: accept UNIT: names no day and accepts no return, such as UNIT:{UNIT}\n"
    outcome = awesome("prices", "suspects", "--db", "p.db", "--accept", f"SPIKE:{SPIKE}")
    said = f"warning: accept SPIKE:{SPIKE}: the share is excluded, so nothing of it is looked at\n"
    assert outcome.err == said


def test_excluded_shares_are_said_by_import_and_extraction(awesome: Awesome) -> None:
    file = str(write(Path("prices.csv")))
    said = "excluded shares, left out: UNIT\n"
    assert said in awesome("prices", "import", file, "--db", "p.db", "--exclude", "UNIT").out
    assert said in awesome("prices", "import", file, "--db", "p.db").out
    command = ("extract", "--source", f"file:{file}", "--db", "q.db")
    assert said in awesome(*command, "--exclude", "UNIT").out
    again = awesome(*command)  # nothing new is stored, and it is left out all the same
    assert said in again.out
    assert json.loads(awesome(*command, "--json").out)["excluded"] == ["UNIT"]


def test_a_stored_session_that_changes_long_ago_is_judged(awesome: Awesome) -> None:
    command = ("extract", "--source", "file:prices.csv", "--db", "p.db")
    lines = write(Path("prices.csv"), broken=False).read_text().splitlines()
    assert awesome(*command).code == 0
    at = next(number for number, line in enumerate(lines) if line.startswith(f"{SPIKE},B,"))
    day, share, close, adjusted = lines[at].split(",")
    lines[at] = f"{day},{share},{float(close) * 20:.4f},{float(adjusted) * 20:.4f}"
    Path("prices.csv").write_text("\n".join(lines) + "\n")
    outcome = awesome(*command)
    assert (outcome.code, listed(outcome.out)) == (3, [("wrong", "B", SPIKE), ("wrong", "B", BACK)])


def test_what_to_do_names_the_command_and_the_database(awesome: Awesome) -> None:
    outcome = awesome("prices", "import", str(write(Path("prices.csv"))), "--db", "my prices.db")
    assert f"awesome prices suspects --db 'my prices.db' --accept HK:0001:{SPLIT}" in outcome.out


@pytest.mark.parametrize("command", [("prices", "import", "none.csv"), ("prices", "suspects"), ("run",)])
def test_a_day_of_a_share_that_is_to_be_excluded_is_refused(awesome: Awesome, command: tuple[str, ...]) -> None:
    refusal = awesome(*command, "--db", "p.db", "--exclude", "HK:0001:2020-08-31").refusal
    assert "exclude (from --exclude)" in refusal
    assert "write HK:0001 without the day" in refusal
    assert not Path("p.db").exists()


@pytest.mark.parametrize("option", ["--accept", "--exclude", "--forget"])
def test_a_database_that_is_not_there_is_not_made(awesome: Awesome, option: str) -> None:
    assert "does not exist" in awesome("prices", "suspects", "--db", "none.db", option, "A").refusal
    assert not Path("none.db").exists()


def test_a_day_that_is_none_is_refused_with_the_option(awesome: Awesome) -> None:
    refusal = awesome("prices", "import", "none.csv", "--accept", "A:2020-13-01").refusal
    assert "accept (from --accept)" in refusal
    assert "A:2020-08-31" in refusal


def test_bounds_are_settings(awesome: Awesome, monkeypatch: pytest.MonkeyPatch) -> None:
    awesome("prices", "import", str(write(Path("prices.csv"), broken=False)), "--db", "p.db")
    monkeypatch.setenv("AWESOME_SUSPECT_RETURN", "0.03")
    outcome = awesome("prices", "suspects", "--db", "p.db")
    assert outcome.code in (0, 3)
    assert len(listed(outcome.out)) > 0


def test_excluded_shares_stay_in_the_database(awesome: Awesome) -> None:
    awesome("prices", "import", str(write(Path("prices.csv"))), "--db", "p.db", "--exclude", "UNIT")
    with FeatureStore.open("p.db") as store:
        assert "UNIT" in [one.share_id for one in store.shares()]


def test_an_extraction_says_first_what_looks_wrong_and_an_increment_only_what_is_new(awesome: Awesome) -> None:
    lines = write(Path("all.csv")).read_text().splitlines()
    header, rows = lines[0], lines[1:]
    before = [row for row in rows if row.split(",")[0] < UNIT]
    command = ("extract", "--source", "file:part.csv", "--db", "p.db")
    Path("part.csv").write_text("\n".join([header, *before]))
    first = awesome(*command)
    assert (first.code, listed(first.out)) == (3, [("wrong", "HK:0001", SPLIT)])
    assert first.out.index("wrong: ") < first.out.index("7 shares from")
    Path("part.csv").write_text("\n".join([header, *(row for row in rows if row.split(",")[0] <= str(DAYS[410]))]))
    second = awesome(*command)
    assert (second.code, listed(second.out)) == (3, [("wrong", "UNIT", UNIT)])
    content = json.loads(awesome(*command, "--json").out)
    assert content["suspects"] == []  # nothing was stored
    assert content["exit_code"] == 0


def test_an_extraction_takes_decisions(awesome: Awesome) -> None:
    write(Path("all.csv"))
    decided = ("--accept", f"HK:0001:{SPLIT}", "--accept", f"SPIKE:{SPIKE}", "--exclude", "UNIT")
    outcome = awesome("extract", "--source", "file:all.csv", "--db", "p.db", *decided)
    assert (outcome.code, listed(outcome.out)) == (0, [])
    with FeatureStore.open("p.db") as store:
        assert [str(one) for one in store.decision_list()] == [
            *(f"accept HK:0001:{SPLIT}", f"accept SPIKE:{SPIKE}", "exclude UNIT")
        ]
