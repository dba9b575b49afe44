"""How long a step's pod takes to start, and how large images and package are: `python -m benchmarks.pods`.

A pod's start-up is the time from its command to the moment TFX's launcher is called, beside the import of TFX alone.
ImportSchemaGen runs, as it does next to nothing. With `--image`, the same in containers; the package is compiled there.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from benchmarks.measure import print_table, write_result

STEP = "importschemagen"
TIMES_IMPORT = 10 / 8
"""A start-up of at most 10 s where the import of TFX takes 8."""

_IMPORT = "from pipeline.job.quiet import import_tensorflow; import_tensorflow(); import tfx.components"
_LAUNCHED = '"message": "run '


@dataclass(frozen=True)
class Place:
    """Where pods run: processes of this machine, or containers.

    Attributes:
        name: shown in the table.
        python: of the place.
        engine: program and options of a container, without variables; empty for processes.
        image: of the containers.
    """

    name: str
    python: str
    engine: tuple[str, ...] = ()
    image: str = ""

    def command(self, arguments: Sequence[str], variables: Mapping[str, str]) -> list[str]:
        """A command of Python's with variables in its environment."""
        if not self.engine:
            return ["env", *(f"{key}={value}" for key, value in variables.items()), self.python, *arguments]
        given = [f"--env={key}={value}" for key, value in variables.items()]
        return [*self.engine, *given, self.image, self.python, *arguments]


def _seconds(command: Sequence[str]) -> tuple[float, float, list[str]]:
    """When a command was started, how long it took, and the lines of its error stream."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    started, clock = time.time(), time.perf_counter()
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)[:300]} failed with {done.returncode}: {done.stderr[-2000:]}")
    return started, time.perf_counter() - clock, done.stderr.splitlines()


def _arguments(spec: Mapping[str, Any], run_id: str, folder: Path) -> list[str]:
    """The arguments that KFP would give the step's pod, each parameter at its default."""
    given = list(spec["deploymentSpec"]["executors"][f"exec-{STEP}"]["container"]["args"])
    inputs = spec["root"]["inputDefinitions"]["parameters"]
    outputs = {"html": {"artifacts": [{"name": "html", "uri": str(folder / run_id / "html")}]}}
    executor_input = {"outputs": {"outputFile": str(folder / run_id / "output.json"), "artifacts": outputs}}
    arguments = ["--run-id", run_id, "--slice", given[given.index("--slice") + 1]]
    arguments += ["--executor-input", json.dumps(executor_input)]
    for name, one in inputs.items():
        value = one["defaultValue"]
        arguments += [f"--{name.replace('_', '-')}", value if isinstance(value, str) else json.dumps(value)]
    return arguments


def _measure(place: Place, folder: Path, repeats: int) -> tuple[dict[str, Any], Path]:
    """The table's row of a place, and the package that was compiled there."""
    folder.chmod(0o777)
    package = folder / "package.yaml"
    variables = {"AWESOME_CLUSTERS": json.dumps({"stage": {"data_folder": str(folder)}})}
    compile_ = "from pipeline.cli import main; main()"
    _seconds(place.command(["-c", compile_, "kubeflow", "compile", "--output", str(package)], variables))
    spec = next(yaml.safe_load_all(package.read_text(encoding="utf-8")))
    store = {"AWESOME_NODE_METADATA_SQLITE": str(folder / "metadata.db")}
    imports, starts, steps = [], [], []
    for number in range(repeats + 1):
        # One after the other, so that what else the machine does meets both alike.
        _, alone, _ = _seconds(place.command(["-c", _IMPORT], {}))
        pod = ["-m", "awesome_kubeflow.entrypoint", *_arguments(spec, f"run{number}", folder)]
        began, whole, log = _seconds(place.command(pod, store))
        [line] = [line for line in log if _LAUNCHED in line]
        launched = datetime.datetime.fromisoformat(json.loads(line)["time"]).timestamp()
        if number:  # the first warms the disk's cache, and writes bytecode
            imports.append(alone)
            starts.append(launched - began)
            steps.append(whole)
    middle = [statistics.median(values) for values in (imports, starts, steps)]
    row = {"pods": place.name, "import of TFX, s": middle[0], "start-up, s": middle[1]}
    row |= {"times the import": middle[1] / middle[0], "whole step, s": middle[2], "runs": repeats}
    return row, package


def _slices(package: Path) -> dict[str, Any]:
    spec = next(yaml.safe_load_all(package.read_text(encoding="utf-8")))
    arguments = [one["container"]["args"] for one in spec["deploymentSpec"]["executors"].values()]
    sizes = [len(one[one.index("--slice") + 1]) for one in arguments if "--slice" in one]
    return {
        "nodes": len(sizes),
        "package, KiB": package.stat().st_size / 1024,
        "smallest slice, bytes": min(sizes),
        "largest slice, bytes": max(sizes),
    }


def main() -> int:
    """Prints the tables and writes benchmarks/results/pods.json; 0 if no start-up took more than `TIMES_IMPORT`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--image", help="the training image: measure containers too")
    parser.add_argument("--other-image", action="append", default=[], help="whose size is shown too; may be repeated")
    parser.add_argument("--engine", default="podman", help="podman or docker")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    rows, sizes = [], []
    with tempfile.TemporaryDirectory() as parent:
        places = [Place("processes", sys.executable)]
        if options.image:
            if shutil.which(options.engine) is None:
                parser.error(f"--engine: {options.engine} is not installed")
            engine = (options.engine, "run", "--rm", "--read-only", "--tmpfs=/tmp", f"--volume={parent}:{parent}")
            places.append(Place("containers", "python", engine, options.image))
            inspect = [options.engine, "image", "inspect", "--format", "{{.Size}}"]
            for image in (options.image, *options.other_image):
                size = int(subprocess.check_output([*inspect, image], text=True))
                sizes.append({"image": image, "MB": size / 1000**2})
        for place in places:
            os.chmod(parent, 0o755)
            folder = Path(parent) / place.name
            folder.mkdir()
            row, package = _measure(place, folder, options.repeats)
            rows.append(row)
        packages = _slices(package)
    print_table("A pod of a step that does next to nothing (medians)", rows)
    print_table("The package of the default pipeline", [packages])
    if sizes:
        print_table("Images, unpacked", sizes)
    write_result("pods", {"pods": rows, "package": packages, "images": sizes})
    return 0 if all(row["times the import"] <= TIMES_IMPORT for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
