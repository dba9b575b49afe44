"""Which model a candidate has to stand against."""

from __future__ import annotations

from typing import Any

from ml_metadata.proto import metadata_store_pb2
from tfx.dsl.components.common import resolver

from components.leak_audit.results import VERDICT_PROPERTY, Status
from components.model_selector.properties import HELD_BACK

MODEL = "model"
BLESSING = "model_blessing"
CANDIDATE = "candidate"


class LatestBlessedPredecessor(resolver.ResolverStrategy):
    """The last blessed model of the candidate's kind, the candidate itself left out, and all that were held back.

    A model that profits from a leak is blessed before the audit speaks. Nothing honest would ever beat it. So it is
    with one that a suspicion touches, until a person has accepted that.

    TFX's own strategy would find the candidate again as soon as a run is repeated, so that an unchanged run would never
    be a cache hit and a model would be measured against itself. Give its channels a producer, or kinds of model mix.
    """

    def resolve_artifacts(self, store: Any, input_dict: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """Picks the predecessor.

        Args:
            store: ML Metadata, which knows the model of the candidate's training run, and the audits.
            input_dict: `model` and `model_blessing`, all of this kind, and `candidate`, the training run of this run's
                model. (The model itself cannot be given: TFX would take it and `model` for one and the same input.)

        Returns:
            The same keys, with one model and its blessing, or none of either.
        """
        own = _made_together(store, [artifact.id for artifact in input_dict[CANDIDATE]])
        # A model that is evaluated again, after a change of the metrics say, has several verdicts: the last one counts.
        verdicts = {
            blessing.get_int_custom_property("current_model_id"): blessing
            for blessing in sorted(input_dict[BLESSING], key=lambda blessing: blessing.id)
        }
        blessings = {
            model: verdict for model, verdict in verdicts.items() if verdict.get_int_custom_property("blessed") == 1
        }
        blessed = [model for model in input_dict[MODEL] if model.id in blessings and model.id not in own]
        for latest in sorted(blessed, key=lambda model: model.id, reverse=True):
            # Asked of one after the other: a daily pipeline has hundreds, and the first is nearly always good.
            if not _held_back(store, blessings[latest.id], latest):
                return {MODEL: [latest], BLESSING: [blessings[latest.id]], CANDIDATE: input_dict[CANDIDATE]}
        return {MODEL: [], BLESSING: [], CANDIDATE: input_dict[CANDIDATE]}


def _held_back(store: Any, blessing: Any, model: Any) -> bool:
    """Whether a blessed model must not be pushed, by the last audit and the last ModelSelector that spoke of it.

    A selector that ran since the last audit has judged each model by it; where none did, whatever is not clean holds
    back, as nobody has accepted it.
    """
    evidence = sorted(_made_together(store, [blessing.id]))
    readers = {
        event.execution_id
        for event in (store.get_events_by_artifact_ids(evidence) if evidence else [])
        if event.type == metadata_store_pb2.Event.INPUT
    }
    events = store.get_events_by_execution_ids(sorted(readers)) if readers else []
    # An output from the cache is older than the execution that took it over: the executions say what was last.
    made = {
        (event.execution_id, event.artifact_id) for event in events if event.type == metadata_store_pb2.Event.OUTPUT
    }
    outputs = {artifact.id: artifact for artifact in store.get_artifacts_by_id(sorted({output for _, output in made}))}
    audits = {at: outputs[output] for at, output in made if VERDICT_PROPERTY in outputs[output].custom_properties}
    choices = {at: outputs[output] for at, output in made if HELD_BACK in outputs[output].custom_properties}
    if choices and max(choices) > max(audits, default=-1):
        return str(model.id) in choices[max(choices)].custom_properties[HELD_BACK].string_value.split()
    if not audits:
        return False
    verdict = audits[max(audits)].custom_properties[VERDICT_PROPERTY].string_value
    return verdict in (Status.LEAKING, Status.SUSPICIOUS)


def _made_together(store: Any, artifact_ids: list[int]) -> set[int]:
    """All artifacts that came out of the executions these came out of."""
    executions = {
        event.execution_id
        for event in (store.get_events_by_artifact_ids(artifact_ids) if artifact_ids else [])
        if event.type == metadata_store_pb2.Event.OUTPUT
    }
    events = store.get_events_by_execution_ids(sorted(executions)) if executions else []
    return {event.artifact_id for event in events if event.type == metadata_store_pb2.Event.OUTPUT}
