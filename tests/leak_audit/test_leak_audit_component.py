"""LeakAudit within TFX's launcher, and `awesome audit` on what a run left."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from databases import execute
from tfx_runs import run_components

from benchmarks.planted_leaks.small_runs import Asked, SmallRun, make_run
from components.evidence.findings import Findings, ModelFindings
from components.evidence.interval import Interval
from components.leak_audit.audit import audit
from components.leak_audit.checks import alarm, completeness
from components.leak_audit.results import AUDIT_FILE, AuditError, AuditReport, Status
from pipeline.runs.folder import read_report, save_report

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]


@pytest.fixture(scope="module")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> SmallRun:
    return make_run(tmp_path_factory.mktemp("run"), Asked(shares=6, sessions=500))


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Leaves an audit the checks that a test looks at; the others train models, seconds each."""

    def left(*names: str) -> None:
        monkeypatch.setattr("components.leak_audit.executor.audit", partial(audit, only=names))

    return left


def run_component(folder: Path, run: SmallRun, auc: Interval) -> tuple[AuditReport, str, bool]:
    """The audit, the verdict of the artifact, and whether it came from the cache."""
    from google.protobuf import text_format
    from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
    from tfx.dsl.components.common.importer import Importer
    from tfx.types import standard_artifacts

    from components.evidence.component import EvidenceArtifact
    from components.leak_audit.component import LeakAudit

    evidence = folder / "evidence"
    evidence.mkdir(exist_ok=True)
    baselines = {"lightgbm": {"auc": Interval(0.505, 0.48, 0.53, 0.0125)}}
    Findings({"linear": ModelFindings({"auc": auc}, {}, False, "")}, baselines).write(evidence)
    (folder / "schema.pbtxt").write_text(text_format.MessageToString(run.schema))

    def imported(name: str, uri: Path, kind: type) -> Importer:
        return Importer(source_uri=str(uri), artifact_type=kind).with_id(name)

    examples = imported("Examples", run.examples, standard_artifacts.Examples)
    graph = imported("Graph", run.graph, standard_artifacts.TransformGraph)
    found = imported("Evidence", evidence, EvidenceArtifact)
    schema = ImportSchemaGen(schema_file=str(folder / "schema.pbtxt"))
    audit = LeakAudit(
        examples.outputs["result"],
        schema.outputs["schema"],
        graph.outputs["result"],
        found.outputs["result"],
        run.config,
    )
    step = run_components(folder, [examples, graph, found, schema, audit])["LeakAudit"]
    [artifact] = step.outputs["audit"]
    text = (Path(artifact.uri) / AUDIT_FILE).read_text()
    return AuditReport.from_json(text, "audit.json"), artifact.get_string_custom_property("verdict"), step.cached


def test_the_component_audits_once(tmp_path: Path, small_run: SmallRun) -> None:
    auc = Interval(0.51, 0.48, 0.54, 0.015)

    report, verdict, cached = run_component(tmp_path, small_run, auc)

    assert (report.verdict, verdict, cached) == ("clean", "clean", False)
    assert [figure.value for figure in report.check(alarm.NAME).figures] == [0.51, 0.505]
    again, _, cached = run_component(tmp_path, small_run, auc)
    assert cached
    assert again.to_json() == report.to_json()  # a NaN is not equal to itself
    changed = replace(small_run, config=replace(small_run.config, code="changed"))
    assert not run_component(tmp_path, changed, auc)[2]


def test_a_leak_does_not_end_the_pipeline(tmp_path: Path, small_run: SmallRun) -> None:
    report, verdict, _ = run_component(tmp_path, small_run, Interval(0.9, 0.89, 0.91, 0.005))

    assert (report.verdict, verdict) == ("leaking", "leaking")
    assert report.check(alarm.NAME).status is Status.LEAKING


