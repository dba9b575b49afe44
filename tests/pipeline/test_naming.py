"""One name for a database, from whatever folder and however it is written; and what earlier versions kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from pipeline.plan import Plan, load_plan

SHORT = "prices-window_returns-h1"


@pytest.fixture
def home(folder: Path) -> Path:
    """A folder with a database, a link to it, and another folder beside it."""
    (folder / "prices.sqlite").touch()
    (folder / "link.db").symlink_to("prices.sqlite")
    (folder / "other").mkdir()
    (folder / "other" / "prices.sqlite").touch()
    return folder


def plan(db: object, workspace: object = "runs") -> Plan:
    return load_plan({"db": str(db), "workspace": str(workspace)})


def names(databases: Sequence[object], workspace: object) -> set[str]:
    return {plan(one, workspace).name for one in databases}


def ran(workspace: Path, name: str, database: Path) -> None:
    """What a run leaves of its name: its folder, and in ML Metadata what its first step has read."""
    from ml_metadata import proto
    from ml_metadata.metadata_store import MetadataStore

    (workspace / "tfx" / name).mkdir(parents=True)
    config = proto.ConnectionConfig()
    config.sqlite.filename_uri = str(workspace / "tfx" / "metadata.db")
    store = MetadataStore(config)
    execution = proto.Execution(type_id=store.put_execution_type(proto.ExecutionType(name="FeatureExampleGen")))
    execution.custom_properties["input_base"].string_value = str(database)
    context = proto.Context(type_id=store.put_context_type(proto.ContextType(name="pipeline")), name=name)
    store.put_execution(execution, [], [context])


def test_a_database_has_one_name_however_it_is_written(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = ["prices.sqlite", "./prices.sqlite", "other/../prices.sqlite", home / "prices.sqlite", "link.db"]
    assert names(written, "runs") == {SHORT}
    assert names(written, home / "runs") == {SHORT}
    monkeypatch.chdir(home / "other")
    written = ["../prices.sqlite", home / "prices.sqlite", home / "link.db", "../link.db"]
    assert names(written, home / "runs") == names(written, "../runs") == {SHORT}
    assert plan("prices.sqlite", home / "runs").name != SHORT


def test_two_databases_of_one_name_are_two_in_a_workspace_from_everywhere(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = home / "prices.sqlite", home / "other" / "prices.sqlite"
    here = plan(one).name, plan(other).name
    monkeypatch.chdir(home / "other")
    assert (plan(one, home / "runs").name, plan(other, home / "runs").name) == here
    assert len(set(here)) == 2


def test_what_an_earlier_version_has_run_from_the_databases_folder_is_found(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Then the current folder stood for the workspace's.
    database, workspace = home / "other" / "prices.sqlite", home / "runs"
    ran(workspace, SHORT, database)
    assert plan(database, workspace).name == SHORT
    monkeypatch.chdir(home / "other")
    assert names(["prices.sqlite", database], workspace) == {SHORT}
    assert plan(home / "prices.sqlite", workspace).name not in ("", SHORT)  # which is not the one that has run


def test_what_an_earlier_version_has_run_from_another_folder_or_by_a_link_is_found(home: Path) -> None:
    database, workspace = home / "prices.sqlite", home / "runs"
    away = plan(database, home / "elsewhere" / "runs").name
    assert away != SHORT
    ran(workspace, away, database)
    assert plan("prices.sqlite").name == away
    ran(home / "linked", "link-window_returns-h1", home / "link.db")
    assert names(["link.db", "prices.sqlite"], "linked") == {"link-window_returns-h1"}


def test_a_folder_alone_says_nothing_of_whose_it_is(home: Path) -> None:
    database, workspace = home / "other" / "prices.sqlite", home / "runs"
    (workspace / "serving" / SHORT).mkdir(parents=True)
    assert plan(database, workspace).name != SHORT
    assert plan("prices.sqlite").name == SHORT
