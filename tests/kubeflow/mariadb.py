"""A MariaDB server of the tests' own: a real one, with a data folder of its own, ended with the block."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

PROGRAMS = ("mariadbd", "mariadb-install-db", "mariadb")
_PATH = f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin{os.pathsep}/usr/bin"
"""Debian keeps servers where a user's PATH does not look."""


def need(*programs: str) -> None:
    """Ends the test where a program is missing: a machine of one's own may do without, CI installs it."""
    missing = [name for name in programs if shutil.which(name, path=_PATH) is None]
    if missing:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"not installed: {', '.join(missing)}; see .ci/run")


@dataclass(frozen=True)
class MariaDB:
    """A running server: where it listens, and the file of its socket, where root needs no password."""

    host: str
    port: int
    socket: Path
    user: str = "awesome"
    password: str = "not a secret"

    def rows(self, database: str, query: str) -> list[tuple[str, ...]]:
        """Asks as root; every value is a text."""
        done = subprocess.run(
            [_program("mariadb"), "--no-defaults", "-S", str(self.socket), "-uroot", "-N", "-B", "-e", query, database],
            capture_output=True, text=True,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [tuple(line.split("\t")) for line in done.stdout.splitlines()]

    def create(self, database: str) -> dict[str, str]:
        """Makes an empty database; returns the environment of a pod that keeps its metadata there."""
        self.rows("mysql", f"CREATE DATABASE {database}; GRANT ALL ON {database}.* TO {self.user}@'%'")
        return self.environment(database)

    def environment(self, database: str) -> dict[str, str]:
        """The environment of a pod that keeps its metadata in a database."""
        return {
            "AWESOME_NODE_METADATA_HOST": self.host,
            "AWESOME_NODE_METADATA_PORT": str(self.port),
            "AWESOME_NODE_METADATA_DATABASE": database,
            "AWESOME_NODE_METADATA_USER": self.user,
            "AWESOME_NODE_METADATA_PASSWORD": self.password,
        }

    def runs(self, database: str) -> set[str]:
        """Names of the pipeline runs; none where no pod has used the database yet."""
        if not self.rows(database, "SHOW TABLES LIKE 'Context'"):
            return set()
        query = "SELECT c.name FROM Context c JOIN Type t ON t.id = c.type_id WHERE t.name = 'pipeline_run'"
        return {name for (name,) in self.rows(database, query)}

    def executions(self, database: str) -> dict[tuple[str, str], list[tuple[int, int]]]:
        """Id and state of every execution, by run and node."""
        found: dict[tuple[str, str], list[tuple[int, int]]] = {}
        for run, node, execution, state in self.rows(
            database,
            """
            SELECT r.name, n.name, e.id, e.last_known_state FROM Execution e
            JOIN Association a ON a.execution_id = e.id JOIN Context r ON r.id = a.context_id
            JOIN Type rt ON rt.id = r.type_id AND rt.name = 'pipeline_run'
            JOIN Association b ON b.execution_id = e.id JOIN Context n ON n.id = b.context_id
            JOIN Type nt ON nt.id = n.type_id AND nt.name = 'node'
            ORDER BY e.id
            """,
        ):
            found.setdefault((run, node.rpartition("h1.")[2]), []).append((int(execution), int(state)))
        return found


def _program(name: str) -> str:
    found = shutil.which(name, path=_PATH)
    assert found is not None
    return found


@contextmanager
def mariadb_server(folder: Path, address: str = "127.0.0.1") -> Iterator[MariaDB]:
    """Starts a server that listens on one address; ends it with the block."""
    need(*PROGRAMS)
    user = ["--user=root"] if os.getuid() == 0 else []
    # A path of a socket has at most 107 characters, pytest's folders are longer than one would think.
    data, log = folder / "data", folder / "log"
    own = Path(subprocess.check_output(["mktemp", "-d"], text=True).strip())
    server = None
    try:
        subprocess.run(
            [_program("mariadb-install-db"), "--no-defaults", *user, f"--datadir={data}", "--skip-test-db",
             "--auth-root-authentication-method=normal"],
            check=True, capture_output=True,
        )  # fmt: skip
        with socket.socket() as probe:
            probe.bind((address, 0))
            port = probe.getsockname()[1]
        found = MariaDB(address, port, own / "socket")
        with log.open("w") as out:
            server = subprocess.Popen(
                [_program("mariadbd"), "--no-defaults", *user, f"--datadir={data}", f"--socket={found.socket}",
                 f"--port={port}", f"--bind-address={address}"],
                stdout=out, stderr=subprocess.STDOUT,
            )  # fmt: skip
        while "ready for connections" not in log.read_text():
            assert server.poll() is None, log.read_text()
            time.sleep(0.1)
        found.rows("mysql", f"CREATE USER {found.user}@'%' IDENTIFIED BY '{found.password}'")
        yield found
    finally:
        if server is not None:
            server.terminate()
            server.wait()
        shutil.rmtree(own)