def test_a_training_that_diverges_names_the_model_and_the_setting(small_run: SmallRun) -> None:
    [model] = small_run.config.models
    wild = replace(model, version=1, hyperparameters={**model.hyperparameters, "learning_rate": 1e38})
    run = replace(small_run, config=replace(small_run.config, models=(wild,)))
    with pytest.raises(AuditError, match=rf"{model.name} cannot be audited: .* lower learning_rate, which is 1e\+38"):
        run.audited({model.name: Interval(0.51, 0.48, 0.54, 0.015)})


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with one finished run, made without an audit."""
    from rich.console import Console

    from pipeline.job.run import run
    from pipeline.plan import resolve
    from pipeline.settings import Settings

    folder = tmp_path_factory.mktemp("workspace")
    settings = Settings(
        market="null", market_shares=5, market_sessions=500, models=("linear", "dnn"), train_steps=20,
        workspace=folder, output=folder / "first", split_fractions=(0.5, 0.2, 0.3), audit=False, embargo=10,
    )  # fmt: skip
    report, _ = run(resolve(settings), Console(quiet=True))
    assert report.audit is None
    return folder


def awesome(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    from pipeline.cli import main

    monkeypatch.setattr(sys, "argv", ["awesome", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    return int(stop.value.code or 0)


def test_a_finished_run_is_audited_by_what_its_metadata_tells(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)  # nothing is found by where one stands
    monkeypatch.setenv("COLUMNS", "100")

    code = awesome(monkeypatch, "audit", str(workspace / "first"), "--models", "linear,dnn")

    printed = capsys.readouterr().out
    made = AuditReport.from_json((workspace / "first" / AUDIT_FILE).read_text(), AUDIT_FILE)
    assert code == (3 if made.verdict == "leaking" else 0)
    assert made.verdict == "clean", made.verdict_line
    assert made.models == ("linear", "dnn")
    assert printed.strip().splitlines()[-1] == made.verdict_line
    # The embargo of 10 that the run was cut with, which no setting of this command tells.
    assert "the embargo allows 10" in made.check("split proof").sentence
    # And the database, the shares and the dates that the examples were made of.
    assert "examples of all shares are the rows" in made.check(completeness.NAME).sentence
    assert {"permuted labels, linear", "permuted labels, dnn"} <= {check.name for check in made.checks}
    for check in made.checks:
        assert f"{check.name}: {check.status.value}" in printed


def test_a_leaking_run_exits_with_3(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, only: Callable[..., None]
) -> None:
    only(alarm.NAME)
    copy = tmp_path / "run"
    shutil.copytree(workspace / "first", copy)
    report = read_report(copy)
    too_good = replace(report.models["linear"], auc=0.8, auc_low=0.78, auc_high=0.82)
    save_report(replace(report, models={**report.models, "linear": too_good}), copy / "report.json")

    assert awesome(monkeypatch, "audit", str(copy)) == 3


def test_an_audit_takes_the_plausible_auc_of_the_run_unless_another_is_set(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, only: Callable[..., None]
) -> None:
    only(alarm.NAME)
    copy = tmp_path / "run"
    shutil.copytree(workspace / "first", copy)
    report = read_report(copy)
    high = replace(report.models["linear"], auc=0.545, auc_low=0.54, auc_high=0.55)
    settings = {**report.settings, "audit_plausible_auc": 0.6}
    save_report(replace(report, models={"linear": high}, market=None, settings=settings), copy / "report.json")
    for flags, status in ((), Status.PASSED), (("--plausible-auc", "0.53"), Status.SUSPICIOUS):
        awesome(monkeypatch, "audit", str(copy), *flags)
        made = AuditReport.from_json((copy / AUDIT_FILE).read_text(), AUDIT_FILE)
        assert made.check(alarm.NAME).status is status


def test_a_database_that_has_changed_since_a_run_is_known_by_its_fingerprint(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, only: Callable[..., None]
) -> None:
    only(completeness.NAME)
    copy = tmp_path / "run"
    shutil.copytree(workspace / "first", copy)
    [database] = workspace.rglob("null-*.db")
    kept = database.read_bytes()
    execute(database, "UPDATE FEATURE SET close3 = close3 * 1.01")

    awesome(monkeypatch, "audit", str(copy), "--full")

    database.write_bytes(kept)
    made = AuditReport.from_json((copy / AUDIT_FILE).read_text(), AUDIT_FILE)
    assert made.check(completeness.NAME).status is Status.NOT_APPLICABLE
    assert "The database has changed since the examples were made" in made.check(completeness.NAME).sentence


def test_a_run_whose_artifacts_are_gone_is_refused(
    workspace: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = read_report(workspace / "first")
    gone = replace(report.models["linear"], model_uri="/nowhere/tfx/name/Trainer.linear/model/1")
    save_report(replace(report, models={"linear": gone}), tmp_path / "report.json")

    assert awesome(monkeypatch, "audit", str(tmp_path)) == 1
    assert "audit it where it ran" in capsys.readouterr().err
    assert awesome(monkeypatch, "audit", str(tmp_path), "--models", "rnn") == 1
    assert "has no model 'rnn'; it has linear" in capsys.readouterr().err
    assert not (tmp_path / AUDIT_FILE).exists()


def test_a_feature_that_some_batches_lack_is_read(tmp_path: Path) -> None:
    import tensorflow as tf

    from components.leak_audit.reading.rows import read_rows

    def feature(*values: float) -> tf.train.Feature:
        if all(isinstance(value, int) for value in values):
            return tf.train.Feature(int64_list=tf.train.Int64List(value=values))
        return tf.train.Feature(float_list=tf.train.FloatList(value=values))

    for place, split in enumerate(("train", "eval", "test")):
        (tmp_path / f"Split-{split}").mkdir()
        features = {
            "share_id": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"AAA"])),
            "time": feature(20200101 + place),
            "session": feature(50 * place),
            "closes": feature(*(float(lag + 1) for lag in range(21))),
            "label_1": feature(1),
            "forward_return_1": feature(0.5),
            # Empty in one split, of no kind in another, and there in the last only.
            "label_20": [feature(), tf.train.Feature(), feature(0)][place],
            "forward_return_20": [
                tf.train.Feature(),
                tf.train.Feature(float_list=tf.train.FloatList()),
                feature(-0.5),
            ][place],
        }
        if split == "eval":
            features["canary"] = feature(1.5)
        with tf.io.TFRecordWriter(str(tmp_path / f"Split-{split}" / "data")) as writer:
            writer.write(tf.train.Example(features=tf.train.Features(feature=features)).SerializeToString())

    rows = read_rows(tmp_path)

    assert "canary" in rows.features
    assert rows.labels[20].tolist() == [-1, -1, 0]
    assert rows.returns[20].tolist()[2] == -0.5
    assert rows.labels[1].tolist() == [1, 1, 1]
    assert rows.closes[2].tolist() == [float(lag + 1) for lag in range(21)]
    # Examples of a run from before columns stood side by side.
    with pytest.raises(AuditError, match="carry no feature market_activity_values; run again with this version"):
        read_rows(tmp_path, ["market_activity_values"])
