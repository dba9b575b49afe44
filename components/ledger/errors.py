"""What a user can cause and fix."""

from __future__ import annotations

from components.errors import UserError


class LedgerError(UserError):
    """A ledger is missing, is none, or cannot take what is to be written."""
