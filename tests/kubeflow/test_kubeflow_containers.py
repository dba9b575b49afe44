"""The package in containers: the training image, KFP's own local runner over podman's socket, metadata in MariaDB.

The image has TFX 1.21 on Python 3.13, whatever this machine has: it compiles the package and runs it. within_image.py
runs the project's tests there.
"""

from __future__ import annotations

import base64
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from compiled_package import PULL, Package, read_package
from engine import EXTRACTOR, IMAGE, ROOT, Engine, need_podman, own_engine
from mariadb import MariaDB, mariadb_server
from small_pipeline import CACHED, COMPLETE, RUNNING, Pod, storage_url, store_small_market, write_small_market

pytestmark = [pytest.mark.slow, pytest.mark.host, pytest.mark.timeout(2400)]

DATABASE = "metadata"
CACHE_HITS = {"FeatureExampleGen", "StatisticsGen", "ImportSchemaGen", "ExampleValidator", "Transform"}
"""Of a second run on the same data that trains otherwise: its model is another, and has a predecessor."""


@dataclass(frozen=True)
class Run:
    """A package that KFP's runner has run.

    Its exit code, what it and the containers wrote, the folder of the steps' outputs, and the id that ML Metadata has.
    """

    code: int
    log: str
    folder: Path
    run_id: str


