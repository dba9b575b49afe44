"""What each leak check costs: the processor's seconds while `awesome audit` makes it.

`awesome run --market reversal --market-shares 57` makes a run of 166,000 rows, `python -m benchmarks.check_cost
runs/latest` audits it, and with `--full` in full.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from pipeline.job.quiet import quiet_log
from pipeline.uses.audit import audit_run


def main() -> None:
    """Audits a run and prints a line for each check, in their order, and one for all."""
    parser = argparse.ArgumentParser(prog="benchmarks.check_cost", description="What each leak check costs.")
    parser.add_argument("run", type=Path, help="folder of a finished run")
    parser.add_argument("--full", action="store_true", help="as `awesome audit --full`")
    given = parser.parse_args()
    begun: list[tuple[str, float]] = []
    with quiet_log():
        found = audit_run(given.run, (), None, lambda name: begun.append((name, time.process_time())), given.full)
    ends = [*(at for _, at in begun[1:]), time.process_time()]
    for (name, start), end in zip(begun, ends, strict=True):
        print(f"{end - start:6.1f} s  {name}")
    print(f"{ends[-1] - begun[0][1]:6.1f} s  all checks of {found.rows:,} rows")


if __name__ == "__main__":
    main()
