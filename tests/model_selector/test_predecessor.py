"""The search for a candidate's predecessor: which blessed model of an earlier run it has to stand against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning:google")]


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
        """The blessing of a model, of which audit and ModelSelector spoke as often as there are words, in their order.

        Words are a verdict of the audit, or `held` and `free` for what a selector behind it made of the model.
        """
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
            if verdict in ("held", "free"):
                choice = standard_artifacts.ModelBlessing()
                choice.set_string_custom_property("held_back", f"9999 {model.id}" if verdict == "held" else "")
                self.execution("ModelSelector", [model, evidence], [choice])
                continue
            audit = LeakAuditArtifact()
            audit.set_string_custom_property("verdict", verdict)
            self.execution("LeakAudit", [evidence], [audit])
        # As one before this rule, or of a run that was not audited: it says nothing.
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
        # Nobody has accepted that: a run of before the rule, or one that was killed before its selector.
        (["suspicious"], False),
        (["suspicious", "held"], False),
        # It touches other models only, or somebody has accepted it, in the end.
        (["suspicious", "free"], True),
        (["suspicious", "held", "free"], True),
        (["suspicious", "free", "held"], False),
        (["leaking", "held"], False),
        (["clean", "free"], True),
        # Audited again since the selector spoke.
        (["clean", "free", "suspicious"], False),
        (["suspicious", "held", "clean"], True),
        # A run without an audit, or one that was killed before it.
        ([], True),
        # Audited again, as after a change of its limits: the last word counts.
        (["clean", "leaking"], False),
        (["leaking", "clean"], True),
    ],
)
def test_a_model_that_is_held_back_is_no_predecessor(audited: list[str], kept: bool) -> None:
    records = Records()
    (honest, _), (leaky, _), (_, training) = (records.trained() for _ in range(3))
    blessings = [records.judged(honest, 1, ["clean"]), records.judged(leaky, 1, audited)]

    assert predecessor(records, [honest, leaky], blessings, training) is (leaky if kept else honest)
