"""Who writes a temporary file, as a word in its name, and whether that process is gone."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import socket
from pathlib import Path

OWNER = re.compile(r"([0-9a-f]{12})\.([0-9]+)\.([0-9]*)")
"""Host, process and start of `owner`; the start is empty where the system does not tell it."""

_FIRST_PID_NAMESPACE = "pid:[4026531836]"
"""That of the machine itself, the same on every Linux (PROC_PID_INIT_INO of its sources); containers have others."""


def owner() -> str:
    """This process, as a word of letters, digits and dots that no other process has had, on this machine or another."""
    pid = os.getpid()
    return f"{_host()}.{pid}.{_start(pid)}"


def is_gone(written_by: str) -> bool:
    """Tells whether a process has ended.

    Args:
        written_by: what `owner` said in it.

    Returns:
        False where that cannot be known: of a process of another machine or container, which may share this disk.
    """
    match = OWNER.fullmatch(written_by)
    if match is None or match[1] != _host():
        return False
    pid = int(match[2])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False  # it belongs to somebody else, so it lives; or no system has such a process
    start = _start(pid)
    return start is None or (start != "" and match[3] != "" and start != match[3])


@functools.cache
def _host() -> str:
    """The machine or container: processes of the same one can see whether each other live."""
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = ""
    parts = [socket.gethostname(), _text("/etc/machine-id"), namespace]
    if namespace != _FIRST_PID_NAMESPACE:
        # Containers of two machines may agree in all of that. The machine's own processes can be told apart without,
        # so that what is left from before a restart of the machine can be cleared.
        parts.append(_text("/proc/sys/kernel/random/boot_id"))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:12]


def _start(pid: int) -> str | None:
    """When a process began, in the system's ticks; empty where that is not told, None for one that has ended."""
    # The name in brackets may hold anything; the state is the first field after it, the start the 20th.
    fields = _text(f"/proc/{pid}/stat").rpartition(")")[2].split()
    if len(fields) < 20:
        return ""
    return None if fields[0] in "ZX" else fields[19]


def _text(path: str) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError:
        return ""
