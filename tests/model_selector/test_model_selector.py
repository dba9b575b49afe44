"""The choice of the champion, its way through ModelSelector and Pusher, and the search for predecessors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tfx_runs import run_components

if TYPE_CHECKING:
    from components.evidence.findings import ModelFindings

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]


def found(auc: float, blessed: bool) -> ModelFindings:
    from components.evidence.findings import ModelFindings
    from components.evidence.interval import Interval

    nan = float("nan")
    # Another figure says the opposite: the AUC must decide.
    scores = {"auc": Interval(auc, auc - 0.01, nan, 0.005), "ic": Interval(1 - auc, nan, nan, nan)}
    return ModelFindings(scores, {}, blessed, f"because of {auc}")


# choose


@pytest.mark.parametrize(
    ("candidates", "champion"),
    [
        ({}, None),
        ({"linear": (0.52, False), "dnn": (0.9, False)}, None),
        ({"linear": (0.52, True)}, "linear"),
        ({"linear": (0.52, True), "dnn": (0.55, True), "rnn": (0.54, True)}, "dnn"),
        # The best is not blessed, so the best of the others it is.
        ({"linear": (0.52, True), "dnn": (0.60, False), "rnn": (0.53, True)}, "rnn"),
        # Equal ones: the first, which is the simpler model.
        ({"linear": (0.53, True), "dnn": (0.53, True)}, "linear"),
        ({"dnn": (0.53, True), "linear": (0.53, True)}, "dnn"),
    ],
)
def test_the_best_blessed_candidate_is_the_champion(
    candidates: Mapping[str, tuple[float, bool]], champion: str | None
) -> None:
    from components.model_selector.executor import choose

    assert choose({name: found(*values) for name, values in candidates.items()}) == champion


# ModelSelector between importers and Pusher


@dataclass(frozen=True)
class Outcome:
    """What a run of the selector left behind."""

    steps: dict[str, Any]
    model: Any
    blessing: Any
    pushed: list[Path]


Select = Callable[..., Outcome]


@pytest.fixture
def select(tmp_path: Path) -> Select:
    """Runs ModelSelector and Pusher on candidates and what the steps before would have found of them."""
    from tfx.components import Pusher
    from tfx.dsl.components.common.importer import Importer
    from tfx.proto import pusher_pb2
    from tfx.types import standard_artifacts

    from components.evidence.component import EvidenceArtifact
    from components.evidence.findings import Findings
    from components.leak_audit.component import LeakAuditArtifact
    from components.leak_audit.results import AUDIT_FILE, AuditReport, CheckResult, Status
    from components.model_selector.component import ModelSelector

    def run(candidates: Mapping[str, tuple[float, bool]], audited: str | None = None) -> Outcome:
        (tmp_path / "evidence").mkdir(exist_ok=True)
        Findings({name: found(*values) for name, values in candidates.items()}).write(tmp_path / "evidence")
        evidence = Importer(source_uri=str(tmp_path / "evidence"), artifact_type=EvidenceArtifact).with_id("evidence")
        components: list[Any] = [evidence]
        channels = {}
        for name in candidates:
            serving = tmp_path / name / "model" / "Format-Serving"
            (serving / "variables").mkdir(parents=True, exist_ok=True)
            (serving / "saved_model.pb").write_text(f"I am {name}")
            (serving / "variables" / "variables.index").write_text(name * 2)
            importer = Importer(source_uri=str(tmp_path / name / "model"), artifact_type=standard_artifacts.Model)
            components.append(importer.with_id(f"{name}.model"))
            channels[name] = importer.outputs["result"]
        audit = None
        if audited is not None:
            check = CheckResult("split proof", Status(audited), "As it is.")
            (tmp_path / audited).mkdir(exist_ok=True)
            (tmp_path / audited / AUDIT_FILE).write_text(AuditReport((check,), (), "window_returns", 1, 9).to_json())
            importer = Importer(source_uri=str(tmp_path / audited), artifact_type=LeakAuditArtifact).with_id("audit")
            components.append(importer)
            audit = importer.outputs["result"]
        selector = ModelSelector(channels, evidence.outputs["result"], audit)
        pusher = Pusher(
            model=selector.outputs["model"],
            model_blessing=selector.outputs["blessing"],
            push_destination=pusher_pb2.PushDestination(
                filesystem=pusher_pb2.PushDestination.Filesystem(base_directory=str(tmp_path / "serving"))
            ),
        )
        steps = run_components(tmp_path, [*components, selector, pusher])
        [model] = steps["ModelSelector"].outputs["model"]
        [blessing] = steps["ModelSelector"].outputs["blessing"]
        serving = tmp_path / "serving"
        return Outcome(steps, model, blessing, sorted(serving.iterdir()) if serving.exists() else [])

    return run


def files_of(artifact: Any) -> list[str]:
    return sorted(path.name for path in Path(artifact.uri).rglob("*") if path.is_file())


def test_the_champion_is_copied_blessed_and_pushed(select: Select, tmp_path: Path) -> None:
    from components.model_selector.files import read_evidence

    outcome = select({"linear": (0.52, True), "dnn": (0.55, True), "rnn": (0.58, False)})
    assert outcome.model.get_string_custom_property("champion") == "dnn"
    assert outcome.blessing.get_string_custom_property("champion") == "dnn"
    assert outcome.blessing.get_int_custom_property("blessed") == 1
    assert files_of(outcome.blessing) == ["BLESSED"]
    serving = Path(outcome.model.uri) / "Format-Serving"
    assert (serving / "saved_model.pb").read_text() == "I am dnn"
    assert (serving / "variables" / "variables.index").read_text() == "dnndnn"
    # What is known of the model goes with it, and only numbers that JSON can hold.
    assert read_evidence(serving).metrics == {
        "auc": 0.55, "auc_low": pytest.approx(0.54), "auc_standard_error": 0.005, "ic": pytest.approx(0.45)
    }  # fmt: skip

    [version] = outcome.pushed
    assert (version / "saved_model.pb").read_text() == "I am dnn"
    assert read_evidence(version).metrics["auc"] == 0.55
    [pushed] = outcome.steps["Pusher"].outputs["pushed_model"]
    assert pushed.get_int_custom_property("pushed") == 1
    # The candidate itself is left as it was trained.
    assert not (tmp_path / "dnn" / "model" / "Format-Serving" / "assets.extra").exists()

    again = select({"linear": (0.52, True), "dnn": (0.55, True), "rnn": (0.58, False)})
    assert again.steps["ModelSelector"].cached
    assert again.steps["Pusher"].cached
    assert again.pushed == [version]


def test_without_a_blessed_candidate_nothing_is_pushed_and_the_run_ends_well(
    select: Select, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "components.model_selector.executor")
    outcome = select({"linear": (0.52, False), "dnn": (0.55, False)})
    assert outcome.blessing.get_int_custom_property("blessed") == 0
    assert outcome.blessing.get_string_custom_property("champion") == ""
    assert outcome.model.get_string_custom_property("champion") == ""
    assert files_of(outcome.blessing) == ["NOT_BLESSED"]
    assert files_of(outcome.model) == []
    assert outcome.pushed == []
    [pushed] = outcome.steps["Pusher"].outputs["pushed_model"]
    assert pushed.get_int_custom_property("pushed") == 0
    assert "linear is not blessed: because of 0.52" in caplog.messages
    assert "dnn is not blessed: because of 0.55" in caplog.messages


def test_where_the_evaluation_leaks_nothing_is_pushed_however_good_it_looks(
    select: Select, caplog: pytest.LogCaptureFixture
) -> None:
    outcome = select({"linear": (0.52, True), "dnn": (0.84, True)}, audited="leaking")
    assert outcome.blessing.get_int_custom_property("blessed") == 0
    assert outcome.model.get_string_custom_property("champion") == ""
    assert files_of(outcome.model) == []
    assert outcome.pushed == []
    assert "dnn would be the champion, but the leak audit says that the evaluation leaks" in caplog.messages


@pytest.mark.parametrize("audited", ["passed", "suspicious"])
def test_a_suspicion_alone_keeps_nothing_back(select: Select, audited: str) -> None:
    outcome = select({"linear": (0.52, True)}, audited=audited)
    assert outcome.model.get_string_custom_property("champion") == "linear"
    assert len(outcome.pushed) == 1


def test_a_name_that_cannot_be_part_of_a_channel_is_refused() -> None:
    from tfx.types import Channel, standard_artifacts

    from components.evidence.component import EvidenceArtifact
    from components.model_selector.component import ModelSelector

    with pytest.raises(ValueError, match=r"model name 'a\.model' cannot"):
        ModelSelector({"a.model": Channel(type=standard_artifacts.Model)}, Channel(type=EvidenceArtifact))


# LatestBlessedPredecessor


class Records:
    """What TFX's steps write into ML Metadata, here one in memory."""

    def __init__(self) -> None:
        from ml_metadata import metadata_store
        from ml_metadata.proto import metadata_store_pb2

        self.store = metadata_store.MetadataStore(
            metadata_store_pb2.ConnectionConfig(fake_database=metadata_store_pb2.FakeDatabaseConfig())
        )

    def execution(self, name: str, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        """A step that took artifacts in and put others out; gives those that are new their numbers."""
        from ml_metadata.proto import metadata_store_pb2

        for artifact in outputs:
            if not artifact.id:
                artifact.type_id = self.store.put_artifact_type(artifact.artifact_type)
                [artifact.id] = self.store.put_artifacts([artifact.mlmd_artifact])
        kind = self.store.put_execution_type(metadata_store_pb2.ExecutionType(name=name))
        [execution] = self.store.put_executions([metadata_store_pb2.Execution(type_id=kind)])
        sides = ((metadata_store_pb2.Event.INPUT, inputs), (metadata_store_pb2.Event.OUTPUT, outputs))
        self.store.put_events(
            metadata_store_pb2.Event(execution_id=execution, artifact_id=artifact.id, type=side)
            for side, artifacts in sides
            for artifact in artifacts
        )

    def trained(self) -> tuple[Any, Any]:
        """A new model, and the run that trained it."""
        from tfx.types import standard_artifacts

        model, training = standard_artifacts.Model(), standard_artifacts.ModelRun()
        self.execution("Trainer", [], [model, training])
        return model, training

    def judged(self, model: Any, blessed: int, audited: Sequence[str] = ()) -> Any:
        """The blessing of a model, of which the leak audit spoke as often as there are verdicts."""
        from tfx.components.evaluator import constants
        from tfx.types import standard_artifacts

        from components.evidence.component import EvidenceArtifact
        from components.leak_audit.component import LeakAuditArtifact

        evidence, blessing = EvidenceArtifact(), standard_artifacts.ModelBlessing()
        # As TFX's Evaluator marks it.
        blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_CURRENT_MODEL_ID_KEY, model.id)
        blessing.set_int_custom_property(constants.ARTIFACT_PROPERTY_BLESSED_KEY, blessed)
        self.execution("Evidence", [model], [evidence, blessing])
        for verdict in audited:
            audit = LeakAuditArtifact()
            audit.set_string_custom_property("verdict", verdict)
            self.execution("LeakAudit", [evidence], [audit])
        selected = standard_artifacts.Model()
        selected.set_string_custom_property("champion", "linear")
        self.execution("ModelSelector", [model, evidence], [selected])
        return blessing


