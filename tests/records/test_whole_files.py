"""A file is written whole or not at all."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from components import processes
from components.whole_files import PARTIAL, clear_left, temporary_folder, whole_file, write_whole


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
    assert list(tmp_path.iterdir()) == [path]


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


LEAVES_THREE = (
    "import os, sys, pathlib; from components.whole_files import partial_beside, scratch_folder, whole_file\n"
    "here = pathlib.Path(sys.argv[1])\n"
    "with whole_file(here / 'a.csv') as file, scratch_folder(here / 'b') as folder:\n"
    "    file.write_text('half'); (folder / 'deep').mkdir(); (folder / 'deep' / 'c').write_text('half')\n"
    "    partial_beside(here / 'latest').symlink_to(here / 'kept')\n"
    "    print('ready', flush=True); sys.stdin.read(); os._exit(9)\n"
)


@contextmanager
def writer(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that is writing a file, a folder and a link in a folder, until it is killed."""
    command = [sys.executable, "-c", LEAVES_THREE, str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def partials(folder: Path) -> list[Path]:
    return sorted(folder.glob(f"{PARTIAL}*"))


def test_what_a_killed_process_left_is_cleared_and_nothing_else(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (kept / "mine").write_text("mine")
    others = [kept, tmp_path / ".partial-mine", tmp_path / ".partial-0123abcd-old.csv", tmp_path / "partial-1-2-3"]
    for path in others[1:]:
        path.write_text("mine")
    with writer(tmp_path) as process:
        clear_left(tmp_path)
        write_whole(tmp_path / "new", "text")
        assert len(partials(tmp_path)) == 5  # it lives
        process.send_signal(signal.SIGSTOP)
        clear_left(tmp_path)
        assert len(partials(tmp_path)) == 5  # it only sleeps
        process.kill()
        wait_for_its_end(process.pid)  # and nobody has asked for its exit code yet
        write_whole(tmp_path / "new", "text")
        assert set(tmp_path.iterdir()) == {*others, tmp_path / "new"}
        assert (kept / "mine").read_text() == "mine"


def wait_for_its_end(pid: int) -> None:
    while Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        pass


def test_what_another_machine_or_container_writes_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with writer(tmp_path):
        pass
    left = partials(tmp_path)
    monkeypatch.setattr("socket.gethostname", lambda: "another")
    processes._host.cache_clear()
    try:
        clear_left(tmp_path)
        assert partials(tmp_path) == left
    finally:
        processes._host.cache_clear()
        monkeypatch.undo()
    clear_left(tmp_path)
    assert partials(tmp_path) == []


def test_a_later_process_of_the_same_number_does_not_keep_it(tmp_path: Path) -> None:
    host, pid, start = processes.owner().split(".")
    assert (int(pid), int(start) > 0) == (os.getpid(), True)
    assert not processes.is_gone(f"{host}.{pid}.{start}")
    assert processes.is_gone(f"{host}.{pid}.{int(start) - 1}")
    assert not processes.is_gone(f"{host}.{pid}.")  # a system that does not tell when it began
    assert not processes.is_gone("nobody")


def test_a_long_name_leaves_room_for_the_writers(tmp_path: Path) -> None:
    path = tmp_path / ("它" * 80 + ".csv")
    write_whole(path, "text")
    assert path.read_text() == "text"


def test_the_systems_temporary_folder_is_cleared_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    killed = (
        "import os; from components.whole_files import temporary_folder\n"
        "with temporary_folder('trial') as folder: (folder / 'trial.db').write_text('large'); os._exit(9)"
    )
    environment = os.environ | {"TMPDIR": str(tmp_path)}
    subprocess.run([sys.executable, "-c", killed], cwd=Path(__file__).parents[2], env=environment, check=False)
    [left] = partials(tmp_path)
    assert left.name.endswith("-trial")
    assert stat.S_IMODE(left.stat().st_mode) == 0o700
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with temporary_folder("push") as folder:
        assert partials(tmp_path) == [folder]
    assert list(tmp_path.iterdir()) == []


def test_an_error_names_the_file_and_not_what_is_partial(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        write_whole(tmp_path / "no" / "report.json", "")
    assert missing.value.filename == str(tmp_path / "no" / "report.json")
    with pytest.raises(OSError, match=r"full.*report\.json"), whole_file(tmp_path / "report.json"):
        raise OSError(errno.ENOSPC, "the disk is full")


def test_an_error_of_something_else_stays_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(ConnectionRefusedError) as raised, whole_file(tmp_path / "a"):
        raise ConnectionRefusedError(errno.ECONNREFUSED, "refused")
    assert raised.value.filename is None


def test_a_pipe_or_a_link_to_the_output_is_no_file_to_replace(tmp_path: Path) -> None:
    pipe, to_pipe, output = tmp_path / "pipe", tmp_path / "link", tmp_path / "stdout"
    os.mkfifo(pipe)
    to_pipe.symlink_to(pipe)
    output.symlink_to("/proc/self/fd/1")
    for path in (pipe, to_pipe, output):
        with pytest.raises(OSError, match="a device or a pipe") as found:
            write_whole(path, "content")
        assert found.value.filename == str(path)
    assert pipe.is_fifo()
    assert to_pipe.is_symlink()
    assert output.is_symlink()
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["link", "pipe", "stdout"]
