"""`awesome explain`."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from explained_run import made_run, reversing
from sklearn.metrics import roc_auc_score
from twins import dense_record

from models.card import EXTRA_FOLDER
from models.twin.files import TWIN_FILE, no_twin_files
from models.twin.proof import Proof
from pipeline.runs.folder import open_run, save_report

Awesome = Callable[..., Any]
LATEST = Path("runs/latest")


def explanation() -> Any:
    return json.loads((LATEST / "explain.json").read_text())


def change_report(**models: Any) -> None:
    """Gives models of the report other fields."""
    report = open_run(LATEST).report
    changed = {name: replace(one, **models.get(name, {})) for name, one in report.models.items()}
    save_report(replace(report, models=changed), LATEST / "report.json")


def test_it_says_what_each_model_looks_at_and_leaves_a_file_and_a_section_of_the_report(
    awesome: Awesome, monkeypatch: pytest.MonkeyPatch
) -> None:
    made_run(Path())
    before = (LATEST / "report.html").read_text()
    monkeypatch.setenv("COLUMNS", "80")
    outcome = awesome("explain")
    assert (outcome.code, outcome.err) == (0, "")
    assert max(map(len, outcome.out.splitlines())) <= 80
    text = " ".join(outcome.out.split())
    assert "among the 480 rows of the test split (120 days), 5 times" in text
    assert "linear owes its AUC to returns, lag 1 (100%), whose interval lies above 0." in text
    assert "Nothing that dnn sees is shown to help it" in text
    assert re.search(r"^ +returns, lag 1 +\+0\.\d{4} +\+0\.\d{4} to \+0\.\d{4} +100%", outcome.out, re.MULTILINE)
    assert outcome.out.splitlines()[-1] == "The report: runs/latest/report.html"
    page = (LATEST / "report.html").read_text()
    assert "What the models look at" in page
    assert "What the models look at" not in before
    # All else of the page is as it was, the charts of the trainings among it.
    titles = re.findall(r"<h[23][^>]*>(.*?)</h[23]>", page)
    added = ["What the models look at", "What linear looks at", "What dnn looks at"]
    assert [title for title in titles if title not in added] == re.findall(r"<h[23][^>]*>(.*?)</h[23]>", before)
    assert [title for title in titles if title in added] == added
    found = explanation()
    frame = open_run(LATEST).predictions()
    for name, model in found["models"].items():
        assert model["auc"] == pytest.approx(roc_auc_score(frame["label"], frame[name]), abs=1e-4)
        assert [one["part"]["lag"] for one in model["parts"]] == [*range(1, 21), None, None]
    assert found["models"]["linear"]["parts"][0]["attributed"] == 1
    assert (found["rows"], found["days"], found["repeats"], found["schema_version"]) == (480, 120, 5, 1)


def test_json_is_what_stands_in_the_file_and_the_same_again(awesome: Awesome) -> None:
    made_run(Path(), page=False)
    first = awesome("explain", "--models", "linear", "--repeats", "2", "--json")
    assert json.loads(first.out) == explanation()
    assert list(explanation()["models"]) == ["linear"]
    page = (LATEST / "report.html").read_bytes()
    assert awesome("explain", "runs/latest/report.json", "--models", "linear", "--repeats", "2", "--json") == first
    assert (LATEST / "report.html").read_bytes() == page


def test_one_model_explained_leaves_what_stands_there_of_the_others(awesome: Awesome) -> None:
    made_run(Path(), days=60, page=False)
    assert awesome("explain", "--repeats", "1").code == 0
    before = explanation()["models"]
    said = awesome("explain", "--models", "dnn", "--repeats", "2", "--json")
    assert list(json.loads(said.out)["models"]) == ["dnn"]
    after = explanation()["models"]
    assert list(after) == list(before) == ["linear", "dnn"]
    assert after["linear"] == before["linear"]
    assert [after[name]["repeats"] for name in after] == [1, 2]
    page = " ".join((LATEST / "report.html").read_text().split())
    assert "What linear looks at" in page
    assert "(60 days), 1 or 2 times" in page

    # What stands there of another run, or cannot be read, goes.
    path = LATEST / "explain.json"
    for text in (path.read_text().replace('"run": "', '"run": "not '), "{"):
        path.write_text(text)
        assert awesome("explain", "--models", "dnn", "--repeats", "1").code == 0
        assert list(explanation()["models"]) == ["dnn"]


def test_a_model_without_a_twin_is_left_out_and_says_why(awesome: Awesome) -> None:
    made_run(Path(), page=False)
    change_report(dnn={"twin": Proof(reason="the layer LSTM is not written without TensorFlow")})
    out = " ".join(awesome("explain").out.split())
    why = "dnn is left out, as it has no twin: the layer LSTM is not written without TensorFlow"
    assert why in out
    assert why in (LATEST / "report.html").read_text()
    assert list(explanation()["models"]) == ["linear"]
    assert explanation()["left_out"] == {"dnn": "the layer LSTM is not written without TensorFlow"}


def test_where_the_training_logs_are_gone_the_page_stays_as_it_was(awesome: Awesome) -> None:
    made_run(Path(), days=60, page=False)
    before = (LATEST / "report.html").read_bytes()
    shutil.rmtree("tfx/dnn/model_run")
    out = awesome("explain", "--repeats", "1").out
    assert re.search(r"^The report stays as it was: .*training log of dnn.* run again$", out, re.MULTILINE)
    assert (LATEST / "report.html").read_bytes() == before
    assert set(explanation()["models"]) == {"linear", "dnn"}


def no_twin() -> None:
    change_report(dnn={"twin": None})


def no_twins() -> None:
    change_report(dnn={"twin": None}, linear={"twin": None})


def other_twin() -> None:
    [content] = no_twin_files("it has an LSTM").values()
    (Path("tfx/dnn/model/Format-Serving") / EXTRA_FOLDER / TWIN_FILE).write_bytes(content)


def no_examples() -> None:
    shutil.rmtree("tfx/examples")


def no_files() -> None:
    for file in Path("tfx/examples/1/Split-test").iterdir():
        file.unlink()


def cut_examples() -> None:
    file = Path("tfx/examples/1/Split-test/data_tfrecord-00000")
    file.write_bytes(file.read_bytes()[:-100])


def broken_examples() -> None:
    for file in Path("tfx/examples/1/Split-test").iterdir():
        file.write_bytes(file.read_bytes().replace(b"closes", b"klozes"))


def other_examples() -> None:
    file = Path("tfx/examples/1/Split-test/data_tfrecord-00000")
    content = file.read_bytes()
    # The first share's first closes are those of its second session.
    at = [found.end() for found in re.finditer(rb"closes", content)]
    file.write_bytes(content[: at[0]] + content[at[1] : at[1] + 90] + content[at[0] + 90 :])


def fewer_examples() -> None:
    Path("tfx/examples/1/Split-test/data_tfrecord-00001").unlink()


def no_predictions() -> None:
    (LATEST / "predictions.parquet").unlink()


def other_formatter() -> None:
    report = open_run(LATEST).report
    save_report(replace(report, settings={**report.settings, "formatter": "mine"}), LATEST / "report.json")


@pytest.mark.parametrize(
    ("arguments", "spoil", "said"),
    [
        (("runs/none",), None, r"^runs/none.*no report here"),
        (("--models", "tree"), None, r"^runs/latest has no model 'tree'; it has linear, dnn$"),
        (("--models", " ,"), None, r"--models.* it names no model; leave it out for all;"),
        (("--models", ""), None, r"--models.* it names no model; leave it out for all;"),
        (("--repeats", "0"), None, r"--repeats: must be 1 or more, got 0"),
        (("--repeats", "many"), None, r"--repeats: is no whole number, got .many."),
        (("--models", "dnn"), no_twin, r"^runs/latest: dnn cannot be explained, as it has no twin: its run was of a"),
        ((), no_twins, r"^runs/latest: linear cannot be explained"),
        (("--models", "dnn"), other_twin, r"^runs/latest: dnn cannot be explained.* it has an LSTM"),
        ((), no_examples, r"examples at .*gone.* run again$"),
        ((), no_files, r"Split-test: the examples cannot be read .*run again$"),
        ((), cut_examples, r"Split-test: the examples cannot be read \(a file ends within a record\); run again$"),
        ((), broken_examples, r"Split-test: the examples cannot be read \(they carry no closes\); run again$"),
        ((), other_examples, r"^runs/latest: the examples of the test split are not those that linear was judged on"),
        ((), fewer_examples, r"^runs/latest: the examples of the test split are not those that linear was judged on"),
        ((), no_predictions, r"predictions\.parquet: the predictions are not beside report\.json"),
        ((), other_formatter, r"^runs/latest: .*mine.*install the package"),
    ],
)
def test_bad_input_is_one_line_and_changes_nothing(
    awesome: Awesome, arguments: tuple[str, ...], spoil: Callable[[], None] | None, said: str
) -> None:
    made_run(Path(), days=60, page=False)
    if spoil is not None:
        spoil()
    before = (LATEST / "report.html").read_bytes()
    assert re.search(said, awesome("explain", *arguments).refusal)
    assert not (LATEST / "explain.json").exists()
    assert (LATEST / "report.html").read_bytes() == before


def test_all_rows_of_one_label_have_no_auc_to_lose(awesome: Awesome) -> None:
    made_run(Path(), days=60, page=False)
    for file in Path("tfx/examples/1/Split-test").iterdir():
        # label_1 holds a packed list of one number.
        label = re.compile(rb"(label_1\x12.\x1a.\x0a.)[\x00\x01]", re.DOTALL)
        file.write_bytes(label.sub(lambda found: found[1] + b"\x01", file.read_bytes()))
    assert re.search(r"all test rows have the same label", awesome("explain").refusal)


def test_a_model_alone_is_explained(awesome: Awesome) -> None:
    made_run(Path(), days=60, page=False, records={"mine <b>": reversing(), "dnn": dense_record()})
    assert awesome("explain", "--models", "mine <b>", "--repeats", "1").code == 0
    page = (LATEST / "report.html").read_text()
    assert "What mine &lt;b&gt; looks at" in page
    assert "<b>" not in page
