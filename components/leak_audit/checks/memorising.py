"""Leak inflation, memorising: what a shuffled split gives at most to who knows the training set by heart."""

from __future__ import annotations

from components.leak_audit.check import Check
from components.leak_audit.checks.inflation import leak_inflation

CHECK = Check(
    "leak inflation, memorising",
    lambda audited: leak_inflation(audited, None),
    passes="for information: trees that know the training set by heart under a shuffled split of the same rows",
    order=90,
    acceptable=False,
    learns=True,
)
