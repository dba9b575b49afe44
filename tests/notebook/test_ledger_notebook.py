"""The notebook of the ledger, run on a record of some evenings: it shows what `awesome live` says."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
from executed_notebooks import ExecutedNotebook, execute
from judged_runs import model, report
from made_live import FIRST, NEW_YORK, Knowing, lived

from pipeline.notebook import record
from pipeline.report.live_facts import LiveFacts
from pipeline.report.live_words import live_verdict, sequence_line, trust_line
from pipeline.runs.folder import save_report
from pipeline.uses.live import live_facts


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Knowing:
    """Evenings of a model, and a run on the database."""
    live = lived(tmp_path_factory.mktemp("live"), sessions=30, shares=6)
    made = report({"linear": model(0.502)})
    folder = live.folder / "runs" / "one"
    folder.mkdir(parents=True)
    save_report(replace(made, data=replace(made.data, database=str(live.database))), folder / "report.json")
    return live


@pytest.fixture(scope="module")
def facts(live: Knowing) -> LiveFacts:
    return live_facts(live.plan())


@pytest.fixture(scope="module")
def notebook(live: Knowing) -> ExecutedNotebook:
    return execute("ledger", live.folder / "runs" / "one")


def test_the_tables_are_those_of_the_record(facts: LiveFacts) -> None:
    assert facts.evidence is not None
    table = record.evidence_table(facts)
    assert list(table.index) == [day.session for day in facts.evidence.days[-20:]]
    assert list(table["evidence"]) == [day.e_value for day in facts.evidence.days[-20:]]
    assert facts.profit is not None
    assert list(record.profit_table(facts).index) == [one.name for one in facts.profit.portfolios]
    [spoke] = record.models_table(facts).itertuples()
    assert (spoke.model, spoke.role, spoke.predicted) == ("linear", "champion", 30 * 6)


def test_without_a_record_each_part_says_so(tmp_path: Path) -> None:
    nothing = live_facts(Knowing(tmp_path).plan(db=str(tmp_path / "none.db")))
    for part in (record.trust, record.evidence, record.verdict):
        assert "none.db.ledger does not exist" in repr(part(nothing))
    assert (len(record.evidence_table(nothing)), len(record.profit_table(nothing))) == (0, 0)
    assert repr(record.calibration(nothing)) == "no prediction that counts has an outcome yet"


def test_no_cell_warns(notebook: ExecutedNotebook) -> None:
    assert [output for output in notebook.outputs if output.get("name") == "stderr"] == []
    assert {output["output_type"] for output in notebook.outputs} <= {"stream", "execute_result"}
    assert "://" not in re.sub(r'xmlns(:\w+)?="[^"]*"', "", notebook.shown)


def test_it_shows_what_the_command_says(notebook: ExecutedNotebook, facts: LiveFacts) -> None:
    assert facts.evidence is not None
    assert facts.trust is not None
    for sentence in (live_verdict(facts).sentence, trust_line(facts.trust), sequence_line(facts.evidence)):
        assert " ".join(sentence.split()) in notebook.text
    assert str(NEW_YORK[FIRST + 20]) in notebook.text
    assert notebook.shown.count("<svg ") == 4
