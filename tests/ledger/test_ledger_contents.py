"""What a ledger holds, counted: against what was written by hand."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from live_records import CHALLENGER, CHAMPION, NEW_YORK, Live, lived, moment

from components.ledger.contents import Counted, Missing, count, installed, missing, restated
from components.ledger.file import Ledger
from components.ledger.predictions import write_predictions
from components.ledger.setting_up import install


def test_nothing_is_counted_of_another_horizon(tmp_path: Path) -> None:
    live = lived(tmp_path, 4)
    with Ledger.open(live.path) as ledger:
        assert count(ledger, 1) == Counted(12, 0, 9, 0, 3, str(NEW_YORK[20]), str(NEW_YORK[23]), str(NEW_YORK[23]))
        assert count(ledger, 20) == Counted(0, 0, 0, 0, 0, "", "", "")
        assert (installed(ledger, 20), restated(ledger, 20, 5)) == ((), ())
        assert missing(ledger, 20, live.now) == Missing((), 0)


def test_a_model_that_comes_back_counts_each_time_by_itself(tmp_path: Path) -> None:
    live = lived(tmp_path, 2)
    for model, sessions in ((CHALLENGER, NEW_YORK[22:25]), (CHAMPION, NEW_YORK[25:26])):
        with live.ledger() as ledger:
            install(ledger, model)
        live.evenings(sessions, model)
    with Ledger.open(live.path) as ledger:
        found = installed(ledger, 1)
    assert [(one.name, one.first, one.last, one.predicted) for one in found] == [
        ("linear", str(NEW_YORK[20]), str(NEW_YORK[21]), 6),
        ("rnn", str(NEW_YORK[22]), str(NEW_YORK[24]), 9),
        ("linear", str(NEW_YORK[25]), str(NEW_YORK[25]), 3),
    ]
    assert [one.since[:10] for one in found] == [str(NEW_YORK[20]), str(NEW_YORK[21]), str(NEW_YORK[24])]


def only(live: Live, session: object, *shares: str) -> None:
    """Predicts some of the shares."""
    live.now = moment(f"{session} 23:00")
    whole = live.forecasts(session)
    kept = [whole.share_ids.index(share) for share in shares]
    part = replace(
        whole,
        share_ids=shares,
        sessions=[whole.sessions[at] for at in kept],
        closes=whole.closes[kept],
        probability=whole.probability[kept],
    )
    with live.ledger() as ledger:
        write_predictions(ledger, part, dict.fromkeys(live.shares, live.exchange))


def test_a_share_lacks_what_lies_between_its_first_and_its_last_prediction(tmp_path: Path) -> None:
    live = lived(tmp_path, 1)  # AAA, BBB and CCC
    only(live, NEW_YORK[21], "AAA")
    only(live, NEW_YORK[22], "AAA", "BBB")
    only(live, NEW_YORK[25], "AAA")
    with Ledger.open(live.path) as ledger:
        # BBB after 21; BBB and CCC were not predicted again, and two sessions were left out by all.
        assert missing(ledger, 1, live.now) == Missing((str(NEW_YORK[23]), str(NEW_YORK[24])), 1, 2)
        # The session after the last prediction is missing once the one after it has opened, and not before.
        evening, opened = moment(f"{NEW_YORK[26]} 23:00"), moment(f"{NEW_YORK[27]} 20:00")
        assert str(NEW_YORK[26]) not in missing(ledger, 1, evening).sessions
        assert str(NEW_YORK[26]) in missing(ledger, 1, opened).sessions
