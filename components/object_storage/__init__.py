"""Databases and models to and from object storage: a folder, S3, or Tencent's COS.

`Storage.at` opens one; `push_database`, `pull_database`, `push_model`, `list_models` and `pull_model` move things, and
`push_tries` and `pull_tries` the record of what was tried on a database, `push_ledger` and `pull_ledger` the
predictions on it. What is pushed counts from the moment its manifest is written, and what is pulled replaces nothing
before it is checked.
"""

from __future__ import annotations

from components.object_storage.databases import (
    PulledDatabase,
    StoredDatabase,
    list_databases,
    pull_database,
    push_database,
)
from components.object_storage.ledgers import pull_ledger, push_ledger, stored_heads
from components.object_storage.location import Storage
from components.object_storage.manifest import CodeVersion, DatabaseManifest, ModelFacts, ModelManifest, StoredFile
from components.object_storage.models import (
    ModelFolders,
    ModelListing,
    PulledModel,
    list_models,
    pull_model,
    push_model,
)
from components.object_storage.opening import StorageSettings
from components.object_storage.snapshot import snapshot
from components.object_storage.transfer import Progress, Pushed
from components.object_storage.tries import pull_tries, push_tries

__all__ = [
    "CodeVersion",
    "DatabaseManifest",
    "ModelFacts",
    "ModelFolders",
    "ModelListing",
    "ModelManifest",
    "Progress",
    "PulledDatabase",
    "PulledModel",
    "Pushed",
    "Storage",
    "StorageSettings",
    "StoredDatabase",
    "StoredFile",
    "list_databases",
    "list_models",
    "pull_database",
    "pull_ledger",
    "pull_model",
    "pull_tries",
    "push_database",
    "push_ledger",
    "push_model",
    "push_tries",
    "snapshot",
    "stored_heads",
]
