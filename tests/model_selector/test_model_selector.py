"""The choice of the champion, and its way through ModelSelector and Pusher."""

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

    def run(
        candidates: Mapping[str, tuple[float, bool]],
        audited: str | None = None,
        touches: Sequence[str] = (),
        accept: Sequence[str] = (),
    ) -> Outcome:
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
            check = CheckResult("level test", Status(audited), "As it is.", models=tuple(touches))
            (tmp_path / audited).mkdir(exist_ok=True)
            (tmp_path / audited / AUDIT_FILE).write_text(AuditReport((check,), (), "window_returns", 1, 9).to_json())
            importer = Importer(source_uri=str(tmp_path / audited), artifact_type=LeakAuditArtifact).with_id("audit")
            components.append(importer)
            audit = importer.outputs["result"]
        selector = ModelSelector(channels, evidence.outputs["result"], audit, accept)
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
    from models.errors import TwinError
    from models.twin.forecasting import load_twin

    extra = tmp_path / "dnn" / "model" / "Format-Serving" / "assets.extra"
    extra.mkdir(parents=True)
    for name in ("twin.json", "twin.npz"):
        (extra / name).write_text("as it was trained")
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
    # Nobody has proven its twin.
    assert sorted(path.name for path in (version / "assets.extra").iterdir()) == ["evidence.json", "twin.json"]
    with pytest.raises(TwinError, match="nobody has compared it with TensorFlow"):
        load_twin(version)
    # The candidate itself is left as it was trained.
    assert {path.name: path.read_text() for path in extra.iterdir()} == {
        "twin.json": "as it was trained", "twin.npz": "as it was trained"
    }  # fmt: skip

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


def test_a_clean_audit_keeps_nothing_back(select: Select) -> None:
    outcome = select({"linear": (0.52, True)}, audited="passed")
    assert outcome.model.get_string_custom_property("champion") == "linear"
    assert len(outcome.pushed) == 1


def test_a_suspicion_keeps_back_what_it_touches_until_a_person_accepts_it(
    select: Select, caplog: pytest.LogCaptureFixture
) -> None:
    held = select({"linear": (0.52, True), "dnn": (0.84, True)}, audited="suspicious")
    assert held.pushed == []
    assert held.model.get_string_custom_property("champion") == ""
    assert held.blessing.get_int_custom_property("blessed") == 0
    said = "linear (level test), dnn (level test)"
    assert held.blessing.get_string_custom_property("held_back_because") == said
    assert "dnn would be the champion, but the leak audit says that level test is suspicious" in caplog.messages

    accepted = select({"linear": (0.52, True), "dnn": (0.84, True)}, audited="suspicious", accept=["level test"])
    assert accepted.model.get_string_custom_property("champion") == "dnn"
    assert len(accepted.pushed) == 1
    assert accepted.blessing.get_string_custom_property("accepted") == "level test"
    assert accepted.blessing.get_string_custom_property("held_back") == ""
    # What was asked is a property of the selector alone.
    assert accepted.steps["audit"].cached

    other = select({"linear": (0.52, True), "dnn": (0.84, True)}, audited="suspicious", accept=["alarm"])
    assert other.model.get_string_custom_property("champion") == ""


def test_a_suspicion_of_one_model_lets_the_others_pass(select: Select) -> None:
    outcome = select({"linear": (0.52, True), "dnn": (0.84, True)}, audited="suspicious", touches=["dnn"])
    assert outcome.model.get_string_custom_property("champion") == "linear"
    assert outcome.blessing.get_string_custom_property("held_back_because") == "dnn (level test)"
    assert len(outcome.pushed) == 1


def test_a_leak_cannot_be_accepted(select: Select) -> None:
    outcome = select({"linear": (0.52, True)}, audited="leaking", touches=["dnn"], accept=["level test"])
    assert outcome.model.get_string_custom_property("champion") == ""
    assert outcome.pushed == []


def test_a_name_that_cannot_be_part_of_a_channel_is_refused() -> None:
    from tfx.types import Channel, standard_artifacts

    from components.evidence.component import EvidenceArtifact
    from components.model_selector.component import ModelSelector

    with pytest.raises(ValueError, match=r"model name 'a\.model' cannot"):
        ModelSelector({"a.model": Channel(type=standard_artifacts.Model)}, Channel(type=EvidenceArtifact))
