"""What an import says of missing sessions, as a user reads it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from components.extractor.replay.exchanges import sessions
from components.feature_store import FeatureStore

Awesome = Callable[..., Any]


def new_york() -> np.ndarray:
    import datetime as dt

    return sessions("XNYS", dt.date(2015, 1, 2), dt.date(2022, 12, 30))


def write(name: str, shares: dict[str, np.ndarray]) -> str:
    lines = ["time,share_id,close,volume"]
    for share, days in shares.items():
        # One close a day, whichever of its days a file has.
        every = np.arange("2015-01-01", "2023-01-01", dtype="datetime64[D]")
        walk = 100 * np.exp(np.cumsum(np.random.default_rng(len(share)).normal(0, 0.01, len(every))))
        closes = walk[np.searchsorted(every, days)]
        lines += [f"{day},{share},{close:.4f},1000" for day, close in zip(days, closes, strict=True)]
    Path(name).write_text("\n".join(lines) + "\n")
    return name


def said(outcome: Any) -> list[str]:
    """What stands behind the number of prices."""
    lines = outcome.out.splitlines()
    [at] = [number for number, line in enumerate(lines) if "prices taken into" in line or "nothing is stored" in line]
    return lines[at + 1 :]


def test_a_file_that_lacks_a_fifth_of_its_rows_is_not_taken_in_silence(awesome: Awesome) -> None:
    days = new_york()
    kept = days[np.random.default_rng(0).random(len(days)) >= 0.2]
    file = write("prices.csv", {"AAA": days, "BBB": kept, "CCC": days})
    outcome = awesome("prices", "import", file, "--db", "p.db")
    missing = np.setdiff1d(days[(days >= kept[0]) & (days <= kept[-1])], kept)
    assert outcome.code == 0
    assert said(outcome) == [
        f"Missing sessions: 1 share lacks {len(missing)} sessions between first and last price.",
        f"  BBB lacks {len(missing)} sessions: {', '.join(map(str, missing[:3]))}, ...",
    ]


def test_sound_files_are_taken_in_silence(awesome: Awesome) -> None:
    days = new_york()
    for name, shares in [("one", {"AAA": days}), ("two", {"AAA": days, "BBB": days[700:1500]})]:
        for options in ([], ["--exchange", "XNYS"]):
            outcome = awesome(
                "prices", "import", write(f"{name}.csv", shares), "--db", f"{name}{len(options)}.db", *options
            )
            assert (outcome.code, said(outcome)) == (0, [])


def test_the_exchange_is_kept_for_what_follows(awesome: Awesome) -> None:
    days = new_york()
    first = write("first.csv", {"AAA": np.delete(days[:1000], np.arange(500, 505))})
    assert said(awesome("prices", "import", first, "--db", "p.db"))[0].startswith(
        "  AAA: their days fit the exchange XNYS"
    )
    lacks = f"  AAA lacks 5 sessions: {', '.join(map(str, days[500:503]))}, ..."
    assert lacks in said(awesome("prices", "import", first, "--db", "p.db", "--exchange", "XNYS"))
    second = write("second.csv", {"AAA": days[990:]})
    assert lacks in said(awesome("prices", "import", second, "--db", "p.db"))
    with FeatureStore.open("p.db") as store:
        assert store.listings.exchanges() == {"AAA": "XNYS"}


@pytest.mark.parametrize("dry_run", [[], ["--dry-run"]])
def test_an_exchange_that_is_not_the_shares_own_is_said_and_not_kept(awesome: Awesome, dry_run: list[str]) -> None:
    file = write("prices.csv", {"AAA": new_york()})
    outcome = awesome("prices", "import", file, "--db", "p.db", "--exchange", "XSHG", *dry_run)
    assert "days are days off of XSHG, so it is not compared with its calendar" in outcome.out
    if not dry_run:
        with FeatureStore.open("p.db") as store:
            assert store.listings.exchanges() == {}


def test_an_unknown_exchange_is_one_line_and_nothing_is_stored(awesome: Awesome) -> None:
    file = write("prices.csv", {"AAA": new_york()})
    outcome = awesome("prices", "import", file, "--db", "p.db", "--exchange", "NYSE1")
    assert outcome.code != 0
    assert outcome.err == "awesome: NYSE1: is no exchange that exchange_calendars knows, such as XSHG or XNYS\n"
    assert not Path("p.db").exists()
