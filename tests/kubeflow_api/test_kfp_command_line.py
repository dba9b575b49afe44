"""KFP's own command line with the project's package; the server answers it as it answers ours."""

from __future__ import annotations

import json
from pathlib import Path

from command_shell import Shell


def test_kfp_uploads_the_package_and_runs_it(shell: Shell, package: Path) -> None:
    kfp = ("--endpoint", shell.url, "--output", "json")
    outcome = shell.run("kfp", *kfp, "pipeline", "create", "-p", "by-kfp", str(package))
    assert outcome.code == 0, outcome.err
    [pipeline] = shell.server.pipelines.values()
    assert f"{shell.url}/#/pipelines/details/{pipeline['pipeline_id']}" in outcome.out
    listed = shell.run("kfp", *kfp, "pipeline", "list")
    assert [one["display_name"] for one in json.loads(listed.out)] == ["by-kfp"]
    # Its command sends every parameter as a text, so only those that are texts can be set.
    outcome = shell.run(
        "kfp", *kfp, "run", "create", "-e", "trials", "-f", str(package), "formatter=close_returns", "shares=IBM"
    )
    assert outcome.code == 0, outcome.err
    [run] = shell.server.runs.values()
    assert run["runtime_config"]["parameters"] == {"formatter": "close_returns", "shares": "IBM"}
    # What one made, the other sees.
    assert shell.awesome("runs").out.split()[:2] == [run["run_id"], "PENDING"]
    shell.awesome("upload", str(package))
    shell.awesome("run")
    listed = shell.run("kfp", *kfp, "run", "list")
    assert [one["state"] for one in json.loads(listed.out)] == ["PENDING", "PENDING"]
