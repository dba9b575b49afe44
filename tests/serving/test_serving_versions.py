"""New versions are taken up, bad ones refused, old ones drained, and no request is lost meanwhile."""

from __future__ import annotations

import logging
import shutil
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pushed import MODEL, Sloped, load_sloped, names, push, windows
from running import running

from models.card import CARD_FILE, EXTRA_FOLDER
from pipeline.serving.errors import Code, ServingError
from pipeline.serving.messages import State
from pipeline.serving.version import load_version
from pipeline.serving.versions import Versions, Wanted

LATEST = Wanted(MODEL)


def versions_of(base: Path, load: Callable[[Any], Any] = load_sloped, **given: Any) -> Versions:
    return Versions(base, MODEL, lambda number, folder: load_version(number, folder, load), **given)


def looked(base: Path, times: int = 1, **given: Any) -> Versions:
    found = versions_of(base, **given)
    for _ in range(times):
        found.look()
    return found


def states(versions: Versions) -> dict[int, State]:
    return {one.number: one.state for one in versions.statuses(LATEST)}


def latest(versions: Versions) -> int:
    with versions.lease(LATEST) as version:
        return version.number


def test_the_highest_number_answers_and_not_the_longest_name(base: Path) -> None:
    push(base, 12)
    for name in ("007", "13x", "-14", "\u0661\u0665"):
        shutil.copytree(base / "3", base / name)
    (base / "16").mkdir()
    versions = looked(base)
    assert versions.numbers() == [12]
    assert states(versions) == {12: State.AVAILABLE}


def test_a_new_version_is_taken_up_once_its_folder_rests(base: Path) -> None:
    versions = looked(base)
    push(base, 4)
    versions.look()
    assert latest(versions) == 3
    assert states(versions) == {3: State.AVAILABLE, 4: State.START}
    (base / "4" / "more").write_text("half of a copy")
    versions.look()
    assert latest(versions) == 3
    versions.look()
    assert latest(versions) == 4
    assert states(versions) == {3: State.END, 4: State.AVAILABLE}


def test_requests_end_with_the_version_they_began_with(base: Path) -> None:
    versions = looked(base)
    with versions.lease(LATEST) as old:
        push(base, 4)
        versions.look()
        versions.look()
        assert old.number == 3
        assert latest(versions) == 4
        assert states(versions) == {3: State.UNLOADING, 4: State.AVAILABLE}
    assert states(versions) == {3: State.END, 4: State.AVAILABLE}
    with (
        pytest.raises(ServingError, match=r"Servable not found for request: Specific\(.*, 3\)"),
        versions.lease(Wanted(MODEL, 3)),
    ):
        pass


def test_a_version_that_does_not_reproduce_its_examples_is_refused_and_the_old_one_goes_on(
    base: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "awesome.serve")
    versions = looked(base)
    push(base, 4, slope=10, answers_of=11)
    versions.look()
    versions.look()
    assert latest(versions) == 3
    [refused] = versions.refused()
    assert (refused.number, refused.state, refused.code) == (4, State.END, Code.FAILED_PRECONDITION)
    assert "its answers to its own examples differ" in refused.message
    said = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert said == [f"version 4 of {MODEL} is refused, version 3 goes on: {refused.message}"]
    versions.look()
    assert len(caplog.records) == 2  # neither tried nor told again


def test_a_refused_version_is_tried_again_once_it_changes(base: Path) -> None:
    versions = looked(base)
    push(base, 4, slope=10, answers_of=11)
    versions.look()
    versions.look()
    assert versions.refused()
    (base / "4" / "made_by").write_text("10.0")
    versions.look()
    versions.look()
    assert (latest(versions), versions.refused()) == (4, [])


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "saved_model.pb").write_bytes(b"\xff\xff\xff"), "is no SavedModel that can be read"),
        (lambda folder: (folder / "saved_model.pb").write_bytes(b""), "holds no model"),
        (lambda folder: (folder / EXTRA_FOLDER / CARD_FILE).unlink(), "what the model says of itself cannot be read"),
        (
            lambda folder: (folder / EXTRA_FOLDER / CARD_FILE).write_text("{}"),
            "what the model says of itself cannot be read",
        ),
        (lambda folder: (folder / "slope").write_text("steep"), "ValueError: could not convert"),
    ],
)
def test_a_damaged_version_is_refused_and_says_why(base: Path, damage: Callable[[Path], object], message: str) -> None:
    damage(push(base, 4))
    versions = looked(base)
    assert versions.numbers() == [3]
    assert message in versions.refused()[0].message


