"""What steps of killed runs leave in the pipeline's folder, and what the next run makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::FutureWarning")]

WROTE = ("examples/{}/Split-train", ".system/executor_execution/{}/.temp", "statistics/{}")


def test_what_a_killed_step_was_writing_is_removed_and_nothing_else(tmp_path: Path) -> None:
    from ml_metadata.proto import metadata_store_pb2
    from tfx.orchestration import metadata

    from pipeline.job.steps import clear_unfinished, sqlite_metadata

    connection = sqlite_metadata(str(tmp_path / "metadata.db"))
    state = metadata_store_pb2.Execution.State.Value
    with metadata.Metadata(connection) as handle:
        store = handle.store
        kinds = {
            name: store.put_context_type(metadata_store_pb2.ContextType(name=name)) for name in ("pipeline", "node")
        }
        made = store.put_execution_type(metadata_store_pb2.ExecutionType(name="Made"))

        def execution(pipeline: str, node: str, how: str) -> int:
            contexts = [
                metadata_store_pb2.Context(type_id=kinds["pipeline"], name=pipeline),
                metadata_store_pb2.Context(type_id=kinds["node"], name=f"{pipeline}.{node}"),
            ]
            one = metadata_store_pb2.Execution(type_id=made, last_known_state=state(how))
            return int(store.put_execution(one, [], contexts, reuse_context_if_already_exist=True)[0])

        done = execution("prices", "Trainer.rnn", "COMPLETE")
        killed = execution("prices", "Trainer.rnn", "RUNNING")
        failed = execution("prices", "Trainer.rnn", "FAILED")
        other = execution("prices-h20", "FeatureExampleGen", "RUNNING")
    step = tmp_path / "prices" / "Trainer.rnn"
    for number in (done, killed, failed, 99):
        for name in WROTE:
            (step / name.format(number)).mkdir(parents=True)
            (step / name.format(number) / "data").write_text("data")
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "data").write_text("mine")
    (step / "linked").mkdir()
    (step / "linked" / str(killed)).symlink_to(mine)
    (tmp_path / "prices-h20" / "FeatureExampleGen" / "examples" / str(other)).mkdir(parents=True)
    (tmp_path / "prices-h20" / "FeatureExampleGen" / "examples" / str(killed)).mkdir(parents=True)

    for _ in range(2):
        clear_unfinished(connection, tmp_path)
        left = {path.relative_to(step).as_posix() for path in step.rglob("data") if "linked" not in path.parts}
        assert left == {f"{name.format(number)}/data" for number in (done, failed, 99) for name in WROTE}
        assert (step / "linked" / str(killed)).is_symlink()
        assert (mine / "data").read_text() == "mine"
        assert [path.name for path in (tmp_path / "prices-h20" / "FeatureExampleGen" / "examples").iterdir()] == [
            str(killed)
        ]
