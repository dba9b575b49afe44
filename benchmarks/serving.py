"""How fast `awesome serve` answers, and whether it loses a request at a switch: `python -m benchmarks.serving`.

A model is trained on a synthetic market and pushed, the installed command serves it in a process of its own, and
clients in this one ask over kept connections, each as soon as it has its last answer: 100 and 5,000 shares, REST row by
row and gRPC, one client and two. Then the same model is pushed as 100 further versions, one after the other, while two
clients go on asking. Takes some three minutes on two cores. Latencies mean something on a quiet machine only; the CPU
time of the server for a request moves less.
"""

from __future__ import annotations

import argparse
import gc
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import numpy as np

from benchmarks.measure import print_table, run_process, write_result
from components.errors import UserError
from pipeline.serving.messages import DType, PredictRequest, PredictResponse

MODEL = "model"
WINDOW = 21
ASKED = {100: 15.0, 5000: 30.0}
"""Shares, and milliseconds that 99 of 100 answers may take at the most."""

AWESOME = str(Path(sys.executable).with_name("awesome"))

Ask = Callable[[], int]
"""Asks once, and gives how many answers came."""


@dataclass(frozen=True)
class Serving:
    """A server that listens.

    Attributes:
        port: of REST.
        grpc_port: of gRPC.
        process: its number.
    """

    port: int
    grpc_port: int
    process: int

    @property
    def cpu(self) -> float:
        """CPU milliseconds that it has used (Linux)."""
        fields = Path(f"/proc/{self.process}/stat").read_text().rpartition(")")[2].split()
        return 1000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    """Prints all and writes benchmarks/results/serving.json; 0 if every figure holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, help="a pushed version to serve, instead of training one")
    parser.add_argument("--seconds", type=float, default=10, help="of each measurement")
    parser.add_argument("--switches", type=int, default=100)
    arguments = parser.parse_args()
    gc.disable()  # the clients' own collection of garbage would be taken for the server's time
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        pushed = arguments.model or _trained(work)
        base = work / MODEL
        shutil.copytree(pushed, base / "1")
        with _serving(base) as serving:
            rows = [
                _latency(serving, protocol, shares, clients, arguments.seconds)
                for protocol in ("REST", "gRPC")
                for shares in ASKED
                for clients in (1, 2)
            ]
            print_table(f"Milliseconds from a request to its answer ({_kernels()})", rows)
            switching = _switching(serving, base, arguments.switches)
            print_table("Versions switched while two clients ask for 100 shares", [switching])
    write_result("serving", {"linear_algebra": _kernels(), "latency": rows, "switching": switching})
    return 0 if all(row["holds"] in ("yes", "") for row in [*rows, switching]) else 1


def _kernels() -> str:
    """For which processor NumPy's library multiplies matrices: twice as fast with the widest registers."""
    from threadpoolctl import threadpool_info  # type: ignore[import-untyped]

    return ", ".join(f"{one['internal_api']} {one['version']}, {one.get('architecture')}" for one in threadpool_info())


def _trained(work: Path) -> Path:
    market = ["--market", "reversal_easy", "--market-shares", "100", "--market-sessions", "800"]
    run_process([AWESOME, "run", *market, "--models", "dnn", "--no-audit", "--workspace", str(work / "runs")])
    [version] = (work / "runs" / "serving").glob("*/*")
    return version


