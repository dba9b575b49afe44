"""A file is written whole or not at all."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from components.whole_files import PARTIAL, whole_file, write_whole


@pytest.mark.parametrize(("content", "read"), [("它\r\n", "它\r\n".encode()), (b"\xff", b"\xff")])
def test_a_file_is_written_and_replaced(tmp_path: Path, content: str | bytes, read: bytes) -> None:
    path = tmp_path / "one.csv.gz"
    for _ in range(2):
        write_whole(path, content)
        assert path.read_bytes() == read
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("error", [OSError, KeyboardInterrupt])
def test_an_error_leaves_what_was_there_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "one.csv.gz"
    path.write_text("old")

    def half() -> None:
        with whole_file(path) as partial:
            assert (partial.parent, partial.suffixes[-2:]) == (tmp_path, [".csv", ".gz"])
            partial.write_text("half")
            raise error

    with pytest.raises(error):
        half()
    assert (path.read_text(), list(tmp_path.iterdir())) == ("old", [path])


def test_what_cannot_take_its_place_is_taken_away(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path / "folder", "text")
    assert list(tmp_path.iterdir()) == [tmp_path / "folder"]


def test_two_writers_do_not_meet_and_a_killed_one_is_in_nobodys_way(tmp_path: Path) -> None:
    path = tmp_path / "one"
    killed = (
        "import os, pathlib; from components.whole_files import whole_file\n"
        f"with whole_file(pathlib.Path({str(path)!r})) as partial: partial.write_text('half'); os._exit(9)"
    )
    subprocess.run([sys.executable, "-c", killed], cwd=Path(__file__).parents[2], check=False)
    [left] = tmp_path.iterdir()
    assert left.name.startswith(PARTIAL)
    with whole_file(path, sync=True) as first, whole_file(path) as second:
        first.write_text("first")
        second.write_text("second")
    assert path.read_text() == "first"
    assert set(tmp_path.iterdir()) == {left, path}


def test_others_may_read_it_as_any_other_file(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        write_whole(tmp_path / "one", "text")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "one").stat().st_mode) == 0o644


def test_a_link_may_be_whole_too(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        with whole_file(tmp_path / "latest") as partial:
            partial.symlink_to(tmp_path / name, target_is_directory=True)
        assert (tmp_path / "latest").resolve() == tmp_path / name
