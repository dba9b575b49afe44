"""What judging a run costs: the processor's seconds of Evidence and of each leak check.

`awesome run --market reversal --market-shares 57 --models linear` makes a run of 159,429 rows, `python -m
benchmarks.judging_cost runs/latest` judges it again, and with `--full` in full. `--before CHECKOUT` does the same with
another checkout of the project, in turns, and prints both side by side. Loading TensorFlow is not counted.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import print_table, write_result

EVIDENCE, TWINS = "Evidence", "proof of twins"
MOST = {"there before, now": 0.5, "new": 0.25}
"""Parts of the seconds before that what was there before may use now, and that what is new may add."""

_HERE = Path(__file__).parents[1]


def main() -> int:
    """Prints a line for Evidence and for each check; 1 if more is used than MOST says."""
    parser = argparse.ArgumentParser(prog="benchmarks.judging_cost", description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("--full", action="store_true", help="as `awesome audit --full`")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--before", type=Path, metavar="CHECKOUT", help="another checkout, to be measured in turns")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (default: %(default)s)")
    given = parser.parse_args()
    run = given.run.resolve()
    if given.before is not None:
        rounds = [(_measure(given.before.resolve(), run), _measure(_HERE, run)) for _ in range(given.rounds)]
        return _compare([before for before, _ in rounds], [now for _, now in rounds])
    used = judge(run, given.full)
    if given.json:
        print(json.dumps(used))
    else:
        print_table("Processor's seconds", [{"what": name, "s": round(value, 2)} for name, value in used.items()])
    return 0


def _measure(checkout: Path, run: Path) -> dict[str, float]:
    """What `judge` gives in a process of its own, with the packages of a checkout of the project."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(checkout), str(checkout / "kubeflow")])}
    command = [sys.executable, __file__, str(run), "--json"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{checkout}: {done.stderr[-2000:]}")
    used: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return used


def _compare(before: list[dict[str, float]], now: list[dict[str, float]]) -> int:
    rows: list[dict[str, Any]] = []
    for name in dict.fromkeys([*before[0], *now[0]]):
        old, new = (median(used.get(name, 0.0) for used in some) for some in (before, now))
        rows.append({"what": name, "before s": round(old, 2) if name in before[0] else None, "now s": round(new, 2)})
    of_before = sum(row["before s"] or 0.0 for row in rows)
    kept = sum(row["now s"] for row in rows if row["before s"] is not None)
    added = sum(row["now s"] for row in rows if row["before s"] is None)
    parts = [
        {"what is": name, "of the seconds before": round(value, 3), "asked": f"<= {MOST[name]}"}
        | {"holds": "yes" if value <= MOST[name] else "no"}
        for name, value in zip(MOST, (kept / of_before, added / of_before), strict=True)
    ]
    print_table("Processor's seconds, medians", rows)
    print_table("Both together", parts)
    write_result("judging_cost", {"rounds": len(now), "seconds": rows, "parts": parts})
    return 0 if all(row["holds"] == "yes" for row in parts) else 1


def judge(run: Path, full: bool) -> dict[str, float]:
    """Does the work of Evidence and LeakAudit on a finished run once more: {what: CPU seconds}, in their order.

    Older builds can be measured too: what they have under another name is called by that, and what they lack, the proof
    of twins, has a line of its own.
    """
    from pipeline.job.quiet import import_tensorflow, quiet_log
    from pipeline.runs.folder import open_run
    from pipeline.uses.audit import _metadata_file, _trained, audit_run

    import_tensorflow()
    from components.evidence import predictions
    from components.evidence.baselines import BASELINES
    from components.evidence.comparing import compare
    from components.leak_audit import audit, executor  # noqa: F401 (what they import is not to be counted)
    from models.formatters import get_formatter

    evidence: Any = predictions  # of this build or of another one
    with TemporaryDirectory() as folder, quiet_log():
        # An audit writes into the run's folder.
        copy = shutil.copytree(run, Path(folder) / "run", symlinks=True)
        report = open_run(copy).report
        names = list(report.models)
        models = {name: report.models[name].model_uri for name in names}
        trained = _trained(_metadata_file(copy, report, names[0]), models[names[0]])
        settings: Mapping[str, Any] = report.settings
        horizon, seed = settings["horizon"], settings["seed"]
        begin = time.process_time()
        formatter = get_formatter(settings["formatter"])
        baselines = evidence.predict_baselines(trained.examples, trained.transform_graph, formatter, horizon, seed)
        twins = 0.0
        if proves_twins := hasattr(evidence, "prove_twins"):
            answers = evidence.ask_models(trained.examples, models)
            begun_twins = time.process_time()
            evidence.prove_twins(trained.examples, models, answers)
            twins = time.process_time() - begun_twins
            answered = evidence.predict_split(trained.examples, horizon, answers | baselines)
        else:
            answered = evidence.predict_split(trained.examples, models, horizon, baselines)
        compare(answered, names, list(BASELINES), horizon, seed)
        used = {EVIDENCE: time.process_time() - begin - twins}
        if proves_twins:
            used[TWINS] = twins
        begun: list[tuple[str, float]] = []
        more: dict[str, Any] = {"full": True} if full else {}
        begin = time.process_time()
        audit_run(copy, (), None, lambda name: begun.append((name, time.process_time())), **more)
        ends = [*(at for _, at in begun[1:]), time.process_time()]
        used["rows read for the checks"] = begun[0][1] - begin
        used |= {name: end - start for (name, start), end in zip(begun, ends, strict=True)}
    return used


if __name__ == "__main__":
    sys.exit(main())
