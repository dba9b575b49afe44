"""Pods that begin at the same instant: `python concurrent_pods.py JOBS.json`, a list of {"log": .., "arguments": [..]}.

Importing TFX takes seconds, and what is of interest takes tenths of them: so everything is imported once, and every pod
is a copy of that process. Prints the pods' exit codes as JSON.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time

_DELAY = 0.5
_HEAVY = ("tfx.components", "awesome_kubeflow.pod.changes", "awesome_kubeflow.steps.kind", "pipeline.job.steps")


def _pod(job: dict[str, object], start: float) -> int:
    from awesome_kubeflow.entrypoint import main

    log = os.open(str(job["log"]), os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    while time.time() < start:
        pass
    arguments = job["arguments"]
    assert isinstance(arguments, list)
    return main(arguments)


def run(jobs: list[dict[str, object]]) -> list[int]:
    from pipeline.job.quiet import import_tensorflow

    import_tensorflow()
    for name in _HEAVY:
        importlib.import_module(name)

    start = time.time() + _DELAY
    pods = []
    for job in jobs:
        pod = os.fork()
        if pod == 0:
            code = 99
            try:
                code = _pod(job, start)
            finally:
                os._exit(code)
        pods.append(pod)
    return [os.waitstatus_to_exitcode(os.waitpid(pod, 0)[1]) for pod in pods]


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        print(json.dumps(run(json.load(file))))