def predecessor(records: Records, models: Sequence[Any], blessings: Sequence[Any], training: Any) -> Any:
    """The predecessor that is found, or None."""
    from components.model_selector.predecessor import BLESSING, CANDIDATE, MODEL, LatestBlessedPredecessor

    found = LatestBlessedPredecessor().resolve_artifacts(
        records.store, {MODEL: list(models), BLESSING: list(blessings), CANDIDATE: [training]}
    )
    assert set(found) == {MODEL, BLESSING, CANDIDATE}
    assert found[CANDIDATE] == [training]
    assert [one.get_int_custom_property("current_model_id") for one in found[BLESSING]] == [
        one.id for one in found[MODEL]
    ]
    assert all(one.get_int_custom_property("blessed") == 1 for one in found[BLESSING])
    return found[MODEL][0] if found[MODEL] else None


@pytest.mark.parametrize(
    ("models", "verdicts", "candidate", "expected"),
    [
        # The first run of all.
        ([], [], 1, None),
        ([1], [], 1, None),
        # A repeated run finds its own candidate blessed.
        ([1], [(1, 1)], 1, None),
        # The last blessed one, not the last one, in whatever order the channels bring them.
        ([1, 2, 3, 4], [(1, 1), (2, 1), (3, 0)], 4, 2),
        ([4, 2, 1, 3], [(3, 0), (1, 1), (2, 1)], 4, 2),
        # Own candidate blessed in an earlier run: its predecessor is the one it had then.
        ([1, 2, 3], [(1, 1), (2, 1), (3, 1)], 3, 2),
        # None was blessed.
        ([1, 2, 3], [(1, 0), (2, 0)], 3, None),
        # A blessing whose model is not there, as when it is another kind's.
        ([2, 3], [(1, 1)], 3, None),
        # An old candidate taken from the cache stands against what was blessed since.
        ([1, 2], [(1, 1), (2, 1)], 1, 2),
        # Evaluated again after a change of the metrics: the later verdict counts.
        ([1, 2, 3], [(1, 1), (2, 1), (2, 0)], 3, 1),
        ([1, 2, 3], [(1, 1), (2, 0), (2, 1)], 3, 2),
    ],
)
def test_the_predecessor_is_the_last_blessed_model_but_the_candidate(
    models: list[int], verdicts: list[tuple[int, int]], candidate: int, expected: int | None
) -> None:
    records = Records()
    trained = {number: records.trained() for number in range(1, 5)}
    blessings = [records.judged(trained[of][0], blessed, ["clean"]) for of, blessed in verdicts]

    found = predecessor(records, [trained[number][0] for number in models], blessings, trained[candidate][1])

    assert found is (None if expected is None else trained[expected][0])


@pytest.mark.parametrize(
    ("audited", "kept"),
    [
        (["leaking"], False),
        (["clean"], True),
        (["suspicious"], True),
        # A run without an audit, or one that was killed before it.
        ([], True),
        # Audited again, as after a change of its limits: the last word counts.
        (["clean", "leaking"], False),
        (["leaking", "clean"], True),
    ],
)
def test_a_model_of_a_run_that_leaks_is_no_predecessor(audited: list[str], kept: bool) -> None:
    records = Records()
    (honest, _), (leaky, _), (_, training) = (records.trained() for _ in range(3))
    blessings = [records.judged(honest, 1, ["clean"]), records.judged(leaky, 1, audited)]

    assert predecessor(records, [honest, leaky], blessings, training) is (leaky if kept else honest)
