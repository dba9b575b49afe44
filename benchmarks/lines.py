"""The same run on both lines of TFX, side by side: figures, and what they took.

    python -m benchmarks.lines measure FOLDER [ARGUMENTS of `awesome run`]   on each line, into a folder of its own
    python -m benchmarks.lines show OLD NEW                                  anywhere, on what both left

Both judge the same rows of the same prices, so a model's AUCs are compared in pairs: the interval of the difference is
over blocks of days, and what lies within it is noise. CPU seconds and memory are the operating system's for the whole
process; a wall clock says little on a machine that others use as well, and is left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.measure import print_table, run_process, write_result

RUN, USAGE = "run", "usage.json"
TITLE = "TFX {tfx}, TensorFlow {tensorflow}, Python {python}"


def main(arguments: list[str] | None = None) -> int:
    """Runs, or prints and writes benchmarks/results/lines.json; 1 if an AUC differs by more than noise.

    Raises:
        SystemExit: a folder holds no such run, or the runs are not of the same models.
    """
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    tasks = parser.add_subparsers(dest="task", required=True)
    measure = tasks.add_parser("measure", help="run `awesome run` and note what it took")
    measure.add_argument("folder", type=Path, help="a new one")
    measure.add_argument("options", nargs=argparse.REMAINDER, help="of `awesome run`")
    show = tasks.add_parser("show", help="print two such runs side by side")
    show.add_argument("old", type=Path)
    show.add_argument("new", type=Path)
    asked = parser.parse_args(arguments)
    if asked.task == "measure":
        run(asked.folder, asked.options)
        return 0
    figures = models_beside([asked.old, asked.new])
    usages = usages_of([asked.old, asked.new])
    print_table("AUC on the same test rows, 95 %", figures)
    print_table("Whole processes", usages)
    write_result("lines", {"models": figures, "usage": usages})
    return int(any(row["within noise"] == "no" for row in figures))


def run(folder: Path, options: list[str]) -> None:
    """Runs the main job into a folder and notes there what the process took: {cpu, MiB}."""
    if folder.exists():
        raise SystemExit(f"{folder} is already there: name a new folder")
    command = [sys.executable, "-m", "awesome", "run", *options]
    used = run_process([*command, "--output", str(folder / RUN), "--workspace", str(folder / "workspace")])
    (folder / USAGE).write_text(json.dumps({"cpu": round(used.cpu, 1), "MiB": round(used.peak_rss)}))


def models_beside(folders: list[Path]) -> list[dict[str, Any]]:
    """A row a model: its AUC on each line, and the paired difference of the second from the first."""
    from components.evidence.metric import AUC
    from pipeline.report.words import interval
    from pipeline.runs.folder import open_run
    from pipeline.uses.compare import compare_runs

    runs = [folder / RUN for folder in folders]
    old, new = (open_run(run).report.models for run in runs)
    if [*old] != [*new]:
        raise SystemExit(f"{folders[0]} has models {', '.join(old)} and {folders[1]} {', '.join(new)}: run the same")
    rows = []
    for model in old:
        _, compared = compare_runs(runs, model).runs
        if compared.incomparable:
            raise SystemExit(f"{folders[1]}: {compared.incomparable}: run both on the same prices")
        less = compared.differences[AUC]
        within = less.low <= 0 <= less.high
        areas = [f"{one.auc:.4f} {interval(one.auc_low, one.auc_high)}" for one in (old[model], new[model])]
        rows.append({
            "model": model, "old": areas[0], "new": areas[1], "new less old": less.value, "low": less.low,
            "high": less.high, "rows": compared.common_rows, "within noise": "yes" if within else "no",
        })  # fmt: skip
    return rows


def usages_of(folders: list[Path]) -> list[dict[str, Any]]:
    """A row a line: what runs there, and what the whole process took."""
    from pipeline.runs.folder import open_run

    rows = []
    for folder in folders:
        try:
            used = json.loads((folder / USAGE).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SystemExit(f"{folder / USAGE} cannot be read ({error}): `measure` writes it") from None
        rows.append({"line": TITLE.format_map(open_run(folder / RUN).report.versions), **used})
    return rows


if __name__ == "__main__":
    raise SystemExit(main())
