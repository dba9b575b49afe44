"""Artifacts of a workspace that was moved or copied, in its ML Metadata: their paths become those of here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ml_metadata.metadata_store import metadata_store

from pipeline.runs.moved import parted


def relocate(connection: Any, workspace: Path) -> int:
    """Lets ML Metadata name the artifacts that lie in the workspace by the paths that they have now.

    The predecessors of models are taken from what it names: in a copy those would be the original's, and of a moved
    workspace there would be none. Whoever calls it holds the workspace's lock.

    Args:
        connection: of the workspace's ML Metadata.
        workspace: its folder.

    Returns:
        How many artifacts have another path now. What does not lie here keeps its own.
    """
    store = metadata_store.MetadataStore(connection)
    home, changed = workspace.absolute(), []
    for artifact in store.get_artifacts():
        if (here := _here(artifact.uri, home)) is None:
            continue
        artifact.uri = here
        for value in artifact.custom_properties.values():
            if value.HasField("string_value") and (path := _here(value.string_value, home)) is not None:
                value.string_value = path
        changed.append(artifact)
    if changed:
        store.put_artifacts(changed)
    return len(changed)


def _here(path: str, workspace: Path) -> str | None:
    """The path within the workspace; None where it is the same, or nothing lies there."""
    before, inside = parted(path)
    if inside is None or before == workspace or not (workspace / inside).exists():
        return None
    return str(workspace / inside)
