#!/usr/bin/env bash
# Behind one pybreaker circuit breaker, threads take turns: it holds its lock while it calls.
#
# Packages   pybreaker 1.4.1; circuitbreaker 2.1.3 for comparison
# Expected   pybreaker's page says "Thread-safe": two threads can call through one breaker at the same time.
# Seen       Two calls that wait for each other meet behind circuitbreaker, and never behind pybreaker:
#                no breaker      the two calls met
#                circuitbreaker  the two calls met
#                pybreaker       the second call began after the first had ended
# Who        Whoever shares a breaker for a host between the threads of a pool: requests run one after the other,
#            and a slow one holds up all others.
#
# Exits 0 if it is still so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pybreaker==1.4.1 circuitbreaker==2.1.3
"$work/venv/bin/python" - <<'PY'
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import circuitbreaker
import pybreaker


def meet(call):
    """Whether two calls are under way at the same time: each waits, within, for the other."""
    together = threading.Barrier(2)

    def work():
        try:
            together.wait(timeout=3)
            return True
        except threading.BrokenBarrierError:
            return False

    with ThreadPoolExecutor(2) as pool:
        return all([future.result() for future in [pool.submit(call, work) for _ in range(2)]])


met = {
    "no breaker": meet(lambda work: work()),
    "circuitbreaker": meet(circuitbreaker.CircuitBreaker(failure_threshold=5).call),
    "pybreaker": meet(pybreaker.CircuitBreaker(fail_max=5).call),
}
for name, together in met.items():
    print(f"{name:15} {'the two calls met' if together else 'the second call began after the first had ended'}")
sys.exit(met != {"no breaker": True, "circuitbreaker": True, "pybreaker": False})
PY
