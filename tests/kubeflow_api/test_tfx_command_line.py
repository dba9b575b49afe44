"""`tfx pipeline ...` and `tfx run ...` with `--engine=kubeflow`: the program, and its commands in this process."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command_shell import Outcome, Shell

from awesome_kubeflow.sdk import quiet_imports
from awesome_kubeflow.tfx_cli import ON_PATH
from pipeline.job.quiet import import_tensorflow

RUNNER = str(Path(__file__).resolve().parents[2] / "kubeflow" / "runner.py")
HANDLER = "tfx.tools.cli.handler.kubeflow_handler"
NAME = "awesome-window-returns-h1"
SETTINGS = 'models = "linear"\n'

Tfx = Callable[..., Outcome]

pytestmark = pytest.mark.slow


@pytest.fixture
def tfx(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tfx]:
    """`tfx ... --engine=kubeflow` in this process, with the finder that the folder installs."""
    from click.testing import CliRunner

    with quiet_imports():
        import_tensorflow()
        from tfx.tools.cli.cli_main import cli_group

    (shell.folder / "awesome.toml").write_text(SETTINGS)
    monkeypatch.syspath_prepend(str(ON_PATH))
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    for name in ("sitecustomize", HANDLER):
        monkeypatch.delitem(sys.modules, name, raising=False)
    import sitecustomize  # noqa: F401

    def call(*arguments: str, endpoint: str | None = shell.url) -> Outcome:
        given = ["--engine=kubeflow", *([f"--endpoint={endpoint}"] if endpoint else [])]
        with shell.entered():
            done = CliRunner().invoke(cli_group, [*arguments, *given])
        error = "" if isinstance(done.exception, SystemExit) or done.exception is None else repr(done.exception)
        return Outcome(done.exit_code, done.output, error)

    yield call
    # It was imported by TFX's name, from our file.
    sys.modules.pop(HANDLER, None)


@pytest.fixture
def uploaded(tfx: Tfx, shell: Shell, package: Path) -> Tfx:
    assert shell.awesome("upload", str(package)).code == 0
    return tfx


def test_the_program_creates_and_runs_a_pipeline(shell: Shell) -> None:
    (shell.folder / "awesome.toml").write_text(f'{SETTINGS}[clusters.stage]\nendpoint = "{shell.url}"\n')
    shell.variables |= {"PYTHONPATH": str(ON_PATH), "TF_CPP_MIN_LOG_LEVEL": "3", "PYTHONWARNINGS": "ignore"}
    created = shell.run("tfx", "pipeline", "create", "--engine=kubeflow", f"--pipeline_path={RUNNER}")
    assert created.code == 0, created.err
    assert created.out.endswith(f'Pipeline "{NAME}" created successfully.\n')
    assert [one["display_name"] for one in shell.server.pipelines.values()] == [NAME]
    assert [path.name for path in shell.folder.iterdir()] == ["awesome.toml"]
    # The name that TFX itself gives it does as well.
    options = ("--engine=kubeflow", "--pipeline_name=awesome-window_returns-h1", "--runtime_parameter=horizon=5")
    started = shell.run("tfx", "run", "create", *options)
    assert started.code == 0, started.err
    [run] = shell.server.runs.values()
    assert run["runtime_config"] == {"parameters": {"horizon": 5}}
    assert run["run_id"] in started.out


def test_create_list_update_delete(tfx: Tfx, shell: Shell) -> None:
    assert tfx("pipeline", "list").out == "CLI\nListing all pipelines\nNo pipelines to display.\n"
    update = tfx("pipeline", "update", f"--pipeline_path={RUNNER}")
    assert update.code == 1
    assert f"awesome: pipeline {NAME}: {shell.url} has none of this name; create it first\n" in update.out
    created = tfx("pipeline", "create", f"--pipeline_path={RUNNER}")
    assert created.code == 0, created
    [version] = shell.server.versions.values()
    link = f"{shell.url}/#/pipelines/details/{version['pipeline_id']}/version/{version['pipeline_version_id']}"
    assert f"Please access the pipeline detail page at {link}\n" in created.out
    listed = tfx("pipeline", "list").out.splitlines()
    assert listed[2:] == ["-" * 30, NAME, "-" * 30]
    again = tfx("pipeline", "create", f"--pipeline_path={RUNNER}")
    assert again.code == 1
    assert f"awesome: pipeline {NAME}: is there already, id {version['pipeline_id']}; update adds" in again.out
    assert tfx("pipeline", "update", f"--pipeline_path={RUNNER}").code == 0
    assert len(shell.server.versions) == 2
    assert len(shell.server.pipelines) == 1
    deleted = tfx("pipeline", "delete", f"--pipeline_name={NAME}")
    assert (deleted.code, shell.server.pipelines, shell.server.versions) == (0, {}, {})
    assert f'Pipeline "{NAME}" deleted successfully, with its 2 versions.\n' in deleted.out
    assert [path.name for path in shell.folder.iterdir()] == ["awesome.toml"]


def test_compile_writes_where_the_file_says(tfx: Tfx, shell: Shell) -> None:
    outcome = tfx("pipeline", "compile", f"--pipeline_path={RUNNER}", endpoint=None)
    package = shell.folder / "awesome-pipeline.yaml"
    assert outcome.code == 0, outcome
    assert f"Pipeline package path: {package}\n" in outcome.out
    assert f"name: {NAME}" in package.read_text()
    assert shell.server.exchanges == []


def test_runs_are_created_listed_shown_terminated_deleted(uploaded: Tfx, shell: Shell) -> None:
    assert "No runs found.\n" in uploaded("run", "list", f"--pipeline_name={NAME}").out
    created = uploaded("run", "create", f"--pipeline_name={NAME}", "--runtime_parameter=cache=false")
    assert created.code == 0, created
    [run] = shell.server.runs.values()
    row = rf"\| {NAME} \| {run['run_id']} \| PENDING +\| [\dT:+-]+ \| {shell.url}/#/runs/details/{run['run_id']} \|"
    assert re.search(row, created.out)
    assert run["runtime_config"] == {"parameters": {"cache": False}}
    assert re.search(row, uploaded("run", "list", f"--pipeline_name={NAME}").out)
    shell.server.move(run["run_id"], "RUNNING", statisticsgen="RUNNING", nothing_of_ours="RUNNING")
    shown = uploaded("run", "status", f"--pipeline_name={NAME}", f"--run_id={run['run_id']}").out
    assert re.search(r"\| statisticsgen +\| RUNNING +\| +\|", shown)
    # Neither KFP's driver, nor what the package has not.
    assert "driver" not in shown
    assert "nothing-of-ours" not in shown
    assert uploaded("run", "terminate", f"--run_id={run['run_id']}").code == 0
    assert run["state"] == "CANCELING"
    shell.server.move(run["run_id"], "CANCELED", "it was ended")
    ended = uploaded("run", "terminate", f"--run_id={run['run_id']}")
    assert (ended.code, ended.out.splitlines()[-1]) == (
        1,
        f"awesome: run {run['run_id']}: has ended already, CANCELED",
    )
    assert "\nit was ended\n" in uploaded("run", "status", f"--pipeline_name={NAME}", f"--run_id={run['run_id']}").out
    assert uploaded("run", "delete", f"--run_id={run['run_id']}").code == 0
    assert shell.server.runs == {}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("run", "create", "--pipeline_name=moon"), "pipeline moon: {url} has none of this name; there are " + NAME),
        (("run", "status", f"--pipeline_name={NAME}", "--run_id=1"), "run 1: {url} has none; it says: Run 1 not found"),
        (
            ("pipeline", "list", "--iap_client_id=me"),
            "--iap_client_id: Google's Identity-Aware Proxy is not supported; ",
        ),
        (
            ("pipeline", "create", f"--pipeline_path={RUNNER}", "--build_image"),
            "--build_image: images are built by `awesome kubeflow build` and pushed by `push`",
        ),
    ],
)
def test_what_cannot_be_is_one_line(uploaded: Tfx, shell: Shell, arguments: tuple[str, ...], message: str) -> None:
    before = len(shell.server.exchanges)
    outcome = uploaded(*arguments)
    assert (outcome.code, outcome.err) == (1, "")
    last = outcome.out.splitlines()[-1]
    assert last.startswith("awesome: " + message.format(url=shell.url))
    assert "Traceback" not in outcome.out
    assert {one.method for one in shell.server.exchanges[before:]} <= {"GET"}


def test_the_schema_and_a_missing_endpoint_are_one_line(tfx: Tfx) -> None:
    schema = tfx("pipeline", "schema", f"--pipeline_name={NAME}", endpoint=None)
    assert (schema.code, schema.err) == (1, "")
    assert schema.out.splitlines()[-1].startswith("awesome: tfx pipeline schema: artifacts of a cluster lie")
    missing = tfx("pipeline", "list", endpoint=None)
    assert (missing.code, missing.err) == (1, "")
    assert missing.out.splitlines()[-1].startswith("awesome: no endpoint of Kubeflow Pipelines: `kubectl --context")


def test_a_namespace_of_one_s_own_is_sent(tfx: Tfx, shell: Shell) -> None:
    tfx("pipeline", "list")
    tfx("pipeline", "list", "--namespace=prices")
    assert [one.query.get("namespace") for one in shell.server.exchanges] == [None, "prices"]
