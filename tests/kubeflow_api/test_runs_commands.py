"""`awesome kubeflow upload`, `run`, `runs`, `terminate` as a user types them, against the server."""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import re
import signal
import subprocess
from pathlib import Path

import pytest
import yaml
from command_line import COMMAND
from command_shell import Outcome, Shell

from awesome_kubeflow.cluster import other_tfx

UPLOADS = ("POST", "/apis/v2beta1/pipelines/upload_version")
RUNS = ("POST", "/apis/v2beta1/runs")
PIPELINE = "awesome-window-returns-h1"
UUID = r"[0-9a-f]{8}-[0-9a-f-]{27}"


def started(out: str) -> str:
    """The run's id from what the command printed."""
    found = re.search(rf"^run ({UUID}) of ", out, re.M)
    assert found is not None, out
    return found[1]


# upload


def test_the_first_upload_makes_a_pipeline_and_the_next_a_version(shell: Shell, package: Path) -> None:
    before = f"{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S}"
    outcomes = [shell.awesome("upload", str(package)) for _ in range(2)]
    after = f"{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S}~"
    assert [(one.code, one.err) for one in outcomes] == [(0, ""), (0, "")]
    [pipeline] = shell.server.pipelines.values()
    assert pipeline["display_name"] == PIPELINE
    versions = list(shell.server.versions.values())
    assert [one["pipeline_id"] for one in versions] == [pipeline["pipeline_id"]] * 2
    names = [one["display_name"].removeprefix(f"{PIPELINE}-") for one in versions]
    assert before <= names[0] < names[1] < after
    link = f"{shell.url}/#/pipelines/details/{pipeline['pipeline_id']}/version/{versions[1]['pipeline_version_id']}"
    assert outcomes[1].out == f"pipeline {PIPELINE}, version {PIPELINE}-{names[1]}\n{link}\n"
    stored = versions[1]["pipeline_spec"]
    assert [stored["pipeline_spec"], stored["platform_spec"]] == list(yaml.safe_load_all(package.read_text()))


def test_links_begin_with_the_ui_where_that_is_another(shell: Shell, package: Path) -> None:
    (shell.folder / "awesome.toml").write_text('[clusters.stage]\nui = "https://kubeflow.example/pipeline/"\n')
    assert "\nhttps://kubeflow.example/pipeline/#/pipelines/details/" in shell.awesome("upload", str(package)).out


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("missing.yaml", None, "cannot be read (No such file or directory)"),
        ("package.zip", "", "a package is a .yaml file"),
        ("list.yaml", "- a\n", "is no package of Kubeflow Pipelines v2"),
        ("broken.yaml", "a: [", "is no package of Kubeflow Pipelines v2"),
        ("other.yaml", "pipelineInfo: {}\n", "is no package of Kubeflow Pipelines v2"),
    ],
)
def test_what_is_no_package_is_named(shell: Shell, name: str, text: str | None, message: str) -> None:
    if text is not None:
        (shell.folder / name).write_text(text)
    assert shell.awesome("upload", name).refusal.startswith(f"{name}: {message}")
    assert shell.server.pipelines == {}


def test_a_package_that_the_server_refuses_leaves_no_empty_pipeline(shell: Shell) -> None:
    (shell.folder / "empty.yaml").write_text("pipelineInfo: {name: empty}\n")
    refusal = shell.awesome("upload", "empty.yaml").refusal
    assert refusal == (
        f"package empty.yaml: {shell.url} refuses (HTTP 400): Failed to create a pipeline: invalid PipelineSpec"
    )
    assert shell.server.asked("POST", "/apis/v2beta1/pipelines")
    assert shell.server.pipelines == {}


@pytest.mark.slow
def test_without_a_package_the_default_one_is_compiled(shell: Shell) -> None:
    (shell.folder / "awesome.toml").write_text('models = "linear"\nhorizon = 5\n')
    outcome = shell.run("awesome", "kubeflow", "upload", "--endpoint", shell.url)
    assert outcome.code == 0
    # It says so where the tests run on the other line of TFX than the image.
    assert outcome.err.rstrip() == (other_tfx(importlib.metadata.version("tfx")) or "")
    [version] = shell.server.versions.values()
    inputs = version["pipeline_spec"]["pipeline_spec"]["root"]["inputDefinitions"]["parameters"]
    assert inputs["horizon"]["defaultValue"] == 5
    assert outcome.out.startswith("pipeline awesome-window-returns-h5, version awesome-window-returns-h5-")
    assert [path.name for path in shell.folder.iterdir()] == ["awesome.toml"]


