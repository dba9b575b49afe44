"""`awesome db` and `awesome model` as a user types them."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import judged_runs
import pytest
from places import SECRET, Place, digest_of, write_database

import pipeline.cli.storage
from components.trials.record import Record, Trial, append, begun_with, read_record, record_path
from models.card import ModelCard
from pipeline.code_digest import code_digest
from pipeline.runs.folder import read_report, save_report
from pipeline.runs.results import DataSummary, MarketSummary
from pipeline.uses.publish import models_to_push

Awesome = Callable[..., Any]


@pytest.fixture
def awesome(awesome: Awesome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Awesome:
    """The shared one, in an empty folder beside the storage; no command shows the secret."""
    assert pipeline.cli.storage.db_app.registered_commands
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")

    def call(*arguments: str) -> Any:
        outcome = awesome(*arguments)
        assert "Traceback" not in outcome.err
        assert SECRET not in outcome.out + outcome.err
        return outcome

    return call


def write_run(folder: Path, created: str = "2026-11-23T21:30:00+00:00", evaluation: bool = True) -> Path:
    """A finished run with the models linear (without a card, not blessed) and rnn (the champion)."""
    results = {}
    for number, name in enumerate(("linear", "rnn")):
        cache = folder / "tfx" / name
        serving = cache / "model" / "Format-Serving"
        (serving / "assets.extra").mkdir(parents=True)
        (serving / "saved_model.pb").write_bytes(b"graph of " + name.encode())
        if name == "rnn":
            card = ModelCard("rnn", 2, "window_returns", 20, 0, 100, "feedfacefeedface")
            (serving / "assets.extra" / "awesome.json").write_text(card.to_json())
        for part in ("run", "evaluation"):
            (cache / part).mkdir()
            (cache / part / "file").write_bytes(part.encode())
        results[name] = judged_runs.model(
            0.51 + number / 100,
            blessed=name == "rnn",
            auc_low=0.5,
            auc_high=0.53,
            reason=f"because it is {name}",
            model_uri=str(cache / "model"),
            model_run_uri=str(cache / "run"),
            evaluation_uri=str(cache / "evaluation") if evaluation else "",
            metrics={"auc": 0.51, "loss": float("nan")},
        )
    report = judged_runs.report(
        results,
        champion="rnn",
        created=created,
        data=DataSummary(5, 3250, "27a20175" + "0" * 56, "2000-03-29", "2013-03-01", ("A",), "awesome.db"),
        settings={"formatter": "window_returns", "horizon": 20, "seed": 0, "models": "linear,rnn"},
        versions={"awesome": "0.1.0"},
    )
    (folder / "latest").mkdir(exist_ok=True)
    save_report(report, folder / "latest" / "report.json")
    return folder / "latest"


def test_a_model_that_the_audit_holds_back_is_pushed_as_one_that_is_not_blessed(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    report = read_report(run)
    held = {"rnn": ("alarm", "twins")}
    save_report(replace(report, champion=None, held_back=held), run / "report.json")
    [(facts, folders)] = models_to_push(run, "rnn")
    assert not facts.blessed
    evidence = json.loads(folders.evidence)
    assert evidence["blessed"] is False
    assert evidence["reason"] == "because it is rnn; the leak audit holds it back (alarm, twins)"


def test_a_database_goes_and_comes(awesome: Awesome, tmp_path: Path) -> None:
    database = write_database(tmp_path / "here" / "awesome.db", shares=2, sessions=40)
    pushed = awesome("db", "push", str(tmp_path / "storage"))
    assert pushed.code == 0, pushed.err
    assert re.fullmatch(
        rf"pushed 1 file, \d\.\d MiB in \d+\.\d s to {tmp_path}/storage/features/\d{{4}}-\d\d-\d\d/awesome\.db\n",
        pushed.out,
    )
    again = awesome("db", "push", str(tmp_path / "storage"))
    assert again.out.endswith("awesome.db: already there, nothing was sent\n")
    pulled = awesome("db", "pull", str(tmp_path / "storage"), "--db", "copy.db")
    assert pulled.code == 0, pulled.err
    assert re.match(r"pulled 1 file, \d\.\d MiB in \d+\.\d s from .*/awesome\.db into copy\.db\n", pulled.out)
    assert f"2 shares, last session 2024-02-09, data {digest_of(database)[:8]}\n" in pulled.out
    assert digest_of(tmp_path / "here" / "copy.db") == digest_of(database)
    [manifest] = (tmp_path / "storage").rglob("*.manifest.json")
    code = json.loads(manifest.read_text())["code"]
    assert code["digest"] == code_digest(["components/feature_store", "models"])


def test_a_storage_that_cannot_be_one_says_what_to_do(awesome: Awesome, tmp_path: Path) -> None:
    write_run(Path("runs"))
    (tmp_path / "here" / "file").touch()
    assert awesome("model", "list", "ftp://x").err.startswith("awesome: storage_url (from the argument url): ftp://: ")
    assert awesome("model", "push", "file").err == (
        "awesome: file is a file, and a storage is a folder; name another one\n"
    )
    refused = awesome("model", "push", "/proc/none").err
    assert refused.endswith("; make the folder one that this user can read and write, or name another storage\n")


def test_the_storage_can_be_set(awesome: Awesome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_database(tmp_path / "here" / "awesome.db")
    for command in (("db", "push"), ("db", "pull"), ("model", "list"), ("model", "pull", "--model", "rnn")):
        none = awesome(*command)
        assert none.code == 1
        assert none.err.startswith("awesome: no storage is named; give its URL, or set storage_url")
    monkeypatch.setenv("AWESOME_STORAGE_URL", f"file://{tmp_path}/storage")
    assert awesome("db", "push").code == 0
    assert awesome("db", "pull").code == 0
    other = awesome("db", "pull", str(tmp_path / "other"))
    assert other.err == f"awesome: {tmp_path}/other/features: holds no database; push one with `awesome db push`\n"


def test_a_runs_models_go_and_come(awesome: Awesome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")  # nothing is cut off, however narrow the terminal
    write_run(tmp_path / "here" / "runs")
    url = str(tmp_path / "storage")
    pushed = awesome("model", "push", url)
    assert pushed.code == 0, pushed.err
    lines = pushed.out.splitlines()
    assert [re.sub(r"\d+\.\d (MiB|s)", r"_ \1", line) for line in lines] == [
        f"pushed 4 files, _ MiB in _ s to {url}/models_training/linear/20261123T213000Z",
        f"pushed 6 files, _ MiB in _ s to {url}/models_training/rnn/20261123T213000Z",
    ]
    listed = awesome("model", "list", url).out.splitlines()
    assert [line.split() for line in listed] == [
        ["model", "version", "AUC", "(95", "%)", "blessed", "tries", "champion", "horizon", "data", "MiB"],
        ["linear", "20261123T213000Z", "0.5100", "(0.5000", "to", "0.5300)", "no", "unknown", "20", "27a20175", "0.0"],
        [
            "rnn",
            "20261123T213000Z",
            "0.5200",
            "(0.5000",
            "to",
            "0.5300)",
            "yes",
            "unknown",
            "yes",
            "20",
            "27a20175",
            "0.0",
        ],
    ]
    pulled = awesome("model", "pull", url, "--model", "rnn")
    assert pulled.code == 0, pulled.err
    folder = tmp_path / "here" / "runs" / "pulled" / "rnn" / "20261123T213000Z"
    assert f"into {folder.relative_to(tmp_path / 'here')}" in pulled.out
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
        *("evaluation/file", "evidence.json", "manifest.json", "run/report.json"),
        *("saved_model/assets.extra/awesome.json", "saved_model/saved_model.pb", "tfevents/file"),
    ]
    assert (folder / "saved_model" / "saved_model.pb").read_bytes() == b"graph of rnn"
    assert (folder / "tfevents" / "file").read_bytes() == b"run"
    assert (folder / "evaluation" / "file").read_bytes() == b"evaluation"
    evidence = json.loads((folder / "evidence.json").read_text())
    assert evidence == {"metrics": {"auc": 0.51}, "blessed": True, "reason": "because it is rnn", "twin": None}
    manifest = json.loads((folder / "manifest.json").read_text())
    assert (manifest["architecture_version"], manifest["code"]["digest"]) == (2, "feedfacefeedface")
    named = awesome("model", "pull", url, "--model", "linear", "--to", "linear", "--version", "20261123T213000Z")
    assert named.code == 0, named.err
    manifest = json.loads((tmp_path / "here" / "linear" / "manifest.json").read_text())
    assert (manifest["architecture_version"], manifest["horizon"], manifest["champion"]) == (None, 20, False)


def test_tries_go_and_come_with_databases_and_models(
    awesome: Awesome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there, url = tmp_path / "here", tmp_path / "there", str(tmp_path / "storage")
    with begun_with(here / "awesome.db"):
        write_database(here / "awesome.db")
    on_the_runs_days, on_others = (
        Trial(str(day), "2026-01-02T03:04:05Z", "run", {}, 20, "r", (day,), ()) for day in (20120103, 20200102)
    )
    append(record_path(here / "awesome.db"), [on_others])
    assert awesome("db", "push", url).out.endswith("\n1 try that the storage did not hold\n")
    append(record_path(here / "awesome.db"), [on_the_runs_days])
    write_run(here / "runs")
    pushed = awesome("model", "push", url, "--model", "rnn")
    assert pushed.out.endswith("\n1 try that the storage did not hold\n")
    assert " yes 1 yes 20 " in " ".join(awesome("model", "list", url).out.split())

    there.mkdir()
    monkeypatch.chdir(there)
    elsewhere = awesome("model", "pull", url, "--model", "rnn", "--to", "before")
    assert elsewhere.out.endswith(
        "\n1 try on its test days, in before/trials.jsonl\npredict with it: awesome predict --model before\n"
    )
    with begun_with(there / "awesome.db"):
        write_database(there / "awesome.db")
    pulled = awesome("model", "pull", url, "--model", "rnn")
    assert "\n1 try on its test days, 1 of them new to awesome.db.trials.jsonl\npredict with it: " in pulled.out
    assert read_record(record_path(there / "awesome.db")) == Record(True, (on_the_runs_days,))
    assert awesome("db", "pull", url).out.endswith("\n1 try that was not known here\n")
    assert read_record(record_path(there / "awesome.db")) == Record(True, (on_the_runs_days, on_others))
    assert "try" not in awesome("db", "pull", url).out


def test_a_synthetic_market_is_said_in_the_list(awesome: Awesome, tmp_path: Path) -> None:
    folder = write_run(tmp_path / "here" / "runs")
    save_report(replace(read_report(folder), market=MarketSummary("reversal", 0.6)), folder / "report.json")
    awesome("model", "push", str(tmp_path / "storage"), "--model", "rnn")
    assert "27a20175 (market reversal)" in awesome("model", "list", str(tmp_path / "storage")).out


def test_a_run_can_be_named_alone_where_the_storage_is_set(
    awesome: Awesome, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_run(tmp_path / "runs", evaluation=False)
    monkeypatch.setenv("AWESOME_STORAGE_URL", str(tmp_path / "storage"))
    pushed = awesome("model", "push", str(folder), "--model", "rnn")
    assert pushed.code == 0, pushed.err
    assert sorted(path.name for path in folder.iterdir()) == ["report.json"]
    assert (tmp_path / "storage" / "models_training" / "rnn").is_dir()
    assert not (tmp_path / "storage" / "models_training" / "linear").exists()


def test_what_cannot_be_pushed_is_one_line(awesome: Awesome, tmp_path: Path) -> None:
    url = str(tmp_path / "storage")
    assert "has no finished run; make one with `awesome run`" in awesome("model", "push", url).err
    folder = write_run(tmp_path / "runs")
    unknown = awesome("model", "push", url, str(folder), "--model", "cnn")
    assert unknown.err == f"awesome: {folder} has no model 'cnn'; it has linear, rnn\n"
    (tmp_path / "runs" / "tfx" / "rnn" / "model").rename(tmp_path / "gone")
    gone = awesome("model", "push", url, str(folder))
    assert "is gone from the pipeline's cache; run again" in gone.err
    assert not (tmp_path / "storage").exists()  # nothing is sent of a run that is not whole
    folder = write_run(tmp_path / "incomplete", created="yesterday")
    assert "created is 'yesterday', not a time" in awesome("model", "push", url, str(folder)).err


def test_a_list_says_what_it_cannot_read(awesome: Awesome, tmp_path: Path) -> None:
    url = str(tmp_path / "storage")
    assert awesome("model", "list", url).out == f"{url}: no model was pushed yet; push one with `awesome model push`\n"
    broken = tmp_path / "storage" / "models_training" / "rnn" / "1" / "manifest.json"
    broken.parent.mkdir(parents=True)
    broken.write_text("{")
    listed = awesome("model", "list", url)
    assert (listed.code, listed.out) == (0, "")
    assert listed.err == f"warning: {broken}: is no manifest (not JSON); push again\n"


def test_buckets_are_reached_with_what_is_set(
    awesome: Awesome, make_place: Callable[[str], Place], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = write_database(tmp_path / "here" / "awesome.db")
    s3 = make_place("s3")
    monkeypatch.setenv("AWESOME_S3_ENDPOINT", str(s3.settings.s3_endpoint))
    assert awesome("db", "push", s3.url).code == 0
    assert awesome("db", "pull", s3.url, "--db", "s3.db").code == 0
    cos = make_place("cos")
    refused = awesome("db", "push", cos.url)
    assert "set cos_region (AWESOME_COS_REGION)" in refused.err
    monkeypatch.setenv("AWESOME_COS_REGION", "ap-shanghai")
    monkeypatch.setenv("AWESOME_COS_ENDPOINT", str(cos.settings.cos_endpoint))
    refused = awesome("db", "push", cos.url)
    assert "set COS_SECRET_ID and COS_SECRET_KEY" in refused.err
    monkeypatch.setenv("COS_SECRET_ID", "AKIDcos")
    monkeypatch.setenv("COS_SECRET_KEY", SECRET)
    pushed = awesome("db", "push", cos.url)
    assert pushed.code == 0, pushed.err
    assert awesome("db", "pull", cos.url, "--db", "cos.db").code == 0
    for name in ("s3.db", "cos.db"):
        assert digest_of(tmp_path / "here" / name) == digest_of(database)
