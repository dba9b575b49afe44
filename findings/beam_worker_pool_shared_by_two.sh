#!/usr/bin/env bash
# Beam's worker pool stops the worker of one TaskManager when another one asks it to stop its own.
#
# Packages   apache-beam 2.72.0, Python 3.10 to 3.13
# Expected   An external worker pool takes requests to start and stop workers, each with the worker's id. Runners make these
#            ids up, and every TaskManager of Beam on Flink counts from "1-1". The documentation has one pool on a
#            machine, `worker_pool_main --service_port=50000`, and does not say that only one TaskManager may use it.
# Seen       The pool keeps workers by id alone. Two clients that start a worker "1-1" each get one; when the first of
#            them asks for "1-1" to be stopped, the second one's worker ends, and the first one's goes on:
#                connected: first, second; after the first one has stopped its own: first
# Who        Whoever runs two TaskManagers on a machine with one pool: jobs wait for ever for a worker that somebody else
#            has stopped, with "Still waiting for startup of environment" every two minutes. A way round it: a pool for
#            each TaskManager, as a sidecar has it, or a pool whose workers end when their control stream is closed.
#
# Exits 0 if it is still so.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check apache-beam==2.72.0
cd "$work"
# The pool starts whatever `python` comes first.
PATH="$work/venv/bin:$PATH" venv/bin/python -W ignore - <<'PY'
import os
import signal
import subprocess
import sys
import threading
import time
from concurrent import futures

import grpc
from apache_beam.portability.api import beam_fn_api_pb2 as api
from apache_beam.portability.api import beam_fn_api_pb2_grpc as service

POOL = 50731


class Control(service.BeamFnControlServicer):
    """What a TaskManager has its workers connect to."""

    def __init__(self):
        self.open = threading.Event()

    def Control(self, requests, context):
        context.add_callback(self.open.clear)
        self.open.set()
        yield from ()
        threading.Event().wait(300)


def task_manager():
    control = Control()
    server = control.server = grpc.server(futures.ThreadPoolExecutor(4))
    service.add_BeamFnControlServicer_to_server(control, server)
    port = server.add_insecure_port("localhost:0")
    server.start()
    return control, f"localhost:{port}"


def connected(controls):
    return ", ".join(name for name, (control, _) in controls.items() if control.open.is_set()) or "none"


command = [sys.executable, "-m", "apache_beam.runners.worker.worker_pool_main", f"--service_port={POOL}"]
# A group of its own, so that no worker is left.
pool = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
try:
    channel = grpc.insecure_channel(f"localhost:{POOL}")
    grpc.channel_ready_future(channel).result(120)
    stub = service.BeamFnExternalWorkerPoolStub(channel)
    managers = {"first": task_manager(), "second": task_manager()}
    for control, address in managers.values():
        request = api.StartWorkerRequest(worker_id="1-1")
        request.control_endpoint.url = address
        assert not stub.StartWorker(request).error
        assert control.open.wait(120), "the worker has not come"
    before = connected(managers)
    stub.StopWorker(api.StopWorkerRequest(worker_id="1-1"))  # of the first
    time.sleep(5)
    after = connected(managers)
finally:
    os.killpg(pool.pid, signal.SIGKILL)
print(f"connected: {before}; after the first one has stopped its own: {after}", flush=True)
still_so = before == "first, second" and after == "first"
os._exit(0 if still_so else 1)
PY
