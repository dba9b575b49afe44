"""What belongs to one model of an evaluation of several, and nothing of the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from answered_rows import Evaluate, make_rows

from components.evidence.tfma.parting import CONFIG, PartingError, part_of

NAMES = ("candidate", "baseline")


@pytest.fixture(scope="module")
def whole(evaluate: Evaluate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "evaluation"
    evaluate(make_rows(days=300, shares=5, candidate=0.6, baseline=1.2), left_in=folder)
    return folder


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::RuntimeWarning:tensorflow_model_analysis", "ignore::FutureWarning:google")
@pytest.mark.parametrize(("name", "other"), [NAMES, NAMES[::-1]])
def test_tfma_reads_of_a_part_what_it_reads_of_the_whole_and_nothing_of_the_others(
    whole: Path, tmp_path: Path, name: str, other: str
) -> None:
    from components.evidence.tfma.evaluations import read_evaluation

    part = part_of(whole, name, tmp_path / "part")
    found = read_evaluation(str(part), name)
    assert found == read_evaluation(str(whole), name)
    assert len(found.by_year) == 2
    assert list(json.loads((part / CONFIG).read_text())["modelLocations"]) == [name]
    held = b"".join(file.read_bytes() for file in part.iterdir())
    assert b"\x22" + bytes([len(name)]) + name.encode() in held
    # What follows is how a protocol buffer holds the name of a model.
    assert b"\x22" + bytes([len(other)]) + other.encode() not in held
    assert part_of(part, name, tmp_path / "again") == part  # which is of one model
    again = part_of(whole, name, tmp_path / "anew")
    assert {file.name: file.read_bytes() for file in again.iterdir()} == {
        file.name: file.read_bytes() for file in part.iterdir()
    }


@pytest.mark.slow
def test_what_is_damaged_or_of_no_such_model_is_refused(whole: Path, tmp_path: Path) -> None:
    with pytest.raises(PartingError, match=r"eval_config\.json: is not what TFMA writes"):
        part_of(whole, "rnn", tmp_path / "none")
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for file in whole.iterdir():
        (damaged / file.name).write_bytes(file.read_bytes())
    [metrics] = damaged.glob("metrics-*")
    content = bytearray(metrics.read_bytes())
    content[len(content) // 2] ^= 1
    for wrong in (bytes(content), bytes(content[:-5]), b"\0" * 7):
        metrics.write_bytes(wrong)
        with pytest.raises(PartingError, match=r"metrics-.*: is damaged; run the pipeline again"):
            part_of(damaged, "baseline", tmp_path / str(len(wrong)) / str(wrong[-1]))


def test_an_evaluation_of_one_model_or_of_another_tool_is_taken_as_it_is(tmp_path: Path) -> None:
    assert part_of(tmp_path, "rnn", tmp_path / "part") == tmp_path
    (tmp_path / CONFIG).write_text(json.dumps({"modelLocations": {"": "somewhere"}}))
    assert part_of(tmp_path, "rnn", tmp_path / "part") == tmp_path
    (tmp_path / CONFIG).write_text("{")
    with pytest.raises(PartingError, match="is not what TFMA writes"):
        part_of(tmp_path, "rnn", tmp_path / "part")