# run


def test_a_run_is_of_the_newest_version_with_typed_parameters(uploaded: Shell, package: Path) -> None:
    uploaded.awesome("upload", str(package))
    newest = list(uploaded.server.versions.values())[-1]
    outcome = uploaded.awesome("run", "--parameter", "horizon=5", "--parameter", "cache=no", "--parameter", "shares=")
    assert (outcome.code, outcome.err) == (0, "")
    run_id = started(outcome.out)
    assert outcome.out == f"run {run_id} of {newest['display_name']}\n{uploaded.url}/#/runs/details/{run_id}\n"
    [sent] = uploaded.server.asked(*RUNS)
    assert sent.body is not None
    assert sent.body["runtime_config"]["parameters"] == {"horizon": 5, "cache": False, "shares": ""}
    assert sent.body["pipeline_version_reference"]["pipeline_version_id"] == newest["pipeline_version_id"]
    assert uploaded.server.experiments[sent.body["experiment_id"]]["display_name"] == PIPELINE


def test_the_pipeline_of_the_settings_is_run(shell: Shell, package: Path) -> None:
    other = shell.folder / "other.yaml"
    other.write_text(package.read_text().replace(PIPELINE, "awesome-window-returns-h20"))
    for path in (package, other):
        shell.awesome("upload", str(path))
    (shell.folder / "awesome.toml").write_text("horizon = 20\n")
    assert " of awesome-window-returns-h20-" in shell.awesome("run").out
    assert f" of {PIPELINE}-" in shell.awesome("run", "--pipeline", "awesome-window_returns-h1").out
    [chosen] = [key for key, one in shell.server.pipelines.items() if one["display_name"] == PIPELINE]
    assert f" of {PIPELINE}-" in shell.awesome("run", "--pipeline", chosen).out


def test_every_type_of_input_is_sent_as_such(small: Shell) -> None:
    texts = ("days=20", "rate=1e-3", "cache=true", "share=00700", 'names=["a", "b"]', 'table={"x": 1}')
    outcome = small.awesome("run", "--pipeline", "small-one", *(f"--parameter={text}" for text in texts))
    assert outcome.code == 0
    [run] = small.server.runs.values()
    assert run["runtime_config"]["parameters"] == {
        "days": 20,
        "rate": 0.001,
        "cache": True,
        "share": "00700",
        "names": ["a", "b"],
        "table": {"x": 1},
    }


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ([], "parameter days: has no default, so a run needs it"),
        (["days"], "parameter 'days': is not of the form name=value"),
        (["days=5", "days=6"], "parameter days: is given twice"),
        (["day=5"], "parameter day: the pipeline has none of this name; did you mean days?"),
        (["zzz=5"], "parameter zzz: the pipeline has none of this name; there are cache, days, "),
        (["days=5.5"], "parameter days: '5.5' is not a whole number"),
        (["days=5", "rate=high"], "parameter rate: 'high' is not a number"),
        (["days=5", "cache=maybe"], "parameter cache: 'maybe' is not true or false"),
        (["days=5", "names=a,b"], "parameter names: 'a,b' is not a list in JSON"),
        (["days=5", "table=[]"], "parameter table: '[]' is not an object in JSON"),
    ],
)
def test_a_parameter_that_cannot_be_is_named(small: Shell, texts: list[str], message: str) -> None:
    outcome = small.awesome("run", "--pipeline", "small-one", *(f"--parameter={text}" for text in texts))
    assert outcome.refusal.startswith(message)
    assert small.server.runs == {}


def test_an_unknown_pipeline_is_named_with_those_that_are_there(small: Shell) -> None:
    assert small.awesome("run").refusal == (
        f"pipeline awesome-window_returns-h1: {small.url} has none of this name; there are small-one"
    )


# --wait


