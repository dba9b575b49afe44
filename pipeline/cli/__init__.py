"""`awesome ...`: the command line. Every command imports what it needs when it runs, so that --help answers at once."""

from __future__ import annotations

from pipeline.cli.application import load_app, main

__all__ = ["load_app", "main"]