@contextmanager
def _serving(base: Path) -> Iterator[Serving]:
    command = [AWESOME, "serve", "--base", str(base), "--port", "0", "--grpc-port", "0", "--look-every", "0.1"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = ""
        for line in process.stderr:
            said += line
            if found := re.search(r"http://[^ ]+?:(\d+)/.*gRPC at .*:(\d+)", line):
                break
        else:
            raise UserError(f"the server did not start: {said.strip()}")
        threading.Thread(target=process.stderr.read, daemon=True).start()
        try:
            yield Serving(int(found[1]), int(found[2]), process.pid)
        finally:
            process.terminate()
            process.wait(30)


def _windows(shares: int) -> Any:
    rng = np.random.default_rng(0)
    steps = rng.normal(0, 0.02, (shares, WINDOW)).cumsum(axis=1)
    return np.round(np.exp(rng.normal(3, 1, (shares, 1)) + steps), 2).clip(0.01).astype(np.float32)


def _over_rest(serving: Serving, shares: int) -> Ask:
    rows = [{"share_id": f"S{number}", "closes": row} for number, row in enumerate(_rounded(_windows(shares)))]
    body = json.dumps({"signature_name": "predict_closes", "instances": rows}).encode()
    connection = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=60)

    def ask() -> int:
        connection.request("POST", f"/v1/models/{MODEL}:predict", body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        return len(json.loads(content)["predictions"]) if answer.status == 200 else 0

    return ask


def _rounded(windows: Any) -> list[list[float]]:
    return [[round(close, 2) for close in row] for row in windows.tolist()]


def _over_grpc(serving: Serving, shares: int) -> Ask:
    request = PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = MODEL, "predict_closes"
    for name, dtype, shape in (("share_id", DType.DT_STRING, [shares]), ("closes", DType.DT_FLOAT, [shares, WINDOW])):
        request.inputs[name].dtype = dtype
        for size in shape:
            request.inputs[name].tensor_shape.dim.add(size=size)
    request.inputs["share_id"].string_val.extend(f"S{number}".encode() for number in range(shares))
    request.inputs["closes"].tensor_content = _windows(shares).tobytes()
    content = request.SerializeToString()
    channel = grpc.insecure_channel(f"127.0.0.1:{serving.grpc_port}")
    predict = channel.unary_unary("/tensorflow.serving.PredictionService/Predict")

    def ask() -> int:
        try:
            response = PredictResponse.FromString(predict(content, timeout=60))
        except grpc.RpcError:
            return 0
        return len(response.outputs["probability"].float_val)

    return ask


def _asking(ask: Ask, wanted: int, until: Callable[[], bool]) -> tuple[list[float], int]:
    """Milliseconds of each request until the end, and how many of them were not answered whole."""
    taken, failed = [], 0
    while not until():
        begin = time.perf_counter()
        try:
            failed += ask() != wanted
        except (OSError, http.client.HTTPException):
            failed += 1
        taken.append((time.perf_counter() - begin) * 1000)
    return taken, failed


def _together(asks: Sequence[Ask], shares: int, until: Callable[[], bool]) -> tuple[list[float], int]:
    with ThreadPoolExecutor(len(asks)) as pool:
        found = [one.result() for one in [pool.submit(_asking, ask, shares, until) for ask in asks]]
    return [one for taken, _ in found for one in taken], sum(failed for _, failed in found)


def _latency(serving: Serving, protocol: str, shares: int, clients: int, seconds: float) -> dict[str, Any]:
    make = _over_rest if protocol == "REST" else _over_grpc
    asks = [make(serving, shares) for _ in range(clients)]
    for ask in asks:
        ask()
    cpu, end = serving.cpu, time.monotonic() + seconds
    taken, failed = _together(asks, shares, lambda: time.monotonic() > end)
    p50, p99 = np.percentile(taken, [50, 99])
    asked = ASKED[shares] if clients == 1 else None
    return {
        "protocol": protocol,
        "shares": shares,
        "clients": clients,
        "requests": len(taken),
        "failed": failed,
        "p50": round(float(p50), 2),
        "p99": round(float(p99), 2),
        "server's CPU": round((serving.cpu - cpu) / len(taken), 2),
        "asked": "" if asked is None else f"p99 <= {asked:g}",
        "holds": "" if asked is None else "yes" if p99 <= asked and not failed else "no",
    }


def _switching(serving: Serving, base: Path, switches: int) -> dict[str, Any]:
    done = threading.Event()
    asks = [_over_rest(serving, 100), _over_grpc(serving, 100)]
    with ThreadPoolExecutor(1) as pool:
        asking = pool.submit(_together, asks, 100, done.is_set)
        try:
            begin = time.perf_counter()
            for number in range(2, switches + 2):
                shutil.copytree(base / str(number - 1), base / f".{number}")
                (base / f".{number}").rename(base / str(number))
                _wait_for(serving, number)
                shutil.rmtree(base / str(number - 1))
            seconds = time.perf_counter() - begin
        finally:
            done.set()
        taken, failed = asking.result()
    return {
        "switches": switches,
        "seconds": round(seconds, 1),
        "requests": len(taken),
        "failed": failed,
        "p99": round(float(np.percentile(taken, 99)), 2),
        "asked": "failed == 0",
        "holds": "yes" if failed == 0 else "no",
    }


def _wait_for(serving: Serving, number: int) -> None:
    end = time.monotonic() + 60
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", serving.port, timeout=60)
        connection.request("GET", "/readyz")
        found = json.loads(connection.getresponse().read())
        connection.close()
        if found["versions"] == [str(number)]:
            return
        if time.monotonic() > end:
            raise UserError(f"version {number} was not taken up: {found}")
        time.sleep(0.02)


if __name__ == "__main__":
    raise SystemExit(main())