@dataclass(frozen=True)
class Containers:
    """An engine with the image, a server for metadata, and a folder that every container sees.

    Attributes:
        engine: podman.
        server: MariaDB, which containers reach over their bridge.
        root: the folder, KFP's pipeline root; the pipeline's volume lies in it.
        docker_host: the engine's socket.
    """

    engine: Engine
    server: MariaDB
    root: Path
    docker_host: str

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def package(self) -> Package:
        return read_package(self.root / "package.yaml")

    def run(self, **parameters: Any) -> Run:
        folders, runs = set(self.root.iterdir()), self.server.runs(DATABASE)
        done = subprocess.run(
            [sys.executable, str(Path(__file__).with_name("run_package.py")), str(self.package.path), str(self.root),
             json.dumps(parameters)],
            env=self.engine.environment | {"DOCKER_HOST": self.docker_host}, cwd=self.root, timeout=1200,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        [folder] = set(self.root.iterdir()) - folders
        [run_id] = self.server.runs(DATABASE) - runs
        return Run(done.returncode, done.stdout, folder, run_id)

    def states(self, run: Run) -> dict[str, list[int]]:
        """The states of a run's executions by node, from ML Metadata and not from the runner."""
        executions = self.server.executions(DATABASE)
        return {node: [state for _, state in found] for (name, node), found in executions.items() if name == run.run_id}

    def models(self, run: Run, node: str) -> list[str]:
        """Ids of the models that a node of a run put out, a resolver's included."""
        [(execution, _)] = self.server.executions(DATABASE)[run.run_id, node]
        query = f"""
            SELECT a.id FROM Event e JOIN Artifact a ON a.id = e.artifact_id
            JOIN Type t ON t.id = a.type_id AND t.name = 'Model'
            WHERE e.execution_id = {execution} AND e.type IN (4, 6)
        """
        return [artifact for (artifact,) in self.server.rows(DATABASE, query)]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    need_podman()
    engine = own_engine(tmp_path_factory.mktemp("engine"))
    engine.build()
    return engine


@pytest.fixture(scope="module")
def containers(engine: Engine, no_settings: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Containers]:
    root = tmp_path_factory.mktemp("containers")
    # pytest's folders are for their owner alone; the user of the image is another.
    for folder in (root, *root.parents[:2]):
        folder.chmod(0o755)
    (root / "data").mkdir()
    write_small_market(root / "data")
    store_small_market(root / "data")
    settings = {"stage": {"data_folder": str(root / "data"), "image": IMAGE}}
    for path in (root, root / "data", *(root / "data" / "storage").rglob("*"), root / "data" / "storage"):
        path.chmod(0o777)
    package = engine.podman(
        "run", "--rm", "--read-only", "-e", f"AWESOME_CLUSTERS={json.dumps(settings)}", IMAGE,
        "awesome", "kubeflow", "compile", "--models", "linear", "--output", "-",
        # A made market that counts as real prices: its AUC is one that no honest model has there.
        "--accept-suspicion", "alarm", "--accept-suspicion", "future canary",
    ).stdout  # fmt: skip
    (root / "package.yaml").write_text(package)
    with engine.bridge() as address, mariadb_server(tmp_path_factory.mktemp("mariadb"), address) as server:
        variables = server.create(DATABASE) | {"AWESOME_STORAGE_URL": storage_url(root / "data")}
        with engine.service(variables, root) as docker_host:
            yield Containers(engine, server, root, docker_host)


@pytest.fixture(scope="module")
def first(containers: Containers) -> Run:
    return containers.run()


@pytest.fixture(scope="module")
def second(containers: Containers, first: Run) -> Run:
    return containers.run(train_steps=6)  # a solver takes a few dozen


def test_every_node_runs_in_a_container(containers: Containers, first: Run) -> None:
    assert first.code == 0, first.log[-3000:]
    nodes = [task["taskInfo"]["name"] for task in containers.package.nodes.values()]
    assert len(nodes) == 12
    assert containers.states(first) == {node: [COMPLETE] for node in nodes}
    [version] = (containers.data / "serving" / "awesome-window_returns-h1").iterdir()
    assert (version / "saved_model.pb").is_file()
    for name in containers.package.tasks:
        assert (first.folder / name / "html").read_text().startswith("<!DOCTYPE html>"), name
    [report] = (containers.data / "runs").iterdir()
    assert report.name == first.run_id
    [pushed] = (containers.data / "storage" / "models_training" / "linear").iterdir()
    assert (pushed / "saved_model" / "saved_model.pb").is_file()


def test_a_second_run_hits_the_cache_and_resolves_the_firsts_model(
    containers: Containers, first: Run, second: Run
) -> None:
    assert second.code == 0, second.log[-3000:]
    states = containers.states(second)
    assert states == {node: [CACHED if node in CACHE_HITS else COMPLETE] for node in containers.states(first)}
    assert containers.models(first, "Predecessor.linear") == []
    assert containers.models(second, "Predecessor.linear") == containers.models(first, "Trainer.linear")
    pages = [(run.folder / "evidence" / "html").read_text() for run in (first, second)]
    assert ["<td>predecessor</td>" in page for page in pages] == [False, True]
    steps = [
        json.loads((run.folder / "evaluator" / "metrics").read_text())["linear.global_step"] for run in (first, second)
    ]
    assert steps[1] == 6 < steps[0]


def test_the_metrics_are_those_of_another_tensorflow(first: Run, first_run: dict[str, Pod]) -> None:
    """The same rows in both; weights that two versions of TensorFlow trained from the same seed."""
    for step in ("evaluator", "evidence"):
        ours = json.loads((first.folder / step / "metrics").read_text())
        other = json.loads((first_run[step].out / "metrics").read_text())
        assert ours.keys() == other.keys()
        for name in {
            "linear.example_count",
            "linear.label/mean",
            "linear.accuracy_baseline",
            "linear.blessed",
        } & ours.keys():
            assert ours[name] == other[name]
        for name in ours.keys() & {"linear.auc_exact", "linear.auc", "logistic_regression.auc"}:
            assert ours[name] == pytest.approx(other[name], abs=1e-3)
    assert ours["linear.auc_low"] == pytest.approx(other["linear.auc_low"], abs=2e-3)


def test_a_node_that_fails_fails_the_run(containers: Containers, second: Run) -> None:
    run = containers.run(shares="nobody")
    assert run.code != 0
    assert "'featureexamplegen'" in run.log
    # Its driver refuses, so TFX leaves the execution to a retry.
    states = containers.states(run)
    # The schema needs no examples, so KFP may take its importer first.
    assert states.pop("ImportSchemaGen", [CACHED]) == [CACHED]
    assert states == {"FeatureExampleGen": [RUNNING]}
    assert {path.name for path in run.folder.iterdir()} - {"importschemagen"} == {PULL}
    [container] = containers.engine.podman("ps", "--all", "--quiet", "--latest").stdout.split()
    reason = json.loads(containers.engine.podman("logs", "--tail", "1", container).stderr)["message"]
    assert "nobody" in reason


def test_a_package_of_another_tfx_is_refused(containers: Containers) -> None:
    arguments = containers.package.command("pusher", "run", containers.root, {})
    header, _, message = zlib.decompress(base64.b64decode(containers.package.slice_text("pusher"))).partition(b"\0")
    other = json.dumps(json.loads(header) | {"tfx": "1.16.0"}).encode() + b"\0" + message
    arguments[arguments.index("--slice") + 1] = base64.b64encode(zlib.compress(other)).decode()
    done = containers.engine.podman(
        "run", "--rm", "-e", "AWESOME_NODE_METADATA_SQLITE=/tmp/metadata.db", IMAGE,
        "python", "-m", "awesome_kubeflow.entrypoint", *arguments, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert json.loads(done.stderr.splitlines()[-1])["message"] == (
        "--slice: the package was compiled by TFX 1.16.0 and this image has TFX 1.21.0; "
        "compile the package with the image that runs it"
    )


def test_tfx_creates_the_pipeline_from_within_the_image(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The other line of TFX looks its handler up in the same way, and compiles for the pods of its own image."""
    monkeypatch.syspath_prepend(ROOT / "tests" / "kubeflow_api")
    pipelines_server = importlib.import_module("pipelines_server").pipelines_server
    with pipelines_server() as (server, url):
        done = engine.podman(
            # As root, for a checkout that its owner alone may read.
            "run", "--rm", "--read-only", "--network", "host", "--user", "0", "-v", f"{ROOT}:/src:ro", "-w", "/src",
            IMAGE, "sh", "-c",
            'PYTHONPATH="$(python -m awesome_kubeflow.tfx_cli)" '
            f"tfx pipeline create --engine=kubeflow --pipeline_path=kubeflow/runner.py --endpoint={url}",
        )  # fmt: skip
        assert 'Pipeline "awesome-window-returns-h1" created successfully.' in done.stdout
        assert "warning: compiled by" not in done.stderr
        [version] = server.versions.values()
    assert "pulldatabase" in version["pipeline_spec"]["pipeline_spec"]["root"]["dag"]["tasks"]


def test_the_image_is_not_root_and_holds_no_secret(engine: Engine) -> None:
    [image] = json.loads(engine.podman("image", "inspect", IMAGE).stdout)
    assert image["Config"]["User"] == "10001:10001"
    said = json.dumps([image["Config"], image["History"]])
    for name in ("UV_DEFAULT_INDEX", "PIP_INDEX_URL"):
        assert os.environ.get(name, "nowhere") not in said
    listed = engine.podman(
        "run", "--rm", IMAGE, "find", "/", "-xdev", "-newer", "/etc/debian_version",
        "(", "-name", "*.env", "-o", "-name", "pip.conf", "-o", "-name", "uv.toml", ")", check=False,
    )  # fmt: skip
    assert listed.stdout == ""


def test_an_image_upon_it_holds_parts_of_ones_own(engine: Engine, tmp_path: Path) -> None:
    """As docs/own-parts.md writes them: a plain file, then a package."""
    docs = (ROOT / "docs" / "own-parts.md").read_text(encoding="utf-8")
    shutil.copytree(ROOT / "examples" / "awesome_example", tmp_path / "awesome_example")
    (tmp_path / "mymodel.py").write_text(re.findall("```python\n(.*?)```", docs, re.DOTALL)[0])
    told = re.findall("```dockerfile\n(.*?)```", docs, re.DOTALL)
    shown = []
    for name, lines in zip(("own-file", "own-package"), told, strict=True):
        (tmp_path / name).write_text(lines.replace("registry.example/team/awesome-training:VERSION", IMAGE))
        image = f"localhost/awesome-{name}:tests"
        engine.podman("build", "--network", "none", "-f", str(tmp_path / name), "-t", image, str(tmp_path))
        shown.append(" ".join(engine.podman("run", "--rm", "--read-only", image, "awesome", "models").stdout.split()))
    assert "from mymodel.py" in shown[0]
    assert "from awesome-example 0.1.0" in shown[1]


def test_the_extractor_is_small_and_works_on_a_root_that_cannot_be_written(engine: Engine) -> None:
    [image] = json.loads(engine.podman("image", "inspect", EXTRACTOR).stdout)
    assert image["Size"] < 400e6
    assert image["Config"]["User"] == "10001:10001"
    sources = engine.podman("run", "--rm", "--read-only", EXTRACTOR, "sources").stdout
    assert "tencent" in sources
    script = "import importlib.util as u; raise SystemExit(any(map(u.find_spec, ('tensorflow', 'tfx', 'apache_beam'))))"
    engine.podman("run", "--rm", "--read-only", "--entrypoint", "python", EXTRACTOR, "-c", script)