def test_nothing_answers_where_nothing_was_pushed(tmp_path: Path) -> None:
    versions = looked(tmp_path / "nothing")
    assert versions.numbers() == []
    with pytest.raises(ServingError, match=r"Servable not found for request: Latest"):
        latest(versions)
    with pytest.raises(ServingError, match="Could not find any versions of model"):
        versions.statuses(LATEST)


def test_a_folder_that_is_gone_for_a_moment_stops_nobody(base: Path) -> None:
    versions = looked(base)
    base.rename(base.with_name("gone"))
    versions.look()
    assert latest(versions) == 3
    base.with_name("gone").rename(base)
    versions.look()
    assert states(versions) == {3: State.AVAILABLE}


def test_a_version_that_was_deleted_gives_way_to_the_one_before(base: Path) -> None:
    push(base, 4)
    versions = looked(base)
    assert latest(versions) == 4
    shutil.rmtree(base / "4")
    versions.look()
    assert latest(versions) == 3
    assert states(versions) == {3: State.AVAILABLE, 4: State.END}


def test_several_versions_answer_by_number_and_by_label(base: Path) -> None:
    push(base, 4)
    push(base, 5)
    versions = looked(base, most=2, labels={"stable": 4, "old": 3})
    assert versions.numbers() == [4, 5]
    with versions.lease(Wanted(MODEL, label="stable")) as version:
        assert version.number == 4
    with pytest.raises(ServingError, match=r"Specific\(.*, 3\)"), versions.lease(Wanted(MODEL, label="old")):
        pass
    [status] = versions.statuses(Wanted(MODEL, label="stable"))
    assert status.number == 4


def test_a_refused_version_does_not_take_the_place_of_one_that_answers(base: Path) -> None:
    push(base, 4)
    push(base, 5, answers_of=99)
    assert looked(base, most=2).numbers() == [3, 4]


def test_statuses_of_long_gone_versions_are_forgotten(base: Path) -> None:
    versions = looked(base)
    for number in range(4, 9):
        push(base, number)
        versions.look()
        versions.look()
        shutil.rmtree(base / str(number - 1))
    versions.look()
    assert states(versions).keys() == {7, 8}


def test_no_request_fails_while_versions_are_switched(base: Path) -> None:
    shares, closes = names(20), windows(20)
    body = {"signature_name": "predict_closes", "inputs": {"share_id": shares, "closes": closes.tolist()}}
    known = {
        slope: Sloped(slope).forecast(shares, closes).astype(np.float32).tobytes() for slope in map(float, range(20))
    }
    push(base, 100, slope=0)
    with running(base) as server:
        done = threading.Event()

        def ask() -> list[bytes]:
            found = []
            while not done.is_set():
                answer = server.ask(body)
                assert answer.status_code == 200, answer.text
                found.append(np.float32(answer.json()["outputs"])[:, 0].tobytes())
            return found

        with ThreadPoolExecutor(2) as pool:
            asking = [pool.submit(ask) for _ in range(2)]
            try:
                for switch in range(1, 15):
                    push(base, 100 + switch, slope=switch)
                    end = time.monotonic() + 20
                    while server.started.versions.numbers() != [100 + switch]:
                        assert time.monotonic() < end
                        time.sleep(0.01)
                    shutil.rmtree(base / str(100 + switch - 1))
            finally:
                done.set()
            answers = [answer for one in asking for answer in one.result(30)]
        assert set(answers) <= set(known.values())  # each of one version, whole
        assert len(set(answers)) > 5
        assert server.started.versions.switches == 15
