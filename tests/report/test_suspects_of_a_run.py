"""Wrong prices where people read of them: verdict, terminal, page, report.json, backtest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from hand_made_backtest import made_run as made_backtest
from hand_made_run import made_run
from judged_runs import model, report
from shown import printed

from components.plausibility import Grade, Suspect, SuspectRecord
from pipeline.report.backtest_summary import judge
from pipeline.report.page import render_html
from pipeline.report.summary import print_summary
from pipeline.report.suspects import print_suspects
from pipeline.report.verdict import assess
from pipeline.runs.folder import read_report, save_report
from pipeline.uses.backtest import backtest_run

WRONG = Suspect("A<b>", "2020-08-31", -0.75, Grade.WRONG, "a 4-for-1 split")
LARGE = Suspect("B", "2020-09-01", 0.6, Grade.LARGE, "news")
RECORD = SuspectRecord((WRONG, LARGE), excluded=("GONE",), shares=3, returns=3000)
SOUND = SuspectRecord((), shares=3, returns=3000)


def test_wrong_prices_come_before_every_other_verdict() -> None:
    champion = report({"linear": model(0.515, blessed=True)}, champion="linear", prices=RECORD)
    judged = assess(champion)
    assert (judged.tone, judged.label) == ("warning", "Wrong prices, nothing pushed")
    assert "A<b> on 2020-08-31 (-75.0 %)" in judged.sentence
    assert "awesome prices suspects --db awesome.db --accept 'A<b>:2020-08-31'" in judged.sentence
    accepted = replace(RECORD, suspects=(replace(WRONG, accepted=True), LARGE))
    assert assess(replace(champion, prices=accepted)).tone == "good"
    assert assess(replace(champion, prices=SOUND)) == assess(replace(champion, prices=None))


def test_the_terminal_says_how_many_there_are() -> None:
    run = report({"linear": model(0.5)}, prices=RECORD)
    assert "1 wrong, 1 large" in printed(120, lambda console: print_summary(run, console))
    silent = printed(120, lambda console: print_summary(replace(run, prices=SOUND), console))
    assert silent == printed(120, lambda console: print_summary(replace(run, prices=None), console))


def test_twenty_suspects_are_shown_and_the_others_counted() -> None:
    many = SuspectRecord(tuple(replace(LARGE, share_id=f"S{number:02d}") for number in range(30)), left_out=4)
    text = printed(120, lambda console: print_suspects(many, console))
    assert ("S19" in text, "S20" in text) == (True, False)
    assert "... and 14 more" in text
    assert printed(120, lambda console: print_suspects(SOUND, console)) == ""


def test_the_page_has_a_section_and_escapes_what_it_shows() -> None:
    run, predictions, histories = made_run()
    page = render_html(replace(run, prices=RECORD), predictions, histories)
    section = page[page.index('<section aria-labelledby="prices">') :]
    section = section[: section.index("</section>")]
    for text in ("A&lt;b&gt;", "2020-08-31", "-75.0 %", "wrong", "a 4-for-1 split", "large", "GONE"):
        assert text in section
    assert page.index('aria-labelledby="prices"') < page.index('aria-labelledby="results"')
    assert 'aria-labelledby="prices"' not in render_html(replace(run, prices=SOUND), predictions, histories)


def test_the_record_is_read_back_from_report_json(tmp_path: Path) -> None:
    run = report({"linear": model(0.5)}, prices=RECORD)
    save_report(run, tmp_path / "report.json")
    assert read_report(tmp_path / "report.json").prices == RECORD


def test_a_backtest_of_wrong_prices_claims_nothing(tmp_path: Path) -> None:
    run, _ = made_backtest(tmp_path / "run")
    result = backtest_run(tmp_path / "run").result
    judged = judge(replace(run, prices=RECORD), result, "linear")
    assert (judged.tone, judged.label) == ("warning", "Wrong prices were traded")
    assert "A<b> on 2020-08-31" in judged.sentence
    assert judge(replace(run, prices=SOUND), result, "linear") == judge(run, result, "linear")
