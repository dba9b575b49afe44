#!/usr/bin/env bash
# Beam's DaskRunner runs the last of several final steps of a pipeline and none of the others, and reports success.
#
# Packages   apache-beam 2.72.0, dask and distributed 2024.12.1, Python 3.10 to 3.12
# Expected   Every step of a pipeline is run, whichever runner does it; two steps that read the same collection are two.
# Seen       A pipeline writes the numbers 1 to 3 to two files, each by a step of its own. In memory both files hold
#            them; by the DaskRunner the second alone is there, and the pipeline ends without an error or a warning:
#                FnApiRunner: one 1 2 3, two 1 2 3
#                DaskRunner:  one nothing, two 1 2 3
# Who        Whoever chooses the DaskRunner for a pipeline with more than one output, such as data and its statistics.
#
# Exits 0 if it is still so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3.11}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  apache-beam==2.72.0 dask==2024.12.1 distributed==2024.12.1
cd "$work"
cat >two_files.py <<'PY'
import pathlib
import tempfile

import apache_beam as beam
from apache_beam.runners.dask.dask_runner import DaskRunner


def append(number, path):
    with open(path, "a") as file:
        file.write(f"{number}\n")


def two_files(runner):
    with tempfile.TemporaryDirectory() as folder:
        paths = [pathlib.Path(folder, name) for name in ("one", "two")]
        with beam.Pipeline(runner=runner) as pipeline:
            numbers = pipeline | beam.Create([1, 2, 3])
            for path in paths:
                numbers | path.name >> beam.Map(append, str(path))
        return {path.name: " ".join(sorted(path.read_text().split())) if path.exists() else "nothing" for path in paths}


if __name__ == "__main__":
    both = two_files("FnApiRunner")
    dask = two_files(DaskRunner())
    for name, found in (("FnApiRunner", both), ("DaskRunner", dask)):
        print(f"{name}: " + ", ".join(f"{file} {numbers}" for file, numbers in found.items()), flush=True)
    whole = "1 2 3"
    raise SystemExit(0 if set(both.values()) == {whole} and dask == {"one": "nothing", "two": whole} else 1)
PY
venv/bin/python -W ignore two_files.py 2>errors || { status=$?; cat errors >&2; exit "$status"; }
