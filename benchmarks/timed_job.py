"""`awesome run` with CPU seconds by part: `python -m benchmarks.timed_job --db FILE --output ... --workspace ...`.

The clock of a report says little on a machine that others use as well. The last line is JSON: parts to CPU seconds of
this process and its children.
"""

from __future__ import annotations

import argparse
import json
import re
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.measure import used_cpu


class TimedConsole(Console):
    """Notes the CPU seconds up to the line that a run prints as a part of it ends."""

    def __init__(self, **arguments: Any) -> None:
        """As rich's."""
        super().__init__(**arguments)
        self.cpu: dict[str, float] = {}
        self._before = 0.0

    def print(self, *objects: Any, **arguments: Any) -> None:
        """As rich's."""
        if objects and (ended := re.match(r"\s*\[green\]✓\[/\] (\S+)", str(objects[0]))):
            now = used_cpu()
            self.cpu[ended[1]] = round(now - self._before, 3)
            self._before = now
        super().print(*objects, **arguments)


def main() -> None:
    """Runs the main job."""
    parser = argparse.ArgumentParser(description=__doc__)
    for folder in ("--db", "--output", "--workspace"):
        parser.add_argument(folder, type=Path, required=True)
    parser.add_argument("--no-audit", action="store_true")
    asked = parser.parse_args()
    from pipeline.job.run import run
    from pipeline.plan import load_plan

    console = TimedConsole(stderr=True)
    given = {"db": asked.db, "output": asked.output, "workspace": asked.workspace, "audit": not asked.no_audit}
    run(load_plan(given), console)
    print(json.dumps(console.cpu))


if __name__ == "__main__":
    main()