def test_waiting_shows_each_change_and_ends_with_the_run(small: Shell) -> None:
    moves = iter(
        [
            ("RUNNING", {"first": "RUNNING"}),
            ("RUNNING", {"first": "RUNNING"}),
            ("RUNNING", {"first": "SUCCEEDED", "second": "RUNNING"}),
            ("SUCCEEDED", {"second": "SUCCEEDED"}),
        ]
    )

    def move(run: dict[str, str]) -> None:
        state, tasks = next(moves)
        small.server.move(run["run_id"], state, **tasks)

    small.server.on_get_run = move
    outcome = small.awesome("run", "--pipeline=small-one", "--parameter=days=5", "--wait", "--every=0.05")
    assert (outcome.code, outcome.err) == (0, "")
    lines = [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in outcome.out.splitlines()[2:]]
    assert [line.split(maxsplit=1) for line in lines] == [
        ["RUNNING", "first"],
        ["RUNNING", "the run"],
        ["SUCCEEDED", "first"],
        ["RUNNING", "second"],
        ["SUCCEEDED", "second"],
        ["SUCCEEDED", "the run"],
    ]


def test_a_run_that_fails_fails_the_command_that_waits(small: Shell) -> None:
    small.server.on_get_run = lambda run: small.server.move(run["run_id"], "FAILED", "no volume", first="FAILED")
    outcome = small.awesome("run", "--pipeline=small-one", "--parameter=days=5", "--wait", "--every=0.05")
    run_id = started(outcome.out)
    assert outcome.refusal == (
        f"run {run_id}: ended as FAILED (no volume; first: FAILED); see {small.url}/#/runs/details/{run_id}"
    )


