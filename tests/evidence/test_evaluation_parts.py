"""What belongs to one model of an evaluation of several, and nothing of the others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from answered_rows import Evaluate, make_rows

from components.evidence.tfma.parting import CONFIG, part_of

NAMES = ("candidate", "baseline")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::RuntimeWarning:tensorflow_model_analysis", "ignore::FutureWarning:google"),
]


@pytest.fixture(scope="module")
def whole(evaluate: Evaluate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole") / "evaluation"
    evaluate(make_rows(days=300, shares=5, candidate=0.6, baseline=1.2), left_in=folder)
    return folder


@pytest.mark.parametrize(("name", "other"), [NAMES, NAMES[::-1]])
def test_tfma_reads_of_a_part_what_it_reads_of_the_whole_and_nothing_of_the_others(
    whole: Path, name: str, other: str
) -> None:
    from components.evidence.tfma.evaluations import read_evaluation

    part = part_of(whole, name)
    found = read_evaluation(str(part), name)
    assert found == read_evaluation(str(whole), name)
    assert len(found.by_year) == 2
    assert list(json.loads((part / CONFIG).read_text())["modelLocations"]) == [name]
    held = b"".join(file.read_bytes() for file in part.iterdir())
    assert b"\x22" + bytes([len(name)]) + name.encode() in held
    # What follows is how a protocol buffer holds the name of a model.
    assert b"\x22" + bytes([len(other)]) + other.encode() not in held
    assert part_of(part, name) == part  # which is of one model
    assert {file.name for file in part.iterdir()} <= {file.name for file in whole.iterdir()}


def test_the_evaluation_of_an_only_model_is_its_part(evaluate: Evaluate, tmp_path: Path) -> None:
    evaluate(make_rows(days=60, shares=5, candidate=0.6, baseline=1.2), baseline=False, left_in=tmp_path / "evaluation")
    assert part_of(tmp_path / "evaluation", "candidate") == tmp_path / "evaluation"
    assert not [path for path in (tmp_path / "evaluation").iterdir() if path.is_dir()]
