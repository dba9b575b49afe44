"""The type of what LeakAudit puts out."""

from __future__ import annotations

from tfx.types import artifact


class LeakAuditReport(artifact.Artifact):
    """A folder that holds audit.json."""

    TYPE_NAME = "LeakAuditReport"