def test_ctrl_c_leaves_the_run_going(small: Shell) -> None:
    process = subprocess.Popen(
        [
            *(COMMAND, "kubeflow", "run", "--pipeline=small-one"),
            *("--parameter=days=5", "--wait", "--every=0.05", "--endpoint", small.url),
        ],
        cwd=small.folder,
        env=small.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        # The run, its link, its first state: then it waits, and has imported all it needs.
        assert process.stdout is not None
        shown = "".join(process.stdout.readline() for _ in range(3))
        assert "PENDING" in shown
        process.send_signal(signal.SIGINT)
        out, err = process.communicate()
        out = shown + out
    finally:
        process.kill()
        process.wait()
    run_id = started(out)
    assert Outcome(process.returncode, out, err).refusal == (
        f"run {run_id}: goes on; `awesome kubeflow runs --run {run_id}` shows it, "
        f"`awesome kubeflow terminate {run_id}` ends it"
    )
    assert small.server.runs[run_id]["state"] == "PENDING"


# runs, terminate


def test_runs_are_listed_the_newest_first(small: Shell, package: Path) -> None:
    assert small.awesome("runs").out == "no runs\n"
    small.awesome("upload", str(package))
    ids = [started(small.awesome("run", "--pipeline=small-one", "--parameter=days=5").out) for _ in range(3)]
    other = started(small.awesome("run").out)
    small.server.page = 2
    small.server.move(ids[1], "SUCCEEDED")
    lines = small.awesome("runs").out.splitlines()
    assert [line.split()[0] for line in lines] == [other, *reversed(ids)]
    assert [line.split()[1] for line in lines] == ["PENDING", "PENDING", "SUCCEEDED", "PENDING"]
    lines = small.awesome("runs", "--pipeline", "small-one", "--limit", "2").out.splitlines()
    assert [line.split()[0] for line in lines] == [ids[2], ids[1]]


def test_one_run_is_shown_with_its_steps(small: Shell) -> None:
    run_id = started(small.awesome("run", "--pipeline=small-one", "--parameter=days=5").out)
    assert small.awesome("runs", "--run", run_id).out.splitlines()[1].endswith(", finished -")
    small.server.move(run_id, "FAILED", "no  volume\nat all", first="SUCCEEDED", second="FAILED")
    first, second, *steps, link = small.awesome("runs", "--run", run_id).out.splitlines()
    assert first == f"run {run_id}: FAILED, no volume at all"
    assert re.fullmatch(r"small-one [\d :-]+, created 2026-01-05 00:00, finished 2026-01-05 00:00", second)
    assert [step.split() for step in steps] == [["SUCCEEDED", "first"], ["FAILED", "second"]]
    assert link == f"{small.url}/#/runs/details/{run_id}"
    assert small.awesome("runs", "--run", "nothing").refusal == (
        f"run nothing: {small.url} has none; it says: Run nothing not found"
    )


def test_a_run_is_terminated_once(small: Shell) -> None:
    run_id = started(small.awesome("run", "--pipeline=small-one", "--parameter=days=5").out)
    outcome = small.awesome("terminate", run_id)
    assert (outcome.code, outcome.out) == (0, f"run {run_id}: is told to end\n")
    assert small.server.runs[run_id]["state"] == "CANCELING"
    small.server.move(run_id, "CANCELED")
    assert small.awesome("terminate", run_id).refusal == f"run {run_id}: has ended already, CANCELED"


# the endpoint


def test_without_an_endpoint_it_says_how_there_is_one(shell: Shell) -> None:
    for cluster in ("stage", "prod"):
        refusal = shell.run("awesome", "kubeflow", "runs", "--cluster", cluster).refusal
        assert f"`kubectl --context training-{cluster} -n kubeflow port-forward svc/ml-pipeline 8888:8888`" in refusal
        assert "--endpoint http://127.0.0.1:8888" in refusal
        assert f"[clusters.{cluster}]" in refusal


def test_the_endpoint_stands_in_the_settings(shell: Shell) -> None:
    (shell.folder / "awesome.toml").write_text(f'[clusters.prod]\nendpoint = "{shell.url}/"\n')
    assert shell.run("awesome", "kubeflow", "runs", "--cluster", "prod").out == "no runs\n"
    (shell.folder / "awesome.toml").write_text('[clusters.stage]\nendpoint = "localhost:8888"\n')
    assert shell.run("awesome", "kubeflow", "runs").refusal == (
        "clusters (from awesome.toml): clusters.stage.endpoint: "
        "is an address such as http://127.0.0.1:8888, not 'localhost:8888'"
    )


def test_nothing_of_kfp_s_own_configuration_is_taken(shell: Shell) -> None:
    context = shell.folder.with_name("home") / ".config" / "kfp" / "context.json"
    context.parent.mkdir(parents=True)
    context.write_text('{"namespace": "elsewhere", "client_authentication_cookie": "crumbs"}')
    shell.variables["KF_PIPELINES_ENDPOINT"] = "http://127.0.0.1:1"
    assert shell.awesome("runs").out == "no runs\n"
    assert [one.query.get("namespace") for one in shell.server.exchanges] == [None]


def test_the_namespace_of_a_multi_user_installation_is_sent(shell: Shell) -> None:
    (shell.folder / "awesome.toml").write_text('[clusters.stage]\nnamespace = "prices"\n')
    shell.awesome("runs")
    assert [one.query.get("namespace") for one in shell.server.exchanges] == ["prices"]


def test_a_token_comes_from_the_environment_and_is_never_printed(shell: Shell) -> None:
    shell.server.token = "s3cret-token"
    assert shell.awesome("runs").refusal == (
        f"{shell.url} refuses (HTTP 401): a token goes into the environment, AWESOME_KFP_TOKEN; "
        "it says: there is no user identity header"
    )
    shell.variables["AWESOME_KFP_TOKEN"] = "0ther-token"
    refused = shell.awesome("runs")
    assert "the token in AWESOME_KFP_TOKEN is not accepted" in refused.refusal
    shell.variables["AWESOME_KFP_TOKEN"] = "s3cret-token\n"
    assert shell.awesome("runs").out == "no runs\n"
    shown = shell.run("awesome", "config")
    assert shown.code == 0
    assert "token" not in refused.refusal.replace("the token in", "").lower().replace("awesome_kfp_token", "")
    assert "s3cret" not in shown.out + shown.err
    shell.variables["AWESOME_KFP_TOKEN"] = "two words"
    refusal = shell.awesome("runs").refusal
    assert refusal.startswith("AWESOME_KFP_TOKEN: is no token")
    assert "two words" not in refusal
