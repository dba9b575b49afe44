"""A package that reads a panel: which steps it has, and what the pod before the first node brings to the volume."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from compiled_package import compiled
from databases import bars, put
from moto.server import ThreadedMotoServer

from awesome_kubeflow import database_pull
from components.feature_store import FeatureStore
from components.object_storage import Storage, StorageSettings
from components.object_storage.panels import push_panel
from components.price_panel.store import PanelStore
from components.price_panel.writing import write_store

BUCKET = "s3://prices/awesome.panel"


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A real S3 server, with keys that open nothing else."""
    for name, value in (("AWS_ACCESS_KEY_ID", "testing"), ("AWS_SECRET_ACCESS_KEY", "x"), ("AWS_REGION", "us-east-1")):
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    url = f"http://127.0.0.1:{server.get_host_and_port()[1]}"
    requests.put(f"{url}/prices").raise_for_status()
    yield url
    server.stop()


def test_the_pod_brings_what_is_new_of_a_panel(folder: Path, endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def pushed(sessions: int) -> None:
        put(folder / "prices.db", "000001", bars(sessions), "file")
        with FeatureStore.open(folder / "prices.db") as store:
            write_store(folder / "panel", store)
        with Storage.at(BUCKET, StorageSettings(s3_endpoint=endpoint)) as storage:
            push_panel(storage, folder / "panel")

    monkeypatch.setenv("AWESOME_S3_ENDPOINT", endpoint)
    volume = folder / "volume" / "awesome-panel-1"
    outputs = {"outputFile": str(folder / "output.json"), "artifacts": {"html": {"artifacts": [HTML]}}}
    given = json.dumps({"outputs": outputs})
    command = ["--database", str(volume), "--panel", BUCKET, "--executor-input", given]
    pushed(30)
    assert database_pull.main(command) == 0
    assert "1 of 1 came" in (folder / "page.html").read_text()
    pushed(31)
    monkeypatch.setenv("AWESOME_EXCLUDE", "000001")
    assert database_pull.main(command) == 0
    assert "1 of 2 came" in (folder / "page.html").read_text()
    with PanelStore.open(volume) as panel, FeatureStore.open(folder / "prices.db") as store:
        assert panel.digest() == store.digest()
        assert panel.decisions().excluded == {"000001"}
    assert database_pull.main([*command[:3], "s3://prices/nothing", *command[4:]]) == 1


HTML = {"name": "html", "uri": "file://page.html"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_package_of_a_panel_pulls_it_from_its_url_or_finds_it_on_the_volume(tmp_path: Path) -> None:
    of_url = compiled(tmp_path / "url.yaml", panel=BUCKET, models=("linear",))
    arguments = of_url.arguments("pulldatabase")
    assert arguments[arguments.index("--panel") + 1] == BUCKET
    folder = arguments[arguments.index("--database") + 1]
    assert "/panels/awesome-panel-" in folder
    report = json.loads(of_url.arguments("runreport")[of_url.arguments("runreport").index("--compiled") + 1])
    assert report["settings"]["panel"] == BUCKET
    of_folder = compiled(tmp_path / "folder.yaml", panel="prices.panel", models=("linear",))
    assert "pulldatabase" not in of_folder.tasks
    said = of_folder.arguments("runreport")
    report = json.loads(said[said.index("--compiled") + 1])
    assert report["settings"]["panel"] == str(Path(report["settings"]["workspace"]) / "prices.panel")
