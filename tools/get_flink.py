"""Fetches a Flink and Beam's runner for it, for tests and benchmarks: `python tools/get_flink.py`.

Flink comes from PyPI, as its jars alone and not into any environment; Beam's jars come by Maven. It needs a JDK and
Maven (Debian: openjdk-17-jdk-headless, maven), and takes some 300 MB in AWESOME_FLINK, or in ~/.cache/awesome-flink.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

FLINK = "1.19.3"
_HERE = Path(__file__).resolve().parent / "flink"
_OF_FLINK = ("flink-dist-", "log4j-")
# Flink has its own of these; two logging facades would leave no log at all.
_FLINKS_OWN = ("flink-", "slf4j-", "hamcrest-", "async-profiler-")


def flink_home() -> Path:
    """The folder that a Flink is fetched to: `lib`, with Beam's jars in it."""
    return Path(os.environ.get("AWESOME_FLINK") or Path.home() / ".cache" / "awesome-flink") / FLINK


def fetch() -> Path:
    """Fetches what is not there yet; gives the folder.

    Raises:
        SystemExit: a program is missing or failed; the line says which.
    """
    home = flink_home()
    if home.is_dir():
        return home
    for program, package in (("java", "openjdk-17-jdk-headless"), ("mvn", "maven")):
        if shutil.which(program) is None:
            raise SystemExit(f"get_flink: no {program}: install Debian's {package}")
    home.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home.parent) as folder:
        made, loaded = Path(folder, "made"), Path(folder, "loaded")
        lib = made / "lib"
        lib.mkdir(parents=True)
        package = f"apache-flink-libraries=={FLINK}"
        _run(sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary=:all:", "-d", loaded, package)
        with tarfile.open(next(loaded.glob("*.tar.gz"))) as archive:
            for member in archive:
                name = Path(member.name)
                if name.parent.name == "lib" and name.name.startswith(_OF_FLINK):
                    member.name = name.name
                    archive.extract(member, lib)
        beam = Path(folder, "beam")
        _run("mvn", "-B", "-q", "-f", _HERE / "pom.xml", "dependency:copy-dependencies", f"-DoutputDirectory={beam}")
        for jar in beam.glob("*.jar"):
            if not jar.name.startswith(_FLINKS_OWN):
                jar.rename(lib / jar.name)
        shutil.copy(_HERE / "JobServer.java", made)
        made.rename(home)
    return home


def _run(*command: str | Path) -> None:
    done = subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL)
    if done.returncode:
        raise SystemExit(f"get_flink: {' '.join(map(str, command[:4]))} ... failed with {done.returncode}")


if __name__ == "__main__":
    print(fetch())
